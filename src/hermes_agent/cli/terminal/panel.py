"""A question that waits above the input line: an approval, or a choice with room for words."""

import asyncio
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
        self, title: str, body: str, options: tuple[Option, ...], *, free_text: bool = False
    ) -> None:
        self.title = title
        self.body = body
        self.options = options
        self.free_text = free_text
        self.selected = 0
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

    def enter(self, typed: str) -> None:
        """The person pressed Enter with this in the input line."""
        if self.free_text and typed.strip():
            self.choose(typed.strip())
        elif self.options:
            self.choose(self.options[self.selected].value)

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
