"""The listener for webhooks, and the ways of their answers."""

import logging
import re
import time
from collections.abc import Callable

from hermes_agent.delivery.capabilities import Capabilities
from hermes_agent.domain.chats import Inbound, Origin, Post, Target
from hermes_agent.domain.errors import StoreError
from hermes_agent.platforms.base import Door, SendRefused
from hermes_agent.platforms.listener import Answer, Listener, Request
from hermes_agent.platforms.webhook.configuration import Configuration, Route
from hermes_agent.platforms.webhook.delivery import Rate, Seen, event_of, payload_of
from hermes_agent.platforms.webhook.github import GitHub
from hermes_agent.platforms.webhook.signature import genuine
from hermes_agent.platforms.webhook.template import place, prompt

CAPABILITIES = Capabilities(
    # GitHub's Markdown is nearest to this one.
    dialect="discord",
    max_length=60_000,
    once="key",
    window=(
        "A comment on GitHub carries a hidden mark and is looked for before it is sent; the line "
        "in the log of a route that delivers there may stand twice."
    ),
)

_NUMBERS = ("{pull_request.number}", "{issue.number}", "{number}")
_PLACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}#[1-9][0-9]{0,9}")
_OWN_NAMES = frozenset(("127.0.0.1", "localhost", "[::1]"))
_log = logging.getLogger(__name__)


class Webhook:
    """Takes calls in; a conversation is one call: its chat is `<route>/<call>`, its thread the
    pull request or issue where a comment is to go."""

    name = "webhook"
    capabilities = CAPABILITIES

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._rates = {name: Rate(each.rate) for name, each in configuration.routes.items()}
        self._seen = Seen()
        self._door: Door | None = None
        self._github = GitHub(configuration.github_api, configuration.github_token)
        self._listener = Listener("webhook", configuration.host, configuration.port, self._answer)

    @property
    def port(self) -> int:
        """Where it listens, once it is ready."""
        return self._listener.port

    async def run(self, door: Door, ready: Callable[[], None]) -> None:
        """Listen until cancelled. Raises `ConfigError` when the address cannot be had."""
        self._door = door
        await self._listener.serve(ready)

    async def send(self, target: Target, post: Post, key: str) -> str:
        """Into the log, or as a comment on GitHub, as the route says."""
        name = target.chat_id.partition("/")[0]
        route = self._configuration.routes.get(name)
        if route is not None and route.deliver == "github_comment":
            if target.thread_id is None or _PLACE.fullmatch(target.thread_id) is None:
                raise SendRefused(f"The call {target.chat_id} names no pull request or issue.")
            return await self._github.comment(target.thread_id, post.text or post.plain, key)
        files = "".join(f" [{each.path}]" for each in post.attachments)
        _log.info("The webhook %s answers: %s%s", target.chat_id, post.plain or post.text, files)
        return key

    async def edit(self, target: Target, message_id: str, post: Post) -> None:
        """Cannot be done."""
        raise SendRefused("What a webhook answered cannot be edited.")

    async def typing(self, target: Target) -> None:
        """Nobody would see it."""

    async def react(self, target: Target, message_id: str, emoji: str) -> None:
        """Nobody would see it."""

    async def close(self) -> None:
        """Give the connection to GitHub back."""
        await self._github.close()

    async def _answer(self, request: Request) -> Answer:
        if request.path == "/health" and request.method in ("GET", "HEAD"):
            return Answer(200, "ok")
        first, _, name = request.path.removeprefix("/").partition("/")
        route = self._configuration.routes.get(name)
        if first != "webhooks" or route is None:
            return Answer(404, "There is no such route.")
        if request.method != "POST":
            return Answer(405, "Only POST.", allow="POST")
        if route.secret is None:
            _check_caller(request)
        body = await request.body()
        if route.secret is not None and not genuine(route.secret, request.headers, body):
            _log.warning("webhook: a call of %s from %s is not signed", name, request.peer)
            return Answer(401, "The signature is missing or wrong.")
        return await self._take(route, request, body)

    async def _take(self, route: Route, request: Request, body: bytes) -> Answer:
        payload = payload_of(request.headers, body)
        event, names = event_of(request.headers, payload)
        wanted = frozenset(each.lower() for each in route.events)
        if (wanted and not wanted & names) or (not wanted and event == "ping"):
            return Answer(200, "ignored")
        key = self._seen.key(route.name, request.headers, body)
        inbound = _inbound(route, key, event, payload)
        if wait := self._rates[route.name].wait():
            return Answer(429, "Too many calls.", retry_after=str(wait))
        door = self._door
        if door is None:
            return Answer(503, "Not ready.", retry_after="5")
        try:
            if not await door.admits(inbound.origin, addressed=True):
                return Answer(403, "Not admitted.")
            await door.accept(inbound)
        except StoreError as error:
            _log.warning("webhook: a call of %s could not be stored: %s", route.name, error)
            return Answer(503, "It could not be stored; call again.", retry_after="10")
        return Answer(202, "accepted")


def _inbound(route: Route, key: str, event: str, payload: object) -> Inbound:
    origin = Origin(
        platform="webhook",
        chat_id=key,
        thread_id=_github_place(route, payload) if route.deliver == "github_comment" else None,
        user_id=f"webhook:{route.name}",
        user_name=route.name,
        chat_name=route.name,
    )
    extra = {"route": route.name, "event": event[:100]}
    if route.deliver not in ("log", "github_comment"):
        extra["deliver"] = route.deliver
    if route.skills:
        extra["skills"] = ",".join(route.skills)
    return Inbound(
        key=key,
        origin=origin,
        text=prompt(route.prompt, payload, route=route.name, event=event),
        received_at=time.time(),
        extra=extra,
    )


def _github_place(route: Route, payload: object) -> str:
    """`owner/repository#number`. Raises `Answer` (400) where the payload does not say it."""
    repository = place(route.repository, payload)
    templates = (route.number,) if route.number else _NUMBERS
    number = next((found for each in templates if (found := place(each, payload))), "")
    where = f"{repository}#{number}"
    if _PLACE.fullmatch(where) is None:
        raise Answer(400, "The payload names no pull request or issue to comment on.")
    return where


def _check_caller(request: Request) -> None:
    """A route without a secret is for programs on this machine, not for the pages that a browser
    on it was lured to: those cannot hide where they come from or by which name they call."""
    host = request.headers.get("host", "").lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    foreign = {"origin", "sec-fetch-site"} & request.headers.keys()
    if foreign or name not in _OWN_NAMES:
        raise Answer(403, "Only programs on this machine may call.")
