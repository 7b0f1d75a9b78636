"""The one HTTP client: proxies, TLS, redirects."""

import asyncio
import ssl
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest

from hermes_agent.providers.http import is_loopback, open_client, proxy_for
from tests.servers.model import ModelServer
from tests.servers.script import Fault

PROXY = {"HTTPS_PROXY": "http://proxy.example:3128", "http_proxy": "proxy.example:8080"}


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        ("https://api.openai.com/v1", PROXY, "http://proxy.example:3128"),
        ("http://api.example.com/v1", PROXY, "http://proxy.example:8080"),
        ("https://x.example", {"ALL_PROXY": "socks5://p:1"}, "socks5://p:1"),
        ("https://x.example", {}, None),
        ("http://127.0.0.1:11434/v1", PROXY, None),
        ("http://localhost:1234/v1", PROXY | {"ALL_PROXY": "http://p"}, None),
        ("http://[::1]:8000/v1", PROXY, None),
        ("https://x.example", PROXY | {"NO_PROXY": "x.example"}, None),
        ("https://a.x.example", PROXY | {"no_proxy": ".x.example, other"}, None),
        ("https://ax.example", PROXY | {"no_proxy": "x.example"}, "http://proxy.example:3128"),
        ("https://10.1.2.3", PROXY | {"no_proxy": "10.0.0.0/8"}, None),
        ("https://x.example", PROXY | {"NO_PROXY": "*"}, None),
        ("https://x.example:8443", PROXY | {"NO_PROXY": "x.example:8443"}, None),
        ("https://x.example", PROXY | {"NO_PROXY": "x.example:8443"}, "http://proxy.example:3128"),
    ],
)
def test_the_environments_proxy_is_respected_but_never_for_loopback(
    url: str, environ: dict[str, str], proxy: str | None
):
    assert proxy_for(httpx2.URL(url), environ) == proxy


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "::1", "a.localhost"])
def test_this_machine_is_known_by_its_names(host: str):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["localhost.example.com", "127.0.0.1.nip.io", "0.0.0.0", "x"])
def test_other_names_are_not_this_machine(host: str):
    assert not is_loopback(host)


async def test_a_plain_address_costs_no_certificates(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*arguments: object, **named: object) -> None:
        raise AssertionError("certificates were read")

    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", refuse)
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", refuse)
    async with open_client({}) as client:
        assert (await client.get(f"{server.base_url}/models")).status_code == 200


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate and its key."""
    key, public, both = (tmp_path / name for name in ("key", "public", "both"))
    words = f"req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -keyout {key}"
    subprocess.run(
        ["openssl", *words.split(), "-out", str(public)], check=True, capture_output=True
    )
    both.write_text(key.read_text() + public.read_text())
    return both


async def test_a_certificate_of_nobody_known_is_refused(certificate: Path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    served = await asyncio.start_server(_hang_up, "127.0.0.1", 0, ssl=context)
    port = served.sockets[0].getsockname()[1]
    async with served, open_client({}) as client:
        with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await client.get(f"https://127.0.0.1:{port}/v1/models")


async def _hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def test_redirects_are_not_followed(server: ModelServer):
    server.say(Fault.refuse("", status=302, headers={"location": f"{server.base_url}/x"}, body=""))
    async with open_client({}) as client:
        answer = await client.post(f"{server.base_url}/chat/completions", json={})
    assert answer.status_code == 302
    assert len(server.requests) == 1


def test_choosing_a_model_imports_neither_http_nor_asyncio():
    program = """
        import sys
        from hermes_agent.providers.choice import ModelChoice
        from hermes_agent.providers.resolve import Setting, resolve
        resolve(ModelChoice(model="gpt-5"), Setting(environ={"OPENAI_API_KEY": "k"}))
        heavy = {"asyncio", "httpx2", "ssl", "pydantic", "importlib.metadata", "rich"}
        print(*sorted(heavy & set(sys.modules)))
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == ""


async def test_a_remote_host_is_reached_through_the_proxy(server: ModelServer):
    environ = {"http_proxy": server.root_url}
    async with open_client(environ) as client:
        await client.get("http://models.example.com/v1/models")
        await client.get(f"{server.base_url}/models")
    assert [each.path for each in server.requests] == [
        "http://models.example.com/v1/models",
        "/v1/models",
    ]


class Counting:
    """Answers every request on a connection with its number; `ends` closes it after the answer."""

    def __init__(self, *, ends: bool = False) -> None:
        self.connections = 0
        self._ends = ends

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = str(self.connections).encode()
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n" + number)
                await writer.drain()
                if self._ends:
                    break
        except asyncio.IncompleteReadError:
            pass
        writer.close()
        await writer.wait_closed()


async def test_a_connection_serves_one_request_after_the_other():
    counting = Counting()
    served = await asyncio.start_server(counting.serve, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{served.sockets[0].getsockname()[1]}"
    async with open_client({}) as client:
        assert [(await client.get(address)).text for _ in range(3)] == ["1", "1", "1"]
        async with client.stream("GET", address) as first, client.stream("GET", address) as second:
            both = [(await each.aread()).decode() for each in (first, second)]
        assert both == ["1", "2"]
        assert (await client.get(address)).text in both
    served.close()


async def test_a_connection_that_the_server_closed_is_not_used_again():
    counting = Counting(ends=True)
    served = await asyncio.start_server(counting.serve, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{served.sockets[0].getsockname()[1]}"
    async with open_client({}) as client:
        assert [(await client.get(address)).text for _ in range(3)] == ["1", "2", "3"]
    served.close()


async def test_a_request_given_up_in_the_middle_leaves_no_connection_in_a_half_state():
    counting = Counting()
    served = await asyncio.start_server(counting.serve, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{served.sockets[0].getsockname()[1]}"
    async with open_client({}) as client:
        async with client.stream("GET", address):
            pass  # its body is left unread
        assert (await client.get(address)).text == "2"
        asking = asyncio.create_task(client.post(address, content=_endless()))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert (await client.get(address)).status_code == 200
    served.close()


async def _endless() -> AsyncIterator[bytes]:
    yield b"x"
    await asyncio.Event().wait()


async def test_closing_the_client_closes_every_connection():
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n.")
        assert await reader.read() == b""
        writer.close()
        gone.set()

    served = await asyncio.start_server(serve, "127.0.0.1", 0)
    client = open_client({})
    request = client.build_request("GET", f"http://127.0.0.1:{served.sockets[0].getsockname()[1]}")
    await client.send(request, stream=True)
    await client.aclose()
    await asyncio.wait_for(gone.wait(), 20)
    served.close()
