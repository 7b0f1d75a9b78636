"""From discord.py's errors to ours: who can mend them."""

from collections.abc import Generator
from contextlib import contextmanager

import aiohttp

from hermes_agent.domain.errors import HermesError
from hermes_agent.platforms.base import MessageGone, PlatformDown, PlatformRefused, SendRefused
from hermes_agent.platforms.discord.library import discord

UNKNOWN_MESSAGE = 10008
TOO_LARGE = 40005
BOT_HINT = (
    "Set DISCORD_BOT_TOKEN in .env to the token from the bot's page on discord.com/developers."
)
INTENT_HINT = (
    "On discord.com/developers, at your application under Bot, switch on 'Message Content Intent'."
)


@contextmanager
def faults() -> Generator[None]:
    """Around calls of discord.py: raises `PlatformDown`, `PlatformRefused` or `SendRefused`."""
    try:
        yield
    except HermesError:
        raise
    except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
        raise translated(error) from error


def translated(error: BaseException) -> HermesError:
    """The error that the gateway understands. Texts of Discord are told, tokens never are."""
    match error:
        case discord.LoginFailure():
            return PlatformRefused("Discord refuses the token.", hint=BOT_HINT)
        case discord.ConnectionClosed(code=code):
            return _closed(code)
        case discord.RateLimited(retry_after=seconds):
            return PlatformDown("Discord asks to wait.", retry_after=seconds)
        case discord.HTTPException():
            return _answered(error)
        case _:
            return PlatformDown(f"Discord cannot be reached: {type(error).__name__}.")


def _closed(code: int) -> HermesError:
    """https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes"""
    if code == 4004:
        return PlatformRefused("Discord refuses the token.", hint=BOT_HINT)
    if code == 4014:
        return PlatformRefused(
            "Discord does not let this bot read what is written.", hint=INTENT_HINT
        )
    if code in (4010, 4011, 4012, 4013):
        return PlatformRefused(f"Discord refuses the connection for good (code {code}).")
    return PlatformDown(f"Discord closed the connection (code {code}).")


def _answered(error: "discord.HTTPException") -> HermesError:
    said = f"{error.status} {error.text}".strip()[:200]
    if error.status == 429:
        after = error.response.headers.get("Retry-After", "")
        seconds = float(after) if after.replace(".", "", 1).isdigit() else None
        return PlatformDown("Discord asks to wait.", retry_after=seconds)
    if error.status >= 500 or error.status == 408:
        return PlatformDown(f"Discord answers {said}.")
    if error.status == 401:
        return PlatformRefused("Discord refuses the token.", hint=BOT_HINT)
    if error.code == UNKNOWN_MESSAGE:
        return MessageGone("The message does not exist any more.")
    return SendRefused(f"Discord does not take it: {said}.")
