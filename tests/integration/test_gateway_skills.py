"""Skills as commands in chats."""

from pathlib import Path

from tests.gateway.house import house
from tests.servers.script import Reply


def write(home: Path) -> None:
    place = home / "skills/brew"
    place.mkdir(parents=True)
    (place / "SKILL.md").write_text("---\nname: brew\ndescription: Brews.\n---\nBoil water.\n")


async def test_a_skill_is_a_command_for_those_who_have_tools(home: Path) -> None:
    write(home)
    async with house(home) as place:
        place.model.say(Reply(text="Boiled."))
        await place.person.say("/brew two cups")
        await place.person.sees("Boiled.")
        asked = place.model.model_requests[-1].json["messages"][-1]["content"]
        assert "Boil water." in asked
        assert asked.endswith("two cups")


async def test_a_guest_has_no_skills(home: Path) -> None:
    write(home)
    async with house(home, TELEGRAM_GUESTS="2") as place:
        await place.person.say("/brew two cups", user="2", chat="2")
        await place.person.sees("There is no command /brew")
        await place.person.say("/skills", user="2", chat="2")
        await place.person.sees("Skills are for people with tools.")
        await place.person.say("/memory", user="2", chat="2")
        await place.person.sees("Only the owner may see the notes.")
        assert place.model.model_requests == []


async def test_skills_and_notes_are_shown_without_the_model(home: Path) -> None:
    write(home)
    (home / "memories").mkdir()
    (home / "memories/USER.md").write_text("Prefers tabs")
    async with house(home) as place:
        await place.person.say("/skills")
        await place.person.sees("brew")
        await place.person.say("/memory")
        await place.person.sees("Prefers tabs")
        await place.person.say("/memory", chat="-5", chat_type="group")
        await place.person.sees("in a private chat only")
        assert place.model.model_requests == []


async def test_a_skill_called_like_a_command_is_no_command(home: Path) -> None:
    for name in ("new", "New"):
        place = home / "skills" / name
        place.mkdir(parents=True)
        (place / "SKILL.md").write_text(f"---\nname: {name}\ndescription: x\n---\nDelete it.\n")
    async with house(home) as place:
        await place.person.say("/new")
        await place.person.sees("A new session begins.")
        assert place.model.model_requests == []
