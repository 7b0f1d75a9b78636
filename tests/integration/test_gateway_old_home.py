"""Chats of an older installation go on where they were."""

import json
from datetime import datetime
from pathlib import Path

from tests.gateway.house import house
from tests.old_home import builder
from tests.servers.script import Reply


def build(home: Path) -> None:
    home.mkdir(mode=0o700)
    builder.database(home / "state.db")
    builder.conversations(home / "sessions")
    builder.beside(home)
    # A chat that nobody used for a year begins anew, here as there.
    chats = home / "sessions/sessions.json"
    now = datetime.now().astimezone().isoformat()
    chats.write_text(chats.read_text().replace("2025-09-01T07:00:00", now))


async def test_a_chat_goes_on_in_its_session(home: Path) -> None:
    build(home)
    async with house(home) as place:
        place.model.say(Reply(text="Ambrose."))
        await place.person.say("who is the gardener?", user="7001", chat="7001")
        await place.person.sees("Ambrose.")
        said = json.dumps(place.model.model_requests[-1].json["messages"])
        assert "The gardener is called Ambrose." in said
