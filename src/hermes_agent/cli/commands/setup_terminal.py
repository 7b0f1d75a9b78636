"""The questions of `hermes setup terminal`: where commands run, and whether they can."""

from typing import Any

import click
import msgspec

from hermes_agent.config.load import Loaded

BACKENDS = ("local", "bubblewrap", "docker", "podman", "ssh")

_WHAT = {
    "local": "this machine, as you",
    "bubblewrap": "this machine, without sight of secrets and the agent's own files",
    "docker": "a container for each session",
    "podman": "a container for each session",
    "ssh": "another machine",
}


def ask(loaded: Loaded) -> dict[str, Any]:
    """The settings to write; none when nothing is to change."""
    now = loaded.config.terminal.backend
    for name in BACKENDS:
        click.echo(f"  {name:<11} {_WHAT[name]}")
    while True:
        backend: str = click.prompt(  # pyright: ignore[reportAssignmentType] - a choice of strings
            "Where commands run",
            default=now,
            type=click.Choice([*BACKENDS, *([now] if now not in BACKENDS else [])]),
            show_choices=False,
        )
        if backend == now:
            return {}
        settings = {"backend": backend, **_details(loaded, backend)}
        works, sentence = probe(loaded, settings)
        click.echo(f"  {sentence}")
        if works or click.confirm("Choose it all the same?", default=False):
            return {f"terminal.{key}": value for key, value in settings.items()}


def probe(loaded: Loaded, settings: dict[str, Any]) -> tuple[bool, str]:
    """Whether the backend works with these settings of `terminal`, and a sentence."""
    from hermes_agent.runtime.backend import usable

    return usable(loaded, msgspec.structs.replace(loaded.config.terminal, **settings))


def _details(loaded: Loaded, backend: str) -> dict[str, Any]:
    terminal = loaded.config.terminal
    if backend in ("docker", "podman"):
        return _changed("docker_image", click.prompt("Image", default=terminal.docker_image),
                        terminal.docker_image)  # fmt: skip
    if backend == "ssh":
        host = click.prompt("Machine (a name from ~/.ssh/config does)",
                            default=terminal.ssh_host or None)  # fmt: skip
        user = click.prompt("User there (empty leaves it to ssh)", default=terminal.ssh_user,
                            show_default=bool(terminal.ssh_user))  # fmt: skip
        return {
            **_changed("ssh_host", host, terminal.ssh_host),
            **_changed("ssh_user", user, terminal.ssh_user),
        }
    return {}


def _changed(key: str, value: str, now: str) -> dict[str, Any]:
    return {key: value} if value != now else {}
