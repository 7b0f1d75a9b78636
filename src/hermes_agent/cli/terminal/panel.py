"""A question that waits above the input line: an approval, or a choice with room for words."""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from prompt_toolkit.formatted_text import StyleAndTextTuples

GUARD = 0.5
"""Seconds in which a key was meant for what the person was typing before."""

Entered = Literal["answered", "ignored", "passed"]


class Option(msgspec.Struct, frozen=True):
    """One answer: `key` chooses it at once (empty: only the arrows do)."""

    key: str
    label: str
    value: str


class Panel:
    """One question. `answer` waits for it; None is “nobody answered”.

    With `free_text` a line typed is an answer too. `silence` says what no answer means. Text in
    here must be clean already.
    """

    def __init__(
        self,
        title: str,
        body: str,
        options: tuple[Option, ...],
        *,
        free_text: bool = False,
        selected: int = 0,
        silence: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.title = title
        self.body = body
        self.options = options
        self.free_text = free_text
        self.selected = selected
        self._silence = silence
        self._clock = clock
        self._began = clock()
        self._ends: float | None = None
        self._moved = False
        self._answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()

    async def answer(self, timeout: float | None) -> str | None:
        """The chosen value or the person's words; None after `timeout` seconds or a cancel."""
        # A question may have waited behind another: its time begins when it is seen.
        self._began = self._clock()
        self._ends = None if timeout is None else self._began + timeout
        try:
            async with asyncio.timeout(timeout):
                return await self._answer
        except TimeoutError:
            return None

    def choose(self, value: str | None) -> None:
        """Settle it."""
        if not self._answer.done():
            self._answer.set_result(value)

    def key(self, key: str) -> bool:
        """A letter was pressed in an empty line; whether the panel has taken it.

        Too early, it belongs to the line. Later, a panel without free text takes every letter, so
        that a slip does not end up in a line that hides the letters that count.
        """
        if self.too_early:
            return False
        chosen = next((option for option in self.options if option.key and option.key == key), None)
        if chosen is not None:
            self.choose(chosen.value)
        return chosen is not None or not self.free_text

    def enter(self, typed: str) -> Entered:
        """Enter was pressed with this in the input line.

        `passed` says that the line is for somebody else, `ignored` that it stays as it is.
        """
        if typed.strip() and not self._moved:
            if not self.free_text:
                return "passed"
            if self.too_early:
                return "ignored"
            self.choose(typed.strip())
            return "answered"
        if self.too_early or not self.options:
            return "ignored"
        self.choose(self.options[self.selected].value)
        return "ignored" if typed.strip() else "answered"

    @property
    def too_early(self) -> bool:
        """Whether a key pressed now was hardly meant for this question."""
        return self._clock() - self._began < GUARD

    def move(self, step: int) -> None:
        """Select the next or the previous option, round the ends."""
        if self.options and not self.too_early:
            self.selected = (self.selected + step) % len(self.options)
            self._moved = True

    def text(self) -> "StyleAndTextTuples":
        """As prompt_toolkit shows it."""
        parts: StyleAndTextTuples = [("class:panel.title", f" {self.title} \n")]
        parts.extend(("class:panel.body", f" {line}\n") for line in self.body.splitlines())
        for index, option in enumerate(self.options):
            chosen = index == self.selected
            mark = "›" if chosen else " "
            key = f"[{option.key}] " if option.key else ""
            style = "class:panel.selected" if chosen else "class:panel.option"
            parts.append((style, f" {mark} {key}{option.label}\n"))
        parts.append(("class:panel.hint", f" {self.hint}\n"))
        return parts

    @property
    def hint(self) -> str:
        """How to answer, and what happens otherwise."""
        ways = [
            "a letter" if any(option.key for option in self.options) else "",
            "arrows and Enter" if self.options else "",
            "or type an answer" if self.free_text else "",
        ]
        said = ", ".join(way for way in ways if way)
        if self._ends is None or not self._silence:
            return said
        return f"{said} · {self._silence} in {max(0, round(self._ends - self._clock()))} s"
