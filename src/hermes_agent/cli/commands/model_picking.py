"""What `hermes model` asks and shows on a terminal."""

from typing import TYPE_CHECKING

import click
import msgspec

from hermes_agent.domain.errors import ModelError

if TYPE_CHECKING:
    from hermes_agent.config.load import Loaded
    from hermes_agent.providers.discovery import LocalServer
    from hermes_agent.providers.vendor import Vendor

SHOWN = 40


class Pick(msgspec.Struct, frozen=True, kw_only=True):
    """A model to answer from now on. `key` is a variable and its value, for `.env`."""

    model: str
    provider: str | None = None
    base_url: str | None = None
    key: tuple[str, str] | None = None


def split(model: str) -> tuple[str | None, str]:
    """`vendor:model` as two, where it is that."""
    from hermes_agent.providers.resolve import split_vendor

    provider, rest = split_vendor(model)
    return (None if provider == "auto" else provider), rest


def local_servers(loaded: "Loaded") -> "tuple[LocalServer, ...]":
    """The model servers on this machine."""
    import asyncio

    from hermes_agent.providers.discovery import find_local
    from hermes_agent.providers.http import open_client

    async def ask() -> "tuple[LocalServer, ...]":
        async with open_client(loaded.environ) as client:
            return await find_local(client, loaded.environ)

    return asyncio.run(ask())


def pick(loaded: "Loaded") -> Pick | None:
    """Provider, then key if it has none, then model. None when nothing was chosen."""
    from hermes_agent.providers.vendor import vendors

    servers = local_servers(loaded)
    running = {each.vendor.id: each for each in servers}
    rows = [each for each in vendors() if not each.local or each.id in running]
    now = loaded.config.model
    click.echo(f"Now: {now.default} ({now.provider})\n")
    for number, vendor in enumerate(rows, 1):
        click.echo(f"  {number:>2}  {vendor.label:<18} {_state(vendor, loaded)}".rstrip())
    for server in loaded.config.custom_providers:
        click.echo(f"   {server.name}  (custom_providers)")
    click.echo("   o  the offline model on this machine, no key needed")
    click.echo("   -  leave as it is")
    answer = click.prompt("Which provider", default="-").strip()
    if answer == "-":
        return None
    if answer == "o":
        click.echo("It is fetched at the first use, or now with: hermes model install local")
        return Pick(model="local", provider="local", base_url=None)
    if any(answer == server.name for server in loaded.config.custom_providers):
        model = _ask_model(loaded, f"custom:{answer}", "", None)
        return Pick(model=model, provider=f"custom:{answer}") if model else None
    vendor = _chosen(answer, rows)
    if vendor is None:
        click.echo(f"There is no choice “{answer}”; nothing was changed.", err=True)
        return None
    key: tuple[str, str] | None = None
    if not vendor.local and not any(loaded.environ.get(name) for name in vendor.keys):
        value = click.prompt(
            f"{vendor.keys[0]} (typing is hidden)", hide_input=True, default="", show_default=False
        ).strip()
        key = (vendor.keys[0], value) if value else None
    model = _ask_model(loaded, vendor.id, vendor.model, key)
    return Pick(model=model, provider=vendor.id, key=key) if model else None


def _state(vendor: "Vendor", loaded: "Loaded") -> str:
    if vendor.local:
        return "running on this machine"
    found = next((name for name in vendor.keys if loaded.environ.get(name)), None)
    return f"key in {found}" if found else ""


def _chosen(answer: str, rows: "list[Vendor]") -> "Vendor | None":
    if answer.isdigit():
        return rows[int(answer) - 1] if 1 <= int(answer) <= len(rows) else None
    return next((each for each in rows if answer.lower() in (each.id, *each.aliases)), None)


def _ask_model(
    loaded: "Loaded", provider: str, suggested: str, key: tuple[str, str] | None
) -> str | None:
    names = _names(loaded, provider, key)
    shown = [name for name in names if name != suggested][:SHOWN]
    if suggested:
        shown.insert(0, suggested)
    for number, name in enumerate(shown, 1):
        click.echo(f"  {number:>2}  {name}")
    if len(names) > len(shown):
        click.echo(f"      … and {len(names) - len(shown)} more; any name may be typed")
    answer = click.prompt("Which model", default=shown[0] if shown else None).strip()
    if answer.isdigit() and 1 <= int(answer) <= len(shown):
        return shown[int(answer) - 1]
    return answer or None


def _names(loaded: "Loaded", provider: str, key: tuple[str, str] | None) -> list[str]:
    """The provider's live list; empty, with the reason said, where it cannot be had."""
    import asyncio

    from hermes_agent.providers.choice import ModelChoice
    from hermes_agent.providers.discovery import list_models
    from hermes_agent.providers.http import open_client
    from hermes_agent.providers.resolve import resolve
    from hermes_agent.runtime.models import setting_of

    setting = setting_of(loaded)
    if key is not None:
        setting = msgspec.structs.replace(setting, environ={**setting.environ, key[0]: key[1]})

    async def ask() -> list[str]:
        target = resolve(ModelChoice(provider=provider), setting)
        async with open_client(loaded.environ) as client:
            return [each.model for each in await list_models(target, lambda: client)]

    try:
        return sorted(asyncio.run(ask()))
    except ModelError as error:
        click.echo(f"The list of models cannot be had: {error.message}", err=True)
        return []
