"""`hermes version`: the version and what it runs on. Works without a home and without a network."""

import os
import platform
import sys
from pathlib import Path

import click

from hermes_agent.version import VERSION, VERSION_LINE


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(as_json: bool) -> None:
    """The version, and what it runs on."""
    import apsw

    facts = {
        "version": VERSION,
        **({"revision": revision} if (revision := _revision()) else {}),
        "project": str(Path(__file__).parents[2]),
        "python": f"{platform.python_version()} ({sys.executable})",
        "sqlite": apsw.sqlite_lib_version(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    if as_json:
        import json

        click.echo(json.dumps(facts, indent=2))
        return
    click.echo(VERSION_LINE)
    for name, value in facts.items():
        if name != "version":
            click.echo(f"{name.capitalize()}: {value}")


def _revision() -> str:
    """The commit that a package was built from: its wrapper says it in HERMES_REVISION."""
    named = os.environ.get("HERMES_REVISION", "").strip()[:100]
    return "".join(char for char in named if char.isprintable())
