"""Wiring: everything that one process of the command line works with, put together here."""

from asyncio import Task
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hermes_agent.agent.control import Control
from hermes_agent.cli.errorlog import log_errors
from hermes_agent.cli.person import Person
from hermes_agent.cli.wish import Wish
from hermes_agent.config import home as home_layout
from hermes_agent.config.load import Loaded, load
from hermes_agent.config.schema import Config
from hermes_agent.context.prompt import Prompt
from hermes_agent.domain.errors import HermesError, UsageError
from hermes_agent.domain.events import Notice, TurnEnded
from hermes_agent.domain.messages import Message
from hermes_agent.domain.model import Effort
from hermes_agent.domain.ports import Emit, Model, Toolbox
from hermes_agent.domain.spending import Sum
from hermes_agent.runtime.agency import Agency
from hermes_agent.runtime.backend import DISTANT, backend_of
from hermes_agent.runtime.compacting import compactor_of
from hermes_agent.runtime.delegation import Delegation
from hermes_agent.runtime.keeping import recall_for, seed_skills
from hermes_agent.runtime.models import ModelRoom
from hermes_agent.runtime.prompting import Prompting
from hermes_agent.runtime.reviewing import reviews_of
from hermes_agent.runtime.servers import Reloaded
from hermes_agent.runtime.spending import treasury_of
from hermes_agent.runtime.switchboard import Switchboard
from hermes_agent.runtime.workplace import Premises, Workplace
from hermes_agent.sessions.live import Choices, LiveSession
from hermes_agent.sessions.locks import SessionLocks
from hermes_agent.sessions.references import expand_references
from hermes_agent.store.ids import new_session_id
from hermes_agent.store.journal import store_thread
from hermes_agent.store.opening import open_store
from hermes_agent.store.records import Filters, Session
from hermes_agent.store.records import Reviews as StoredReviews
from hermes_agent.tools.call import SessionToolbox

if TYPE_CHECKING:
    from hermes_agent.sessions.costs import Costs

SOURCE = "cli"
RECENT = 15


