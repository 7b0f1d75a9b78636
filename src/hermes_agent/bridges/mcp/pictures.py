"""Pictures that a server sends, as far as models can see them."""

import base64
import binascii
import hashlib

from hermes_agent.domain.messages import Image
from hermes_agent.tools.images import image_kind

MOST_PICTURES = 8
MOST_BYTES = 5 * 2**20
"""Of one picture; vendors take no larger ones."""
MOST_TOGETHER = 16 * 2**20
_SEEN = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WebP": "image/webp"}


class Pictures:
    """Those of one result. What a picture is shows in its first bytes: servers are often wrong
    about it, and a vendor refuses the whole request for that."""

    def __init__(self) -> None:
        self._taken: list[Image] = []
        self._known: set[str] = set()
        self._size = 0

    @property
    def taken(self) -> tuple[Image, ...]:
        """In the order in which they came, each once."""
        return tuple(self._taken)

    def take(self, coded: str, said: str | None) -> str:
        """What stands in its place in the text; `said` is the media type that the server names."""
        name = f"picture, {(said or 'no type')[:100]}"
        if len(coded) > MOST_BYTES * 4 // 3 + 4:
            return f"[{name}, larger than {MOST_BYTES // 2**20} MB, not shown]"
        try:
            data = base64.b64decode(coded, validate=True)
        except (binascii.Error, ValueError):
            return f"[{name}, damaged, not shown]"
        media_type = _SEEN.get(image_kind(data) or "")
        if media_type is None:
            return f"[{name}, {len(data):,} bytes, of a kind that cannot be shown]"
        return self._keep(Image(media_type=media_type, data=data))

    def _keep(self, image: Image) -> str:
        size = f"{len(image.data):,} bytes"
        mark = hashlib.sha256(image.data).hexdigest()
        if mark in self._known:
            return f"[picture, {image.media_type}, {size}, the same as before]"
        together = self._size + len(image.data)
        if len(self._taken) == MOST_PICTURES or together > MOST_TOGETHER:
            return f"[picture, {image.media_type}, {size}, one too many, not shown]"
        self._known.add(mark)
        self._size = together
        self._taken.append(image)
        return f"[picture {len(self._taken)}, {image.media_type}, {size}, attached]"
