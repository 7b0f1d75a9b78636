"""The agent's notes: `memories/MEMORY.md` about its work, `memories/USER.md` about its person.

A file holds short entries, joined by a line with a section sign. They are few and capped, because
all of them stand in every session's prompt.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from hermes_agent.config.files import write_atomically
from hermes_agent.domain.errors import DeniedError, HermesError, UsageError
from hermes_agent.policy.injection import suspicion

Target = Literal["memory", "user"]

SEPARATOR = "\n§\n"
FILES: Mapping[Target, str] = {"memory": "MEMORY.md", "user": "USER.md"}
_LOCK_SECONDS = 10.0
_MOST_BYTES = 1024 * 1024


class Note(msgspec.Struct, frozen=True):
    """The entries of one file, and how many characters of how many they take."""

    entries: tuple[str, ...]
    used: int
    limit: int

    @property
    def usage(self) -> str:
        """For people and models: `45 % – 990 of 2200 characters`."""
        return f"{self.used * 100 // self.limit} % – {self.used} of {self.limit} characters"


class MemoryFiles:
    """Both files. `limits` has the longest text of each one that is in use, in characters.

    Every change is read, made and written under a lock of the file, so that sessions side by side
    lose nothing of each other. Methods raise `UsageError` for what makes no sense (the message
    says how to go on), `DeniedError` for content that must not stand in a prompt, `HermesError`
    where the file cannot be used.
    """

    def __init__(self, folder: Path, limits: Mapping[Target, int]) -> None:
        self.folder = folder
        self._limits = limits

    @property
    def targets(self) -> tuple[Target, ...]:
        """The files that are in use."""
        return tuple(self._limits)

    def read(self, target: Target) -> Note:
        """What stands there now."""
        entries = self._read(target)
        return Note(entries, len(SEPARATOR.join(entries)), self._limits[self._checked(target)])

    def add(self, target: Target, content: str) -> Note:
        """One more entry; one that is there already is not added again."""
        content = _clean(content)
        return self._change(target, lambda old: old if content in old else (*old, content), content)

    def replace(self, target: Target, old_text: str, content: str) -> Note:
        """Another text for the entry in which `old_text` stands."""
        content = _clean(content)

        def change(old: tuple[str, ...]) -> tuple[str, ...]:
            at = _only(old, old_text)
            return tuple(dict.fromkeys((*old[:at], content, *old[at + 1 :])))

        return self._change(target, change, content)

    def remove(self, target: Target, old_text: str) -> Note:
        """Without the entry in which `old_text` stands."""

        def change(old: tuple[str, ...]) -> tuple[str, ...]:
            at = _only(old, old_text)
            return (*old[:at], *old[at + 1 :])

        return self._change(target, change)

    def snapshot(self) -> dict[Target, Note]:
        """What belongs into a prompt: the files with entries in them. A file that cannot be read
        or that was tampered with is left out; `doctor` says so."""
        found: dict[Target, Note] = {}
        for target in self.targets:
            try:
                note = self.read(target)
            except HermesError:
                continue
            kept = tuple(entry for entry in note.entries if suspicion(entry) is None)
            text = SEPARATOR.join(kept)
            # Somebody may have written more into it than the agent may.
            while len(text) > 2 * note.limit:
                kept = kept[1:]
                text = SEPARATOR.join(kept)
            if kept:
                found[target] = Note(kept, len(text), note.limit)
        return found

    def _checked(self, target: Target) -> Target:
        if target not in self._limits:
            raise UsageError(
                f"The {target} notes are turned off.",
                hint="The setting is memory.memory_enabled or memory.user_profile_enabled.",
            )
        return target

    def _path(self, target: Target) -> Path:
        return self.folder / FILES[self._checked(target)]

    def _read(self, target: Target) -> tuple[str, ...]:
        path = self._path(target)
        try:
            with path.open("rb") as file:
                data = file.read(_MOST_BYTES + 1)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise HermesError(f"{path} cannot be read: {error.strerror}") from error
        if len(data) > _MOST_BYTES:
            raise HermesError(f"{path} is longer than {_MOST_BYTES} bytes", hint="Shorten it.")
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise HermesError(
                f"{path} is damaged: it is not UTF-8 text (byte {error.start})",
                hint="It was left as it is; mend or remove it.",
            ) from error
        entries = (entry.strip() for entry in text.replace("\r\n", "\n").split(SEPARATOR))
        return tuple(dict.fromkeys(entry for entry in entries if entry))

    def _change(
        self,
        target: Target,
        change: Callable[[tuple[str, ...]], tuple[str, ...]],
        content: str | None = None,
    ) -> Note:
        from filelock import FileLock, Timeout  # only a change needs it, not every start

        path = self._path(target)
        problem = suspicion(content) if content else None
        if problem:
            raise DeniedError(f"This was not noted: {problem}.")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with FileLock(f"{path}.lock", timeout=_LOCK_SECONDS):
                before = self._read(target)
                after = change(before)
                text = SEPARATOR.join(after)
                limit = self._limits[target]
                if len(text) > limit and len(text) > len(SEPARATOR.join(before)):
                    raise UsageError(
                        f"The notes would have {len(text)} characters; at most {limit}.",
                        hint="Shorten, merge or remove entries first. They are now:\n"
                        + SEPARATOR.join(before),
                    )
                if after != before:
                    write_atomically(path, text.encode())
        except Timeout as error:
            raise HermesError(f"{path} is being changed by something else; try again") from error
        return self.read(target)


def _clean(content: str) -> str:
    text = content.replace("\r\n", "\n").strip()
    if not text:
        raise UsageError("There is nothing to note: content is empty.")
    if SEPARATOR.strip("\n") in text.split("\n"):
        raise UsageError("An entry cannot hold a line with only § in it.")
    return text


def _only(entries: tuple[str, ...], old_text: str) -> int:
    wanted = old_text.strip()
    found = [at for at, entry in enumerate(entries) if wanted and wanted in entry]
    if len(found) == 1:
        return found[0]
    exact = [at for at in found if entries[at] == wanted]
    if len(exact) == 1:
        return exact[0]
    what = f"{len(found)} entries hold" if found else "No entry holds"
    raise UsageError(
        f"{what} “{wanted[:80]}”; old_text must single one out.",
        hint="The entries are:\n" + SEPARATOR.join(entries) if entries else "There are none.",
    )
