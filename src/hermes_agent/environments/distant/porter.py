"""Our end of the keeper of a distant place."""

import asyncio
import contextlib
import os
from functools import cache
from pathlib import Path

from hermes_agent.domain.errors import EnvironmentFault
from hermes_agent.environments.distant.fence import Fence, Noise, fence
from hermes_agent.environments.enclosure import Launch

_CHUNK = 65_536
_ANSWER_SECONDS = 5.0
_LEAVE_SECONDS = 5.0


@cache
def script(name: str) -> str:
    """One of the scripts beside this module."""
    return Path(__file__).with_name(name).read_text()


_LONGEST = 300


class Porter:
    """The keeper, from its first word to its end. `gone` resolves when it cannot be reached.

    `scratch` and `home` are directories over there.
    """

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.fence = fence()
        self.gone: asyncio.Future[None] = loop.create_future()
        self.scratch = ""
        self.home = ""
        self._hello: asyncio.Future[None] = loop.create_future()
        self._answers: dict[str, list[asyncio.Future[None]]] = {}
        self._noise = Noise()
        self._process: asyncio.subprocess.Process | None = None
        self._reading: list[asyncio.Task[None]] = []

    def argv(self, session: str, base: str) -> tuple[str, ...]:
        """What is to be run over there; marks begin with `session`."""
        return ("sh", "-c", script("porter.sh"), "hermes-keeper", self.fence, session, base)

    async def start(self, launch: Launch, *, patience: float) -> None:
        """Until it says hello. Raises `EnvironmentFault` with what the client said."""
        try:
            self._process = await asyncio.create_subprocess_exec(
                *launch.argv,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=launch.cwd,
                env=launch.variables,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            program = os.fsdecode(launch.argv[0])
            raise EnvironmentFault(
                f"{program} is not installed.", hint="Install it, or change terminal.backend."
            ) from error
        except OSError as error:
            raise EnvironmentFault(f"{os.fsdecode(launch.argv[0])} cannot run: {error}.") from error
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        words = Fence(self.fence, on_output=self._noise.feed, on_word=self._said)
        self._reading = [
            asyncio.create_task(self._read(self._process.stdout, words)),
            asyncio.create_task(self._listen(self._process.stderr)),
        ]
        try:
            await asyncio.wait(
                (self._hello, self.gone), timeout=patience, return_when=asyncio.FIRST_COMPLETED
            )
        except asyncio.CancelledError:
            await self.close()
            raise
        if not self._hello.done():
            late = not self.gone.done()
            await asyncio.wait(self._reading, timeout=1)
            await self.close()
            said = _gist(self._noise.text())
            raise EnvironmentFault(
                f"No answer within {patience:.0f} seconds. {said}".strip()
                if late
                else said or f"it ended with status {self._process.returncode}"
            )

    async def ask(self, what: str, mark: str = "-", leader: int = 0) -> bool:
        """Have something done; whether it was. Not, when nobody answers within seconds."""
        process = self._process
        if process is None or process.stdin is None or self.gone.done():
            return False
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._answers.setdefault(f"{what} {mark}", [])
        waiting.append(answer)
        try:
            process.stdin.write(f"{what} {mark} {leader}\n".encode())
            await asyncio.wait(
                (answer, self.gone),
                timeout=_ANSWER_SECONDS,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            waiting.remove(answer)
        return answer.done()

    async def close(self) -> None:
        """Let it end everything and go; after some seconds, end our client of it."""
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _LEAVE_SECONDS)
        except (TimeoutError, asyncio.CancelledError) as error:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            if isinstance(error, asyncio.CancelledError):
                raise
            await process.wait()
        finally:
            for task in self._reading:
                task.cancel()
            await asyncio.gather(*self._reading, return_exceptions=True)
            self._lose()

    async def _read(self, stream: asyncio.StreamReader, words: Fence) -> None:
        try:
            while data := await stream.read(_CHUNK):
                words.feed(data)
        finally:
            self._lose()

    async def _listen(self, stream: asyncio.StreamReader) -> None:
        while data := await stream.read(_CHUNK):
            self._noise.feed(data)

    def _said(self, word: str) -> None:
        what, _, rest = word.partition(" ")
        if what == "hello" and not self._hello.done():
            self.scratch, _, self.home = rest.partition("\n")
            self._hello.set_result(None)
            return
        for answer in self._answers.get(word, []):
            if not answer.done():
                answer.set_result(None)
                break

    def _lose(self) -> None:
        if not self.gone.done():
            self.gone.set_result(None)

    @property
    def said(self) -> str:
        """What the client said on its own account."""
        return self._noise.text()


def _gist(said: str) -> str:
    """Of all that an engine said, its last error."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("error", "docker:", "ssh:"))]
    text = errors[-1] if errors else " ".join(lines)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
