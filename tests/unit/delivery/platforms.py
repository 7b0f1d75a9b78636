"""Capabilities such as the adapters declare."""

from hermes_agent.delivery.capabilities import Capabilities

TELEGRAM = Capabilities(
    dialect="telegram",
    max_length=4096,
    unit="utf16",
    edits=True,
    edit_interval=1.0,
    media=frozenset({"image", "voice", "audio", "video", "document"}),
    max_media=2,
)
DISCORD = Capabilities(
    dialect="discord", max_length=2000, edits=True, media=frozenset({"document"}), max_media=10
)
MATRIX = Capabilities(dialect="matrix", max_length=4000, edits=True)
EMAIL = Capabilities(
    dialect="email", max_length=50_000, media=frozenset({"document"}), max_media=20
)
IRC = Capabilities(dialect="irc", max_length=400, unit="bytes")
PLAIN = Capabilities(max_length=1600)

ALL = (TELEGRAM, DISCORD, MATRIX, EMAIL, IRC, PLAIN)
