"""The gate that every command passes before it runs."""

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from hermes_agent.domain.asking import Approval, ApprovalRequest
from hermes_agent.domain.errors import DeniedError, HermesError
from hermes_agent.domain.ports import Asker
from hermes_agent.policy.askers import NobodyToAsk
from hermes_agent.policy.grants import Grants, ListedGrants
from hermes_agent.policy.programs import assess_program
from hermes_agent.policy.rules import assess
from hermes_agent.policy.verdict import Place, Reason, Verdict

if TYPE_CHECKING:
    import asyncio

Mode = Literal["manual", "smart", "off"]
DEFAULT_TIMEOUT = 60.0
# Environments where the machine is not at stake.
CONTAINERS = frozenset(("docker", "podman", "singularity", "modal", "daytona"))
# Environments where what decides about the agent is out of reach.
CONFINING = CONTAINERS | {"bubblewrap"}

_log = logging.getLogger(__name__)
_RETRY = "Do not try the same thing another way; say what you need and why, or go on without it."


class Gate:
    """Asks a person where the rules say so, and remembers the answers of one session.

    `asker` None means that nobody can be asked: what needs an answer is denied. `timeout` is in
    seconds. `deny` are the patterns of `approvals.deny`. `managed`: an answer of `always` holds
    for the session only. `notify` gets sentences for the person. `yolo` may be changed at any
    time; it lifts questions, never blocks.
    """

    def __init__(
        self,
        *,
        home: str,
        hermes_home: str,
        mode: Mode = "manual",
        asker: Asker | None = None,
        grants: Grants | None = None,
        deny: Sequence[str] = (),
        yolo: bool = False,
        timeout: float = DEFAULT_TIMEOUT,
        managed: bool = False,
        notify: Callable[[str], None] | None = None,
    ) -> None:
        self.mode: Mode = mode
        self.yolo = yolo
        self._home = home
        self._hermes_home = hermes_home
        self._asker = asker
        self._grants = grants or ListedGrants()
        self._deny = tuple(deny)
        self._timeout = timeout
        self._managed = managed
        self._notify = notify or _log.info
        self._session: set[str] = set()
        self._told: set[str] = set()
        self._asking: asyncio.Lock | None = None

    def assess(self, command: str, *, cwd: str, environment: str = "local") -> Verdict:
        """What the rules say, with what was granted already; asks nobody."""
        place = Place(
            home=self._home,
            hermes_home=self._hermes_home,
            cwd=cwd,
            contained=environment in CONTAINERS,
        )
        allow = self._grants.list() | self._session
        return assess(command, place, allow=allow, deny=self._deny)

    async def check_command(
        self, command: str, *, cwd: str, environment: str = "local", tool: str = "terminal"
    ) -> str:
        """The command to run: `command`, or what is left of it without invisible characters.

        Raises `DeniedError`, whose message is meant for the model and the person alike.
        """
        verdict = self.assess(command, cwd=cwd, environment=environment)
        if verdict.action == "ask" and not (self.yolo or self.mode == "off"):
            verdict = await self._ask(
                lambda: self.assess(command, cwd=cwd, environment=environment), tool
            )
        return _passed(verdict)

    async def check_code(self, code: str, *, environment: str = "local", tool: str) -> str:
        """The Python program to run. Like `check_command`; what confines a program, its
        environment or a container, spares the question."""

        def assessed() -> Verdict:
            return assess_program(
                code,
                confined=environment in CONFINING,
                allow=self._grants.list() | self._session,
                deny=self._deny,
            )

        verdict = assessed()
        if verdict.action == "ask" and not (self.yolo or self.mode == "off"):
            verdict = await self._ask(assessed, tool)
        return _passed(verdict)

    async def _ask(self, assessed: Callable[[], Verdict], tool: str) -> Verdict:
        import asyncio

        if self.mode == "smart":
            self._tell(
                "approvals.mode is `smart`, which is not available yet: every question comes to "
                "you, as with `manual`."
            )
        if self._asking is None:
            self._asking = asyncio.Lock()
        async with self._asking:
            # The answer to a question asked meanwhile may cover this one.
            verdict = assessed()
            if verdict.action == "ask":
                await self._decide(verdict, tool)
        return verdict

    async def _decide(self, verdict: Verdict, tool: str) -> None:
        choices: tuple[Approval, ...] = ("once", "session", "deny")
        lasting = all(r.lasting for r in verdict.reasons)
        if lasting and not self._managed:
            choices = ("once", "session", "always", "deny")
        request = ApprovalRequest(
            tool=tool,
            subject=verdict.command,
            reason=_sentences(verdict.reasons),
            rule=", ".join(r.rule for r in verdict.reasons),
            choices=choices,
        )
        answer = await self._answer(request)
        rules = [r.rule for r in verdict.reasons]
        if answer == "always":
            self._remember(rules, lasting)
        elif answer == "session":
            self._session.update(rules)
        elif answer != "once":
            raise DeniedError(f"Denied by the person: {request.reason}", hint=_RETRY)

    async def _answer(self, request: ApprovalRequest) -> Approval:
        """The person's word. Silence, absence and a broken asker are all `no`."""
        import asyncio

        if self._asker is None or isinstance(self._asker, NobodyToAsk):
            raise DeniedError(
                f"Denied: {request.reason} This needs a person's approval and nobody can be asked.",
                hint="A person can run it, or allow it with `command_allowlist` in config.yaml.",
            )
        try:
            async with asyncio.timeout(self._timeout):
                return await self._asker.approve(request)
        except TimeoutError:
            raise DeniedError(
                f"Denied: {request.reason} Nobody answered within {self._timeout:g} seconds.",
                hint=_RETRY,
            ) from None
        except DeniedError:
            raise
        except Exception as error:
            _log.warning("The question about a command could not be asked: %r", error)
            kind = type(error).__name__
            raise DeniedError(
                f"Denied: {request.reason} The question could not be asked ({kind}).",
                hint=_RETRY,
            ) from error

    def _remember(self, rules: Sequence[str], lasting: bool) -> None:
        self._session.update(rules)
        if self._managed:
            self._tell(
                "This installation is managed, so `always` holds for this session only. "
                "Declare `command_allowlist` to make it last."
            )
        elif not lasting:
            self._tell("An answer to this question holds for this session only.")
        else:
            try:
                self._grants.add(rules)
            except (HermesError, OSError) as error:
                self._tell(f"`always` could not be stored and holds for this session only: {error}")

    def _tell(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.add(sentence)
            self._notify(sentence)


def _passed(verdict: Verdict) -> str:
    if verdict.action == "block":
        raise DeniedError(
            f"Blocked: {_sentences(verdict.reasons)} No setting and no answer lifts this.",
            hint=_RETRY,
        )
    return verdict.command


def _sentences(reasons: Sequence[Reason]) -> str:
    return " ".join(dict.fromkeys(r.sentence for r in reasons))
