"""`hermes setup`: question by question, writing only what was answered."""

import sys
from collections.abc import Callable
from typing import Any

import click
import msgspec

from hermes_agent.config.edit import edit, edit_env_file
from hermes_agent.config.load import Loaded, load
from hermes_agent.config.managed import require_unmanaged
from hermes_agent.config.paths import Paths
from hermes_agent.domain.errors import UsageError

SECTIONS = ("model", "terminal", "agent")


class Answers(msgspec.Struct):
    """What is going to be written: settings, and secrets for `.env`."""

    settings: dict[str, Any] = {}
    secrets: dict[str, str] = {}


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nWithout questions:\n"
    "  hermes setup --non-interactive --provider anthropic --model claude-opus-4-6\n"
    "  hermes setup --non-interactive --base-url http://localhost:8080/v1 --model my-model\n"
    "A key comes from its environment variable or from standard input with --key-stdin.",
)
@click.argument("section", required=False, type=click.Choice(SECTIONS))
@click.option("--non-interactive", is_flag=True, help="Ask nothing; use the options below.")
@click.option("--provider", help="The vendor; see: hermes model list")
@click.option("--model", help="The model, as its vendor calls it.")
@click.option("--base-url", help="The address of a server of your own.")
@click.option("--key-stdin", is_flag=True, help="Read the vendor's key from standard input.")
@click.option("--backend", type=click.Choice(["local", "bubblewrap"]), help="Where commands run.")
@click.option("--max-turns", type=click.IntRange(1), help="Most model calls for one message.")
@click.option("--personality", help="A manner of speaking, or none.")
@click.option("--reset", is_flag=True, help="Forget the settings of these sections first.")
def command(
    section: str | None,
    non_interactive: bool,
    provider: str | None,
    model: str | None,
    base_url: str | None,
    key_stdin: bool,
    backend: str | None,
    max_turns: int | None,
    personality: str | None,
    reset: bool,
) -> None:
    """Set the agent up. SECTION: model, terminal or agent; all of them without it."""
    paths = Paths.of()
    require_unmanaged(paths, doing="run setup")
    loaded = load(paths)
    answers = Answers()
    if non_interactive:
        answers.settings = {
            key: value
            for key, value in {
                "model.provider": "custom" if base_url and not provider else provider,
                "model.default": model,
                "model.base_url": base_url,
                "terminal.backend": backend,
                "agent.max_turns": max_turns,
                "display.personality": personality,
            }.items()
            if value is not None
        }
        if key_stdin:
            answers.secrets[_key_variable(provider)] = sys.stdin.readline().strip()
        if not answers.settings and not answers.secrets and not reset:
            raise UsageError("There is nothing to write.", hint="hermes setup --help")
    else:
        if not sys.stdin.isatty():
            raise UsageError(
                "Setup asks questions and there is no terminal.",
                hint="Use hermes setup --non-interactive with options.",
            )
        for name, ask in _QUESTIONS.items():
            if section in (None, name):
                click.echo(f"\n{name.capitalize()}")
                ask(loaded, answers)
    _write(paths, answers, removed=_keys_of(section, loaded) if reset else [])


def _write(paths: Paths, answers: Answers, *, removed: list[str]) -> None:
    if answers.settings or removed:
        for remark in edit(paths, answers.settings, removed, doing="run setup"):
            click.echo(remark.text, err=True)
    if answers.secrets:
        edit_env_file(paths, answers.secrets)
    for key, value in answers.settings.items():
        click.echo(f"{key} = {value}   ({paths.config_file})")
    for name in answers.secrets:
        click.echo(f"{name} = ***   ({paths.env_file})")
    if answers.settings or answers.secrets or removed:
        click.echo("Try it with: hermes -q 'hello'")
    else:
        click.echo("Nothing was changed.")


def _keys_of(section: str | None, loaded: Loaded) -> list[str]:
    roots = {"model": ("model",), "terminal": ("terminal",), "agent": ("agent",)}
    wanted = [root for name in ([section] if section else SECTIONS) for root in roots[name]]
    return [root for root in wanted if root in loaded.data]


def _ask_model(loaded: Loaded, answers: Answers) -> None:
    from hermes_agent.providers.vendor import vendors

    rows = [vendor for vendor in vendors() if vendor.id != "custom"]
    for number, vendor in enumerate(rows, 1):
        known = any(loaded.environ.get(name) for name in vendor.keys)
        click.echo(f"  {number:>2}  {vendor.label}{'  (key found)' if known else ''}")
    click.echo("   u  a server of your own, by its address")
    click.echo("   o  the offline model on this machine, no key needed")
    click.echo("   -  leave as it is")
    choice = click.prompt("Which", default="-")
    if choice == "-":
        return
    if choice == "o":
        answers.settings |= {"model.provider": "local", "model.default": "local"}
        click.echo("It is fetched at the first use, or now with: hermes model install local")
        return
    if choice == "u":
        answers.settings["model.provider"] = "custom"
        answers.settings["model.base_url"] = click.prompt("Address, up to /v1")
        answers.settings["model.default"] = click.prompt("Model")
        key = click.prompt("Key (empty for none)", default="", hide_input=True, show_default=False)
        if key:
            answers.secrets["OPENAI_API_KEY"] = key
        return
    if not choice.isdigit() or not 1 <= int(choice) <= len(rows):
        raise UsageError(f"There is no choice “{choice}”.")
    vendor = rows[int(choice) - 1]
    answers.settings["model.provider"] = vendor.id
    answers.settings["model.default"] = click.prompt("Model", default=vendor.model or None)
    if vendor.keys and not any(loaded.environ.get(name) for name in vendor.keys):
        key = click.prompt(f"{vendor.keys[0]} (typing is hidden)", hide_input=True, default="")
        if key:
            answers.secrets[vendor.keys[0]] = key


def _ask_terminal(loaded: Loaded, answers: Answers) -> None:
    from hermes_agent.environments.bubblewrap import unusable

    now = loaded.config.terminal.backend
    if unusable() is None:
        click.echo("  bubblewrap hides secrets and the agent's own files from commands.")
    backend = click.prompt(
        "Where commands run", default=now, type=click.Choice(["local", "bubblewrap"])
    )
    if backend != now:
        answers.settings["terminal.backend"] = backend


def _ask_agent(loaded: Loaded, answers: Answers) -> None:
    from hermes_agent.context.prompt import personality_names

    turns = loaded.config.agent.max_turns
    given = click.prompt("Most model calls for one message", default=turns, type=int)
    if given != turns:
        answers.settings["agent.max_turns"] = given
    now = loaded.config.display.personality
    click.echo(f"  Manners: {', '.join([*personality_names(), 'none'])}")
    manner = click.prompt("Manner of speaking", default=now)
    if manner != now:
        answers.settings["display.personality"] = manner


def _key_variable(provider: str | None) -> str:
    from hermes_agent.providers.vendor import find_vendor

    vendor = find_vendor(provider) if provider else None
    if vendor is None or not vendor.keys:
        return "OPENAI_API_KEY"
    return vendor.keys[0]


_QUESTIONS: dict[str, Callable[[Loaded, Answers], None]] = {
    "model": _ask_model,
    "terminal": _ask_terminal,
    "agent": _ask_agent,
}
