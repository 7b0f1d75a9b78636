"""What was said in a room since the last sync, also where the server left out a part of it.

https://spec.matrix.org/latest/client-server-api/#syncing
"""

import json
import logging
import time

from hermes_agent.platforms.matrix.client import Client, Refused
from hermes_agent.platforms.matrix.fields import Json, events, mapping, text

MAX_MISSED = 2000
AWAY_DAYS = 7.0
TYPES = (
    "m.room.message",
    "m.room.encrypted",
    "m.sticker",
    "m.room.member",
    "m.room.name",
    "m.room.encryption",
)
_log = logging.getLogger(__name__)


async def said(client: Client, room: str, joined: Json, since: str, me: str) -> list[Json]:
    """The events of a room of a sync, oldest first, from when we were asked in. Raises
    `PlatformDown`."""
    timeline = mapping(joined, "timeline")
    found = events(timeline, "events")
    if timeline.get("limited") is True and not _entered(found, me):
        found = [*await _missed(client, room, text(timeline, "prev_batch"), since, me), *found]
    start = _entered(found, me)
    return found[start:]


async def _missed(client: Client, room: str, start: str, since: str, me: str) -> list[Json]:
    """What stands between, from the newest back to `since`, turned round."""
    found: list[Json] = []
    oldest = (time.time() - AWAY_DAYS * 86_400) * 1000
    while start:
        try:
            answer = await client.call(
                "GET",
                *("rooms", room, "messages"),
                query={
                    "dir": "b",
                    "from": start,
                    "to": since,
                    "limit": "100",
                    "filter": json.dumps({"types": TYPES, "lazy_load_members": True}),
                },
            )
        except Refused as error:
            _log.warning("matrix: what was missed in %s cannot be read: %s", room, error)
            break
        chunk = events(answer, "chunk")
        found += chunk
        start = text(answer, "end") if chunk else ""
        if chunk and (
            _entered(chunk, me) or float(chunk[-1].get("origin_server_ts") or 0) < oldest
        ):
            break
        if len(found) >= MAX_MISSED:
            _log.warning("matrix: more than %d messages were missed in %s", MAX_MISSED, room)
            break
    return found[::-1]


def _entered(found: list[Json], me: str) -> int:
    """The place after the last event by which we were asked in, or came in uninvited; 0 where we
    were there all the time."""
    place = 0
    for number, event in enumerate(found, 1):
        if text(event, "type") != "m.room.member" or text(event, "state_key") != me:
            continue
        before = text(event, "unsigned", "prev_content", "membership")
        now = text(event, "content", "membership")
        if now == "invite" or (now == "join" and before not in ("join", "invite")):
            place = number
    return place
