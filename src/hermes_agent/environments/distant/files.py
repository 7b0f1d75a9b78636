"""Files of a distant place, each operation a small script over there."""

import asyncio
import contextlib
import errno
import os
import stat as modes
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from hermes_agent.domain.errors import EnvironmentFault
from hermes_agent.domain.execution import FileInfo
from hermes_agent.environments.distant.fence import Fence, Noise, fence
from hermes_agent.environments.distant.guard import DistantGuard
from hermes_agent.environments.distant.porter import script
from hermes_agent.environments.enclosure import Launch

_SECONDS = 120.0
_CHUNK = 65_536

Reach = Callable[[Sequence[str], bool], Awaitable[Launch]]


class DistantFiles:
    """`Files` over there. `reach` says how to start a program there, with or without an input.

    What was read is judged by the path of the file that was opened, and what is to be written by
    the path as it resolved, before the contents are sent.
    """

    def __init__(self, *, cwd: str, reach: Reach, guard: DistantGuard) -> None:
        self._cwd = cwd
        self._reach = reach
        self._guard = guard

    async def stat(self, path: str) -> FileInfo | None:
        """See `Files.stat`."""
        fields = await self._ask("stat", path)
        if fields is None:
            return None
        seen, facts = _fields(fields, 2)[:2]
        self._guard.judge(seen, writing=False)
        mode, size, mtime = facts.split()
        bits = int(mode, 16)
        kind = "file" if modes.S_ISREG(bits) else "directory" if modes.S_ISDIR(bits) else "other"
        return FileInfo(path=seen, kind=kind, size=int(size), mtime=float(mtime))

    async def read(self, path: str, *, limit: int) -> bytes:
        """See `Files.read`."""
        answer = await self._ask("read", path, str(limit)) or b""
        seen, _, data = answer.partition(b"\0")
        self._guard.judge(os.fsdecode(seen), writing=False)
        return data

    async def write(self, path: str, data: bytes) -> None:
        """See `Files.write`."""
        await self._change("write", path, data)

    async def remove(self, path: str) -> None:
        """See `Files.remove`. Of a link, the link itself."""
        await self._change("remove", path, b"")

    async def list(self, path: str) -> list[str]:
        """See `Files.list`."""
        seen, *names = _fields(await self._ask("list", path) or b"\0")
        self._guard.judge(seen, writing=False)
        return sorted(names)

    async def _ask(self, what: str, path: str, extra: str = "") -> bytes | None:
        talk = _Talk(what, path)
        async with contextlib.AsyncExitStack() as stack:
            process = await stack.enter_async_context(self._started(talk, extra, stdin=False))
            output, errors = await process.communicate()
            talk.hear(output)
            talk.end(errors)
        return talk.contents

    async def _change(self, what: str, path: str, data: bytes) -> None:
        talk = _Talk(what, path)
        async with contextlib.AsyncExitStack() as stack:
            process = await stack.enter_async_context(self._started(talk, "", stdin=True))
            assert process.stdout is not None
            while talk.place is None and not talk.answered:
                piece = await process.stdout.read(_CHUNK)
                if not piece:
                    break
                talk.hear(piece)
            consent = b""
            if talk.place is not None:
                self._guard.judge(talk.place, writing=True)
                consent = os.urandom(6).hex().encode() + b"\n" + data
            output, errors = await process.communicate(consent)
            talk.hear(output)
            talk.end(errors)

    @contextlib.asynccontextmanager
    async def _started(
        self, talk: "_Talk", extra: str, *, stdin: bool
    ) -> AsyncGenerator[asyncio.subprocess.Process]:
        if "\0" in talk.path:
            raise ValueError("embedded null byte")
        whole = talk.path if talk.path.startswith(("/", "~")) else f"{self._cwd}/{talk.path}"
        argv = ("sh", "-c", script("files.sh"), "hermes-files", talk.fence, talk.what, whole, extra)
        launch = await self._reach(argv, stdin)
        try:
            process = await asyncio.create_subprocess_exec(
                *launch.argv,
                stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=launch.cwd,
                env=launch.variables,
                start_new_session=True,
            )
        except OSError as error:
            raise EnvironmentFault(f"{os.fsdecode(launch.argv[0])} cannot run: {error}.") from error
        try:
            async with asyncio.timeout(_SECONDS):
                yield process
        except TimeoutError as error:
            raise EnvironmentFault(
                f"{talk.path}: no answer within {_SECONDS:.0f} seconds."
            ) from error
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


class _Talk:
    """What the script says in the course of one operation."""

    def __init__(self, what: str, path: str) -> None:
        self.what = what
        self.path = path
        self.fence = fence()
        self.place: str | None = None
        self.answered = ""
        self._contents = b""
        self._noise = Noise()
        self._words = Fence(self.fence, on_output=self._output, on_word=self._said)

    def hear(self, data: bytes) -> None:
        self._words.feed(data)

    def end(self, errors: bytes) -> None:
        """Raises `OSError` for what went wrong, `EnvironmentFault` when nothing was said of it."""
        self._words.finish()
        word, _, rest = self.answered.partition(" ")
        if word == "error":
            kind, _, sentence = rest.partition(" ")
            code = getattr(errno, kind, errno.EIO)
            plain = sentence in ("", self.path) or sentence.endswith(f"/{self.path}")
            raise OSError(code, os.strerror(code) if plain else sentence, self.path)
        if not word:
            self._noise.feed(errors)
            said = self._noise.text() or "it said nothing"
            raise EnvironmentFault(f"The file {self.path} could not be reached: {said}")

    @property
    def contents(self) -> bytes | None:
        return None if self.answered == "none" else self._contents

    def _output(self, data: bytes) -> None:
        if self.answered:
            self._contents += data
        else:
            self._noise.feed(data)

    def _said(self, word: str) -> None:
        what, _, rest = word.partition(" ")
        if what == "may":
            self.place = rest
        else:
            self.answered = word


def _fields(data: bytes, most: int = -1) -> list[str]:
    return [os.fsdecode(field) for field in data.split(b"\0", most)][: -1 if most < 0 else None]
