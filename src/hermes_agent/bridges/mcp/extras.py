"""A server's resources and prompts, as tools that are found and called like its own."""

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

import msgspec

from hermes_agent.bridges.mcp.content import prompt_of, resource_of
from hermes_agent.bridges.mcp.link import Link
from hermes_agent.config.schema.execution import McpTools
from hermes_agent.domain.errors import UsageError
from hermes_agent.domain.outside import OutsideResult

if TYPE_CHECKING:
    from mcp import Client

_MOST_ENTRIES = 200
_MOST_TEXT = 500

Arguments = dict[str, Any]


class Extra(msgspec.Struct, frozen=True):
    """What a model is told of one."""

    description: str
    parameters: dict[str, Any]


@cache
def extras() -> Mapping[str, Extra]:
    """All four by name."""
    data = files("hermes_agent.bridges.mcp").joinpath("extras.json").read_bytes()
    return msgspec.json.decode(data, type=dict[str, Extra])


def wanted(link: Link, tools: McpTools) -> tuple[str, ...]:
    """Those that this server can serve and its settings allow."""
    resources = ("list_resources", "read_resource") if tools.resources else ()
    prompts = ("list_prompts", "get_prompt") if tools.prompts else ()
    return (
        *(resources if link.offer.resources else ()),
        *(prompts if link.offer.prompts else ()),
    )


async def use(link: Link, extra: str, arguments: Arguments) -> OutsideResult:
    """Call one. Raises `EnvironmentFault`, `UsageError` for arguments that do not fit."""
    ask: Callable[[Client], Awaitable[OutsideResult]]
    match extra:
        case "list_resources":
            ask = _resources(_optional(arguments, "cursor"))
        case "read_resource":
            ask = _resource(_text(arguments, "uri"))
        case "list_prompts":
            ask = _prompts(_optional(arguments, "cursor"))
        case _:
            ask = _prompt(_text(arguments, "name"), arguments.get("arguments") or {})
    return await link.request(ask)


def _resources(cursor: str | None) -> "Callable[[Client], Awaitable[OutsideResult]]":
    async def ask(client: "Client") -> OutsideResult:
        page = await client.list_resources(cursor=cursor)
        data: dict[str, object] = {
            "resources": [
                _entry(
                    uri=str(each.uri), name=each.name, about=each.description, kind=each.mime_type
                )
                for each in page.resources[:_MOST_ENTRIES]
            ]
        }
        if cursor is None:
            templates = (await client.list_resource_templates()).resource_templates
            if templates:
                data["templates"] = [
                    _entry(uri=each.uri_template, name=each.name, about=each.description)
                    for each in templates[:_MOST_ENTRIES]
                ]
        return _paged(data, len(page.resources), page.next_cursor)

    return ask


def _resource(uri: str) -> "Callable[[Client], Awaitable[OutsideResult]]":
    async def ask(client: "Client") -> OutsideResult:
        return resource_of(await client.read_resource(uri))

    return ask


def _prompts(cursor: str | None) -> "Callable[[Client], Awaitable[OutsideResult]]":
    async def ask(client: "Client") -> OutsideResult:
        page = await client.list_prompts(cursor=cursor)
        found: list[dict[str, object]] = []
        for each in page.prompts[:_MOST_ENTRIES]:
            needed = [
                {"name": one.name, "required": bool(one.required)} for one in each.arguments or ()
            ]
            entry = _entry(name=each.name, about=each.description)
            found.append({**entry, "arguments": needed} if needed else entry)
        return _paged({"prompts": found}, len(page.prompts), page.next_cursor)

    return ask


def _prompt(name: str, given: object) -> "Callable[[Client], Awaitable[OutsideResult]]":
    if not isinstance(given, dict):
        raise UsageError("arguments is no object of texts.")
    texts = {
        key: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for key, value in cast("dict[str, object]", given).items()
    }

    async def ask(client: "Client") -> OutsideResult:
        return prompt_of(await client.get_prompt(name, texts))

    return ask


def _entry(**said: str | None) -> dict[str, object]:
    return {key: value[:_MOST_TEXT] for key, value in said.items() if value}


def _paged(data: dict[str, object], there: int, cursor: str | None) -> OutsideResult:
    if there > _MOST_ENTRIES:
        data["left_out"] = there - _MOST_ENTRIES
    if cursor:
        data["cursor"] = cursor
    return OutsideResult(data=data)


def _text(arguments: Arguments, name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or not value:
        raise UsageError(f"{name} is missing.")
    return value


def _optional(arguments: Arguments, name: str) -> str | None:
    value = arguments.get(name)
    return value if isinstance(value, str) and value else None
