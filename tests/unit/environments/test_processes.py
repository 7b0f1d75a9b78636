import os
from collections.abc import AsyncIterator

import pytest

from hermes_agent.domain.errors import EnvironmentFault, NotFoundError
from hermes_agent.domain.execution import ProcessInfo
from hermes_agent.environments.enclosure import Launch
from hermes_agent.environments.processes import Processes
from hermes_agent.environments.warden import Warden


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def processes(clock: Clock) -> AsyncIterator[Processes]:
    warden = Warden()
    made = Processes(warden, clock=clock)
    yield made
    await made.close()
    warden.close()


def begin(processes: Processes, *argv: str) -> ProcessInfo:
    launch = Launch(argv=argv, cwd="/", variables=os.environ)
    return processes.start(launch, command=" ".join(argv), cwd="/", run="test.1")


async def test_a_finished_process_is_forgotten_after_half_an_hour(
    processes: Processes, clock: Clock
) -> None:
    ended, running = begin(processes, "true"), begin(processes, "cat")
    await processes.wait(ended.id, 10)
    clock.now += 30 * 60
    assert len(processes.list()) == 2
    clock.now += 1
    assert [info.id for info in processes.list()] == [running.id]
    with pytest.raises(NotFoundError, match=ended.id):
        processes.log(ended.id)


async def test_there_are_never_more_than_sixty_four(processes: Processes) -> None:
    started = [begin(processes, "cat") for _ in range(64)]
    with pytest.raises(EnvironmentFault, match="64"):
        begin(processes, "cat")
    await processes.kill(started[5].id)
    begin(processes, "cat")
    assert started[5].id not in {info.id for info in processes.list()}


async def test_input_that_nobody_reads_is_not_waited_for_without_end(
    processes: Processes, clock: Clock
) -> None:
    started = begin(processes, "sleep", "600")

    class Hurrying(Clock):
        def __call__(self) -> float:
            self.now += 10
            return self.now

    processes._clock = Hurrying()  # pyright: ignore[reportPrivateUsage] - time flies
    with pytest.raises(EnvironmentFault, match="does not read"):
        await processes.write(started.id, "x" * 1_000_000)


async def test_a_program_that_is_not_there_is_no_process(processes: Processes) -> None:
    with pytest.raises(EnvironmentFault, match="not installed"):
        begin(processes, "no-such-program")
    assert processes.list() == []
