"""The daemon answers what people write in a chat."""

from pathlib import Path

from hermes_agent.domain.chats import Attachment
from tests.gateway.house import house
from tests.gateway.scripted import ScriptedPlatform
from tests.servers.script import Call, Reply


async def test_a_message_is_answered(home: Path) -> None:
    async with house(home) as place:
        place.model.say(Reply(text="Hello *you*."))
        await place.person.say("hi")
        shown = await place.person.sees("Hello you.")
        assert shown.target.chat_id == "1"
        (request,) = place.model.model_requests
        assert request.json["messages"][-1] == {"role": "user", "content": "hi"}


async def test_a_chat_goes_on_over_a_restart(home: Path) -> None:
    async with house(home) as place:
        place.model.say(Reply(text="Blue."), Reply(text="As I said: blue."))
        await place.person.say("which colour?")
        await place.person.sees("Blue.")
        assert await place.stop() == 0
        await place.start()
        await place.person.say("again?")
        await place.person.sees("As I said: blue.")
        said = [each["content"] for each in place.model.model_requests[-1].json["messages"][1:]]
        assert said == ["which colour?", "Blue.", "again?"]


async def test_the_same_update_twice_is_answered_once(home: Path) -> None:
    async with house(home, config="display: {busy_input_mode: queue}\n") as place:
        place.model.say(Reply(text="Once."), Reply(text="The other one."))
        await place.person.say("hi", key="77")
        await place.person.say("hi", key="77")
        await place.person.say("and now?", key="78")
        await place.person.sees("The other one.")
        await place.settled()
        assert place.person.texts() == ["Once.", "The other one."]


async def test_two_chats_are_two_conversations(home: Path) -> None:
    async with house(home, TELEGRAM_ALLOWED_USERS="1,2") as place:
        place.model.always(Reply(text="Yes."))
        await place.person.say("I am Ann", user="1", chat="1")
        await place.person.say("I am Bob", user="2", chat="2")
        await place.person.sees("Yes.", times=2)
        heard = [request.json["messages"][1:] for request in place.model.model_requests]
        assert sorted(each[0]["content"] for each in heard) == ["I am Ann", "I am Bob"]
        assert all(len(each) == 1 for each in heard)


async def test_a_model_that_cannot_be_had_is_said_and_the_next_message_is_answered(
    home: Path,
) -> None:
    async with house(home, config="agent: {api_max_retries: 0}\n") as place:
        await place.person.say("hi")  # the script has nothing, so the server says 500
        await place.person.sees("⚠")
        place.model.say(Reply(text="Back again."))
        await place.person.say("and now?")
        await place.person.sees("Back again.")


async def test_an_answer_grows_in_one_message_and_ends_as_it_should(home: Path) -> None:
    config = "streaming: {enabled: true, buffer_threshold: 1, edit_interval: 0}\n"
    async with house(home, config=config) as place:
        place.model.say(Reply(text="Let me look.", calls=(Call("todo", {}),)), Reply(text="Done."))
        await place.person.say("go")
        await place.person.sees("Done.")
        await place.settled()
        texts = [text for text in place.person.texts() if "todo" not in text.lower()]
        assert "Done." in texts
        assert all("▉" not in text for text in texts)
        assert sum("Let me look." in text for text in texts) <= 1


async def test_a_stranger_gets_a_code_and_no_answer(home: Path) -> None:
    async with house(home) as place:
        assert not await place.person.say("hi", user="666", chat="666")
        shown = await place.person.sees("hermes pairing approve telegram")
        assert shown.target.chat_id == "666"
        assert not place.model.model_requests
        assert not place.running.ledger.inbox()


async def test_with_no_list_nobody_is_let_in(home: Path) -> None:
    async with house(home, TELEGRAM_ALLOWED_USERS="") as place:
        assert not await place.person.say("hi")
        assert not place.model.model_requests


async def test_a_dangerous_command_waits_for_the_owners_button(home: Path, tmp_path: Path) -> None:
    gone = tmp_path / "old"
    gone.mkdir()
    async with house(home) as place:
        place.model.say(
            Reply(calls=(Call("terminal", {"command": f"rm -r {gone}"}),)), Reply(text="Removed.")
        )
        await place.person.say("remove it")
        question = await place.person.sees("May this run?")
        assert gone.exists()
        await place.person.say(press=question.buttons[0].value)
        await place.person.sees("Removed.")
        assert not gone.exists()


