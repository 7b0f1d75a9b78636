"""Updates by webhook: https://core.telegram.org/bots/api#setwebhook.

Telegram repeats a call until it is answered with 2xx, and keeps the order within a chat.
"""

import asyncio
import hmac
import logging
import secrets
from collections.abc import Callable

import msgspec

from hermes_agent.config.secret import Secret
from hermes_agent.domain.errors import StoreError
from hermes_agent.platforms.base import Door, PlatformRefused
from hermes_agent.platforms.listener import Answer, Listener, Request
from hermes_agent.platforms.telegram.client import Client, Refused
from hermes_agent.platforms.telegram.configuration import Webhook
from hermes_agent.platforms.telegram.intake import Intake
from hermes_agent.platforms.telegram.wire import ALLOWED, Raw, decoded

HEADER = "x-telegram-bot-api-secret-token"
KEPT = "webhook"

_log = logging.getLogger(__name__)


class Entrance:
    """Listens for one bot."""

    def __init__(self, client: Client, intake: Intake, door: Door, webhook: Webhook) -> None:
        self._client = client
        self._intake = intake
        self._door = door
        self._webhook = webhook
        self._secret = webhook.secret or Secret(secrets.token_urlsafe(32))
        self._listener = Listener("telegram", webhook.host, webhook.port, self._answer)

    @property
    def port(self) -> int:
        """Where it listens, once it is ready."""
        return self._listener.port

    async def run(self, ready: Callable[[], None]) -> None:
        """Listen, and tell Telegram where. Raises `ConfigError` when the address cannot be had
        and `PlatformRefused` when Telegram does not take the URL."""
        listening = asyncio.Event()
        serving = asyncio.create_task(self._listener.serve(listening.set), name="telegram http")
        waiting = asyncio.create_task(listening.wait())
        try:
            await asyncio.wait((serving, waiting), return_when=asyncio.FIRST_COMPLETED)
            if listening.is_set():
                await self._announce()
                ready()
            await serving
        finally:
            waiting.cancel()
            serving.cancel()
            await asyncio.wait((serving, waiting))

    async def _announce(self) -> None:
        await self._door.remember(KEPT, self._webhook.url)
        try:
            await self._client.call(
                "setWebhook",
                bool,
                {
                    "url": self._webhook.url,
                    "secret_token": self._secret.reveal(),
                    "allowed_updates": ALLOWED,
                },
            )
        except Refused as error:
            raise PlatformRefused(
                f"Telegram does not take the webhook's address: {error.description}",
                hint="Correct platforms.telegram.extra.webhook_url: https, port 443, 80, 88 or "
                "8443, reachable from the internet.",
            ) from error

    async def _answer(self, request: Request) -> Answer:
        if request.path != self._webhook.path:
            return Answer(404, "There is nothing here.")
        if request.method != "POST":
            return Answer(405, "Only POST.", allow="POST")
        given = request.headers.get(HEADER, "")
        if not hmac.compare_digest(given.encode(), self._secret.reveal().encode()):
            _log.warning(
                "telegram: a call of the webhook from %s has no valid secret", request.peer
            )
            return Answer(401, "The secret is missing or wrong.")
        body = await request.body()
        try:
            update = decoded(body, Raw)
        except msgspec.DecodeError:
            return Answer(400, "This is no JSON.")
        try:
            await self._intake.take([update])
        except StoreError as error:
            _log.warning("telegram: an update could not be stored: %s", error)
            return Answer(503, "Try again.", retry_after="2")
        return Answer(200, "taken")
