"""A fake of Telegram's Bot API on loopback: https://core.telegram.org/bots/api."""

from tests.servers.telegram.server import BotApi
from tests.servers.telegram.world import ApiError, World

__all__ = ["ApiError", "BotApi", "World"]
