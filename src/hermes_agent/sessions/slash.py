"""Slash commands: the table, and finding one in what a person typed.

Each entrance hands its own commands in; names, aliases and prefixes work the same everywhere.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator

import msgspec

from hermes_agent.domain.errors import UsageError


def _nothing() -> Iterable[str]:
    return ()


class SlashCommand(msgspec.Struct, frozen=True, kw_only=True):
    """`run` gets what stands behind the name. `busy`: also while the agent works.

    `choices` are the arguments worth proposing; `skill` says that it uses the skill of its name.
    """

    name: str
    help: str
    run: Callable[[str], Awaitable[None]]
    usage: str = ""
    aliases: tuple[str, ...] = ()
    busy: bool = False
    skill: bool = False
    choices: Callable[[], Iterable[str]] = _nothing


class SlashTable:
    """The commands of one entrance."""

    def __init__(self, commands: Iterable[SlashCommand]) -> None:
        self._commands = tuple(sorted(commands, key=lambda command: command.name))
        self._by_name = {
            name: command for command in self._commands for name in (command.name, *command.aliases)
        }

    def __iter__(self) -> Iterator[SlashCommand]:
        return iter(self._commands)

    def names(self) -> list[str]:
        """Every name and alias, sorted."""
        return sorted(self._by_name)

    def find(self, line: str) -> tuple[SlashCommand, str] | None:
        """The command and its argument when `line` is a command; None when it is a message.

        A path such as `/etc/hosts` is a message. Raises `UsageError` for an unknown or
        ambiguous name.
        """
        if not line.startswith("/"):
            return None
        word, *rest = line[1:].split(maxsplit=1) or [""]
        word = word.lower()
        if not word or "/" in word or line[1].isspace():
            return None
        argument = rest[0] if rest else ""
        command = self._by_name.get(word) or self._by_prefix(word)
        return command, argument.strip()

    def _by_prefix(self, word: str) -> SlashCommand:
        found = {
            command.name: command
            for name, command in self._by_name.items()
            if name.startswith(word)
        }
        # A few letters mean a command before they mean a skill.
        found = {n: each for n, each in found.items() if not each.skill} or found
        if len(found) == 1:
            return next(iter(found.values()))
        if found:
            names = ", ".join(f"/{name}" for name in sorted(found))
            raise UsageError(f"/{word} could be {names}.")
        raise UsageError(f"There is no command /{word}.", hint="/help lists them all.")
