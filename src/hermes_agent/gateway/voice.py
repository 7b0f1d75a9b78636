"""Voice in chats: what is said in voice messages, and answers that are spoken too."""

import asyncio
import logging
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from hermes_agent.delivery.capabilities import Capabilities
from hermes_agent.delivery.render import render
from hermes_agent.domain.chats import Attachment, Inbound, Outgoing, Post
from hermes_agent.domain.errors import HermesError
from hermes_agent.ledger.port import Claim
from hermes_agent.providers.audio import Audio, write_private

SPOKEN_PART = 900_000_000
"""The part of the spoken answer: behind all parts of the written one."""
DAY = 86400.0
MODES = {
    "on": "voice_only",
    "voice_only": "voice_only",
    "all": "all",
    "tts": "all",
    "off": "",
}
"""What people write after /voice, and the mode that it chooses."""

_PLAIN = Capabilities(max_length=4000)
_log = logging.getLogger(__name__)


class Voice:
    """`folder` keeps spoken answers until they are sent."""

    def __init__(self, audio: Audio, folder: Path) -> None:
        self._audio = audio
        self._folder = folder

    async def heard(self, inbound: Inbound) -> str:
        """A line for each voice message: its words, or why there are none."""
        lines: list[str] = []
        for each in inbound.attachments:
            if each.kind not in ("voice", "audio"):
                continue
            try:
                said = await self._audio.transcribe(Path(each.path))
                lines.append(f'[{each.kind} message: "{said}"]')
            except HermesError as error:
                lines.append(f"[{each.kind} message, not understood: {error.message}]")
        return "\n".join(lines)

    async def spoken(
        self, claim: Claim, text: str, mode: str, capabilities: Capabilities
    ) -> Sequence[Outgoing]:
        """The answer as a voice message, where the mode asks for it and the platform takes it."""
        inbound = claim.inbound
        by_voice = any(each.kind in ("voice", "audio") for each in inbound.attachments)
        if not text or not mode or (mode == "voice_only" and not by_voice):
            return ()
        if "voice" not in capabilities.media:
            return ()
        posts = render(text, _PLAIN, numbered=False)
        try:
            data = await self._audio.speak(posts[0].plain if posts else text)
            path = await asyncio.to_thread(write_private, self._folder, f"{claim.turn}.ogg", data)
        except (HermesError, OSError) as error:
            _log.warning("an answer was not spoken: %s", error)
            return ()
        sound = Attachment(
            kind="voice", path=str(path), name="answer.ogg", media_type="audio/ogg", size=len(data)
        )
        post = Post(attachments=(sound,))
        target = inbound.origin.target
        return (Outgoing(turn=claim.turn, part=SPOKEN_PART, target=target, post=post),)

    def prune(self) -> None:
        """Forget what was spoken more than a day ago."""
        if not self._folder.is_dir():
            return
        for path in self._folder.glob("in-*.ogg"):
            try:
                if time.time() - path.stat().st_mtime > DAY:
                    path.unlink()
            except OSError:
                continue


def with_words(inbound: Inbound, words: str) -> Inbound:
    """The message with what was said in it."""
    return msgspec.structs.replace(inbound, text=f"{inbound.text}\n{words}".strip())
