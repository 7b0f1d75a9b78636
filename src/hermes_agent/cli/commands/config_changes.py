"""What `hermes config set`, `unset`, `edit` and `migrate` do."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

import click

from hermes_agent.config import keys, reading
from hermes_agent.config.edit import (
    edit,
    edit_env_file,
    faults_in,
    replace_env_text,
    replace_text,
)
from hermes_agent.config.files import write_atomically
from hermes_agent.config.keys import Shape
from hermes_agent.config.load import load
from hermes_agent.config.managed import require_unmanaged
from hermes_agent.config.normalise import Remark, from_text
from hermes_agent.config.paths import Paths
from hermes_agent.config.schema import CONFIG_VERSION
from hermes_agent.config.secret_names import belongs_in_env_file, is_secret_variable
from hermes_agent.config.variables import VARIABLES
from hermes_agent.domain.errors import ConfigError, HermesError, UsageError

_EDITORS: tuple[tuple[str, ...], ...] = (("nano",), ("vim",), ("vi",), ("code", "--wait"))


def set_key(paths: Paths, key: str, text: str | None) -> None:
    """Set a key of config.yaml or a variable of `.env`, and say what was done."""
    require_unmanaged(paths)
    if _is_variable(key):
        name = key.upper()
        value = _asked(name, secret=is_secret_variable(name)) if text is None else text
        edit_env_file(paths, {name: value})
        click.echo(f"{name} saved in {paths.env_file}")
        return
    dotted = keys.canonical(key)
    shape = keys.find(_path(dotted))
    if shape is not None and shape.secret:
        value = _asked(key, secret=True) if text is None else text
        _set_secret(paths, dotted, value)
        return
    if text is None:
        raise UsageError(f"What is {key} to be?", hint=f"hermes config set {key} VALUE")
    value = from_text(text, shape or _ANYTHING)
    remarks = edit(paths, {dotted: value})
    click.echo(f"{dotted} = {_brief(text)}   ({paths.config_file})")
    _lift_shadow(paths, dotted, text)
    _warn(remarks)
    _say_if_idle(paths, dotted)


def unset_key(paths: Paths, key: str) -> None:
    """Remove a key from config.yaml or a variable from `.env`."""
    require_unmanaged(paths)
    if _is_variable(key):
        gone = edit_env_file(paths, remove=[key.upper()])
        where = paths.env_file
    else:
        before = reading.read_text(paths.config_file, "the configuration")
        edit(paths, remove=[key])
        gone = before != reading.read_text(paths.config_file, "the configuration")
        where = paths.config_file
    click.echo(f"{key} removed from {where}" if gone else f"{key} was not set in {where}")


def edit_file(paths: Paths) -> None:
    """Let a person edit a copy of config.yaml; save it when it is right."""
    require_unmanaged(paths)
    before = reading.read_text(paths.config_file, "the configuration")
    template = Path(reading.__file__).with_name("template.yaml").read_text("utf-8")
    text = template if before is None else before
    while True:
        edited = _in_editor(text)
        if edited == (template if before is None else before):
            click.echo("Nothing changed.")
            return
        faults = faults_in(edited)
        if not faults:
            replace_text(paths, edited, expected=before or "")
            click.echo(f"Saved {paths.config_file}")
            return
        for fault in faults:
            click.echo(fault, err=True)
        asked = sys.stdin.isatty() and click.confirm("Edit again?", default=True, err=True)
        if not asked:
            raise ConfigError("Nothing was saved: the edited text cannot be used")
        text = edited


def migrate(paths: Paths) -> None:
    """Current spellings and version in config.yaml; a readable `.env`."""
    require_unmanaged(paths)
    _repair_env(paths)
    data = reading.read(paths.config_file).data
    changes: dict[str, Any] = {}
    for old, new in keys.LEGACY.items():
        value = _lookup(data, keys.split(old))
        if value is None:
            continue
        present = _lookup(data, keys.split(new))
        if isinstance(value, dict) and isinstance(present, dict):
            value = {**cast("dict[str, Any]", value), **cast("dict[str, Any]", present)}
        elif present is not None:
            value = present
        changes[new] = value
        click.echo(f"{old} is now {new}")
    version = data.get("_config_version")
    if isinstance(version, int) and version > CONFIG_VERSION:
        click.echo(f"_config_version {version} is newer than this program ({CONFIG_VERSION})")
    elif version != CONFIG_VERSION:
        changes["_config_version"] = CONFIG_VERSION
        click.echo(f"_config_version is now {CONFIG_VERSION}")
    if changes:
        copy = paths.config_file.with_name(f"config.yaml.before-{time.strftime('%Y%m%d-%H%M%S')}")
        write_atomically(copy, paths.config_file.read_bytes())
        edit(paths, changes)
        click.echo(f"As it was before: {copy}")
    click.echo(f"{paths.config_file} is up to date")


_ANYTHING = Shape(scalars=frozenset((bool, int, float, str)))


def _is_variable(key: str) -> bool:
    known = keys.find(tuple(key.split("."))) is not None or key in keys.LEGACY
    return not known and "." not in key and (key.isupper() or belongs_in_env_file(key))


def _path(key: str) -> tuple[str, ...]:
    try:
        return keys.split(key)
    except ValueError as error:
        raise UsageError(f"{key!r} is not a key", hint="Keys look like terminal.timeout") from error


def _asked(name: str, *, secret: bool) -> str:
    """A value from the keyboard, unseen if secret, or the first line of a pipe."""
    if sys.stdin.isatty():
        return str(click.prompt(name, hide_input=secret, err=True))
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise UsageError(f"What is {name} to be?", hint=f"hermes config set {name} VALUE")
    return line


def _set_secret(paths: Paths, key: str, value: str) -> None:
    """The secret into `.env`, and a reference to it into config.yaml unless the name says it."""
    direct = next((name for name, target in VARIABLES if target == key), None)
    name = direct or "".join(c if c.isalnum() else "_" for c in key.upper())
    if "${" in value:
        edit(paths, {key: value})
        click.echo(f"{key} = {value}   ({paths.config_file})")
        return
    edit_env_file(paths, {name: value})
    click.echo(f"{name} saved in {paths.env_file}")
    if direct is None:
        edit(paths, {key: f"${{{name}}}"})
        click.echo(f"{key} = ${{{name}}}   ({paths.config_file})")


def _lift_shadow(paths: Paths, key: str, text: str) -> None:
    """A variable that would outrank the new value follows it, or is named."""
    loaded = load(paths)
    for name, target in VARIABLES:
        if target != key or not loaded.environ.get(name):
            continue
        if name in loaded.env_file:
            edit_env_file(paths, {name: text})
            click.echo(f"{name} = {_brief(text)}   ({paths.env_file}; it outranks config.yaml)")
        else:
            click.echo(f"warning: {name} in the environment outranks it", err=True)
        return


def _warn(remarks: tuple[Remark, ...]) -> None:
    for remark in remarks:
        click.echo(f"warning: {remark.text}", err=True)


def _say_if_idle(paths: Paths, key: str) -> None:
    from hermes_agent.config.effective import idle

    loaded = load(paths)
    if keys.find(_path(key)) is not None and idle(
        [each for each in loaded.origins if each == key], loaded.data
    ):
        click.echo(f"note: {key} is accepted, but has no effect yet", err=True)


def _in_editor(text: str) -> str:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="hermes-") as folder:
        copy = Path(folder) / "config.yaml"
        copy.write_text(text, "utf-8")
        copy.chmod(0o600)
        argv = [*_editor(), str(copy)]
        try:
            status = subprocess.run(argv, check=False).returncode
        except OSError as error:
            raise HermesError(f"Cannot start {argv[0]}: {error.strerror}") from error
        if status != 0:
            raise HermesError(f"{argv[0]} ended with status {status}; nothing was saved")
        edited = reading.read_text(copy, "the edited text")
    return edited if edited is not None else text


def _editor() -> list[str]:
    for name in ("VISUAL", "EDITOR"):
        if os.environ.get(name, "").strip():
            return shlex.split(os.environ[name])
    for editor in _EDITORS:
        if shutil.which(editor[0]):
            return list(editor)
    raise HermesError("There is no editor", hint="Set EDITOR to the one that you use.")


def _repair_env(paths: Paths) -> None:
    from hermes_agent.config.files import write_atomically
    from hermes_agent.config.repair import repair

    text = reading.read_text(paths.env_file, "the secrets file")
    if text is None:
        return
    mended, done = repair(text)
    if done:
        write_atomically(paths.env_file.with_name(".env.before-repair"), text.encode(), 0o600)
        replace_env_text(paths, mended)
        for line in done:
            click.echo(f"{paths.env_file}, {line}")
    elif paths.env_file.stat().st_mode & 0o077:
        replace_env_text(paths, text)
        click.echo(f"{paths.env_file}: nobody else can read it any more")


def _brief(text: str) -> str:
    return text if len(text) <= 100 else text[:99] + "…"


def _lookup(data: dict[str, Any], path: tuple[str, ...]) -> Any:
    at: Any = data
    for part in path:
        if not isinstance(at, dict) or part not in at:
            return None
        at = cast("dict[str, Any]", at)[part]
    return at