class Agent:
    """Opened with `open_agent`, closed with `close`."""

    def __init__(self, *, loaded: Loaded, wish: Wish, cwd: Path) -> None:
        self.loaded = loaded
        self.paths = loaded.paths
        self.notices = [Notice(remark.text) for remark in loaded.warnings]
        self.asker = Switchboard()
        self._wish = wish
        self._store = open_store(self.paths.home)
        if self._store.kept_copy:
            text = f"state.db was brought up to date; as it was: {self._store.kept_copy}"
            self.notices.append(Notice(text))
        self._locks = SessionLocks(self.paths.sessions_dir)
        self._models = ModelRoom(
            loaded, Person(), offline=wish.local, thorough=wish.interactive, cwd=str(cwd)
        )
        premises = Premises(loaded)
        self._servers = premises.servers
        log_errors(self.paths.logs_dir / "errors.log", premises.blank_secrets)
        self.work = Workplace(
            premises,
            cwd=cwd,
            asker=self.asker,
            notify=lambda text: self.notices.append(Notice(text)),
        )
        self.prompting = Prompting(loaded, self.work, tell_session_id=wish.pass_session_id)
        self._compactor = compactor_of(loaded, self._models.connect, premises.redact)
        self._thread = store_thread()
        self._treasury = treasury_of(loaded, self._store, thread=self._thread)
        self.reviews = reviews_of(
            loaded,
            self._store,
            thread=self._thread,
            connect=self._models.connect,
            redact=premises.redact,
            treasury=self._treasury,
        )
        self._agency = Agency(
            loaded,
            self._store,
            locks=self._locks,
            compactor=self._compactor,
            thread=self._thread,
            connect=self._models.connect,
            treasury=self._treasury,
        )
        self._background: set[Task[None]] = set()

    @property
    def config(self) -> Config:
        """The configuration in effect."""
        return self.loaded.config

    @property
    def cwd(self) -> str:
        """Where commands run now."""
        return self.work.environment.cwd

    @property
    def label(self) -> str:
        """What to call the model beside its name; empty for an ordinary one."""
        return self._models.label

    @property
    def progress(self) -> Literal["off", "new", "all", "verbose"]:
        """Which tool calls are shown: `agent.verbose` shows all there is."""
        return "verbose" if self.config.agent.verbose else self.config.display.tool_progress

    async def choose_model(self, name: str | None = None) -> Model:
        """The configured model, or the one called `name`."""
        model = await self._models.choose(name)
        self.notices += [Notice(text) for text in self._models.notices]
        return model

    def open_session(self, *, resume: str | None = None, latest: str | None = None) -> LiveSession:
        """A new session, the one called `resume`, or the latest (`latest` "" or a name).

        Raises `NotFoundError`, and `SessionInUse` where another process works on it.
        """
        found = self._find(resume, latest)
        if found is None:
            return self._new_session()
        found = self._held(found)
        try:
            return self._resumed(found)
        except BaseException:
            self._locks.release(found.id)
            raise

    def _held(self, found: Session) -> Session:
        """The session, or the child in which it goes on, with its lock. Raises `SessionInUse`."""
        while True:
            self._locks.take(found.id)
            try:
                # Looked up under the lock: whoever had it may just have gone on in a child.
                newest = self._store.tip(found.id)
                if newest == found.id:
                    return found
                newer = self._store.get(newest)
            except BaseException:
                self._locks.release(found.id)
                raise
            self._locks.release(found.id)
            found = newer

    def _resumed(self, found: Session) -> LiveSession:
        repair = self._store.repair(found.id)
        if repair.added:
            self.notices.append(
                Notice(
                    f"The last turn was broken off: {len(repair.added)} tool call(s) were "
                    "interrupted. The agent knows, and runs none of them again by itself."
                )
            )
        self._store.reopen(found.id)
        delegation = Delegation(self._agency, self.work, platform=SOURCE)
        toolbox = self._toolbox(found.id, delegation, repair.history)
        system = found.system_prompt or self._prompt(found.id, toolbox).text
        live = self._live(
            found, stored=True, system=system, toolbox=toolbox, history=repair.history
        )
        delegation.attach(live)
        toolbox.journal = live.journal
        return live

    def prompt_for(self, session: LiveSession) -> Prompt:
        """The prompt that a session of today would get, in pieces."""
        return self._prompt(session.id, session.toolbox)

    async def run_turn(
        self,
        session: LiveSession,
        text: str,
        control: Control,
        emit: Emit,
        *,
        expanded: bool = False,
        turn: str | None = None,
    ) -> TurnEnded:
        """One turn; references such as `@file:` are expanded first, unless they are already.
        `turn` is its name."""
        for notice in self.notices:
            emit(notice)
        self.notices.clear()
        said = text if expanded else await self.expand(text)
        return await session.run(said, control, emit, turn=turn)

    async def expand(self, text: str) -> str:
        """`text` with what its references name."""
        return await expand_references(text, self.work.environment, self.work.guard)

    def recent_sessions(self) -> list[str]:
        """A line for each of the latest sessions."""
        rows = self._store.list(Filters(with_messages=True, newest=True, led=True), limit=RECENT)
        return [f"  {row.id}  {(row.title or row.preview)[:70]}" for row in rows]

    def save(self, session: LiveSession, name: str) -> Path:
        """Write the conversation as Markdown; returns the path. Refuses to overwrite."""
        path = Path(self.cwd, Path(name or f"hermes_{session.id}.md").expanduser())
        parts = [
            f"## {_speaker(m)}\n\n{m.content.strip()}\n"
            for m in session.history
            if m.role in ("user", "assistant") and m.content.strip()
        ]
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write("\n".join(parts))
        except OSError as error:
            raise HermesError(f"{path} was not written: {error.strerror}.") from error
        return path

    def review_costs(self, session: LiveSession) -> StoredReviews:
        """What looking this conversation through took."""
        return self._store.reviews(session.id)

    def spent_in(self, session: LiveSession) -> Sum:
        """What this session cost, and all that it continues."""
        return self._store.spent_in(session.id)

    def costs(self, days: int) -> "Costs":
        """What the last days cost, in every entrance."""
        from hermes_agent.runtime.spending import costs_of

        return costs_of(self.loaded, self._store, days)

    def keep(self, task: "Task[None]") -> None:
        """Hold on to a task until it is done."""
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def reload_servers(self) -> Reloaded:
        """Read the MCP servers anew."""
        return await self._servers.reload()

    async def close(self) -> None:
        """End what runs, give everything back."""
        await self.reviews.close()
        await self.work.environment.close()
        await self._servers.close()
        await self._models.close()
        self._thread.shutdown()
        self._store.close()

    def _find(self, resume: str | None, latest: str | None) -> Session | None:
        if resume or latest:
            return self._store.resolve(resume or latest or "")
        if latest is None:
            return None
        found = self._store.latest(SOURCE)
        if found is None:
            self.notices.append(Notice("There is no earlier session; a new one begins."))
        return found

    def _new_session(self) -> LiveSession:
        identity = new_session_id()
        delegation = Delegation(self._agency, self.work, platform=SOURCE)
        toolbox = self._toolbox(identity, delegation)
        system = self._prompt(identity, toolbox).text
        row = Session(
            id=identity, source=SOURCE, model=self._require_model().name, system_prompt=system
        )
        self._locks.take(identity)
        live = self._live(row, stored=False, system=system, toolbox=toolbox)
        delegation.attach(live)
        toolbox.journal = live.journal
        return live

    def _live(
        self,
        row: Session,
        *,
        stored: bool,
        system: str,
        toolbox: SessionToolbox,
        history: tuple[Message, ...] = (),
    ) -> LiveSession:
        effort = self.config.agent.reasoning_effort
        choices: Effort | None = effort or None
        return LiveSession(
            store=self._store,
            locks=self._locks,
            row=row,
            stored=stored,
            system=system,
            model=self._require_model(),
            toolbox=toolbox,
            choices=Choices(max_iterations=self.config.agent.max_turns, effort=choices),
            history=history,
            thread=self._thread,
            compactor=self._compactor,
            on_child=self.reviews.shortened,
            treasury=self._treasury,
        )

    def _require_model(self) -> Model:
        if self._models.current is None:
            raise UsageError("No model was chosen yet.")
        return self._models.current

    def _toolbox(
        self, session_id: str, delegation: Delegation, history: tuple[Message, ...] = ()
    ) -> SessionToolbox:
        return self.work.toolbox(
            names=self._models.tool_names,
            history=history,
            can_ask=self._wish.interactive,
            delegate=delegation,
            recall=recall_for(
                self._store, session_id, source=SOURCE, user_id=None, everything=True
            ),
        )

    def _prompt(self, session_id: str, toolbox: Toolbox) -> Prompt:
        tools = {spec.name for spec in toolbox.specs()}
        return self.prompting.build(session_id, tools, whole=self._models.system_prompt)


def _speaker(message: Message) -> str:
    if message.summary:
        return "What was said before"
    return "You" if message.role == "user" else "Hermes"


async def open_agent(wish: Wish) -> Agent:
    """Read the configuration, prepare the home, open everything, choose the model."""
    loaded = load(flags=wish.flags())
    home_layout.prepare(loaded.paths, loaded.managed)
    seed_skills(loaded)
    agent = Agent(loaded=loaded, wish=wish, cwd=_working_directory(loaded))
    try:
        await agent.choose_model()
    except BaseException:
        await agent.close()
        raise
    return agent


def _working_directory(loaded: Loaded) -> Path:
    named = loaded.config.terminal.cwd
    if named in (".", "auto", "cwd", "") or backend_of(loaded) in DISTANT:
        try:
            return Path.cwd()
        except FileNotFoundError:
            raise HermesError(
                "The current directory does not exist any more.",
                hint="Change to one that does, or set terminal.cwd.",
            ) from None
    path = Path(named).expanduser().absolute()
    if not path.is_dir():
        raise HermesError(
            f"terminal.cwd is no directory: {path}",
            hint="Change it with: hermes config set terminal.cwd PATH",
        )
    return path
