"""The background review in the daemon: whose words it looks at, when, and when it gives way."""

import threading
import time
from pathlib import Path

import msgspec
import pytest

from hermes_agent.agent.control import Control
from hermes_agent.domain.messages import Message
from hermes_agent.sessions.host import Opening
from tests.gateway.house import House, eventually, house
from tests.integration import api_house
from tests.servers.recorded import Recorded
from tests.servers.script import Call, Reply, Usage

EVERY = "memory: {review: true, nudge_interval: 1, flush_min_turns: 2}\n"
AT_ENDS = "memory: {review: true, nudge_interval: 0, flush_min_turns: 2}\n"


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hermes_agent.runtime.reviewing.QUIET", 0.0)


def review(request: Recorded) -> bool:
    return "keep the notes of a personal agent" in str(request.json["messages"][0]["content"])


def tea() -> Reply:
    note = {"action": "add", "target": "user", "content": "Drinks tea"}
    return Reply(calls=[Call("memory", note)], usage=Usage(600, 20))


def asked(place: House) -> list[str]:
    found = [each for each in place.model.model_requests if review(each)]
    return [str(each.json["messages"][1]["content"]) for each in found]


def noted(home: Path) -> bool:
    path = home / "memories/USER.md"
    return path.exists() and path.read_text() == "Drinks tea"


async def test_in_a_private_chat_it_notes_quietly_and_its_cost_is_shown(home: Path) -> None:
    async with house(home, config=EVERY) as place:
        place.model.when(review, tea())
        place.model.always(Reply(text="Good."))
        await place.person.say("I drink tea")
        await place.person.sees("Good.")
        await eventually(lambda: noted(home))
        await place.settled()
        assert place.person.texts() == ["Good."]
        await place.person.say("/usage")
        shown = await place.person.sees("looked through")
        assert "once looked through for notes: 600 tokens in, 20 out" in shown.text


async def test_its_calls_stand_in_the_book_of_spending(home: Path) -> None:
    config = f"{EVERY}budget: {{prices: {{'*': {{input: 10, output: 100}}}}}}\n"
    async with house(home, config=config) as place:
        place.model.when(review, tea())
        place.model.always(Reply(text="Good.", usage=Usage(100, 1)))
        await place.person.say("I drink tea")
        await place.person.sees("Good.")
        await eventually(lambda: noted(home))
        store = place.running.store
        await eventually(lambda: len(store.spending(since=0)) == 2)
        booked = {each.purpose: each.sum for each in store.spending(since=0)}
        assert booked["review"].calls == 1
        assert booked["review"].tokens == 620
        assert booked["review"].usd == pytest.approx(0.008)
        (route,) = store.routes()
        assert store.spent_in(route.session_id).tokens == 721


