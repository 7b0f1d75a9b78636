"""Comments on GitHub: https://docs.github.com/en/rest/issues/comments."""

import hashlib
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import msgspec

from hermes_agent.config.secret import Secret
from hermes_agent.platforms.base import PlatformDown, PlatformRefused, SendRefused

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Headers, Response

_T = TypeVar("_T")

TIMEOUT = 30.0
LOOK_BACK = 86_400.0
"""Seconds; nothing is tried again for longer."""

PAGES = 20


class _Comment(msgspec.Struct, frozen=True):
    id: int
    body: str | None = None


class GitHub:
    """Writes comments with one token. The connection is made when it is first needed."""

    def __init__(self, api: str, token: Secret | None) -> None:
        self._api = api
        self._token = token
        self._client: AsyncClient | None = None

    async def comment(self, where: str, text: str, key: str) -> str:
        """Comment on `owner/repository#number`, once for each key; returns the comment's id."""
        repository, _, number = where.partition("#")
        path = f"/repos/{repository}/issues/{number}/comments"
        mark = f"<!-- {hashlib.sha256(key.encode()).hexdigest()[:32]} -->"
        present = await self._find(path, mark)
        if present is None:
            answer = await self._ask("POST", path, json={"body": f"{text}\n\n{mark}"})
            present = _read(answer, _Comment)
        return str(present.id)

    async def close(self) -> None:
        """Give the connection back."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _find(self, path: str, mark: str) -> _Comment | None:
        since = datetime.fromtimestamp(time.time() - LOOK_BACK, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for page in range(1, PAGES + 1):
            answer = await self._ask("GET", f"{path}?per_page=100&page={page}&since={since}")
            comments = _read(answer, list[_Comment])
            found = next((each for each in comments if mark in (each.body or "")), None)
            if found is not None or len(comments) < 100:
                return found
        return None

    async def _ask(self, method: str, path: str, json: object = None) -> "Response":
        import httpx2

        if self._client is None:
            token = self._token.reveal() if self._token else ""
            self._client = httpx2.AsyncClient(
                timeout=TIMEOUT,
                headers={
                    "authorization": f"Bearer {token}",
                    "accept": "application/vnd.github+json",
                    "x-github-api-version": "2022-11-28",
                    "user-agent": "hermes-agent",
                },
            )
        try:
            answer = await self._client.request(method, self._api + path, json=json)
        except httpx2.HTTPError as error:
            raise PlatformDown(f"GitHub cannot be reached: {type(error).__name__}.") from error
        _check(answer)
        return answer


def _check(answer: "Response") -> None:
    status, headers = answer.status_code, answer.headers
    if status < 300:
        return
    if status == 401:
        raise PlatformRefused(
            "GitHub refuses the token.",
            hint="Set WEBHOOK_GITHUB_TOKEN in .env, or platforms.webhook.extra.github_token.",
        )
    limited = "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
    if status == 429 or (status == 403 and limited):
        raise PlatformDown("GitHub asks to wait.", retry_after=_wait(headers))
    if status == 403:
        raise PlatformRefused(
            "GitHub does not let this token comment there.",
            hint="Give it the permission to write to pull requests and issues.",
        )
    if status >= 500 or status == 408:
        raise PlatformDown(f"GitHub answers {status}.")
    raise SendRefused(f"GitHub does not take the comment: {status}.")


def _wait(headers: "Headers") -> float:
    after, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if after.isdigit():
        return min(float(after), 3600.0)
    if reset.isdigit():
        return min(max(float(reset) - time.time(), 1.0), 3600.0)
    return 60.0


def _read(answer: "Response", kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.DecodeError as error:
        raise PlatformDown("GitHub's answer makes no sense.") from error
