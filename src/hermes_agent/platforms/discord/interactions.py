"""Slash commands and buttons."""

import asyncio
import hashlib
import logging
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import msgspec

from hermes_agent.domain.chats import Inbound
from hermes_agent.domain.errors import HermesError, StoreError
from hermes_agent.platforms.base import Door
from hermes_agent.platforms.discord.faults import faults
from hermes_agent.platforms.discord.library import Route, discord
from hermes_agent.platforms.discord.reading import origin_of

PATIENCE = 2.0
"""Seconds to get it stored in; Discord waits for three."""

MESSAGE, TAKEN, EPHEMERAL = 4, 6, 64
MAX_COMMANDS = 100
_COMMAND = re.compile(r"[-_a-z0-9]{1,32}")
_log = logging.getLogger(__name__)


async def take(client: "discord.Client", interaction: "discord.Interaction", door: Door) -> None:
    """Store it, then tell Discord that we have it. What cannot be stored the person is told:
    Discord keeps no interactions to be asked for again."""
    inbound = _inbound(interaction)
    if inbound is None:
        return
    origin = inbound.origin
    if not await door.admits(origin, addressed=True, private_name=origin.user_name):
        await _say(client, interaction, "I do not know you.")
        return
    try:
        async with asyncio.timeout(PATIENCE):
            await _insist(door, inbound)
    except (TimeoutError, StoreError):
        _log.warning("discord: an interaction could not be stored")
        await _say(client, interaction, "I cannot write this down just now. Please try again.")
        return
    await _say(client, interaction, None if inbound.press is not None else inbound.text)


async def register(client: "discord.Client", door: Door, commands: Iterable[str]) -> None:
    """Make the commands known to Discord, where they are not what was made known last."""
    payload = described(commands)
    application = client.application_id
    if application is None or not payload:
        return
    known = msgspec.json.encode([application, payload])
    digest = hashlib.sha256(known).hexdigest()
    if await door.recall("commands") == digest:
        return
    with faults():
        await client.http.bulk_upsert_global_commands(application, payload)  # pyright: ignore[reportArgumentType]  its type leaves out the newer fields
    await door.remember("commands", digest)


def described(commands: Iterable[str]) -> list[dict[str, Any]]:
    """`name - help` each, as Discord wants them; names that it would not take are left out.
    https://discord.com/developers/docs/interactions/application-commands"""
    made: dict[str, dict[str, Any]] = {}
    for line in commands:
        name, _, text = line.partition(" - ")
        name = name.strip().removeprefix("/").lower()
        if _COMMAND.fullmatch(name) is None or len(made) == MAX_COMMANDS:
            continue
        made[name] = {
            "type": 1,
            "name": name,
            "description": text.strip()[:100] or name,
            "contexts": [0, 1],
            "integration_types": [0],
            "options": [
                {"type": 3, "name": "args", "description": "What follows the command"},
            ],
        }
    return list(made.values())


def _inbound(interaction: "discord.Interaction") -> Inbound | None:
    data = cast("Mapping[str, Any]", interaction.data or {})
    channel = interaction.channel
    if channel is None:
        return None
    text, press = "", None
    if interaction.type is discord.InteractionType.component:
        press = str(data.get("custom_id", ""))
    elif interaction.type is discord.InteractionType.application_command:
        options: Sequence[Mapping[str, Any]] = data.get("options") or ()
        words = [str(each.get("value", "")) for each in options]
        text = " ".join((f"/{data.get('name', '')}", *words)).strip()
    else:
        return None
    message = interaction.message
    return Inbound(
        key=f"interaction:{interaction.id}",
        origin=origin_of(channel, interaction.guild_id, interaction.user),
        text=text,
        press=press,
        message_id=str(message.id) if message is not None and press is not None else None,
        received_at=time.time(),
    )


async def _insist(door: Door, inbound: Inbound) -> None:
    while True:
        try:
            await door.accept(inbound)
        except StoreError:
            await asyncio.sleep(0.1)
        else:
            return


async def _say(
    client: "discord.Client", interaction: "discord.Interaction", text: str | None
) -> None:
    """To that person alone; None takes a press without a word."""
    answer: dict[str, Any] = {"type": TAKEN}
    if text is not None:
        said: dict[str, Any] = {
            "content": text[:1900],
            "flags": EPHEMERAL,
            "allowed_mentions": {"parse": []},
        }
        answer = {"type": MESSAGE, "data": said}
    # The library's own way would leave our addresses and limits aside.
    route = Route(
        "POST",
        "/interactions/{webhook_id}/{webhook_token}/callback",
        webhook_id=interaction.id,
        webhook_token=interaction.token,
    )
    try:
        with faults():
            await client.http.request(route, json=answer)
    except HermesError as error:
        _log.warning("discord: an interaction could not be acknowledged: %s", error)
