"""Chats and clients whose conversation is shortened never notice where it goes on."""

import re
from pathlib import Path

from tests.gateway.house import House, eventually, house
from tests.integration import api_house
from tests.integration.compaction_place import notes
from tests.servers.recorded import Recorded
from tests.servers.script import Call, Fault, Reply, Usage

NARROW = """  context_length: 24000
compression: {threshold: 0.5, protect_last_n: 4}
agent: {api_max_retries: 0}
display: {busy_input_mode: queue}
"""
FACT = re.compile(r"fact-\d+")
TALK = "Some more words about the matter at hand. " * 40


def shown(request: Recorded) -> str:
    """All that the model was shown, the prompt left out."""
    return "\n".join(str(each["content"]) for each in request.json["messages"][1:])


def summarising(request: Recorded) -> bool:
    return "working notes" in str(request.json["messages"][0]["content"])


def facts(request: Recorded) -> set[str]:
    return set(FACT.findall(shown(request)))


def summary(request: Recorded) -> Reply:
    listed = "\n".join(sorted(facts(request)))
    return Reply(text=notes(facts=listed), usage=Usage(500, 50))


def answer(request: Recorded) -> Reply:
    number = len(FACT.findall(request.json["messages"][-1]["content"]))
    return Reply(text=f"Noted {number}. {TALK}", usage=Usage(len(request.body) // 4, 400))


async def talk(place: House, start: int, count: int) -> None:
    for number in range(start, start + count):
        before = len(place.person.texts())
        await place.person.say(f"Mind fact-{number}. {TALK}")
        await place.person.until(lambda before=before: len(place.person.texts()) > before)
        await place.settled()


async def test_a_chat_goes_on_in_the_child_also_after_a_restart(home: Path) -> None:
    async with house(home, config=NARROW) as place:
        place.model.when(summarising, summary)
        place.model.always(answer)
        await talk(place, 0, 22)
        store = place.running.store
        sessions = store.list()
        assert len(sessions) > 1
        (route,) = store.routes()
        assert route.session_id == store.tip(sessions[-1].id) != sessions[-1].id
        assert facts(place.model.model_requests[-1]) == {f"fact-{n}" for n in range(22)}
        assert len(place.person.texts()) == 22, "a compaction that works says nothing"
        await place.stop()
        await place.start()
        await talk(place, 22, 1)
        assert facts(place.model.model_requests[-1]) == {f"fact-{n}" for n in range(23)}
        (after,) = place.running.store.routes()
        assert after.session_id == route.session_id


async def test_what_fails_is_said_under_the_answer_once(home: Path) -> None:
    async with house(home, config=NARROW) as place:
        place.model.when(summarising, Reply(text="No."))
        place.model.always(answer)
        await talk(place, 0, 16)
        told = [text for text in place.person.texts() if "was not shortened" in text]
        assert len(told) == 1
        assert "Noted 1." in told[0]
        assert facts(place.model.model_requests[-1]) == {f"fact-{n}" for n in range(16)}
        assert len(place.running.store.list()) == 1


async def test_a_person_shortens_and_looks_by_hand(home: Path) -> None:
    async with house(home, config=NARROW) as place:
        place.model.when(summarising, summary)
        place.model.always(answer)
        await place.person.say("/compress")
        await place.person.sees("This chat has no session yet.")
        await talk(place, 0, 6)
        await place.person.say("/context")
        await place.person.sees("Window of")
        assert "24,000 tokens" in place.person.texts()[-1]
        await place.person.say("/compress the colours")
        await place.person.sees("Shortened from")
        asked = next(each for each in place.model.model_requests if summarising(each))
        assert "keep above all: the colours" in shown(asked)
        await talk(place, 6, 1)
        assert facts(place.model.model_requests[-1]) == {f"fact-{n}" for n in range(7)}
        await place.person.say("/usage")
        await place.person.sees("shortened once, 0 tool calls")


class Worker:
    """Calls a tool with much output so many times, then answers."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.step = 0
        self.broken = False

    def __call__(self, request: Recorded) -> Reply | Fault:
        usage = Usage(len(request.body) // 4, 50)
        if self.broken:
            return Fault.hang()
        self.step += 1
        if self.step > self.total:
            return Reply(text="The task is done.", usage=usage)
        command = f"echo step {self.step}; seq 1 900"
        return Reply(
            text=f"Step {self.step}.", calls=(Call("terminal", {"command": command}),), usage=usage
        )


async def test_a_long_turn_is_answered_once_in_its_own_place(home: Path) -> None:
    config = NARROW + "streaming: {enabled: true, buffer_threshold: 1, edit_interval: 0}\n"
    async with house(home, config=config) as place:
        place.model.when(summarising, summary)
        place.model.always(Worker(30))
        await place.person.say("Do the long task.")
        await place.person.sees("The task is done.")
        await place.settled()
        assert sum("The task is done." in text for text in place.person.texts()) == 1
        steps = [text for text in place.person.texts() if text.startswith("Step")]
        assert len(steps) == len(set(steps))
        assert len(place.running.store.list()) > 1
        for request in place.model.model_requests:
            if not summarising(request):
                assert "Do the long task." in shown(request)


async def test_a_turn_that_was_cut_off_after_a_compaction_is_taken_up_in_the_child(
    home: Path,
) -> None:
    worker = Worker(30)
    async with house(home, config=NARROW) as place:
        place.model.when(summarising, summary)
        place.model.always(worker)
        await place.person.say("Do the long task.")
        store = place.running.store
        await eventually(lambda: len(store.list()) > 1)
        worker.broken = True
        await eventually(lambda: not place.model.model_requests[-1].done.is_set())
        await place.stop(0)
        worker.broken = False
        reached = worker.step
        await place.start()
        await place.person.sees("The task is done.")
        await place.settled()
        assert worker.step == 31 > reached
        assert sum("The task is done." in text for text in place.person.texts()) == 1
        said = [
            message.content
            for row in place.running.store.list()
            for message in place.running.store.history(row.id)
            if message.role == "user" and message.content == "Do the long task."
        ]
        assert len(said) == len(place.running.store.list()), "once in each session"


async def test_background_processes_go_along(home: Path) -> None:
    async with house(home, config=NARROW) as place:
        place.model.when(summarising, summary)
        start = {"command": "sleep 300", "background": True}
        place.model.say(Reply(calls=(Call("terminal", start),)), Reply(text="It sleeps."))
        place.model.always(answer)
        await place.person.say("start it")
        await place.person.sees("It sleeps.")
        await talk(place, 0, 16)
        assert len(place.running.store.list()) > 1
        await place.person.say("/stop")
        await place.person.sees("1 background process ended.")


async def test_a_client_of_the_api_goes_on_by_the_id_it_knows(home: Path) -> None:
    async with api_house.house(home, config=NARROW) as place:
        place.model.when(summarising, summary)
        place.model.always(answer)
        previous = None
        first = ""
        for number in range(34):
            response = await place.client.responses.create(
                model="hermes-agent",
                input=f"Mind fact-{number}. {TALK}",
                previous_response_id=previous,
            )
            previous = response.id
            first = first or response.id
        assert len(place.store.list()) > 1
        assert facts(place.model.model_requests[-1]) == {f"fact-{n}" for n in range(34)}
        await place.client.responses.create(
            model="hermes-agent", input="And fact-99?", previous_response_id=first
        )
        assert facts(place.model.model_requests[-1]) == {"fact-0", "fact-99"}
        oldest = place.store.list()[-1].id
        named = await place.client.chat.completions.with_raw_response.create(
            model="hermes-agent",
            messages=[{"role": "user", "content": "Mind fact-50."}],
            extra_headers={"x-hermes-session-id": oldest},
        )
        assert named.status_code == 200
        assert "fact-33" in facts(place.model.model_requests[-1])
