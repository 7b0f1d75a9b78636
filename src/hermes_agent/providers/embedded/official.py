"""The model's official file over HTTP, continued where it broke off."""

from pathlib import Path
from typing import TYPE_CHECKING

from hermes_agent.providers.embedded.catalog import Weights
from hermes_agent.providers.embedded.weights import Progress, Report, SourceFailed, size

if TYPE_CHECKING:
    import httpx2

ATTEMPTS = 5
"""Broken connections in a row, none of which brought a byte, before giving up."""

_STEP = 256 * 1024


class Official:
    """The URL of `weights.official`. Proxies and certificates are those of the environment."""

    label = "the official download"

    def scratch(self, weights: Weights) -> int:
        """Nothing besides the file."""
        return 0

    async def append(self, weights: Weights, partial: Path, report: Report) -> None:
        """Complete `partial` with range requests."""
        import httpx2

        report(Progress(size(partial), weights.bytes, f"Fetching {weights.name} …"))
        timeout = httpx2.Timeout(30.0, connect=10.0)
        async with httpx2.AsyncClient(follow_redirects=True, timeout=timeout) as client:
            idle = 0
            while (have := size(partial)) < weights.bytes:
                try:
                    await self._some(client, weights, partial, report)
                except httpx2.ConnectError as error:
                    if not have:
                        raise SourceFailed(f"no connection ({error})") from error
                    failure = error
                except httpx2.HTTPError as error:
                    failure = error
                else:
                    failure = None
                idle = 0 if size(partial) > have else idle + 1
                if idle >= ATTEMPTS:
                    raise SourceFailed(f"it broke off again and again ({failure})")

    async def _some(
        self, client: "httpx2.AsyncClient", weights: Weights, partial: Path, report: Report
    ) -> None:
        """One request: everything from where the file ends, as far as the connection holds."""
        have = size(partial)
        headers = {"Range": f"bytes={have}-", "Accept-Encoding": "identity"}
        async with client.stream("GET", weights.official, headers=headers) as response:
            if response.status_code == 200 and have:
                # No ranges here: from the start, over what is there.
                have = 0
            elif response.status_code not in (200, 206):
                raise SourceFailed(f"HTTP status {response.status_code}")
            if (total := _total(response, have)) != weights.bytes:
                raise SourceFailed(f"it offers {total} bytes, not {weights.bytes}")
            with partial.open("r+b" if have else "wb") as file:
                file.seek(have)
                told = have
                async for block in response.aiter_raw():
                    if have + len(block) > weights.bytes:
                        raise SourceFailed("it sends more than it announced")
                    file.write(block)
                    have += len(block)
                    if have - told >= _STEP or have == weights.bytes:
                        told = have
                        report(Progress(have, weights.bytes))


def _total(response: "httpx2.Response", have: int) -> int | None:
    """The whole file's length in bytes as this answer states it, if it begins at `have`."""
    if response.status_code == 206:
        span, _, total = response.headers.get("Content-Range", "").partition("/")
        begins = span.removeprefix("bytes ").partition("-")[0]
        return int(total) if total.isdigit() and begins == str(have) else None
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None
