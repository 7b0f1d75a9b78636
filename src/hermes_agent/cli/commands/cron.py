"""`hermes cron`: jobs that run on a schedule."""

import copy
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import click

from hermes_agent.cli.commands import cron_delivery as delivery
from hermes_agent.cli.commands.cron_lines import job_lines, job_table, last, said
from hermes_agent.domain.errors import HermesError, NotFoundError, UsageError
from hermes_agent.domain.jobs import Job, JobChange, Missed, NewJob

if TYPE_CHECKING:
    from hermes_agent.config.load import Loaded
    from hermes_agent.ledger.jobs.port import JobBook

_JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")


def _jobs(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[str]:
    try:
        with _book() as (book, _):
            return [job.id for job in book.list() if job.id.startswith(begun)]
    except HermesError:
        return []


_JOB = click.argument("job", shell_complete=_jobs)
_MISSED = click.Choice(["grace", "skip", "once", "all"])
_EXAMPLES = """\b
Schedules:
  every 30m · 2h · hourly · daily at 7 · every weekday at 9
  every monday and friday at 18:30 · first of the month at 8
  last friday of the month at 17 · in 20 minutes · tomorrow at 9
  2027-01-31 09:00 · 30 9 * * 1-5"""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Jobs that run on a schedule, in the gateway.

    JOB is an id, the unique beginning of one, or a name.
    """


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that rest or are done.")
@_JSON
def list_(everything: bool, as_json: bool) -> None:
    """The jobs, and when they run next."""
    with _book() as (book, _):
        jobs = book.list()
        shown = [job for job in jobs if everything or job.state == "scheduled"]
        if as_json:
            _print_json([_documented(book, job) for job in shown])
            return
    hidden = len(jobs) - len(shown)
    if shown:
        click.echo("\n".join(job_table(shown)))
    elif not hidden:
        click.echo("No jobs yet. Make one:  hermes cron create 'every weekday at 9' 'Say hello'")
    if hidden:
        click.echo(f"{hidden} more rest or are done: hermes cron list --all")


_WHAT = (
    click.option("--name", help="What it is called."),
    click.option(
        "--deliver",
        metavar="WHERE",
        help="local (a file), a platform, or platform:chat[:thread]; several with commas.",
    ),
    click.option(
        "--repeat", type=click.IntRange(1), metavar="N", help="Run so often, then be done."
    ),
    click.option("--model", help="Another model than the configured one."),
    click.option("--provider", help="Its vendor."),
    click.option("--script", metavar="FILE", help="In HERMES_HOME/scripts; prints for the prompt."),
    click.option("--workdir", metavar="PATH", help="Where its commands run."),
    click.option("--toolset", "toolsets", multiple=True, metavar="NAME", help="Only these tools."),
    click.option("--timezone", metavar="NAME", help="Such as Europe/Berlin."),
    click.option("--missed", type=_MISSED, help="What becomes of runs while nothing ran."),
)


def _what(function: Any) -> Any:
    for option in reversed(_WHAT):
        function = option(function)
    return function


@command.command(epilog=_EXAMPLES)
@click.argument("schedule")
@click.argument("prompt", required=False, default="")
@_what
@click.option("--skill", "skills", multiple=True, metavar="NAME", help="Have it use this skill.")
@click.option("--no-agent", is_flag=True, help="The script is all; no model is asked.")
@_JSON
def create(
    schedule: str, prompt: str, skills: tuple[str, ...], no_agent: bool, as_json: bool, **what: Any
) -> None:
    """Make a job that does PROMPT by SCHEDULE."""
    new = NewJob(
        schedule=schedule,
        prompt=prompt,
        name=what["name"] or "",
        deliver=what["deliver"] or "local",
        repeat_times=what["repeat"],
        skills=skills,
        model=what["model"] or "",
        provider=what["provider"] or "",
        script=what["script"] or "",
        no_agent=no_agent,
        workdir=what["workdir"] or "",
        enabled_toolsets=_toolsets(what["toolsets"]),
        timezone=what["timezone"] or "",
        missed=what["missed"],
    )
    with _book() as (book, loaded):
        delivery.check(new.deliver)
        job = book.create(new)
        _tell(book, job, as_json, f"Job {job.id} is made.")
        if not as_json:
            _hint_delivery(loaded, job)
            _hint_gateway(loaded)


@command.command(epilog=_EXAMPLES)
@_JOB
@click.option("--schedule", help="Another schedule.")
@click.option("--prompt", help="Another prompt.")
@_what
@click.option("--skill", "skills", multiple=True, metavar="NAME", help="These skills alone.")
@click.option("--add-skill", "added", multiple=True, metavar="NAME", help="This skill too.")
@click.option("--remove-skill", "removed", multiple=True, metavar="NAME", help="Not this skill.")
@click.option("--clear-skills", is_flag=True, help="No skills.")
@click.option("--no-agent/--agent", default=None, help="The script is all; or not.")
@_JSON
def edit(
    job: str,
    schedule: str | None,
    prompt: str | None,
    skills: tuple[str, ...],
    added: tuple[str, ...],
    removed: tuple[str, ...],
    clear_skills: bool,
    no_agent: bool | None,
    as_json: bool,
    **what: Any,
) -> None:
    """Change a job; what is not named stays."""
    given: dict[str, Any] = {
        "schedule": schedule,
        "prompt": prompt,
        "name": what["name"],
        "deliver": what["deliver"],
        "repeat_times": what["repeat"],
        "model": what["model"],
        "provider": what["provider"],
        "script": what["script"],
        "workdir": what["workdir"],
        "enabled_toolsets": _toolsets(what["toolsets"]) or None,
        "timezone": what["timezone"],
        "missed": cast("Missed | None", what["missed"]),
        "no_agent": no_agent,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    with _book() as (book, loaded):
        delivery.check(what["deliver"] or "")
        before = book.get(job)
        if skills or added or removed or clear_skills:
            kept = skills if skills or clear_skills else before.skills
            kept = dict.fromkeys((*kept, *added))
            changes["skills"] = tuple(name for name in kept if name not in removed)
        if not changes:
            raise UsageError("Nothing is to be changed.", hint="See: hermes cron edit --help")
        after = book.change(before.id, JobChange(**changes))
        _tell(book, after, as_json, f"Job {after.id} is changed.")
        if not as_json:
            _hint_delivery(loaded, after)


@command.command()
@_JOB
@click.option("--reason", default="", help="Why, for people.")
@_JSON
def pause(job: str, reason: str, as_json: bool) -> None:
    """Let a job rest until it is resumed."""
    with _book() as (book, _):
        found = book.pause(job, reason)
        _tell(book, found, as_json, f"Job {found.id} rests.")


@command.command()
@_JOB
@_JSON
def resume(job: str, as_json: bool) -> None:
    """Let a job run again."""
    with _book() as (book, _):
        found = book.resume(job)
        _tell(book, found, as_json, f"Job {found.id} runs again.")


@command.command()
@_JOB
@_JSON
def run(job: str, as_json: bool) -> None:
    """Have a job run now, whatever its schedule."""
    with _book() as (book, loaded):
        found = book.run(job)
        _tell(book, found, as_json, f"Job {found.id} is to run now.", brief=True)
        if not as_json:
            _hint_gateway(loaded)


@command.command()
@_JOB
@_JSON
def remove(job: str, as_json: bool) -> None:
    """Delete a job. What it wrote stays in cron/output/."""
    with _book() as (book, _):
        found = book.remove(job)
        _tell(book, found, as_json, f"Job {found.id} ({said(found.name)}) is deleted.", brief=True)


@command.command()
@_JSON
def status(as_json: bool) -> None:
    """Whether jobs run, which comes next, which failed."""
    with _book() as (book, loaded):
        jobs = book.list()
        following = book.next_due()
        running = _gateway_runs(loaded)
        if as_json:
            counts = {
                state: sum(job.state == state for job in jobs)
                for state in ("scheduled", "paused", "completed")
            }
            failing = [job.id for job in jobs if job.failures]
            _print_json(
                {
                    "gateway_running": running,
                    "jobs": counts,
                    "next_run_at": following,
                    "failing": failing,
                }
            )
            return
    click.echo("The gateway runs." if running else "The gateway does not run, so no job does.")
    waiting = [job for job in jobs if job.state == "scheduled"]
    click.echo(f"{len(waiting)} of {len(jobs)} jobs are scheduled.")
    for job in sorted(waiting, key=lambda each: each.next_run_at or 0)[:3]:
        click.echo("\n".join(job_lines(job)))
    for job in jobs:
        if job.failures or job.last_error or job.state == "paused":
            why = said(job.paused_reason or job.last_error)
            failed = f"{job.failures} failed in a row" if job.failures else f"last run: {last(job)}"
            click.echo(f"{job.id} {said(job.name)}: {job.state}, {failed}")
            if why:
                click.echo(f"  {why}")


@command.command()
@_JSON
def tick(as_json: bool) -> None:
    """Look once for due jobs, as the gateway does all the time."""
    from hermes_agent.ledger.opening import open_ledger
    from hermes_agent.scheduler.ticker import Ticker

    with _book() as (book, loaded):
        ledger = open_ledger(loaded.paths.home)
        try:
            ticked = Ticker(book, ledger, default=loaded.config.cron.missed_runs).tick()
        finally:
            ledger.close()
        if as_json:
            _print_json(ticked)
            return
        click.echo(f"{ticked.accepted} handed on, {ticked.skipped} passed over.")
        if ticked.accepted:
            _hint_gateway(loaded)


def _alias(original: click.Command, *names: str) -> None:
    for name in names:
        hidden = copy.copy(original)
        hidden.hidden = True
        command.add_command(hidden, name)


_alias(create, "add")
_alias(remove, "rm", "delete")


@contextmanager
def _book() -> Generator[tuple["JobBook", "Loaded"]]:
    from hermes_agent.config.load import load
    from hermes_agent.ledger.jobs.opening import open_jobs

    loaded = load()
    book = open_jobs(loaded.paths.home, loaded.config.timezone)
    try:
        yield book, loaded
    finally:
        book.close()


def _tell(book: "JobBook", job: Job, as_json: bool, text: str, *, brief: bool = False) -> None:
    if as_json:
        _print_json(_documented(book, job))
        return
    click.echo(text)
    if not brief:
        click.echo("\n".join(job_lines(job)))


def _documented(book: "JobBook", job: Job) -> dict[str, Any]:
    from hermes_agent.ledger.jobs.documented import documented

    return documented(job, book.zone_of(job))


def _toolsets(names: tuple[str, ...]) -> tuple[str, ...]:
    if names:
        from hermes_agent.tools.toolsets import check

        check(names)
    return names


def _gateway_runs(loaded: "Loaded") -> bool:
    from hermes_agent.gateway.lock import LockUnusable, holder

    try:
        return holder(loaded.paths.home) is not None
    except (LockUnusable, NotFoundError):
        return False


def _hint_delivery(loaded: "Loaded", job: Job) -> None:
    for problem in delivery.problems(loaded, job):
        click.echo(f"  Mind: {said(problem)}")


def _hint_gateway(loaded: "Loaded") -> None:
    if not _gateway_runs(loaded):
        click.echo("The gateway does not run; jobs run in it: hermes gateway run")


def _print_json(value: object) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
