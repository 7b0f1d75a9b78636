"""`hermes setup`: question by question, writing only what was answered."""

import sys
from collections.abc import Callable
from typing import Any

import click
import msgspec

from hermes_agent.cli.commands import setup_terminal
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
@click.option("--backend", type=click.Choice(setup_terminal.BACKENDS), help="Where commands run.")
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
        _require_known(loaded, provider, personality)
        if backend is not None:
            works, sentence = setup_terminal.probe(loaded, {"backend": backend})
            if not works:
                click.echo(sentence, err=True)
        if key_stdin:
            answers.secrets[_key_variable(provider)] = _key_from_stdin()
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
    removed = _keys_of(section, loaded) if reset else []
    if answers.settings.get("model.provider", loaded.config.model.provider) != (
        loaded.config.model.provider
    ):
        # They belong to the provider of before.
        removed += [key for key in _OF_THE_PROVIDER if _is_set(loaded, key)]
    removed = [key for key in dict.fromkeys(removed) if key not in answers.settings]
    _write(paths, answers, removed=removed)


def _write(paths: Paths, answers: Answers, *, removed: list[str]) -> None:
    if answers.settings or removed:
        for remark in edit(paths, answers.settings, removed, doing="run setup"):
            click.echo(remark.text, err=True)
    if answers.secrets:
        edit_env_file(paths, answers.secrets)
    for key, value in answers.settings.items():
        click.echo(f"{key} = {value}   ({paths.config_file})")
    for key in removed:
        click.echo(f"{key} is forgotten   ({paths.config_file})")
    for name in answers.secrets:
        click.echo(f"{name} = ***   ({paths.env_file})")
    if answers.settings or answers.secrets or removed:
        click.echo("Try it with: hermes -q 'hello'")
    else:
        click.echo("Nothing was changed.")


def _keys_of(section: str | None, loaded: Loaded) -> list[str]:
    wanted = [key for name in ([section] if section else SECTIONS) for key in _KEYS[name]]
    return [key for key in wanted if _is_set(loaded, key)]


def _is_set(loaded: Loaded, key: str) -> bool:
    found: Any = loaded.data
    for part in key.split("."):
        if part not in found:
            return False
        found = found[part]
    return True


def _require_known(loaded: Loaded, provider: str | None, personality: str | None) -> None:
    from hermes_agent.context.prompt import personality_names
    from hermes_agent.providers.vendor import find_vendor, vendors

    if provider not in (None, "auto", "local") and find_vendor(provider or "") is None:
        raise UsageError(
            f"There is no provider “{provider}”.",
            hint="Known: " + ", ".join(["local", *sorted(each.id for each in vendors())]),
        )
    manners = [*loaded.config.agent.personalities, *personality_names(), "none"]
    if personality is not None and personality not in manners:
        raise UsageError(
            f"There is no personality “{personality}”.", hint="Known: " + ", ".join(manners)
        )


def _key_from_stdin() -> str:
    key = sys.stdin.readline().strip()
    if not key:
        raise UsageError("There was no key on standard input; nothing was written.")
    return key


def _ask_model(loaded: Loaded, answers: Answers) -> None:
    from hermes_agent.providers.vendor import vendors

    rows = [vendor for vendor in vendors() if vendor.id != "custom"]
    for number, vendor in enumerate(rows, 1):
        known = any(loaded.environ.get(name) for name in vendor.keys)
        click.echo(f"  {number:>2}  {vendor.label}{'  (key found)' if known else ''}")
    click.echo("   u  a server of your own, by its address")
    click.echo("   o  the offline model on this machine, no key needed")
    click.echo("   -  leave as it is")
    choices = ["u", "o", "-", *map(str, range(1, len(rows) + 1))]
    choice = click.prompt("Which", default="-", type=click.Choice(choices), show_choices=False)
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
    vendor = rows[int(choice) - 1]
    answers.settings["model.provider"] = vendor.id
    answers.settings["model.default"] = click.prompt("Model", default=vendor.model or None)
    if vendor.keys and not any(loaded.environ.get(name) for name in vendor.keys):
        key = click.prompt(f"{vendor.keys[0]} (typing is hidden)", hide_input=True, default="")
        if key:
            answers.secrets[vendor.keys[0]] = key


def _ask_terminal(loaded: Loaded, answers: Answers) -> None:
    answers.settings |= setup_terminal.ask(loaded)


def _ask_agent(loaded: Loaded, answers: Answers) -> None:
    from hermes_agent.context.prompt import personality_names

    turns = loaded.config.agent.max_turns
    given = click.prompt("Most model calls for one message", default=turns, type=click.IntRange(1))
    if given != turns:
        answers.settings["agent.max_turns"] = given
    now = loaded.config.display.personality
    click.echo(f"  Manners: {', '.join([*personality_names(), 'none'])}")
    manners = [*loaded.config.agent.personalities, *personality_names(), "none", now]
    manner = click.prompt(
        "Manner of speaking", default=now, type=click.Choice(manners), show_choices=False
    )
    if manner != now:
        answers.settings["display.personality"] = manner


def _key_variable(provider: str | None) -> str:
    from hermes_agent.providers.vendor import find_vendor

    vendor = find_vendor(provider) if provider else None
    if vendor is None or not vendor.keys:
        return "OPENAI_API_KEY"
    return vendor.keys[0]


_KEYS = {
    "model": ("model",),
    "terminal": ("terminal",),
    "agent": ("agent", "display.personality"),
}
"""What each section sets, and --reset forgets."""

_OF_THE_PROVIDER = ("model.base_url", "model.api_key", "model.api_mode", "model.context_length")

_QUESTIONS: dict[str, Callable[[Loaded, Answers], None]] = {
    "model": _ask_model,
    "terminal": _ask_terminal,
    "agent": _ask_agent,
}
