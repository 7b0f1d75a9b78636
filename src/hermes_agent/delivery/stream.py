"""An answer that is shown while it grows: when to send, when to edit, and what.

Nothing here sends or waits: the caller hands in text and the time, and does what comes out. The
parts of a growing answer are cut where `render` cuts them, so that the finished answer's post
number i replaces part i.
"""

from collections.abc import Sequence

import msgspec

from hermes_agent.delivery.capabilities import Capabilities
from hermes_agent.delivery.cleaning import visible
from hermes_agent.delivery.prefix import presentable
from hermes_agent.delivery.render import length, render
from hermes_agent.domain.chats import Attachment, Post

SURPLUS = "…"
"""What stays of a part that the finished answer does not have."""


class Update(msgspec.Struct, frozen=True):
    """Send `post` as part number `part` (from 0) if it is `new`, else edit that part to it."""

    part: int
    post: Post
    new: bool


class Growing:
    """One message of the model's.

    `interval` and the platform's own `edit_interval`, whichever is longer, lie between two
    updates, in seconds; `threshold` characters are gathered for each. `cursor` stands at the end
    until the answer is finished. On a platform without edits nothing is due before the end.
    """

    def __init__(
        self,
        capabilities: Capabilities,
        *,
        interval: float,
        threshold: int,
        cursor: str,
        quotes: str | None = None,
    ) -> None:
        self._capabilities = capabilities
        self._interval = max(interval, capabilities.edit_interval)
        self._threshold = max(1, threshold)
        self._cursor = _cursor(cursor, capabilities)
        self._quotes = quotes
        self._text: list[str] = []
        self._unseen = 0
        self._shown: list[Post] = []
        self._waiting: list[Update] = []
        self._last: float | None = None

    @property
    def text(self) -> str:
        """All that was fed."""
        return "".join(self._text)

    @property
    def shown(self) -> tuple[Post, ...]:
        """The parts as they were last given out."""
        return tuple(self._shown)

    def feed(self, text: str) -> None:
        """The model wrote more."""
        self._text.append(text)
        self._unseen += len(text)

    def restart(self) -> None:
        """The model begins anew; what is out already will be edited."""
        self._text.clear()
        self._waiting.clear()
        self._unseen = 0

    def due(self, now: float) -> Update | None:
        """What to do at this time, a clock's reading in seconds; ask again after doing it.

        What is given out counts as done: one that failed is said again with `failed`.
        """
        if not self._capabilities.edits:
            return None
        if self._last is not None and now - self._last < self._interval:
            return None
        if not self._waiting and self._unseen >= self._threshold:
            self._unseen = 0
            self._waiting = self._changes(self._preview())
        if not self._waiting:
            return None
        self._last = now
        return self._give(self._waiting.pop(0))

    def failed(self, update: Update) -> None:
        """The update could not be shown. An edit comes again when something changes; a part that
        was not sent is new once more, and so are those after it."""
        if update.new:
            del self._shown[update.part :]
        elif update.part < len(self._shown):
            self._shown[update.part] = Post()
        self._waiting.clear()
        self._unseen = max(self._unseen, self._threshold)

    def finish(
        self, text: str | None = None, *, attachments: Sequence[Attachment] = ()
    ) -> tuple[Update, ...]:
        """What makes the shown parts the finished answer, which is `text` or all that was fed.
        Nothing in it waits for the clock but the platform's own limits."""
        posts = render(
            self.text if text is None else text,
            self._capabilities,
            quotes=self._quotes,
            attachments=attachments,
        )
        surplus = Post(text=SURPLUS, plain=SURPLUS)
        posts += (surplus,) * (len(self._shown) - len(posts))
        return tuple(map(self._give, self._changes(posts)))

    def _preview(self) -> tuple[Post, ...]:
        posts = render(
            presentable(self.text), self._capabilities, quotes=self._quotes, numbered=False
        )
        if not posts:
            return ()
        *before, last = posts
        grown = msgspec.structs.replace(
            last, text=last.text + self._cursor.text, plain=last.plain + self._cursor.plain
        )
        most, unit = self._capabilities.max_length, self._capabilities.unit
        fits = all(length(each, unit) <= most for each in (grown.text, grown.plain))
        return (*before, grown if fits else last)

    def _changes(self, posts: Sequence[Post]) -> list[Update]:
        return [
            Update(part, post, new=part >= len(self._shown))
            for part, post in enumerate(posts)
            if part >= len(self._shown) or self._shown[part] != post
        ]

    def _give(self, update: Update) -> Update:
        if update.new:
            self._shown.append(update.post)
        else:
            self._shown[update.part] = update.post
        return update


def _cursor(cursor: str, capabilities: Capabilities) -> Post:
    """The cursor in the dialect: a person may have chosen one that is markup there."""
    posts = render(cursor, capabilities, numbered=False) if visible(cursor) else ()
    if len(posts) != 1:
        return Post()
    space = cursor[: len(cursor) - len(cursor.lstrip())]
    return Post(text=space + posts[0].text, plain=space + posts[0].plain)
