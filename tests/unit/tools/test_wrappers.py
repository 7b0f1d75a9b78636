"""What stands round every tool call."""

import asyncio
import logging
import os

import msgspec
import pytest

from hermes_agent.domain.errors import DeniedError, EnvironmentFault
from hermes_agent.environments.enclosure import Place
from hermes_agent.environments.local import LocalEnvironment
from hermes_agent.tools.contract import Outcome, ToolContext
from hermes_agent.tools.wrappers import gated, redacted, settled, timed
from tests.unit.tools.room import Fence, Person, allow


def context() -> ToolContext:
    place = Place(cwd="/", variables=dict(os.environ))
    return ToolContext(
        environment=LocalEnvironment(place), asker=Person(), guard=Fence(), approve_command=allow
    )


def failing(error: BaseException):
    async def work(context: ToolContext) -> Outcome:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (DeniedError("No.", hint="Ask."), "denied", {"error": "No. Ask.", "status": "blocked"}),
        (EnvironmentFault("Gone."), "error", {"error": "Gone."}),
        (FileNotFoundError(2, "No such file", "/x"), "error", {"error": "No such file: /x"}),
        (OSError("odd"), "error", {"error": "odd"}),
    ],
)
async def test_known_errors_become_results(
    error: Exception, status: str, said: dict[str, object]
) -> None:
    answer = await settled(failing(error), "t")(context())
    assert (answer.status, answer.outcome.data) == (status, said)


async def test_a_fault_in_a_tool_is_logged_and_the_turn_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await settled(failing(ZeroDivisionError("x")), "odd_tool")(context())
    assert answer.status == "error"
    assert "odd_tool failed" in caplog.text
    assert "ZeroDivisionError" in str(answer.outcome.data)


async def test_a_stopped_tool_gives_what_there_was() -> None:
    answer = await settled(failing(asyncio.CancelledError("half")), "t")(context())
    assert answer.status == "interrupted"
    assert answer.outcome.data == {
        "output": "half",
        "exit_code": 130,
        "error": "Interrupted before it finished.",
        "status": "interrupted",
    }


async def test_secrets_leave_by_no_door() -> None:
    shown: list[str] = []

    async def work(context: ToolContext) -> Outcome:
        context.emit_output("live hunter2")
        data: dict[str, object] = {"output": "hunter2", "list": [{"deep": "hunter2"}], "n": 2}
        return Outcome(data, summary="hunter2", diff="+hunter2")

    def redact(text: str) -> str:
        return text.replace("hunter2", "***")

    watched = msgspec.structs.replace(context(), emit_output=shown.append)
    answer = await redacted(settled(work, "t"), redact)(watched)
    assert answer.outcome == Outcome(
        {"output": "***", "list": [{"deep": "***"}], "n": 2}, summary="***", diff="+***"
    )
    assert shown == ["live ***"]


async def test_errors_are_redacted_too() -> None:
    step = redacted(settled(failing(OSError("key hunter2")), "t"), lambda t: t[:4])
    assert (await step(context())).outcome.data == {"error": "key "}


async def test_only_so_many_run_at_a_time_and_one_that_waits_can_be_stopped() -> None:
    gate, go, began = asyncio.Semaphore(1), asyncio.Event(), asyncio.Event()
    ran: list[int] = []

    def numbered(number: int):
        async def work(context: ToolContext) -> Outcome:
            ran.append(number)
            began.set()
            await go.wait()
            return Outcome({})

        return gated(timed(settled(work, "t")), gate)

    first = asyncio.ensure_future(numbered(1)(context()))
    second = asyncio.ensure_future(numbered(2)(context()))
    await began.wait()
    second.cancel()
    assert (await second).status == "interrupted"
    go.set()
    assert (await first).status == "ok"
    assert ran == [1]
    assert not gate.locked()
