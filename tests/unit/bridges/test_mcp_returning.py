"""The page that a browser comes back to: only this login's visit counts."""

import asyncio

import pytest

from hermes_agent.bridges.mcp.returning import Refused, Returning, Visit, visit_of

pytestmark = pytest.mark.anyio


async def get(address: str, target: str, method: str = "GET") -> str:
    port = int(address.split(":")[2].split("/")[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{method} {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer.decode()


async def test_the_right_visit_ends_the_wait() -> None:
    async with Returning() as returning:
        returning.expect("s1")
        assert "logged in" in await get(returning.address, "/callback?code=c1&state=s1&iss=i")
        assert await returning.visit() == Visit("c1", "s1", "i")


@pytest.mark.parametrize(
    "target",
    [
        "/callback?code=c1&state=other",
        "/callback?code=c1",
        "/callback?error=access_denied&state=other",
        "/callback?state=s1",
        "/elsewhere?code=c1&state=s1",
        "//",
    ],
)
async def test_other_visits_change_nothing(target: str) -> None:
    async with Returning() as returning:
        returning.expect("s1")
        assert "HTTP/1.1 4" in await get(returning.address, target)
        await get(returning.address, "/callback?code=c2&state=s1")
        assert (await returning.visit()).code == "c2"


async def test_before_the_login_began_nobody_is_let_in() -> None:
    async with Returning() as returning:
        assert "HTTP/1.1 400" in await get(returning.address, "/callback?code=c&state=")


async def test_a_refusal_is_said() -> None:
    async with Returning() as returning:
        returning.expect("s1")
        await get(returning.address, "/callback?error=access_denied&state=s1")
        with pytest.raises(Refused, match="access_denied"):
            await returning.visit()


async def test_a_port_that_is_taken_is_not_insisted_on() -> None:
    async with Returning() as first:
        port = int(first.address.split(":")[2].split("/")[0])
        async with Returning(port) as second:
            assert second.address != first.address


@pytest.mark.parametrize("line", ["", "nonsense", "http://[", "http://x/?state=1"])
def test_what_is_no_such_address_is_none(line: str) -> None:
    assert visit_of(line) is None
