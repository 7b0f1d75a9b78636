"""Where the browser comes back to after a login: a page on this machine, for one visit."""

import asyncio
from types import TracebackType
from urllib.parse import parse_qs, urlsplit

import msgspec

from hermes_agent.domain.errors import HermesError

_PATH = "/callback"
_MOST_BYTES = 16_384
_SECONDS = 10.0


class Visit(msgspec.Struct, frozen=True):
    """What the authorization server sent back (RFC 6749, 4.1.2; `iss` of RFC 9207)."""

    code: str
    state: str
    iss: str | None = None


class Refused(HermesError):
    """The login was refused."""


def visit_of(address: str) -> Visit | None:
    """What stands in an address that a browser came back to; None where it is no such address.

    Raises `Refused`.
    """
    try:
        query = parse_qs(urlsplit(address).query)
    except ValueError:
        return None

    def first(name: str) -> str:
        return query.get(name, [""])[0]

    if first("error"):
        said = "".join(c for c in first("error_description") if c.isprintable())[:200]
        raise Refused(f"The login was refused: {first('error')[:80]}{said and f' ({said})'}")
    if not first("code"):
        return None
    return Visit(first("code"), first("state"), first("iss") or None)


class Returning:
    """The page. `expect` says which state belongs to this login: a visit with another one is sent
    away, so that no other page can end it."""

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._state = ""
        self._visit: asyncio.Future[Visit] = asyncio.get_running_loop().create_future()

    @property
    def address(self) -> str:
        """What the browser is sent back to."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}{_PATH}"

    def expect(self, state: str) -> None:
        """The state of the login that is going on."""
        self._state = state

    def take(self, visit: Visit) -> None:
        """It came in another way. Raises `Refused` for a wrong state."""
        if visit.state != self._state:
            raise Refused("That address belongs to another login.")
        if not self._visit.done():
            self._visit.set_result(visit)

    def fail(self, error: HermesError) -> None:
        """It will not come."""
        if not self._visit.done():
            self._visit.set_exception(error)

    async def visit(self) -> Visit:
        """What was sent back. Raises `Refused`."""
        return await self._visit

    async def __aenter__(self) -> "Returning":
        try:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        except OSError:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()
        self._visit.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            line = head[:_MOST_BYTES].split(b"\r\n")[0].decode("latin-1")
            status, said = self._heard(line)
            body = f"{said}\n".encode()
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n"
                f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
                + body
            )
            await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    def _heard(self, line: str) -> tuple[str, str]:
        words = line.split(" ")
        if len(words) != 3 or words[0] != "GET" or urlsplit(words[1]).path != _PATH:
            return "404 Not Found", "Nothing is here."
        state = parse_qs(urlsplit(words[1]).query).get("state", [""])[0]
        if not self._state or state != self._state:
            return "400 Bad Request", "This belongs to another login."
        try:
            visit = visit_of(words[1])
        except Refused as error:
            self.fail(error)
            return "200 OK", f"{error.message} You can close this page."
        if visit is None:
            return "400 Bad Request", "There is no code in this address."
        self.take(visit)
        return "200 OK", "You are logged in. You can close this page and go back to Hermes."
