"""Completion in the terminal chat: slash commands, their arguments, `@file:` references, paths."""

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from hermes_agent.cli.terminal.safe import visible
from hermes_agent.domain.errors import HermesError
from hermes_agent.sessions.slash import SlashTable

REFERENCES = ("@file:", "@folder:", "@diff", "@staged", "@git:")
MAX_NAMES = 50
_WORD = re.compile(r'(?:@(?:file|folder):"[^"\n]*|\S+)\Z')
_PATH_REFERENCE = re.compile(r'(@(?:file|folder):)("?)(.*)\Z')


class ChatCompleter(Completer):
    """`commands` gives the table, `cwd` the folder that relative paths start from."""

    def __init__(self, commands: Callable[[], SlashTable], cwd: Callable[[], str]) -> None:
        self._commands = commands
        self._cwd = cwd

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        """Slash commands at the start, references anywhere, paths when asked with Tab."""
        text = document.text_before_cursor
        if text.startswith("/") and "/" not in text[1:] and "\n" not in text:
            name, space, argument = text.partition(" ")
            yield from self._arguments(text, argument) if space else self._names(name)
            return
        found = _WORD.search(text)
        word = found.group() if found else ""
        if word.startswith("@"):
            yield from self._references(word)
        elif complete_event.completion_requested and ("/" in word or word.startswith("~")):
            yield from self._paths(word, word)

    def _names(self, typed: str) -> Iterable[Completion]:
        for command in self._commands():
            if command.name.startswith(typed[1:]):
                yield Completion("/" + command.name, -len(typed), display_meta=command.help)

    def _arguments(self, text: str, argument: str) -> Iterable[Completion]:
        try:
            found = self._commands().find(text)
        except HermesError:
            return
        for choice in found[0].choices() if found else ():
            if choice.startswith(argument):
                yield Completion(choice, -len(argument))

    def _references(self, word: str) -> Iterable[Completion]:
        found = _PATH_REFERENCE.match(word)
        if found is not None:
            prefix, quote, path = found.groups()
            yield from self._paths(word, path, prefix=prefix, quote=quote)
            return
        for name in REFERENCES:
            if name.startswith(word):
                yield Completion(name, -len(word))

    def _paths(
        self, word: str, typed: str, *, prefix: str = "", quote: str = ""
    ) -> Iterable[Completion]:
        """Names that begin like `typed`; in a reference a name with a space is quoted."""
        folder, slash, start = typed.rpartition("/")
        try:
            base = Path(self._cwd(), Path(folder + "/").expanduser() if slash else "")
            entries = sorted(os.scandir(base), key=lambda entry: entry.name)
        except (OSError, RuntimeError, ValueError):
            return
        found = [
            entry
            for entry in entries
            if entry.name.startswith(start)
            and (start.startswith(".") or not entry.name.startswith("."))
            and entry.name.isprintable()
        ]
        for entry in found[:MAX_NAMES]:
            is_folder = entry.is_dir()
            path = folder + slash + entry.name + ("/" if is_folder else "")
            if prefix and (quote or " " in path):
                path = f'"{path}' if is_folder else f'"{path}"'
            shown = visible(entry.name) + ("/" if is_folder else "")
            yield Completion(prefix + path, -len(word), display=shown)
