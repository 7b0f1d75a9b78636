"""Which address leads where; the OpenAPI document is made of the same table."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Literal
from urllib.parse import unquote

import msgspec

from hermes_agent.api.exchange import EVENTS, JSON, Exchange
from hermes_agent.api.refusal import Refusal

Handler = Callable[[Exchange], Awaitable[None]]
Method = Literal["GET", "POST", "PATCH", "DELETE"]


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A query parameter or a header. `schema` is JSON Schema."""

    name: str
    text: str
    schema: Mapping[str, Any] = msgspec.field(default_factory=lambda: {"type": "string"})


class Link(msgspec.Struct, frozen=True):
    """Where an answer leads: the value at `pointer` (RFC 6901) of its body is the variable part
    `part` of the routes that end like these (method and path)."""

    part: str
    pointer: str
    routes: tuple[str, ...]


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A good answer: its status, and its body as a type or as the name of a media type."""

    body: Any = None
    status: int = 200
    events: bool = False
    links: tuple[Link, ...] = ()

    @property
    def kinds(self) -> dict[str, Any]:
        """Media types, with the type of those that have one."""
        if self.body is None:
            return {}
        if isinstance(self.body, str):
            return {self.body: None}
        return {JSON: self.body, **({EVENTS: None} if self.events else {})}


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """`path` may have `{parts}`. `errors` are the statuses beyond those that any route can give,
    `empty` those of good answers without a body.
    `public` routes need no key from loopback; `idempotent` ones keep to an Idempotency-Key."""

    method: Method
    path: str
    handler: Handler
    summary: str
    body: Any = None
    example: Any = None
    query: tuple[Field, ...] = ()
    headers: tuple[Field, ...] = ()
    reply: Reply = Reply()
    errors: tuple[int, ...] = ()
    empty: tuple[int, ...] = ()
    public: bool = False
    idempotent: bool = False


class Router:
    """Finds the route of a request."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._exact: dict[str, dict[str, Route]] = {}
        self._patterns: dict[tuple[str, ...], dict[str, Route]] = {}
        for route in self.routes:
            if "{" in route.path:
                self._patterns.setdefault(tuple(route.path.split("/")), {})[route.method] = route
            else:
                self._exact.setdefault(route.path, {})[route.method] = route

    def find(self, exchange: Exchange) -> Route:
        """The route; its variable parts are in `exchange.params` then. Raises `Refusal`."""
        methods = self._exact.get(exchange.raw_path) or self._matching(exchange)
        if methods is None:
            raise Refusal(404, "There is nothing at this address.", code="unknown_url")
        route = methods.get("GET" if exchange.method == "HEAD" else exchange.method)
        if route is None:
            allowed = ", ".join(sorted(methods))
            raise Refusal(
                405,
                f"This address takes {allowed} only.",
                code="method_not_allowed",
                headers=(("allow", allowed),),
            )
        return route

    def _matching(self, exchange: Exchange) -> dict[str, Route] | None:
        parts = exchange.raw_path.split("/")
        for pattern, methods in self._patterns.items():
            if len(pattern) != len(parts):
                continue
            if all(
                want == have or want[:1] == "{" for want, have in zip(pattern, parts, strict=True)
            ):
                try:
                    exchange.params = {
                        want[1:-1]: unquote(have, errors="strict")
                        for want, have in zip(pattern, parts, strict=True)
                        if want[:1] == "{"
                    }
                except UnicodeDecodeError:
                    raise Refusal(400, "The address is not UTF-8.", code="invalid_url") from None
                return methods
        return None
