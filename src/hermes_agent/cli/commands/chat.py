"""`hermes chat`: one question or a conversation."""

import sys

import click
import msgspec

from hermes_agent.domain.errors import UsageError


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line said."""

    query: str | None
    quiet: bool
    json: bool
    resume: str | None
    continue_: str | None
    model: str | None
    provider: str | None
    toolsets: tuple[str, ...]
    skills: tuple[str, ...]
    max_turns: int | None
    local: bool
    yolo: bool
    verbose: bool
    personality: str | None
    pass_session_id: bool


EXIT_STATUS = """\b
Exit status:
  0    the agent answered
  1    it failed (the model, the session, a denied home)
  2    wrong usage
  75   the turn's budget of model calls, or a cap on spending, was reached
  78   the configuration cannot be used
  130  interrupted"""


@click.command(epilog=EXIT_STATUS, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("words", nargs=-1)
@click.option("-q", "--query", help="Ask this, print the answer, leave.")
@click.option("-z", "--oneshot", help="The same as --query.")
@click.option("-Q", "--quiet", is_flag=True, help="Print the final answer and the session id only.")
@click.option("--json", "as_json", is_flag=True, help="Print every event as a line of JSON.")
@click.option("-r", "--resume", metavar="SESSION", help="Go on with a session: id or title.")
@click.option(
    "-c",
    "--continue",
    "continue_",
    is_flag=False,
    flag_value="",
    metavar="[NAME]",
    help="Go on with the latest session.",
)
@click.option("-m", "--model", help="The model, as its vendor calls it.")
@click.option("--provider", help="The vendor; see: hermes model list")
@click.option("-t", "--toolsets", metavar="A,B", help="Only these toolsets.")
@click.option("-s", "--skills", multiple=True, metavar="A,B", help="Use these skills.")
@click.option("--max-turns", type=click.IntRange(1), help="Most model calls for one message.")
@click.option("--local", is_flag=True, help="Use the offline model; fetch it if need be.")
@click.option("--yolo", is_flag=True, help="Do not ask before commands (hard blocks stay).")
@click.option("--personality", help="A manner of speaking, or none.")
@click.option("--pass-session-id", is_flag=True, help="Tell the model its session id.")
@click.option("-v", "--verbose", is_flag=True, help="Show what the tools print.")
def command(
    words: tuple[str, ...],
    query: str | None,
    oneshot: str | None,
    quiet: bool,
    as_json: bool,
    resume: str | None,
    continue_: str | None,
    model: str | None,
    provider: str | None,
    toolsets: str | None,
    skills: tuple[str, ...],
    max_turns: int | None,
    local: bool,
    yolo: bool,
    personality: str | None,
    pass_session_id: bool,
    verbose: bool,
) -> int:
    """Talk to the agent.

    With words, --query or text from a pipe it answers and leaves; otherwise a conversation
    begins. Text from a pipe is added below the question.
    """
    import asyncio

    from hermes_agent.cli.conversation import converse

    options = Options(
        query=_question(words, query if query is not None else oneshot),
        quiet=quiet,
        json=as_json,
        resume=resume,
        continue_=continue_,
        model=model,
        provider=provider,
        toolsets=_names(toolsets or ""),
        skills=tuple(name for each in skills for name in _names(each)),
        max_turns=max_turns,
        local=local,
        yolo=yolo,
        verbose=verbose,
        personality=personality,
        pass_session_id=pass_session_id,
    )
    if quiet and as_json:
        raise UsageError("--quiet and --json exclude each other.")
    return asyncio.run(converse(options))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _question(words: tuple[str, ...], query: str | None) -> str | None:
    asked = " ".join([*([query] if query is not None else []), *words])
    piped = "" if sys.stdin is None or sys.stdin.isatty() else _read_pipe()
    if piped.strip():
        return f"{asked}\n\n{piped}" if asked else piped
    if not asked.strip():
        if query is not None or words:
            raise UsageError("The question is empty.")
        if sys.stdin is None or not sys.stdin.isatty():
            raise UsageError(
                "There is no question, and no terminal to ask for one.",
                hint="hermes -q 'a question', or pipe one in.",
            )
        return None
    return asked


def _read_pipe() -> str:
    return sys.stdin.buffer.read().decode("utf-8", "replace")
