"""From an answer to the posts of its platform.

Every text stays a text, whatever it says; only `answer` looks for files in it, and only the words
of the model are given to it."""

from collections.abc import Callable, Sequence

from hermes_agent.config.schema.gateway import Streaming
from hermes_agent.delivery.capabilities import Capabilities
from hermes_agent.delivery.media import extract
from hermes_agent.delivery.render import render
from hermes_agent.delivery.stream import Growing
from hermes_agent.domain.chats import Attachment, Inbound, Origin, Outgoing, Post, Target
from hermes_agent.gateway.growing import GrowingAnswer
from hermes_agent.ledger.port import Claim
from hermes_agent.policy.redaction import RedactingStream
from hermes_agent.scheduler.targets import place_on

_PLAIN = Capabilities()


class Presenter:
    """`capabilities_of` by platform name, for those that are configured; `may_send` tells which
    files an answer may carry, `brings` whether the one to somebody may carry any; `quoting` which
    parts of an answer quote the question; `home` is the home chat of a platform; `redact` and
    `clean` blank secrets out, of a whole text and of one that grows."""

    def __init__(
        self,
        *,
        capabilities_of: Callable[[str], Capabilities | None],
        may_send: Callable[[str], bool],
        brings: Callable[[Origin | None], bool],
        quoting: Callable[[str], str],
        redact: Callable[[str], str],
        clean: Callable[[], RedactingStream] | None,
        home: Callable[[str], Target | None],
    ) -> None:
        self._capabilities_of = capabilities_of
        self._may_send = may_send
        self._brings = brings
        self._quoting = quoting
        self._redact = redact
        self._clean = clean
        self._home = home

    def capabilities(self, platform: str) -> Capabilities:
        """What the platform can do."""
        return self._capabilities_of(platform) or _PLAIN

    def note(self, origin: Origin) -> str:
        """What the prompt says about the entrance of a session."""
        capabilities = self.capabilities(origin.platform)
        files = (
            " To send a file, write MEDIA:/absolute/path on a line of its own."
            if capabilities.media and self._brings(origin)
            else ""
        )
        return (
            f"You talk through {origin.platform} ({origin.chat_type}). Keep answers short enough "
            f"for a chat; Markdown is converted.{files}"
        )

    def posts(self, platform: str, text: str, *, quotes: str | None = None) -> tuple[Post, ...]:
        """The posts of a text for people, secrets blanked out. It brings no files."""
        return render(self._redact(text), self.capabilities(platform), quotes=quotes)

    def answer(
        self,
        platform: str,
        said: str,
        origin: Origin | None,
        *,
        before: str = "",
        after: str = "",
        quotes: str | None = None,
    ) -> tuple[Post, ...]:
        """The posts of what the model said to `origin` (None: to whoever works on the machine),
        with the files that it names if they may be had there; secrets blanked out. What stands
        `before` and `after` it are not the model's words."""
        capabilities = self.capabilities(platform)
        attachments: tuple[Attachment, ...] = ()
        said = self._redact(said)
        if capabilities.media and self._brings(origin):
            said, attachments = extract(said, self._may_send)
        text = f"{self._redact(before)}{said}{self._redact(after)}"
        return render(text, capabilities, quotes=quotes, attachments=attachments)

    def outgoing(self, claim: Claim, text: str, *, first: int) -> tuple[Outgoing, ...]:
        """A reply to a message that brings no files, its parts numbered from `first`."""
        inbound = claim.inbound
        target = self.target_of(inbound)
        posts = self.posts(target.platform, text, quotes=self._quotes(inbound, target))
        return number(claim.turn, target, posts, first)

    def answered(
        self, claim: Claim, said: str, *, first: int, before: str = "", after: str = ""
    ) -> tuple[Outgoing, ...]:
        """The model's answer to a message, as in `answer`, its parts numbered from `first`."""
        inbound = claim.inbound
        target = self.target_of(inbound)
        posts = self.answer(
            target.platform,
            said,
            inbound.origin,
            before=before,
            after=after,
            quotes=self._quotes(inbound, target),
        )
        return number(claim.turn, target, posts, first)

    def growing(self, claim: Claim, streaming: Streaming) -> GrowingAnswer:
        """An answer to this message that is shown while it is written."""
        target = self.target_of(claim.inbound)
        growing = Growing(
            self.capabilities(target.platform),
            interval=streaming.edit_interval,
            threshold=streaming.buffer_threshold,
            cursor=streaming.cursor,
            quotes=self._quotes(claim.inbound, target),
        )
        return GrowingAnswer(growing, self._clean)

    def _quotes(self, inbound: Inbound, target: Target) -> str | None:
        here = target == inbound.origin.target and self._quoting(target.platform) != "off"
        return inbound.message_id if here else None

    def target_of(self, inbound: Inbound) -> Target:
        """Where the answer goes: back, or where the entrance says (`deliver` in its `extra`)."""
        platform, _, place = inbound.extra.get("deliver", "").partition(":")
        elsewhere = place_on(platform, place) if place else self._home(platform)
        return elsewhere or inbound.origin.target

    def notice(self, target: Target, text: str, *, turn: str) -> tuple[Outgoing, ...]:
        """A message that answers nothing."""
        return number(turn, target, self.posts(target.platform, text), 0)


def number(turn: str, target: Target, posts: Sequence[Post], first: int) -> tuple[Outgoing, ...]:
    """The posts on their way, parts counted from `first`."""
    return tuple(
        Outgoing(turn=turn, part=first + index, target=target, post=post)
        for index, post in enumerate(posts)
    )
