"""Cuts a growing Markdown text at block edges: what is finished can be printed for good.

A block ends at an empty line outside a fence, or with the fence that closes it. Lists, quotes
and tables with empty lines inside are cut there; each piece still reads as what it is.
Source: CommonMark 0.31, fenced code blocks (4.5).
"""

import re

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)$")


class BlockSplitter:
    """Feed text as it comes; finished blocks come out, the open one stays."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._tail = ""
        self._fence: str | None = None

    @property
    def open_text(self) -> str:
        """The block that is still being written."""
        return "".join(self._lines) + self._tail

    def tail(self, lines: int) -> str:
        """The last lines of the open block."""
        return "".join(self._lines[-lines:]) + self._tail

    def push(self, text: str) -> list[str]:
        """The blocks that this text finishes."""
        finished: list[str] = []
        *lines, self._tail = (self._tail + text).split("\n")
        for line in lines:
            block = self._line(line)
            if block is not None:
                finished.append(block)
        return finished

    def flush(self) -> str:
        """What is left, finished or not."""
        rest = self.open_text
        self._lines, self._tail, self._fence = [], "", None
        return rest

    def _line(self, line: str) -> str | None:
        self._lines.append(line + "\n")
        mark = _FENCE.match(line)
        if self._fence is not None:
            closes = (
                mark is not None
                and mark.group(1)[0] == self._fence[0]
                and len(mark.group(1)) >= len(self._fence)
                and not mark.group(2).strip()
            )
            return self._finish() if closes else None
        if mark is not None and not (mark.group(1)[0] == "`" and "`" in mark.group(2)):
            self._fence = mark.group(1)
            return None
        if line.strip():
            return None
        block = self._finish()
        return block if block.strip() else None

    def _finish(self) -> str:
        block = "".join(self._lines)
        self._lines, self._fence = [], None
        return block
