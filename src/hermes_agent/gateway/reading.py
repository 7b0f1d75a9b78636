"""What the model gets to read and see of a message from a chat."""

import asyncio
from pathlib import Path

from hermes_agent.domain.chats import Inbound
from hermes_agent.domain.messages import Image
from hermes_agent.policy.admission.people import shown_name

IMAGE_BYTES = 5 * 2**20


def words(inbound: Inbound, text: str, note: str) -> str:
    """What the model gets to read: who speaks in a group, what is quoted, which files came."""
    parts: list[str] = []
    if inbound.quoted:
        quoted = "\n".join(f"> {line}" for line in inbound.quoted[:2000].splitlines())
        parts.append(quoted)
    if inbound.origin.chat_type != "dm" and inbound.origin.user_name:
        # A name can be chosen by anyone: it must not be able to begin another speaker's line.
        name = shown_name(inbound.origin.user_name).replace("[", "(").replace("]", ")")
        text = f"[{name}] {text}"
    parts.append(text)
    for each in inbound.attachments:
        named = f" ({shown_name(each.name)})" if each.name else ""
        parts.append(f"[{each.kind} received: {each.path}{named}]")
    if note:
        parts.append(note)
    return "\n\n".join(part for part in parts if part) or "(no text)"


async def pictures(inbound: Inbound) -> tuple[tuple[Image, ...], str]:
    """The images as the model sees them; a note on those that it cannot see."""
    images: list[Image] = []
    unseen = 0
    for each in inbound.attachments:
        if each.kind != "image":
            continue
        if each.size > IMAGE_BYTES or not each.media_type.startswith("image/"):
            unseen += 1
            continue
        try:
            data = await asyncio.to_thread(Path(each.path).read_bytes)
        except OSError:
            unseen += 1
            continue
        images.append(Image(media_type=each.media_type, data=data))
    note = f"[{unseen} image(s) could not be shown to you]" if unseen else ""
    return tuple(images), note