async def test_no_is_no(home: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    async with house(home) as place:
        place.model.say(
            Reply(calls=(Call("terminal", {"command": f"rm -r {kept}"}),)), Reply(text="Left it.")
        )
        await place.person.say("remove it")
        await place.person.sees("May this run?")
        await place.person.say("no")
        await place.person.sees("Left it.")
        assert kept.exists()


async def test_a_guest_can_not_answer_for_the_owner(home: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    config = (
        "approvals: {timeout: 1}\nplatforms: {telegram: {extra: {owners: ['1'], guests: ['2']}}}\n"
    )
    async with house(home, config=config) as place:
        place.model.say(
            Reply(calls=(Call("terminal", {"command": f"rm -r {kept}"}),)), Reply(text="Left it.")
        )
        await place.person.say("remove it", user="1", chat="-5", chat_type="group")
        question = await place.person.sees("May this run?")
        await place.person.say(
            user="2", chat="-5", chat_type="group", press=question.buttons[0].value
        )
        await place.person.sees("Left it.")
        assert kept.exists()


async def test_a_secret_does_not_show_while_an_answer_grows(home: Path) -> None:
    config = "streaming: {enabled: true, buffer_threshold: 1, edit_interval: 0}\n"
    secret = "sk-proj-Zq8dTgh2Rw5YbNcV7xKmP3LfJ9sA1eUo"
    async with house(home, config=config, OPENAI_API_KEY=secret) as place:
        place.model.say(Reply(text=f"The key is {secret} and that is all there is.", chunks=30))
        await place.person.say("what is the key?")
        await place.person.sees("that is all")
        await place.settled()
        said = "\n".join(text for each in place.person.shown for text in each.texts)
        assert "Zq8dTgh2Rw5Y" not in said


async def test_an_unfinished_emphasis_is_closed_while_an_answer_grows(home: Path) -> None:
    config = "streaming: {enabled: true, buffer_threshold: 1, edit_interval: 0}\n"
    person = ScriptedPlatform(dialect="telegram")
    async with house(home, config=config, person=person) as place:
        place.model.say(Reply(text="Look: **this is bold** and `code`.", chunks=12))
        await place.person.say("show me")
        await place.person.sees("code.")
        await place.settled()
        for text in place.person.shown[0].texts:
            assert text.count("<b>") == text.count("</b>")
            assert "**" not in text


async def test_an_album_is_one_message_with_all_its_pictures(home: Path, tmp_path: Path) -> None:
    pictures: list[Attachment] = []
    for number in range(3):
        path = tmp_path / f"{number}.png"
        path.write_bytes(b"\x89PNG picture %d" % number)
        pictures.append(Attachment(kind="image", path=str(path), media_type="image/png", size=16))
    async with house(home) as place:
        place.model.say(Reply(text="Three pictures."))
        for number, picture in enumerate(pictures):
            await place.person.say(
                "compare these" if number == 0 else "",
                attachments=(picture,),
                extra={"media_group_id": "77"},
            )
        await place.person.sees("Three pictures.")
        await place.settled()
        (request,) = place.model.model_requests
        said = request.json["messages"][-1]["content"]
        assert sum(part["type"] == "image_url" for part in said) == 3
        assert place.running.ledger.counts().inbox == {"done": 3}


async def test_what_another_persons_turn_needs_is_asked_where_the_owner_is(
    home: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    async with house(home, TELEGRAM_ALLOWED_USERS="2", TELEGRAM_OWNERS="1") as place:
        await place.person.say("/sethome", user="1", chat="1")
        await place.person.sees("home chat now")
        place.model.say(
            Reply(calls=(Call("terminal", {"command": f"rm -r {kept}"}),)), Reply(text="Done so.")
        )
        assert await place.person.say("remove it", user="2", chat="2")
        question = await place.person.sees("May this run?")
        assert question.target.chat_id == "1"
        assert "2" in question.text
        await place.person.say(press=question.buttons[0].value, user="1", chat="1")
        answer = await place.person.sees("Done so.")
        assert answer.target.chat_id == "2"
        assert not kept.exists()
