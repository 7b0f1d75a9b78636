"""The HTML of Matrix's `formatted_body`: only tags and attributes that the specification names
(client-server API, `m.room.message`, "suggested HTML")."""

from hermes_agent.delivery.dialects.markup import Markup

MATRIX = Markup(
    tags={
        "bold": "strong",
        "italic": "em",
        "underline": "u",
        "strike": "del",
        "spoiler": "span data-mx-spoiler",
        "code": "code",
    },
    styles={},
    schemes=("http", "https", "ftp", "mailto", "magnet"),
)
