"""Speech to text and text to speech, over the endpoints that OpenAI defined and others share.

https://platform.openai.com/docs/api-reference/audio
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from hermes_agent.config.load import Loaded
from hermes_agent.config.secret import Secret
from hermes_agent.domain.errors import ConfigError, HermesError

if TYPE_CHECKING:
    import httpx2

MAX_BYTES = 25 * 2**20
MAX_CHARACTERS = 4000
SECONDS = 120.0
OPENAI = "https://api.openai.com/v1"
GROQ = "https://api.groq.com/openai/v1"


class AudioFault(HermesError):
    """Speech could not be understood or made."""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One service: its address up to `/v1`, its key, its model."""

    url: str
    key: Secret
    model: str
    voice: str = ""


class Audio:
    """What is configured. `connect` gives the process's HTTP client."""

    def __init__(self, loaded: Loaded, connect: Callable[[], "httpx2.AsyncClient"]) -> None:
        self._loaded = loaded
        self._connect = connect

    async def transcribe(self, path: Path) -> str:
        """What is said in the file. Raises `ConfigError` where nothing is configured for it, and
        `AudioFault`."""
        endpoint = self.listener()
        try:
            data = await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            raise AudioFault(f"{path.name} cannot be read: {error.strerror}.") from error
        if len(data) > MAX_BYTES:
            raise AudioFault(f"{path.name} is larger than {MAX_BYTES // 2**20} MB.")
        answer = await self._ask(
            endpoint,
            "/audio/transcriptions",
            data={"model": endpoint.model, "response_format": "json"},
            files={"file": (path.name, data)},
        )
        try:
            return str(msgspec.json.decode(answer, type=dict[str, object])["text"]).strip()
        except (msgspec.DecodeError, KeyError) as error:
            raise AudioFault("The service's answer holds no transcript.") from error

    async def speak(self, text: str) -> bytes:
        """The text as Ogg with Opus. Raises `ConfigError`, `AudioFault`."""
        endpoint = self.speaker()
        answer = await self._ask(
            endpoint,
            "/audio/speech",
            json={
                "model": endpoint.model,
                "voice": endpoint.voice,
                "input": text[:MAX_CHARACTERS],
                "response_format": "opus",
            },
        )
        if not answer:
            raise AudioFault("The service gave no sound.")
        return answer

    def listener(self) -> Endpoint:
        """Who understands speech. Raises `ConfigError`."""
        stt, environ = self._loaded.config.stt, self._loaded.environ
        if not stt.enabled:
            raise ConfigError("stt.enabled is off.")
        if stt.provider == "openai":
            return Endpoint(
                url=self._openai("STT_OPENAI_BASE_URL"),
                key=self._key("VOICE_TOOLS_OPENAI_KEY", "OPENAI_API_KEY"),
                model=environ.get("STT_OPENAI_MODEL") or stt.openai.model,
            )
        if stt.provider == "groq":
            return Endpoint(
                url=environ.get("GROQ_BASE_URL") or GROQ,
                key=self._key("GROQ_API_KEY"),
                model=environ.get("STT_GROQ_MODEL") or "whisper-large-v3-turbo",
            )
        raise ConfigError(
            f"Speech is not understood with stt.provider {stt.provider} in this version.",
            hint="hermes config set stt.provider openai (or groq)",
        )

    def speaker(self) -> Endpoint:
        """Who speaks. Raises `ConfigError`."""
        tts = self._loaded.config.tts
        if tts.provider == "openai":
            return Endpoint(
                url=self._openai("TTS_OPENAI_BASE_URL"),
                key=self._key("VOICE_TOOLS_OPENAI_KEY", "OPENAI_API_KEY"),
                model=tts.openai.model,
                voice=tts.openai.voice,
            )
        raise ConfigError(
            f"Nothing is spoken with tts.provider {tts.provider} in this version.",
            hint="hermes config set tts.provider openai",
        )

    def _openai(self, variable: str) -> str:
        """The address; a key for speech alone never goes to the server of the language models."""
        environ = self._loaded.environ
        if named := environ.get(variable, "").strip():
            return named
        own_key = environ.get("VOICE_TOOLS_OPENAI_KEY", "").strip()
        return OPENAI if own_key else environ.get("OPENAI_BASE_URL", "").strip() or OPENAI

    def _key(self, *names: str) -> Secret:
        for name in names:
            if value := self._loaded.environ.get(name, "").strip():
                return Secret(value)
        raise ConfigError("There is no key for speech.", hint=f"Set {names[0]} in .env.")

    async def _ask(self, endpoint: Endpoint, path: str, **content: object) -> bytes:
        import httpx2

        try:
            answer = await self._connect().post(
                endpoint.url.rstrip("/") + path,
                headers={"Authorization": f"Bearer {endpoint.key.reveal()}"},
                timeout=SECONDS,
                **content,  # pyright: ignore[reportArgumentType]  json, or data and files
            )
        except httpx2.HTTPError as error:
            raise AudioFault(f"The service for speech cannot be reached: {error}") from error
        if answer.status_code != 200:
            raise AudioFault(f"The service for speech refused with status {answer.status_code}.")
        return answer.content


def write_private(folder: Path, name: str, data: bytes) -> Path:
    """A new file that only its owner can read."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    return path
