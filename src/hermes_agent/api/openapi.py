"""/openapi.json: what this server does, made of the table of routes and the types behind it.

Format: https://spec.openapis.org/oas/v3.1.0
"""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec

from hermes_agent.api.conversation import ID_PATTERN
from hermes_agent.api.exchange import JSON, Exchange
from hermes_agent.api.refusal import ErrorAnswer
from hermes_agent.api.routes import Field, Reply, Route
from hermes_agent.version import VERSION

_REF = "#/components/schemas/{name}"
_ALWAYS = (400, 401, 403, 405, 413, 415, 408, 500)


class OpenApi:
    """The endpoint."""

    def __init__(self) -> None:
        self.document = b""

    def routes(self) -> tuple[Route, ...]:
        return (
            Route(
                method="GET",
                path="/openapi.json",
                handler=self.get,
                summary="This document.",
                reply=Reply(body=JSON),
            ),
        )

    async def get(self, exchange: Exchange) -> None:
        exchange.query()
        await exchange.answer(self.document)


def document(routes: Iterable[Route]) -> bytes:
    """The document as JSON."""
    routes = tuple(routes)
    types = _types(routes)
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    known = dict(zip(map(_key, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, known)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "Hermes Agent", "version": VERSION},
            "paths": paths,
            "components": {
                "schemas": components,
                "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            },
            "security": [{"key": []}],
        }
    )


def _types(routes: Iterable[Route]) -> list[Any]:
    found: dict[str, Any] = {_key(ErrorAnswer): ErrorAnswer}
    for route in routes:
        for kind in (route.body, *route.reply.kinds.values()):
            if kind is not None:
                found.setdefault(_key(kind), kind)
    return list(found.values())


def _key(kind: Any) -> str:
    return repr(kind)


def _operation(route: Route, known: dict[str, Any]) -> dict[str, Any]:
    parts = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    told: dict[str, Any] = {
        "operationId": _operation_id(f"{route.method} {route.path}"),
        "summary": route.summary,
        "parameters": [
            *(
                {"name": part, "in": "path", "required": True, "schema": _part(part)}
                for part in parts
            ),
            *(_parameter(field, "query") for field in route.query),
            *(_parameter(field, "header") for field in route.headers),
        ],
        "responses": {str(route.reply.status): _reply(route.reply, known)}
        | {str(status): {"description": HTTPStatus(status).phrase} for status in route.empty}
        | {str(status): _error(status, known) for status in sorted({*_ALWAYS, *route.errors})},
    }
    if route.public:
        told["security"] = [{}, {"key": []}]
        told["responses"]["503"] = _reply(route.reply, known)
    if route.body is not None:
        about = {"schema": known[_key(route.body)]}
        if route.example is not None:
            about["example"] = route.example
        told["requestBody"] = {"required": True, "content": {JSON: about}}
    return told


def _operation_id(route: str) -> str:
    words = route.replace("{", "").replace("}", "").replace(".", "_").split("/")
    return "_".join(word.strip().lower() for word in words)


def _part(name: str) -> dict[str, Any]:
    pattern = {"pattern": ID_PATTERN} if name == "session_id" else {}
    return {"type": "string", "minLength": 1, **pattern}


def _parameter(field: Field, place: str) -> dict[str, Any]:
    return {
        "name": field.name,
        "in": place,
        "required": False,
        "description": field.text,
        "schema": field.schema,
    }


def _reply(reply: Reply, known: dict[str, Any]) -> dict[str, Any]:
    content = {
        kind: {"schema": known[_key(body)]} if body is not None else {}
        for kind, body in reply.kinds.items()
    }
    links = {
        f"{_operation_id(route)}": {
            "operationId": _operation_id(route),
            "parameters": {link.part: f"$response.body#{link.pointer}"},
        }
        for link in reply.links
        for route in link.routes
    }
    told: dict[str, Any] = {"description": HTTPStatus(reply.status).phrase, "content": content}
    return {**told, "links": links} if links else told


def _error(status: int, known: dict[str, Any]) -> dict[str, Any]:
    return {
        "description": HTTPStatus(status).phrase,
        "content": {JSON: {"schema": known[_key(ErrorAnswer)]}},
    }
