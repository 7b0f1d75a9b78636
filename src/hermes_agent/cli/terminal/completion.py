"""Completion in the terminal chat: slash commands, `@file:` references, paths."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from hermes_agent.sessions.slash import SlashTable

REFERENCES = ("@file:", "@folder:", "@diff", "@staged", "@git:")
MAX_NAMES = 50


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
        word = text.split()[-1] if text and not text[-1].isspace() else ""
        if text.startswith("/") and " " not in text and "/" not in text[1:]:
            for command in self._commands():
                if command.name.startswith(text[1:]):
                    yield Completion("/" + command.name, -len(text), display_meta=command.help)
            return
        if word.startswith("@"):
            yield from self._references(word)
        elif complete_event.completion_requested and ("/" in word or word.startswith("~")):
            yield from self._paths(word)

    def _references(self, word: str) -> Iterable[Completion]:
        for prefix in ("@file:", "@folder:"):
            if word.startswith(prefix):
                yield from self._paths(word[len(prefix) :])
                return
        for name in REFERENCES:
            if name.startswith(word):
                yield Completion(name, -len(word))

    def _paths(self, typed: str) -> Iterable[Completion]:
        folder, _, start = typed.rpartition("/")
        base = Path(self._cwd(), Path(folder + "/").expanduser() if "/" in typed else "")
        try:
            entries = sorted(os.scandir(base), key=lambda entry: entry.name)
        except OSError:
            return
        found = [e for e in entries if e.name.startswith(start)]
        for entry in found[:MAX_NAMES]:
            if entry.name.startswith(".") and not start.startswith("."):
                continue
            slash = "/" if entry.is_dir() else ""
            yield Completion(entry.name + slash, -len(start), display=entry.name + slash)
