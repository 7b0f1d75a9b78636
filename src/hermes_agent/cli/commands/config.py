"""`hermes config`: look at the configuration and change it."""

import sys
from typing import TYPE_CHECKING, Any

import click

from hermes_agent.config import keys
from hermes_agent.config.paths import Paths
from hermes_agent.domain.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from hermes_agent.config.load import Loaded

_ALWAYS_SHOWN = (
    "model.default",
    "model.provider",
    "agent.max_turns",
    "toolsets",
    "display.personality",
    "display.tool_progress",
    "terminal.backend",
    "terminal.cwd",
    "terminal.timeout",
    "approvals.mode",
    "compression.enabled",
    "timezone",
)


@click.group(invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Show and change the configuration."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(show)


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
@click.option("--all", "everything", is_flag=True, help="Defaults too.")
def show(*, as_json: bool = False, everything: bool = False) -> None:
    """Show what is in force and who set it. Secrets are masked."""
    from hermes_agent.config import report
    from hermes_agent.config.load import load

    loaded = load()
    values = report.everything(loaded)
    if as_json:
        _print_json(
            {
                "home": str(loaded.paths.home),
                "managed_by": loaded.managed.manager.name if loaded.managed else None,
                "values": values,
                "origins": {key: str(origin) for key, origin in loaded.origins.items()},
                "warnings": [remark.text for remark in loaded.warnings],
            }
        )
        return
    _show_paths(loaded)
    variables = report.variables(loaded)
    if variables:
        _title("Keys")
        for name, (text, ours) in variables.items():
            _row(name, text, ".env" if ours else "environment")
    sections: dict[str, list[tuple[str, Any]]] = {"general": []}
    for key, value in report.leaves(values).items():
        if everything or key in loaded.origins or key in _ALWAYS_SHOWN:
            sections.setdefault(key.partition(".")[0] if "." in key else "general", []).append(
                (key, value)
            )
    for section, rows in sections.items():
        _title(section.replace("_", " ").capitalize())
        for key, value in rows:
            _row(key, _worded(value), str(loaded.origins.get(key, "default")))
    _remarks([remark.text for remark in loaded.warnings])


@command.command()
@click.argument("key")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def get(key: str, *, as_json: bool) -> None:
    """Print one value. Exit status 1 if there is no such key."""
    from hermes_agent.config import report
    from hermes_agent.config.load import load

    loaded = load()
    name = key.upper()
    if "." not in key and (key == name or name in loaded.env_file) and name in loaded.environ:
        from hermes_agent.config.secret_names import is_secret_variable, masked

        text = loaded.environ[name]
        value: Any = masked(text) if is_secret_variable(name) else text
    else:
        path = _path(keys.canonical(key))
        try:
            value = report.value(loaded, path)
        except report.NoSuchKey as error:
            raise _no_such_key(key, path) from error
    if as_json:
        _print_json(value)
    else:
        click.echo(_worded(value))


@command.command(
    "set", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)
@click.argument("key")
@click.argument("value", required=False)
def set_(key: str, value: str | None) -> None:
    """Set KEY to VALUE. Secrets go to .env; leave VALUE out to be asked for one."""
    from hermes_agent.cli.commands import config_changes

    config_changes.set_key(Paths.of(), key, value)


@command.command()
@click.argument("key")
def unset(key: str) -> None:
    """Remove KEY, so that its default counts again."""
    from hermes_agent.cli.commands import config_changes

    config_changes.unset_key(Paths.of(), key)


@command.command()
def edit() -> None:
    """Open config.yaml in $VISUAL or $EDITOR, and check it afterwards."""
    from hermes_agent.cli.commands import config_changes

    config_changes.edit_file(Paths.of())


@command.command()
def path() -> None:
    """Print where config.yaml is."""
    click.echo(Paths.of().config_file)


@command.command("env-path")
def env_path() -> None:
    """Print where .env is."""
    click.echo(Paths.of().env_file)


@command.command()
def check() -> None:
    """Look for mistakes. Exit status 78 if the configuration cannot be used."""
    from hermes_agent.config import effective
    from hermes_agent.config.load import load

    loaded = load()
    if loaded.managed is not None:
        _show_declaration(loaded)
    notes = [remark.text for remark in loaded.warnings]
    unknown = {remark.key for remark in loaded.warnings if remark.kind == "unknown"}
    known = [key for key in loaded.origins if not _within(key, unknown)]
    notes += [
        f"{key} ({loaded.origins[key]}) is accepted, but has no effect yet"
        for key in effective.idle(known, loaded.data)
    ]
    if loaded.managed is None and _others_may_read(loaded.paths):
        notes.append(f"{loaded.paths.env_file} can be read by others: chmod 600 it")
    for note in notes:
        click.echo(f"warning: {note}")
    click.echo(f"{loaded.paths.config_file}: usable, {len(notes)} warnings")


@command.command()
def migrate() -> None:
    """Bring config.yaml and .env of an older version up to date."""
    from hermes_agent.cli.commands import config_changes

    config_changes.migrate(Paths.of())


@command.command()
def schema() -> None:
    """Print the JSON Schema of config.yaml, for editors."""
    from hermes_agent.config.describe import json_schema

    _print_json(json_schema())


def _show_declaration(loaded: "Loaded") -> None:
    """Who manages this home, what to edit, and what is declared."""
    from hermes_agent.config import report

    managed = loaded.managed
    if managed is None:
        return
    manager = managed.manager
    then = f", then run: {manager.run}" if manager.run else ", and apply it"
    click.echo(f"managed by {managed.described()}")
    click.echo(f"to change it, edit {manager.edit}{then}")
    values = report.leaves(report.everything(loaded))
    for key, origin in loaded.origins.items():
        if origin.layer in ("declaration", "credential"):
            click.echo(f"{origin.layer}: {key} = {_worded(values.get(key, '***'))}")


def _path(key: str) -> tuple[str, ...]:
    try:
        return keys.split(key)
    except ValueError as error:
        raise UsageError(f"{key!r} is not a key", hint="Keys look like terminal.timeout") from error


def _no_such_key(key: str, path: tuple[str, ...]) -> NotFoundError:
    if keys.find(path) is not None:
        return NotFoundError(f"{key} is not set")
    near = keys.nearest(path)
    hint = f"Did you mean {near}?" if near else "hermes config schema lists them all."
    return NotFoundError(f"There is no key {key}", hint=hint)


def _within(key: str, roots: set[str]) -> bool:
    return any(key == root or key.startswith(root + ".") for root in roots)


def _others_may_read(paths: Paths) -> bool:
    try:
        return bool(paths.env_file.stat().st_mode & 0o077)
    except OSError:
        return False


def _show_paths(loaded: "Loaded") -> None:
    _title("Paths")
    for name, where in (
        ("home", loaded.paths.home),
        ("settings", loaded.paths.config_file),
        ("secrets", loaded.paths.env_file),
    ):
        _row(name, str(where), "" if where.exists() else "not there yet")
    if loaded.managed is not None:
        _row("managed by", loaded.managed.described(), f"edit {loaded.managed.manager.edit}")


def _title(text: str) -> None:
    click.echo(f"\n{text}")


def _row(name: str, value: str, note: str) -> None:
    click.echo(f"  {name:<34} {value}" + (f"   ({note})" if note else ""))


def _remarks(texts: list[str]) -> None:
    if texts:
        _title("Warnings")
    for text in texts:
        click.echo(f"  {text}")


def _worded(value: Any) -> str:
    if isinstance(value, str):
        return value
    import msgspec

    return msgspec.json.encode(value).decode()


def _print_json(value: Any) -> None:
    import msgspec

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
