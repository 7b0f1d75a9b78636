"""Messages, edits, reactions to Discord."""

import asyncio
import contextlib
import hashlib
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from hermes_agent.domain.chats import Attachment, Button, Post, Target
from hermes_agent.platforms.base import PlatformDown, SendRefused
from hermes_agent.platforms.discord.faults import TOO_LARGE, faults
from hermes_agent.platforms.discord.library import discord

MAX_FILES = 10
PER_ROW = 5
MAX_BUTTONS = 25
TIMEOUT = 90.0


async def send(
    client: "discord.Client", target: Target, post: Post, key: str, max_upload: int
) -> str:
    """Send; the id of the last message. Files are spread over as many messages as they need."""
    channel = _channel(client, target)
    quotes = post.quotes if post.quotes != target.thread_id else None
    batches = _batches(post.attachments)
    last = ""
    for number, batch in enumerate(batches):
        first = number == 0
        last = await _send_one(
            channel,
            post.text if first else "",
            batch,
            buttons=post.buttons if number == len(batches) - 1 else (),
            quotes=quotes if first else None,
            nonce=nonce(key, number),
            max_upload=max_upload,
        )
    return last


async def edit(
    client: "discord.Client", target: Target, message_id: str, post: Post, max_upload: int
) -> None:
    """Replace text, buttons and, where there are new ones, files."""
    message = _channel(client, target).get_partial_message(_id(message_id))
    files, notes = await asyncio.to_thread(_opened, post.attachments[:MAX_FILES], max_upload)
    text = _with_notes(post.text, notes)
    view = _view(post.buttons)
    with faults(), _closing(files):
        async with asyncio.timeout(TIMEOUT):
            if files:
                await message.edit(content=text, view=view, attachments=files)
            else:
                await message.edit(content=text, view=view)


async def react(client: "discord.Client", target: Target, message_id: str, emoji: str) -> None:
    """React with this one alone, or take it back."""
    # The message that a thread hangs on has its id, and stands in the channel.
    on_thread = message_id == target.thread_id
    place = Target(platform=target.platform, chat_id=target.chat_id) if on_thread else target
    channel = _channel(client, place)
    with faults():
        async with asyncio.timeout(TIMEOUT):
            message = await channel.fetch_message(_id(message_id))
            for each in message.reactions:
                if each.me and str(each.emoji) != emoji and client.user is not None:
                    await message.remove_reaction(each.emoji, client.user)
            if emoji:
                await message.add_reaction(emoji)


async def typing(client: "discord.Client", target: Target) -> None:
    """Show that we write. Raises nothing."""
    with contextlib.suppress(PlatformDown, SendRefused):
        channel = _channel(client, target)
        with faults():
            async with asyncio.timeout(5):
                await client.http.send_typing(channel.id)


def nonce(key: str, number: int) -> str:
    """Discord takes one message for each nonce, of at most 25 characters."""
    return hashlib.sha256(f"{key}.{number}".encode()).hexdigest()[:25]


async def _send_one(
    channel: "discord.PartialMessageable",
    text: str,
    attachments: Sequence[Attachment],
    *,
    buttons: tuple[Button, ...],
    quotes: str | None,
    nonce: str,
    max_upload: int,
) -> str:
    files, notes = await asyncio.to_thread(_opened, attachments, max_upload)
    try:
        return await _post(channel, _with_notes(text, notes), files, buttons, quotes, nonce)
    except SendRefused as error:
        cause = error.__cause__
        large = isinstance(cause, discord.HTTPException) and (
            cause.status == 413 or cause.code == TOO_LARGE
        )
        if not files or not large:
            raise
    notes += [f"[the file {each.filename} is too large for Discord]" for each in files]
    return await _post(channel, _with_notes(text, notes), [], buttons, quotes, nonce)


async def _post(
    channel: "discord.PartialMessageable",
    text: str,
    files: "list[discord.File]",
    buttons: tuple[Button, ...],
    quotes: str | None,
    nonce: str,
) -> str:
    given: dict[str, Any] = {"nonce": nonce, "files": files}
    if text:
        given["content"] = text
    if buttons:
        given["view"] = _view(buttons)
    if quotes is not None and quotes.isdigit():
        given["reference"] = discord.MessageReference(
            message_id=int(quotes), channel_id=channel.id, fail_if_not_exists=False
        )
    with faults(), _closing(files):
        async with asyncio.timeout(TIMEOUT):
            sent = await channel.send(**given)
    return str(sent.id)


def _channel(client: "discord.Client", target: Target) -> "discord.PartialMessageable":
    return client.get_partial_messageable(_id(target.thread_id or target.chat_id))


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise SendRefused(f"{text[:40]!r} is no id of Discord's.")
    return int(text)


def _batches(attachments: tuple[Attachment, ...]) -> list[tuple[Attachment, ...]]:
    return [
        attachments[start : start + MAX_FILES]
        for start in range(0, max(len(attachments), 1), MAX_FILES)
    ]


def _opened(
    attachments: Sequence[Attachment], max_upload: int
) -> "tuple[list[discord.File], list[str]]":
    """Files to send, and a line for each that cannot be."""
    files: list[discord.File] = []
    notes: list[str] = []
    for each in attachments:
        path = Path(each.path)
        name = each.name or path.name
        try:
            if path.stat().st_size > max_upload:
                notes.append(f"[the file {name} is too large for Discord]")
            else:
                files.append(discord.File(path, filename=name))
        except OSError as error:
            notes.append(f"[the file {name} cannot be sent: {error.strerror}]")
    return files, notes


@contextlib.contextmanager
def _closing(files: "list[discord.File]") -> Generator[None]:
    try:
        yield
    finally:
        for each in files:
            each.close()


def _with_notes(text: str, notes: list[str]) -> str:
    return "\n".join((*((text,) if text else ()), *notes))


def _view(buttons: tuple[Button, ...]) -> "discord.ui.View | None":
    if not buttons:
        return None
    view = discord.ui.View(timeout=None)
    for number, button in enumerate(buttons[:MAX_BUTTONS]):
        item: discord.ui.Button[discord.ui.View] = discord.ui.Button(
            label=button.label[:80], custom_id=button.value[:100], row=number // PER_ROW
        )
        view.add_item(item)
    # A view that goes on would be kept; presses come to us as they are.
    view.stop()
    return view
