"""A question that waits above the input line: an approval, or a choice with room for words."""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from prompt_toolkit.formatted_text import StyleAndTextTuples


class Option(msgspec.Struct, frozen=True):
    """One answer: `key` chooses it at once (empty: only the arrows do)."""

    key: str
    label: str
    value: str


class Panel:
    """One question. `answer` waits for it; None is “nobody answered”."""

    def __init__(
        self,
        title: str,
        body: str,
        options: tuple[Option, ...],
        *,
        free_text: bool = False,
        selected: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.title = title
        self.body = body
        self.options = options
        self.free_text = free_text
        self.selected = selected
        self._clock = clock
        self._began = clock()
        self._answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()

    async def answer(self, timeout: float | None) -> str | None:
        """The chosen value or the person's words; None after `timeout` seconds or a cancel."""
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
        """A letter was pressed; whether it chose an option."""
        chosen = next((option for option in self.options if option.key and option.key == key), None)
        if chosen is not None and not self.too_early:
            self.choose(chosen.value)
        return chosen is not None

    def enter(self, typed: str) -> bool:
        """Enter was pressed with this in the input line; whether the line was for the panel."""
        if typed.strip():
            if self.free_text:
                self.choose(typed.strip())
            return self.free_text
        if self.options and not self.too_early:
            self.choose(self.options[self.selected].value)
        return True

    @property
    def too_early(self) -> bool:
        """Within half a second a key was meant for what the person was typing before."""
        return self._clock() - self._began < 0.5

    def move(self, step: int) -> None:
        """Select the next or the previous option, round the ends."""
        if self.options:
            self.selected = (self.selected + step) % len(self.options)

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
        if self.free_text:
            parts.append(("class:panel.hint", " or type an answer\n"))
        return parts
