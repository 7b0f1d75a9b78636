"""Whatever dies in between: a message is answered once, and no tool call runs twice."""

import asyncio
import threading
from pathlib import Path

from tests.gateway.house import eventually, house
from tests.servers.script import Call, Reply


async def test_a_turn_that_was_cut_off_goes_on_after_the_start(home: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = f"echo ran >> {log}; sleep 30"
    async with house(home) as place:
        place.model.say(Reply(calls=(Call("terminal", {"command": command}),)))
        await place.person.say("work")
        await eventually(log.exists)
        assert await place.stop(0) == 1
        place.model.say(Reply(text="It was interrupted, so I left it."))
        await place.start()
        await place.person.sees("It was interrupted")
        await place.settled()
        assert log.read_text() == "ran\n"
        said = place.model.model_requests[-1].json["messages"]
        assert [each["role"] for each in said] == ["system", "user", "assistant", "tool"]
        assert place.person.texts().count("It was interrupted, so I left it.") == 1


async def test_an_answer_that_is_stored_is_sent_without_asking_the_model_again(home: Path) -> None:
    async with house(home) as place:
        place.model.say(Reply(text="Only once."))
        gateway = place.running
        held = gateway.desk.insist
        reached = asyncio.Event()

        async def never(write: object) -> None:
            reached.set()
            await asyncio.Event().wait()

        gateway.desk.insist = never  # type: ignore[method-assign]  the instant before settling
        await place.person.say("hi")
        await reached.wait()
        gateway.desk.insist = held  # type: ignore[method-assign]
        await place.stop(0)
        await place.start()
        await place.person.sees("Only once.")
        assert len(place.model.model_requests) == 1


async def test_what_could_not_be_sent_is_sent_later_and_in_order(home: Path) -> None:
    from hermes_agent.platforms.base import PlatformDown

    async with house(home) as place:
        place.person.faults.append(PlatformDown("Gone for a while.", retry_after=0.05))
        place.model.say(Reply(text="First."), Reply(text="Second."))
        await place.person.say("one")
        await place.person.say("/queue two")
        await place.person.sees("Second.")
        assert place.person.texts() == ["First.", "Second."]


async def test_what_is_refused_for_good_is_kept_for_a_person(home: Path) -> None:
    from hermes_agent.platforms.base import SendRefused

    async with house(home) as place:
        place.person.faults.append(SendRefused("We are blocked there."))
        place.model.say(Reply(text="Nobody reads this."))
        await place.person.say("hi")
        ledger = place.running.ledger
        await eventually(lambda: bool(ledger.outbox("dead")))
        (row,) = ledger.outbox("dead")
        assert row.error == "We are blocked there."
        ledger.retry("out", row.id)
        await place.person.sees("Nobody reads this.")


async def test_a_message_that_arrives_while_the_daemon_is_down_waits_for_it(home: Path) -> None:
    async with house(home) as place:
        await place.person.until(lambda: place.person.door is not None)
        door = place.person.door
        assert door is not None
        gateway = place.running
        release = threading.Event()
        place.model.always(lambda _: _waited(release))
        await place.person.say("one")
        await eventually(lambda: bool(place.model.model_requests))
        await place.person.say("/queue two")
        assert gateway.ledger.counts().inbox == {"working": 1, "waiting": 1}
        stopping = asyncio.create_task(place.stop(0))
        await stopping
        release.set()
        await place.start()
        await place.person.sees("Answered.", times=2)


def _waited(release: threading.Event) -> Reply:
    release.wait(20)
    return Reply(text="Answered.")
