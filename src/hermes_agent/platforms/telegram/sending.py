"""Sending and editing: https://core.telegram.org/bots/api#sendmessage."""

import contextlib
import re
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from hermes_agent.domain.chats import Button, Post, Target
from hermes_agent.platforms.base import MessageGone
from hermes_agent.platforms.telegram.client import Client, Refused
from hermes_agent.platforms.telegram.configuration import Configuration
from hermes_agent.platforms.telegram.uploads import Upload, sort
from hermes_agent.platforms.telegram.wire import Raw, Sent

MAX_CAPTION = 1024
MAX_LABEL = 64
REMEMBERED = 256

_GONE = ("message to edit not found", "message can't be edited", "message_id_invalid")
_UNFIT = ("image_process_failed", "photo_", "wrong file", "voice_messages_forbidden", "wrong type")
_NUMBER = re.compile(r"-?[0-9]{1,19}")


class Sender:
    """Sends for one bot."""

    def __init__(self, client: Client, configuration: Configuration) -> None:
        self._client = client
        self._previews = configuration.link_previews
        self._quotes = configuration.quotes
        self._moved: dict[str, int] = {}
        self._progress: OrderedDict[str, list[str]] = OrderedDict()

    async def send(self, target: Target, post: Post, key: str) -> str:
        """See `Platform.send`. What was already sent of a post of several messages is not sent
        again when the rest is tried again."""
        groups, notes = sort(post.attachments)
        captioned = len(groups) == 1 and _is_caption(post, groups[0])
        silent = captioned or not (post.text or post.plain)
        texts = [Post(plain=note) for note in notes]
        if not silent or not (groups or notes):
            texts.insert(0, post)
        done = self._done(key)
        for step, text in enumerate(texts):
            if len(done) == step:
                done.append(await self._text(target, text))
        for step, group in enumerate(groups, len(texts)):
            if len(done) == step:
                caption = post if captioned else None
                given = self._place(target, post, quoting=silent)
                done.append(await self._files(target, group, caption, given))
        self._progress.pop(key, None)
        return done[-1]

    async def edit(self, target: Target, message_id: str, post: Post) -> None:
        """See `Platform.edit`."""
        if not message_id.isdecimal():
            raise MessageGone(f"Telegram has no message '{message_id[:40]}'.")
        given: dict[str, object] = {
            "message_id": int(message_id),
            "link_preview_options": self._preview(),
            "reply_markup": _keyboard(post.buttons),
        }
        try:
            await self._formatted("editMessageText", target, "text", post, given)
        except Refused as error:
            if error.says("message is not modified"):
                return
            if error.says("there is no text in the message"):
                await self._formatted("editMessageCaption", target, "caption", post, given)
            elif error.says(*_GONE):
                raise MessageGone(str(error)) from error
            else:
                raise

    async def call(self, method: str, target: Target, **given: object) -> None:
        """Any other method about a chat."""
        await self._at(method, target, Raw, given)

    async def _text(self, target: Target, post: Post) -> str:
        given = self._place(target, post, quoting=True)
        given["link_preview_options"] = self._preview()
        given["reply_markup"] = _keyboard(post.buttons)
        return await self._formatted("sendMessage", target, "text", post, given)

    async def _formatted(
        self,
        method: str,
        target: Target,
        field: str,
        post: Post,
        given: Mapping[str, object],
    ) -> str:
        """With Telegram's HTML, or without any when Telegram cannot read it."""
        if post.text:
            marked = {field: post.text, "parse_mode": "HTML"}
            try:
                return await self._message(method, target, {**given, **marked})
            except Refused as error:
                if not error.says("can't parse entities"):
                    raise
        return await self._message(method, target, {**given, field: post.plain or post.text})

    async def _files(
        self, target: Target, group: list[Upload], post: Post | None, given: Mapping[str, object]
    ) -> str:
        try:
            return await self._group(target, group, post, given)
        except Refused as error:
            if error.code != 400 or not error.says(*_UNFIT):
                raise
        # What Telegram cannot show it still delivers.
        group = [Upload("document", each.attachment) for each in group]
        return await self._group(target, group, post, given)

    async def _group(
        self, target: Target, group: list[Upload], post: Post | None, given: Mapping[str, object]
    ) -> str:
        caption: dict[str, object] = {}
        if post is not None and (post.text or post.plain):
            caption = {"caption": post.text or post.plain}
            if post.text:
                caption["parse_mode"] = "HTML"
        try:
            return await self._upload(target, group, caption, given)
        except Refused as error:
            if post is None or not error.says("can't parse entities"):
                raise
        return await self._upload(target, group, {"caption": post.plain or post.text}, given)

    async def _upload(
        self,
        target: Target,
        group: list[Upload],
        caption: Mapping[str, object],
        given: Mapping[str, object],
    ) -> str:
        with contextlib.ExitStack() as opened:
            files = {
                f"file{number}": _part(each, opened.enter_context(_open(each)))
                for number, each in enumerate(group)
            }
            if len(group) == 1:
                (each,) = group
                return await self._message(
                    f"send{each.form.capitalize()}",
                    target,
                    {**given, **caption, each.form: "attach://file0"},
                    files,
                )
            media: list[dict[str, object]] = [
                {"type": each.form, "media": f"attach://file{number}"}
                for number, each in enumerate(group)
            ]
            media[0] |= caption
            sent = await self._at(
                "sendMediaGroup", target, list[Sent], {**given, "media": media}, files
            )
            return str(sent[-1].message_id)

    async def _message(
        self,
        method: str,
        target: Target,
        given: Mapping[str, object],
        files: Mapping[str, Any] | None = None,
    ) -> str:
        sent = await self._at(method, target, Sent, given, files)
        return str(sent.message_id)

    async def _at(
        self,
        method: str,
        target: Target,
        result: type[Any],
        given: Mapping[str, object],
        files: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call at the target's chat, or where that has moved to."""
        chat = self._moved.get(target.chat_id) or _chat(target)
        try:
            return await self._client.call(method, result, {**given, "chat_id": chat}, files=files)
        except Refused as error:
            moved = error.parameters.migrate_to_chat_id
            if moved is None or moved == chat:
                raise
        self._moved[target.chat_id] = moved
        for _, file, _ in (files or {}).values():
            file.seek(0)
        return await self._client.call(method, result, {**given, "chat_id": moved}, files=files)

    def _place(self, target: Target, post: Post, *, quoting: bool) -> dict[str, object]:
        quotes = post.quotes if quoting and self._quotes else None
        reply = (
            {"message_id": int(quotes), "allow_sending_without_reply": True}
            if quotes is not None and quotes.isdecimal()
            else None
        )
        thread = target.thread_id
        return {
            "message_thread_id": int(thread) if thread and thread.isdecimal() else None,
            "reply_parameters": reply,
        }

    def _preview(self) -> dict[str, bool] | None:
        return None if self._previews else {"is_disabled": True}

    def _done(self, key: str) -> list[str]:
        done = self._progress.setdefault(key, [])
        while len(self._progress) > REMEMBERED:
            self._progress.popitem(last=False)
        return done


def _chat(target: Target) -> int | str:
    return int(target.chat_id) if _NUMBER.fullmatch(target.chat_id) else target.chat_id


def _keyboard(buttons: tuple[Button, ...]) -> dict[str, object] | None:
    if not buttons:
        return None
    row = [{"text": each.label[:MAX_LABEL] or "?", "callback_data": each.value} for each in buttons]
    return {"inline_keyboard": [row]}


def _is_caption(post: Post, group: list[Upload]) -> bool:
    """Whether the text can stand below the files, in one message with them."""
    if post.buttons or group[0].form == "sticker":
        return False
    return len((post.plain or post.text).encode("utf-16-le", "surrogatepass")) // 2 <= MAX_CAPTION


def _open(upload: Upload) -> IO[bytes]:
    return Path(upload.attachment.path).open("rb")


def _part(upload: Upload, file: IO[bytes]) -> tuple[str, IO[bytes], str]:
    attachment = upload.attachment
    name = "".join(c for c in attachment.name if c.isprintable()) or Path(attachment.path).name
    kind = attachment.media_type if attachment.media_type.isprintable() else ""
    return name, file, kind or "application/octet-stream"
