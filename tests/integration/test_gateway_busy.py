"""What a message does that comes while the agent works."""

import threading
from pathlib import Path

from tests.gateway.house import House, eventually, house
from tests.servers.script import Call, Reply


class Held:
    """A model that answers once it is let."""

    def __init__(self) -> None:
        self.let = threading.Event()

    def reply(self, text: str) -> Reply:
        self.let.wait(20)
        return Reply(text=text)


async def _working(place: House) -> None:
    await eventually(lambda: bool(place.model.model_requests))


async def test_steering_reaches_the_running_turn_and_gets_no_answer_of_its_own(home: Path) -> None:
    held = Held()
    async with house(home, config="display: {busy_input_mode: steer}\n") as place:
        place.model.say(
            lambda _: (held.let.wait(20), Reply(calls=(Call("todo", {}),)))[1],
            Reply(text="The green one, then."),
        )
        await place.person.say("paint it")
        await _working(place)
        await place.person.say("the green one")
        held.let.set()
        await place.person.sees("The green one, then.")
        await place.settled()
        said = place.model.model_requests[-1].json["messages"]
        assert said[-1] == {"role": "user", "content": "the green one"}
        assert place.running.ledger.counts().inbox == {"done": 2}
        assert len(place.model.model_requests) == 2


async def test_interrupting_ends_the_turn_and_the_new_message_is_answered(home: Path) -> None:
    held = Held()
    async with house(home, config="display: {busy_input_mode: interrupt}\n") as place:
        place.model.say(lambda _: held.reply("Too late."), Reply(text="Yes?"))
        await place.person.say("count to a million")
        await _working(place)
        await place.person.say("stop that, answer me")
        await place.person.sees("Yes?")
        held.let.set()
        await place.settled()
        assert "Too late." not in place.person.texts()


async def test_queueing_waits_for_the_turn(home: Path) -> None:
    held = Held()
    async with house(home, config="display: {busy_input_mode: queue}\n") as place:
        place.model.say(lambda _: held.reply("First."), Reply(text="Second."))
        await place.person.say("one")
        await _working(place)
        await place.person.say("two")
        held.let.set()
        await place.person.sees("Second.")
        assert place.person.texts() == ["First.", "Second."]


async def test_stop_does_not_wait_for_the_turn(home: Path) -> None:
    held = Held()
    async with house(home) as place:
        place.model.say(lambda _: held.reply("Never."))
        await place.person.say("work")
        await _working(place)
        await place.person.say("/stop")
        await place.person.sees("Stopped.")
        held.let.set()
        await place.settled()
        assert place.person.texts() == ["Stopped."]


async def test_new_breaks_in_and_begins_a_session(home: Path) -> None:
    held = Held()
    async with house(home) as place:
        place.model.say(lambda _: held.reply("Never."), Reply(text="Fresh."))
        await place.person.say("work")
        await _working(place)
        await place.person.say("/new")
        await place.person.sees("A new session begins.")
        held.let.set()
        await place.person.say("hello")
        await place.person.sees("Fresh.")
        assert len(place.model.model_requests[-1].json["messages"]) == 2


async def test_background_work_answers_in_the_same_chat_from_a_session_of_its_own(
    home: Path,
) -> None:
    async with house(home) as place:
        place.model.say(Reply(text="Found it."))
        await place.person.say("/background find it")
        await place.person.sees("Found it.")
        place.model.say(Reply(text="Nothing before this."))
        await place.person.say("what was said here?")
        await place.person.sees("Nothing before this.")
        assert len(place.model.model_requests[-1].json["messages"]) == 2


async def test_undo_retry_title_and_resume_work_on_the_chats_session(home: Path) -> None:
    async with house(home) as place:
        place.model.say(Reply(text="One."), Reply(text="Two."))
        await place.person.say("say it")
        await place.person.sees("One.")
        await place.person.say("/retry")
        await place.person.sees("Two.")
        assert len(place.model.model_requests[-1].json["messages"]) == 2
        await place.person.say("/title my talk")
        await place.person.sees("Title: my talk")
        await place.person.say("/new")
        await place.person.sees("A new session begins.")
        await place.person.say("/resume my talk")
        await place.person.sees("Going on with my talk.")
        await place.person.say("/undo")
        await place.person.sees("Taken back: say it")


async def test_nobody_resumes_the_session_of_another_person(home: Path) -> None:
    async with house(home, TELEGRAM_ALLOWED_USERS="1,2", TELEGRAM_OWNERS="9") as place:
        place.model.say(Reply(text="Private."))
        await place.person.say("secret", user="1", chat="1")
        await place.person.sees("Private.")
        await place.person.say("/title secrets", user="1", chat="1")
        await place.person.sees("Title: secrets")
        await place.person.say("/resume secrets", user="2", chat="2")
        await place.person.sees("There is no session")


async def test_a_turn_in_which_nothing_happens_is_ended_and_said(home: Path) -> None:
    held = Held()
    async with house(home, config="agent: {gateway_timeout: 0.2}\n") as place:
        place.model.say(lambda _: held.reply("Never."))
        await place.person.say("work")
        await place.person.sees("so I stopped")
        held.let.set()


async def test_commands_of_ones_own_run_and_stand_for_others(home: Path) -> None:
    config = (
        "quick_commands:\n"
        "  up: {type: exec, command: echo all is up}\n"
        "  me: {type: alias, target: whoami}\n"
    )
    async with house(home, config=config) as place:
        await place.person.say("/up")
        await place.person.sees("all is up")
        await place.person.say("/me")
        await place.person.sees("Role: owner.")
        assert not place.model.model_requests


async def test_what_is_asked_about_the_program_is_answered_without_the_model(home: Path) -> None:
    async with house(home) as place:
        for asked, told in (
            ("/help", "/background"),
            ("/provider", "Provider: custom"),
            ("/model", "scripted-model"),
            ("/update", "gateway restart"),
            ("/usage", "no session yet"),
            ("/reasoning high", "Reasoning: high."),
            ("/reasoning nonsense", "Choices:"),
            ("/personality pirate", "Personality: pirate"),
            ("/busy queue", "will queue"),
            ("/nonsense", "There is no command /nonsense."),
            ("/insights 7", "Last 7 days"),
            ("/stop", "Nothing is running."),
            ("/approve", "Nothing is being asked"),
        ):
            await place.person.say(asked)
            await place.person.sees(told)
        assert not place.model.model_requests
