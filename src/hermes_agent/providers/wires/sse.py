"""Server-sent events, cut out of the bytes as they come.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
Only `data` is kept: every wire repeats the event's type inside its JSON.
"""

from hermes_agent.domain.errors import BadResponse

MAX_EVENT = 32 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"


class EventStream:
    """Feed it byte chunks, cut anywhere; it gives the data of each finished event.

    Raises `BadResponse` for an event of more than `MAX_EVENT` bytes.
    """

    def __init__(self, *, max_event: int = MAX_EVENT) -> None:
        self._max = max_event
        self._parts: list[bytes] = []  # of a line whose end has not come yet
        self._held = 0
        self._data: list[bytes] = []  # lines of an event whose end has not come yet
        self._after_cr = False
        self._fresh = True

    def feed(self, chunk: bytes) -> list[bytes]:
        """The events that this chunk completes."""
        if self._fresh and chunk:
            if len(chunk) < len(_BOM) and _BOM.startswith(chunk):
                chunk = b""  # a mark cut in two: what is left of it reads as an unknown field
            chunk = chunk.removeprefix(_BOM)
            self._fresh = False
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = chunk.split(b"\n")
        if len(lines) == 1:
            self._hold(chunk)
            return []
        if self._parts:
            self._parts.append(lines[0])
            lines[0] = b"".join(self._parts)
            self._parts = []
        self._held = sum(map(len, self._data)) if self._data else 0
        rest = lines.pop()
        found: list[bytes] = []
        data = self._data
        for line in lines:
            if not line:
                if data:
                    found.append(data[0] if len(data) == 1 else b"\n".join(data))
                    data.clear()
                    self._held = 0
            elif line.startswith(b"data:"):
                data.append(line[6:] if line[5:6] == b" " else line[5:])
        if data:
            self._hold(b"", held=sum(map(len, data)))
        self._hold(rest)
        return found

    def close(self) -> list[bytes]:
        """The last event, where the stream ended without the empty line after it."""
        return self.feed(b"\n\n")

    def _hold(self, part: bytes, *, held: int | None = None) -> None:
        if part:
            self._parts.append(part)
        self._held = (self._held if held is None else held) + len(part)
        if self._held > self._max:
            raise BadResponse(
                f"The model server sent a single event of more than {self._max // 2**20} MiB."
            )
