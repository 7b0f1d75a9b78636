"""What the webhook listener is told: its address and its routes."""

import re
from collections.abc import Mapping
from typing import cast

import msgspec

from hermes_agent.config.secret import Secret
from hermes_agent.domain.errors import ConfigError
from hermes_agent.platforms.base import PlatformSettings

DEFAULT_PORT = 8644
GITHUB_API = "https://api.github.com"
RATE = 30
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_LOOPBACK = frozenset(("127.0.0.1", "::1", "[::1]", "localhost"))
_WHERE = "platforms.webhook.extra"


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One address that is called: `/webhooks/<name>`.

    `events` are those that are taken, all without any. `prompt` is a template, see `template`.
    `deliver` is `log`, `github_comment`, or `platform:chat[:thread]`; for a comment `repository`
    and `number` are templates for where it goes. `rate` is how many a minute are taken.
    Without a `secret` anybody who reaches the port may call.
    """

    name: str
    secret: Secret | None = None
    events: frozenset[str] = frozenset()
    prompt: str = ""
    skills: tuple[str, ...] = ()
    deliver: str = "log"
    repository: str = "{repository.full_name}"
    number: str = ""
    rate: int = RATE


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """Where it listens, for which routes, and how it reaches GitHub."""

    routes: Mapping[str, Route]
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    github_api: str = GITHUB_API
    github_token: Secret | None = None

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return self.host in _LOOPBACK


def configuration(settings: PlatformSettings) -> Configuration:
    """Read the settings. Raises `ConfigError`, with the path of what is wrong."""
    values = settings.values
    host = str(values.get("host") or "127.0.0.1")
    shared = _secret(values.get("secret"), f"{_WHERE}.secret")
    described = _mapping("routes", settings.extra.get("routes"))
    made = {
        name: _route(name, each, shared, loopback=host in _LOOPBACK)
        for name, each in described.items()
    }
    token = values.get("github_token") or values.get("token")
    if token is None and any(each.deliver == "github_comment" for each in made.values()):
        raise ConfigError(
            "A webhook route delivers to github_comment, but there is no token for GitHub.",
            hint=f"Set WEBHOOK_GITHUB_TOKEN in .env, or {_WHERE}.github_token.",
        )
    return Configuration(
        routes=made,
        host=host,
        port=_port(values.get("port", DEFAULT_PORT)),
        github_api=str(values.get("github_api") or GITHUB_API).rstrip("/"),
        github_token=Secret(str(token)) if token else None,
    )


def _route(name: str, given: object, shared: Secret | None, *, loopback: bool) -> Route:
    where = f"routes.{name}"
    if _NAME.fullmatch(name) is None:
        raise ConfigError(
            f"{_WHERE}.{where}: a route's name has letters, digits, - and _, at most 64."
        )
    fields = _mapping(where, given)
    secret = _secret(fields.get("secret"), f"{_WHERE}.{where}.secret") or shared
    if secret is None:
        _check_insecure(where, fields.get("insecure") is True, loopback=loopback)
    deliver, repository, number = _delivery(where, fields)
    return Route(
        name=name,
        secret=secret,
        events=frozenset(_words(f"{where}.events", fields.get("events"))),
        prompt=_text(f"{where}.prompt", fields.get("prompt")),
        skills=_words(f"{where}.skills", fields.get("skills")),
        deliver=deliver,
        repository=repository,
        number=number,
        rate=_count(f"{where}.rate_limit", fields.get("rate_limit", RATE)),
    )


def _check_insecure(where: str, insecure: bool, *, loopback: bool) -> None:
    if insecure and loopback:
        return
    reason = (
        "may be called by anybody, and the listener is not on loopback"
        if insecure
        else "has no secret"
    )
    raise ConfigError(
        f"The webhook {_WHERE}.{where} {reason}.",
        hint=(
            "Give it a `secret`, or WEBHOOK_SECRET in .env for all routes. `insecure: true` does "
            "without, on loopback only."
        ),
    )


def _delivery(where: str, fields: Mapping[str, object]) -> tuple[str, str, str]:
    """`deliver`, and the templates for the repository and the number."""
    deliver = _text(f"{where}.deliver", fields.get("deliver")) or "log"
    to = fields.get("deliver_to")
    if deliver in ("log", "github_comment"):
        places = _mapping(f"{where}.deliver_to", to)
        repository = places.get("repository") or "{repository.full_name}"
        return deliver, str(repository), str(places.get("number") or "")
    platform, _, chat = deliver.partition(":")
    if isinstance(to, str | int):
        chat = str(to)
    elif to is not None:
        places = _mapping(f"{where}.deliver_to", to)
        thread = places.get("thread_id")
        chat = str(places.get("chat_id") or "") + (f":{thread}" if thread else "")
    return (f"{platform}:{chat}" if chat else platform), "", ""


def _wrong(where: str, wanted: str, given: object) -> ConfigError:
    return ConfigError(f"{_WHERE}.{where} must be {wanted}, not {type(given).__name__}.")


def _mapping(where: str, given: object) -> dict[str, object]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise _wrong(where, "a mapping", given)
    return {str(name): each for name, each in cast("Mapping[object, object]", given).items()}


def _secret(given: object, where: str) -> Secret | None:
    if given is None or given == "":
        return None
    if not isinstance(given, str) or given != given.strip() or not given.isprintable():
        raise ConfigError(f"{where} must be text without white space around it.")
    return Secret(given)


def _text(where: str, given: object) -> str:
    if given is None:
        return ""
    if not isinstance(given, str):
        raise _wrong(where, "text", given)
    return given


def _words(where: str, given: object) -> tuple[str, ...]:
    if given is None:
        return ()
    if isinstance(given, str):
        return tuple(given.replace(",", " ").split())
    if not isinstance(given, list | tuple):
        raise _wrong(where, "a list of names", given)
    return tuple(str(each) for each in cast("list[object]", given))


def _count(where: str, given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise _wrong(where, "a whole number above 0", given)
    return given


def _port(given: object) -> int:
    text = str(given).strip()
    if text.isascii() and text.isdigit() and int(text) < 65536:
        return int(text)
    raise ConfigError(
        f"The port for webhooks is {text!r}, which is none.", hint="A number from 1 to 65535."
    )
