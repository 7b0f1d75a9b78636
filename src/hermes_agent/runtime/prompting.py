"""From configuration and home to the prompt's pieces: persona, manner, facts."""

import os
import platform
import shutil
from collections.abc import Collection
from datetime import datetime
from functools import cache
from pathlib import Path

from hermes_agent.config.load import Loaded
from hermes_agent.context.files import context_files, notes_elsewhere
from hermes_agent.context.persona import persona
from hermes_agent.context.prompt import (
    Facts,
    Piece,
    Prompt,
    build_prompt,
    personality_names,
    personality_text,
)
from hermes_agent.domain.errors import UsageError
from hermes_agent.knowledge.memory import SEPARATOR, Target
from hermes_agent.runtime.backend import described
from hermes_agent.runtime.keeping import memory_files, offered, skill_shelf
from hermes_agent.runtime.workplace import Workplace
from hermes_agent.runtime.zone import zone_of

_NOTES: dict[Target, str] = {
    "memory": "What you noted about your work",
    "user": "What you noted about the person",
}


class Prompting:
    """Builds prompts of one process. `personality` may be changed by `choose`."""

    def __init__(
        self,
        loaded: Loaded,
        work: Workplace,
        *,
        tell_session_id: bool = False,
        entrance: str = "terminal",
    ) -> None:
        self.personality = loaded.config.display.personality
        self._loaded = loaded
        self._environment = work.environment
        self._work = work
        self._outside = work.servers
        self._tell_session_id = tell_session_id
        self._entrance = entrance
        self._manner = self._text(self.personality)

    @property
    def own(self) -> dict[str, str]:
        """The person's own personalities, by name."""
        return self._loaded.config.agent.personalities

    def choose(self, name: str) -> None:
        """Another personality from now on. Raises `UsageError` for an unknown name."""
        self._manner = self._text(name)
        self.personality = name

    def build(self, session_id: str, tools: Collection[str], *, whole: str | None) -> Prompt:
        """The prompt for a session with these tools; `whole` replaces all of it but the facts."""
        if whole is not None:
            date = _now(self._loaded.config.timezone).strftime("%Y-%m-%d %H:%M")
            where = f"Working directory: {self._environment.cwd}\nDate: {date}"
            return Prompt((Piece("identity", whole), Piece("facts", where)))
        return build_prompt(
            soul=self._soul(),
            personality=self._manner,
            instructions=self._loaded.config.agent.system_prompt,
            tools=tools,
            notes=(
                *(self._skills(tools) if "skill_view" in tools else ()),
                *(self._servers() if "tool_search" in tools else ()),
                *(self._notes() if "memory" in tools else ()),
            ),
            context_files=self._files(tools),
            facts=self._facts(session_id),
        )

    def bare(self, session_id: str, tools: Collection[str], *, identity: str) -> Prompt:
        """The prompt of somebody with an identity of its own and nothing of the person's: no
        manner, no notes, no files of the folder."""
        return build_prompt(
            soul=identity,
            personality="",
            instructions="",
            tools=tools,
            notes=(
                *(self._skills(tools) if "skill_view" in tools else ()),
                *(self._servers() if "tool_search" in tools else ()),
            ),
            context_files=(),
            facts=self._facts(session_id),
        )

    def _notes(self) -> tuple[Piece, ...]:
        """The notes as they stand when the session begins; later changes are for later sessions."""
        files = memory_files(self._loaded)
        return tuple(
            Piece(
                f"notes:{target}",
                f"# {_NOTES[target]} ({note.usage})\n{SEPARATOR.join(note.entries)}",
            )
            for target, note in (files.snapshot() if files else {}).items()
        )

    def _files(self, tools: Collection[str]) -> tuple[Piece, ...]:
        """Those of the folder, where it is on this machine. A distant one is not waited for."""
        if self._work.here:
            return context_files(Path(self._environment.cwd))
        if self._work.mounted is not None:
            return context_files(self._work.mounted, confined=True)
        return (notes_elsewhere(),) if "read_file" in tools else ()

    def _skills(self, tools: Collection[str]) -> tuple[Piece, ...]:
        index = skill_shelf(self._loaded, self._entrance).index(offered(tools))
        return (Piece("skills", f"# Skills\n{index}"),) if index else ()

    def _servers(self) -> tuple[Piece, ...]:
        names = ", ".join(self._outside.names)
        return (Piece("servers", f"# Servers with more tools\n{names}"),)

    def _facts(self, session_id: str) -> Facts:
        system, shell = self._machine()
        return Facts(
            cwd=self._environment.cwd,
            system=system,
            shell=shell,
            date=_now(self._loaded.config.timezone).strftime("%A, %Y-%m-%d %H:%M %Z"),
            environment=self._environment.name,
            entrance=self._entrance,
            session_id=session_id if self._tell_session_id else None,
        )

    def _machine(self) -> tuple[str, str]:
        """What commands run on, and their shell."""
        if not self._work.here:
            there = described(self._loaded.config.terminal, self._environment.name)
            return f"{there}, not the person's own machine", "bash, else sh"
        shell = self._loaded.environ.get("SHELL", "bash").rsplit("/", 1)[-1]
        there = _is_there(shell, os.environ.get("PATH"))
        return f"{platform.system()} {platform.machine()}", shell if there else "bash"

    def _soul(self) -> str | None:
        return persona(self._loaded.paths.soul_file, self._workspace())

    def _workspace(self) -> Path | None:
        """The folder that a deployment's documents are put into; None for anybody's own folder."""
        if self._loaded.managed is None:
            return None
        named = self._loaded.config.terminal.cwd
        if named in (".", "auto", "cwd", ""):
            named = self._loaded.environ.get("MESSAGING_CWD", "").strip()
        return Path(named).expanduser() if named else None

    def _text(self, name: str) -> str:
        try:
            return personality_text(name, self.own)
        except KeyError:
            known = ", ".join([*sorted(self.own), *personality_names(), "none"])
            raise UsageError(f"There is no personality “{name}”.", hint=f"Known: {known}") from None


@cache
def _is_there(program: str, path: str | None) -> bool:
    return shutil.which(program, path=path) is not None


def _now(zone: str) -> datetime:
    """The time in the configured zone, or in the machine's own."""
    return datetime.now(zone_of(zone)) if zone else datetime.now().astimezone()
