"""`hermes model`: choose a model, see which there are, try one."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from hermes_agent.domain.errors import UsageError

if TYPE_CHECKING:
    from hermes_agent.cli.commands.model_picking import Pick
    from hermes_agent.config.load import Loaded
    from hermes_agent.providers.discovery import Offer
    from hermes_agent.providers.target import Target


@click.group(invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Choose, list and test models. Alone on a terminal: pick one from a list."""
    if ctx.invoked_subcommand is not None:
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        _show()
        return
    from hermes_agent.cli.commands.model_picking import pick
    from hermes_agent.config.load import load
    from hermes_agent.config.managed import require_unmanaged

    loaded = load()
    require_unmanaged(loaded.paths, loaded.environ, doing="choose a model")
    picked = pick(loaded)
    if picked is not None:
        _save(loaded, picked)


@command.command("list")
@click.option("--provider", help="A vendor, or custom:NAME; the configured one without it.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_(*, provider: str | None = None, as_json: bool = False) -> None:
    """The models that a provider offers, from its own list.

    Without a configured provider: the vendors, and the model servers on this machine.
    """
    from hermes_agent.config.load import load

    loaded = load()
    if provider is None and not _is_configured(loaded):
        _list_vendors(loaded, as_json=as_json)
        return
    target, offers = _offers(loaded, provider)
    if as_json:
        rows = [{"model": each.model, "context_length": each.context_length} for each in offers]
        _print_json({"provider": target.vendor.id, "base_url": target.base_url, "models": rows})
        return
    for each in sorted(offers, key=lambda each: each.model):
        window = f"  {each.context_length:>9,}" if each.context_length else ""
        click.echo(f"{each.model}{window}")


@command.command("set")
@click.argument("model")
@click.option("--provider", help="The vendor, or custom:NAME.")
@click.option("--base-url", help="The address of a server of your own.")
def set_(model: str, *, provider: str | None = None, base_url: str | None = None) -> None:
    """Make MODEL the one that answers. `vendor:model` names both at once."""
    from hermes_agent.cli.commands.model_picking import Pick, split
    from hermes_agent.config.load import load

    loaded = load()
    if provider is None and base_url is None:
        provider, model = split(model)
    if base_url is not None and provider is None:
        provider = "custom"
    _save(loaded, Pick(model=model, provider=provider, base_url=base_url))


@command.command()
@click.option("-m", "--model", "name", help="Another model than the configured one.")
@click.option("--provider", help="Another provider than the configured one.")
def test(*, name: str | None = None, provider: str | None = None) -> None:
    """Ask the model one tiny question, and time the answer."""
    import asyncio

    from hermes_agent.config.load import load

    loaded = load()
    target = _target(loaded, provider, name)
    took = asyncio.run(_try_out(loaded, target))
    key = f", key from {target.key_source}" if target.key else ""
    click.echo(
        f"{took['model']} at {target.vendor.label} answers: first words after "
        f"{took['first']:.0f} ms, done after {took['whole']:.0f} ms{key}."
    )


@command.group()
def install() -> None:
    """Fetch a model onto this machine."""


@install.command("local")
@click.option("--size", help="1.5b or 0.5b; what suits this machine's memory without it.")
@click.option("--path", type=click.Path(), help="A GGUF file of your own instead.")
def install_local(*, size: str | None = None, path: str | None = None) -> None:
    """Fetch the basic offline model, once. Saying this is the consent."""
    import asyncio
    from pathlib import Path

    from hermes_agent.cli.terminal.progress import ProgressBar
    from hermes_agent.config.load import load
    from hermes_agent.providers.embedded.offline import install as fetch

    loaded = load()
    with ProgressBar() as bar:
        installed = asyncio.run(
            fetch(
                size=size,
                path=Path(path).expanduser() if path else None,
                progress=bar.show,
                environ=loaded.environ,
            )
        )
    click.echo(f"{installed.name} is ready: {installed.path}")
    click.echo("Use it with: hermes chat --local")


def _show() -> None:
    """What is configured, for scripts and pipes."""
    from hermes_agent.config.load import load

    loaded = load()
    if not _is_configured(loaded):
        click.echo("No model is configured.")
        click.echo("Choose one with: hermes model set NAME --provider VENDOR")
        return
    target = _target(loaded, None, None)
    key = f", key from {target.key_source}" if target.key else ""
    name = target.model or "(its only model)"
    click.echo(f"{name} at {target.vendor.label} ({target.base_url}{key})")


def _is_configured(loaded: "Loaded") -> bool:
    from hermes_agent.domain.errors import NoModelError
    from hermes_agent.providers.resolve import resolve
    from hermes_agent.runtime.models import choice_of, setting_of

    choice = choice_of(loaded)
    if choice.model or choice.base_url or choice.provider != "auto":
        return True
    try:
        resolve(choice, setting_of(loaded))
    except NoModelError:
        return False
    return True


def _target(loaded: "Loaded", provider: str | None, model: str | None) -> "Target":
    """The configured target, or that of another provider or model. Raises like `resolve`."""
    import msgspec

    from hermes_agent.providers.choice import ModelChoice
    from hermes_agent.providers.resolve import resolve
    from hermes_agent.runtime.models import LOCAL, choice_of, setting_of

    if (provider or loaded.config.model.provider) == LOCAL:
        raise UsageError(
            "The offline model has no list and no key; it is on this machine or it is not.",
            hint="hermes model install local fetches it, hermes chat --local uses it.",
        )
    if provider is None or provider == loaded.config.model.provider:
        choice = choice_of(loaded)
        return resolve(
            msgspec.structs.replace(choice, model=model or choice.model), setting_of(loaded)
        )
    return resolve(ModelChoice(provider=provider, model=model or ""), setting_of(loaded))


def _offers(loaded: "Loaded", provider: str | None) -> "tuple[Target, tuple[Offer, ...]]":
    import asyncio

    from hermes_agent.providers.discovery import list_models
    from hermes_agent.providers.http import open_client

    target = _target(loaded, provider, None)

    async def ask() -> "tuple[Offer, ...]":
        async with open_client(loaded.environ) as client:
            return await list_models(target, lambda: client)

    return target, asyncio.run(ask())


def _list_vendors(loaded: "Loaded", *, as_json: bool) -> None:
    from hermes_agent.cli.commands.model_picking import local_servers
    from hermes_agent.providers.vendor import vendors

    servers = local_servers(loaded)
    rows: list[dict[str, Any]] = [
        {
            "id": vendor.id,
            "label": vendor.label,
            "key_found": any(loaded.environ.get(name) for name in vendor.keys),
            "keys": list(vendor.keys),
            "suggested": vendor.model,
        }
        for vendor in vendors()
        if not vendor.local
    ]
    local = [
        {"id": each.vendor.id, "base_url": each.base_url, "models": [m.model for m in each.models]}
        for each in servers
    ]
    if as_json:
        _print_json({"provider": None, "providers": rows, "local": local})
        return
    click.echo("No model is configured. Providers:")
    for row in rows:
        state = "key found" if row["key_found"] else f"needs {row['keys'][0]}"
        click.echo(f"  {row['id']:<13} {row['label']:<18} {state}")
    for each in servers:
        names = ", ".join(model.model for model in each.models) or "no models"
        click.echo(f"  {each.vendor.id:<13} on this machine: {names}")
    click.echo("The models of one: hermes model list --provider NAME")


async def _try_out(loaded: "Loaded", target: "Target") -> dict[str, Any]:
    import time

    from hermes_agent.domain.messages import Message
    from hermes_agent.domain.model import Request
    from hermes_agent.providers.build import build_model
    from hermes_agent.providers.discovery import settle
    from hermes_agent.providers.http import open_client
    from hermes_agent.runtime.spending import paid

    request = Request(
        system="Answer with one word.",
        messages=(Message(role="user", content="Say: ready"),),
        max_tokens=256,
    )
    async with open_client(loaded.environ) as client:
        target = await settle(target, lambda: client)
        model = build_model([target], client, retries=0, stall=60)
        async with paid(loaded, model) as paid_for:
            began = time.monotonic()
            first = 0.0
            async for _ in paid_for.stream(request):
                first = first or time.monotonic() - began
            whole = time.monotonic() - began
    return {"model": target.model, "first": first * 1000, "whole": whole * 1000}


def _save(loaded: "Loaded", picked: "Pick") -> None:
    """Write what was picked, and what belonged to another provider goes."""
    from hermes_agent.config.edit import edit, edit_env_file
    from hermes_agent.domain.errors import ConfigError, NoModelError
    from hermes_agent.providers.choice import ModelChoice
    from hermes_agent.providers.resolve import resolve
    from hermes_agent.runtime.models import setting_of

    now = loaded.config.model
    provider = picked.provider or now.provider
    changes: dict[str, Any] = {"model.default": picked.model}
    removed: list[str] = []
    if picked.provider is not None:
        changes["model.provider"] = picked.provider
    if picked.base_url is not None:
        changes["model.base_url"] = picked.base_url
    if picked.provider not in (None, now.provider) or picked.base_url is not None:
        removed = [
            f"model.{name}"
            for name in ("base_url", "api_key", "api_mode", "context_length")
            if f"model.{name}" in loaded.origins and f"model.{name}" not in changes
        ]
    kept = picked.provider in (None, now.provider) and picked.base_url is None
    choice = ModelChoice(
        model=picked.model,
        provider=provider,
        base_url=picked.base_url or (now.base_url if kept else ""),
        api_key=now.api_key if kept else None,
    )
    missing = ""
    if provider != "local":
        try:
            resolve(choice, setting_of(loaded))
        except NoModelError as error:
            missing = "" if picked.key else f"{error.message} {error.hint or ''}".strip()
        except ConfigError as error:
            raise UsageError(error.message, hint=error.hint) from None
    for remark in edit(loaded.paths, changes, removed, doing="choose a model"):
        click.echo(remark.text, err=True)
    if picked.key:
        name, value = picked.key
        edit_env_file(loaded.paths, {name: value}, doing="choose a model")
    click.echo(f"{picked.model} ({provider}) answers from now on.   ({loaded.paths.config_file})")
    if missing:
        click.echo(f"But: {missing}", err=True)


def _print_json(value: dict[str, Any] | Sequence[Any]) -> None:
    import json

    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