async def test_a_cap_on_spending_forbids_it(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with house(home, config=f"{EVERY}budget: {{session_tokens: 50}}\n") as place:
        place.model.when(review, tea())
        place.model.always(Reply(text="Good.", usage=Usage(100, 1)))
        await place.person.say("I drink tea")
        await place.person.sees("Good.")
        await eventually(lambda: "was not looked through" in caplog.text)
        assert "session_tokens" in caplog.text
        assert asked(place) == []
        assert not noted(home)


async def test_in_groups_and_for_others_than_the_owner_nobody_looks(home: Path) -> None:
    others = {"TELEGRAM_ALLOWED_USERS": "1,2,3", "TELEGRAM_OWNERS": "1", "TELEGRAM_GUESTS": "3"}
    async with house(home, EVERY, person=None, **others) as place:
        place.model.when(review, tea())
        place.model.always(Reply(text="Good."))
        await place.person.say("we drink tea", chat="-5", chat_type="group")
        await place.person.sees("Good.")
        for number, user in enumerate("231"):
            await place.person.say(f"{user} drinks tea", user=user, chat=user)
            await place.person.sees("Good.", times=number + 2)
        await eventually(lambda: noted(home))
        assert len(asked(place)) == 1
        assert "- 1 drinks tea" in asked(place)[0]


@pytest.mark.parametrize("source", ["cron", "mcp", "webhook", "email"])
async def test_jobs_programs_and_mail_are_not_looked_at(home: Path, source: str) -> None:
    async with house(home, config=EVERY) as place:
        place.model.when(review, tea())
        place.model.always(Reply(text="Good."))
        host = place.running.host
        opening = Opening(session_id="other", source=source, platform="telegram", recalls_all=True)
        await _turn(place, opening)
        assert host.reviews.led == ()
        await _turn(place, msgspec.structs.replace(opening, session_id="own", source="telegram"))
        assert host.reviews.led == ("own",)


async def _turn(place: House, opening: Opening) -> None:
    async with place.running.host.open(opening) as live:
        assert "memory" in {spec.name for spec in live.toolbox.specs()}
        await live.run("I drink tea", Control(), lambda _: None)


async def test_it_gives_way_when_the_person_speaks_again(home: Path) -> None:
    async with house(home, config=EVERY) as place:
        hold = threading.Event()
        place.model.when(review, Reply(text="nothing", hold=hold, hold_after=0))
        place.model.always(Reply(text="Good."))
        try:
            await place.person.say("one")
            await eventually(lambda: len(asked(place)) == 1)
            await place.person.say("two")
            await place.person.sees("Good.", times=2)
            (latest,) = place.running.store.routes()
            assert place.running.store.reviews(latest.session_id).calls == 0
            assert len(place.running.store.unreviewed(latest.session_id)) == 2
        finally:
            hold.set()


async def test_a_daemon_that_stops_does_not_wait_for_it(home: Path) -> None:
    async with house(home, config=EVERY) as place:
        hold = threading.Event()
        place.model.when(review, Reply(text="nothing", hold=hold, hold_after=0))
        place.model.always(Reply(text="Good."))
        try:
            await place.person.say("one")
            await eventually(lambda: len(asked(place)) == 1)
            assert await place.stop() == 0
        finally:
            hold.set()


async def test_a_chat_that_is_left_is_looked_through(home: Path) -> None:
    async with house(home, config=AT_ENDS) as place:
        place.model.when(review, tea())
        place.model.always(Reply(text="Good."))
        for number, words in enumerate(("I drink tea", "and walk a lot")):
            await place.person.say(words)
            await place.person.sees("Good.", times=number + 1)
        await place.person.say("/new")
        await eventually(lambda: noted(home))
        assert "- I drink tea\n- and walk a lot" in asked(place)[0]


async def test_a_chat_whose_session_ran_out_is_looked_through_before_the_next_one(
    home: Path,
) -> None:
    config = f"{AT_ENDS}session_reset: {{mode: idle, idle_minutes: 60}}\n"
    async with house(home, config=config) as place:
        place.model.when(review, tea())
        place.model.always(Reply(text="Good."))
        for number in range(2):
            await place.person.say("I drink tea")
            await place.person.sees("Good.", times=number + 1)
        await place.settled()
        store = place.running.store
        (route,) = store.routes()
        store.save_route(msgspec.structs.replace(route, updated_at=time.time() - 7200))
        await place.running.look_back()
        await eventually(lambda: noted(home) and not store.unreviewed(route.session_id))
        await place.person.say("who am I?")
        await place.person.sees("Good.", times=3)
        last = place.model.model_requests[-1].json["messages"]
        assert "Drinks tea" in last[0]["content"]
        assert len(asked(place)) == 1


async def test_a_reset_after_a_restart_looks_through_the_session_before(home: Path) -> None:
    config = f"{AT_ENDS}session_reset: {{mode: idle, idle_minutes: 60}}\n"
    async with house(home, config=config) as place:
        place.model.when(review, tea())
        place.model.always(Reply(text="Good."))
        for number in range(2):
            await place.person.say("I drink tea")
            await place.person.sees("Good.", times=number + 1)
        await place.stop()
        await place.start()
        store = place.running.store
        (route,) = store.routes()
        store.save_route(msgspec.structs.replace(route, updated_at=time.time() - 7200))
        await place.person.say("hello again")
        await place.person.sees("Good.", times=3)
        await eventually(lambda: noted(home))


async def test_a_conversation_that_was_shortened_is_looked_through_in_its_full_words(
    home: Path,
) -> None:
    async with house(home, config=AT_ENDS) as place:
        place.model.when(review, tea())
        place.model.always(Reply(text="Good."))
        opening = Opening(session_id="s", source="telegram", recalls_all=True)
        await _turn(place, opening)
        async with place.running.host.open(opening) as live:
            await live.run("and walk a lot", Control(), lambda _: None)
            await live.succeed([Message(role="user", content="notes", summary=True)])
        await eventually(lambda: noted(home))
        assert "- I drink tea\n- and walk a lot" in asked(place)[0]
        await eventually(lambda: place.running.store.unreviewed(live.id) == ())


async def test_over_http_it_works_as_well(home: Path) -> None:
    async with api_house.house(home, config=EVERY) as at:
        at.model.when(review, tea())
        at.model.always(Reply(text="Good."))
        said = await at.client.chat.completions.create(
            model="hermes-agent", messages=[{"role": "user", "content": "I drink tea"}]
        )
        assert said.choices[0].message.content == "Good."
        await api_house.until(lambda: noted(home))
