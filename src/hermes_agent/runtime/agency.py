"""What all sub-agents of a process have in common, and who they are."""

from pathlib import Path
from typing import TYPE_CHECKING

from hermes_agent.config.load import Loaded
from hermes_agent.context.prompt import Prompt
from hermes_agent.domain.delegating import Errand
from hermes_agent.domain.errors import UsageError
from hermes_agent.domain.ports import Model
from hermes_agent.providers.choice import ModelChoice
from hermes_agent.runtime.prompting import Prompting
from hermes_agent.runtime.second import SecondModel, choice_in
from hermes_agent.runtime.workplace import Workplace
from hermes_agent.sessions.compaction import Compactor
from hermes_agent.sessions.locks import SessionLocks
from hermes_agent.sessions.treasury import Treasury
from hermes_agent.store.journal import StoreThread
from hermes_agent.store.port import SessionStore
from hermes_agent.tools.table import TABLE
from hermes_agent.tools.toolsets import check, expand

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    import httpx2

DEEPEST = 2
"""How many sub-agents may stand above each other."""

# What belongs to the conversation with the person, or outlives the errand.
_KEPT = frozenset(
    ("clarify", "memory", "session_search", "cronjob", "messaging", "code_execution", "delegation")
)
_KEPT_TOOLS = frozenset(("skill_manage",))
_ENTRANCE = "another agent's work, never directly"


class Agency:
    """Made once; each session's `Delegation` refers to it."""

    def __init__(
        self,
        loaded: Loaded,
        store: SessionStore,
        *,
        locks: SessionLocks,
        compactor: Compactor,
        thread: StoreThread,
        connect: "Callable[[], httpx2.AsyncClient]",
        treasury: Treasury,
    ) -> None:
        self.store = store
        self.treasury = treasury
        self.locks = locks
        self.compactor = compactor
        self.thread = thread
        self.settings = loaded.config.delegation
        self._loaded = loaded
        self._second = SecondModel(loaded, connect, _choice)

    async def model(self, own: Model) -> Model:
        """Who answers for the sub-agents of a session whose model is `own`. Raises `NoModelError`,
        `ConfigError`."""
        return await self._second.model() or own

    def prompt(self, work: Workplace, session_id: str, tools: "Collection[str]") -> Prompt:
        """What a sub-agent is told: no persona, no notes, no files of the folder."""
        identity = (Path(__file__).with_name("texts") / "sub-agent.md").read_text("utf-8")
        prompting = Prompting(self._loaded, work, entrance=_ENTRANCE)
        return prompting.bare(session_id, tools, identity=identity.strip())

    def tools(self, errand: Errand, parents: "Sequence[str]", depth: int) -> tuple[str, ...]:
        """Those of the `parents` tools that a sub-agent at `depth` gets. One that may send out
        sub-agents of its own has to be given that by name. Raises `UsageError`."""
        chosen = errand.toolsets or self.settings.default_toolsets
        check(chosen)
        wanted = expand(chosen) if chosen else set(parents)
        kept = _KEPT - {"delegation"} if chosen and depth < DEEPEST else _KEPT
        tools = tuple(
            name
            for name in parents
            if name in wanted and TABLE[name].toolset not in kept and name not in _KEPT_TOOLS
        )
        if not tools:
            names = sorted({TABLE[name].toolset for name in parents} - _KEPT)
            raise UsageError(
                f"A sub-agent cannot have any tools of: {', '.join(chosen) or 'this session'}.",
                hint=f"There are: {', '.join(names)}." if names else None,
            )
        return tools


def _choice(loaded: Loaded) -> ModelChoice | None:
    return choice_in(loaded, loaded.config.delegation)
