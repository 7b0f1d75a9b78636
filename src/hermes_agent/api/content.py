"""What clients may put into a message: text and pictures, in OpenAI's two dialects of parts."""

import base64
import binascii
from collections.abc import Sequence
from typing import Literal

import msgspec

from hermes_agent.api.refusal import Refusal
from hermes_agent.domain.messages import Image

MAX_IMAGES = 16
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")


class ImageUrl(msgspec.Struct, frozen=True):
    """A picture as a `data:` URL."""

    url: str
    detail: str | None = None


class TextPart(msgspec.Struct, frozen=True, tag="text"):
    """Words (chat completions)."""

    text: str


class ImagePart(msgspec.Struct, frozen=True, tag="image_url"):
    """A picture (chat completions)."""

    image_url: ImageUrl


class InputText(msgspec.Struct, frozen=True, tag="input_text"):
    """Words of the person (responses)."""

    text: str


class OutputText(msgspec.Struct, frozen=True, tag="output_text"):
    """Words of the model (responses)."""

    text: str


class InputImage(msgspec.Struct, frozen=True, tag="input_image"):
    """A picture (responses)."""

    image_url: str


Part = TextPart | ImagePart | InputText | OutputText | InputImage
ChatPart = TextPart | ImagePart
Role = Literal["system", "developer", "user", "assistant"]


class Turned(msgspec.Struct, frozen=True):
    """One message of a request, read: its words and its pictures."""

    role: Role
    text: str
    images: tuple[Image, ...] = ()


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message. System messages hold for this request only."""

    role: Role
    content: str | list[ChatPart] | None = None
    name: str | None = None


class InputMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a response's input."""

    role: Role
    content: str | list[Part]
    type: Literal["message"] = "message"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says: the person's words now, what was said before, what holds for now."""

    text: str
    images: tuple[Image, ...]
    before: tuple[Turned, ...]
    overlay: str


def read_messages(messages: Sequence[ChatMessage | InputMessage], param: str) -> Asked:
    """Take a list of messages apart. Raises `Refusal` that names the place."""
    read = [_read(message, f"{param}[{number}].content") for number, message in enumerate(messages)]
    overlay = "\n\n".join(
        each.text for each in read if each.role in ("system", "developer") and each.text
    )
    spoken = [each for each in read if each.role in ("user", "assistant")]
    if not spoken or spoken[-1].role != "user":
        raise Refusal(
            400, "The last message must be the user's.", param=param, code="invalid_value"
        )
    last = spoken[-1]
    if not last.text.strip() and not last.images:
        raise Refusal(400, "The user's last message is empty.", param=param, code="invalid_value")
    before = tuple(each for each in spoken[:-1] if each.text or each.images)
    return Asked(text=last.text, images=last.images, before=before, overlay=overlay)


def _read(message: ChatMessage | InputMessage, param: str) -> Turned:
    content = message.content
    if content is None:
        content = ""
    if isinstance(content, str):
        return Turned(message.role, content)
    words: list[str] = []
    images: list[Image] = []
    for number, part in enumerate(content):
        match part:
            case ImagePart():
                images.append(_picture(part.image_url.url, f"{param}[{number}].image_url.url"))
            case InputImage():
                images.append(_picture(part.image_url, f"{param}[{number}].image_url"))
            case _:
                words.append(part.text)
    if images and message.role != "user":
        raise Refusal(400, "Only the user shows pictures.", param=param, code="invalid_value")
    if len(images) > MAX_IMAGES:
        raise Refusal(
            400, f"At most {MAX_IMAGES} pictures in a message.", param=param, code="invalid_value"
        )
    return Turned(message.role, "\n".join(words), tuple(images))


def _picture(url: str, param: str) -> Image:
    head, comma, data = url.partition(",")
    kind, _, encoding = head.removeprefix("data:").rpartition(";")
    if not url.startswith("data:") or not comma:
        raise Refusal(
            400,
            "Pictures come as data URLs (data:image/png;base64,…); addresses are not fetched.",
            param=param,
            code="unsupported_image",
        )
    kind = kind.partition(";")[0].lower()
    if encoding != "base64" or kind not in PICTURES:
        raise Refusal(
            400,
            f"A picture is base64 of {', '.join(PICTURES)}.",
            param=param,
            code="unsupported_image",
        )
    try:
        decoded = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if not decoded:
        raise Refusal(
            400, "The picture is not valid base64.", param=param, code="unsupported_image"
        )
    return Image(media_type=kind, data=decoded)
