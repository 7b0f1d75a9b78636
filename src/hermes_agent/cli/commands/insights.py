"""`hermes insights`: what the agent did in the last days, and what it cost."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from hermes_agent.cli.terminal.lines import count, duration
from hermes_agent.store.opening import open_existing_store
from hermes_agent.store.records import Insights, Tally

if TYPE_CHECKING:
    from hermes_agent.sessions.costs import Costs


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--days", type=click.IntRange(1), default=30, show_default=True)
@click.option("--source", help="Only sessions of one entrance, such as cli.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(days: int, source: str | None, as_json: bool) -> None:
    """What the agent did, and what it cost."""
    from hermes_agent.config.load import load
    from hermes_agent.runtime.spending import costs_of

    loaded = load()
    store = open_existing_store(loaded.paths.home)
    if store is None:
        click.echo("There are no sessions yet.", err=True)
        return
    found = store.insights(since=time.time() - days * 86_400, source=source)
    costs = costs_of(loaded, store, days, source)
    store.close()
    if as_json:
        import msgspec

        both = msgspec.structs.asdict(found) | {"costs": costs}
        click.echo(msgspec.json.format(msgspec.json.encode(both), indent=2).decode())
        return
    _show(found, days)
    _show_costs(costs)


def _show_costs(costs: "Costs") -> None:
    from hermes_agent.sessions.costs import cap_told, told

    tables = (
        ("Cost by model", costs.by_model),
        ("Cost by entrance", costs.by_source),
        ("Cost by purpose", costs.by_purpose),
        ("Cost by day", costs.by_day),
    )
    for title, lines in tables:
        if lines:
            click.echo(f"\n{title}")
        for line in lines:
            click.echo(f"  {line.name or '?':<28} {line.calls:>6} calls    {told(line.sum)}")
    if costs.caps:
        click.echo("\nCaps")
    for cap in costs.caps:
        click.echo(f"  {cap.key:<28} {cap_told(cap)}")


def _show(found: Insights, days: int) -> None:
    total = found.total
    click.echo(f"The last {days} days")
    click.echo(f"  sessions    {total.sessions:>8,}    messages {total.messages:>8,}")
    click.echo(f"  tool calls  {total.tool_calls:>8,}")
    share = 100 * total.cache_read_tokens // max(total.input_tokens, 1)
    cached = f" ({share}% cached)" if total.input_tokens else ""
    click.echo(f"  tokens in   {count(total.input_tokens):>8}{cached}")
    click.echo(f"  tokens out  {count(total.output_tokens):>8}")
    _tallies("Models", found.by_model)
    _tallies("Entrances", found.by_source)
    _tallies("Days", found.by_day)
    if found.by_tool:
        click.echo("\nTools")
        for tool in found.by_tool:
            failed = f", {tool.failures} failed" if tool.failures else ""
            click.echo(f"  {tool.name:<28} {tool.calls:>6} calls, {duration(tool.seconds)}{failed}")
    _tallies("Longest sessions", found.top_sessions)


def _tallies(title: str, rows: Sequence[Tally]) -> None:
    if not rows:
        return
    click.echo(f"\n{title}")
    for row in rows:
        tokens = count(row.input_tokens + row.output_tokens)
        click.echo(f"  {row.name or '?':<28} {row.messages:>6} messages {tokens:>8} tokens")
