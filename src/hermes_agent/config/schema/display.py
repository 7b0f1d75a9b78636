"""What the person sees and hears."""
# ruff: noqa: RUF012  msgspec gives every instance a fresh copy of an empty default

from typing import Literal

from hermes_agent.config.schema.types import Count, Open, Seconds, Section


class Display(Section, frozen=True, kw_only=True):
    """The terminal chat."""

    compact: bool = False
    """Less decoration."""
    personality: str = "kawaii"
    """The personality that colours the agent's answers; none for none."""
    resume_display: Literal["full", "minimal"] = "full"
    """How much of a resumed session is shown."""
    bell_on_complete: bool = False
    """Ring the terminal bell when a turn ends."""
    show_reasoning: bool = False
    """Show the model's thinking."""
    streaming: bool = False
    """Show answers as they come in chat apps too; the terminal always does."""
    show_cost: bool = False
    """Show what the session cost."""
    skin: str = "default"
    """Colours and words of the terminal chat."""
    tool_progress: Literal["off", "new", "all", "verbose"] = "all"
    """Which tool calls are shown."""
    background_process_notifications: Literal["all", "result", "error", "off"] = "all"
    """What is told of background processes."""
    busy_input_mode: Literal["interrupt", "queue", "steer"] = "steer"
    """What typing does while the agent works."""


class EdgeTts(Section, frozen=True, kw_only=True):
    """Microsoft Edge voices."""

    voice: str = "en-US-AriaNeural"
    """The voice's name."""


class ElevenLabsTts(Section, frozen=True, kw_only=True):
    """ElevenLabs voices."""

    voice_id: str = ""
    """The voice's id."""
    model_id: str = ""
    """The model's id."""


class OpenAiTts(Section, frozen=True, kw_only=True):
    """OpenAI voices."""

    model: str = "gpt-4o-mini-tts"
    """The model's name."""
    voice: str = "alloy"
    """The voice's name."""


class NeuTts(Section, frozen=True, kw_only=True):
    """NeuTTS on this machine."""

    ref_audio: str = ""
    """Recording of the voice to imitate."""
    ref_text: str = ""
    """What is said in it."""
    model: str = ""
    """The model's name."""
    device: str = "cpu"
    """Where it computes."""


class Tts(Section, frozen=True, kw_only=True):
    """Speech from text."""

    provider: Literal["edge", "elevenlabs", "openai", "neutts"] = "edge"
    """Who speaks."""
    edge: EdgeTts = EdgeTts()
    """Microsoft Edge voices."""
    elevenlabs: ElevenLabsTts = ElevenLabsTts()
    """ElevenLabs voices."""
    openai: OpenAiTts = OpenAiTts()
    """OpenAI voices."""
    neutts: NeuTts = NeuTts()
    """NeuTTS on this machine."""


class LocalStt(Section, frozen=True, kw_only=True):
    """Whisper on this machine."""

    model: str = "base"
    """The model's size."""


class OpenAiStt(Section, frozen=True, kw_only=True):
    """OpenAI transcription."""

    model: str = "whisper-1"
    """The model's name."""


class Stt(Section, frozen=True, kw_only=True):
    """Text from speech."""

    enabled: bool = True
    """Transcribe voice messages."""
    provider: Literal["local", "local_command", "groq", "openai"] = "local"
    """Who transcribes."""
    local: LocalStt = LocalStt()
    """Whisper on this machine."""
    openai: OpenAiStt = OpenAiStt()
    """OpenAI transcription."""


class Voice(Section, frozen=True, kw_only=True):
    """Talking in the terminal chat."""

    record_key: str = "ctrl+b"
    """The key that starts and ends a recording."""
    max_recording_seconds: Seconds = 120
    """Longest recording in seconds."""
    auto_tts: bool = False
    """Speak every answer."""
    silence_threshold: Count = 200
    """Loudness below which it is silent."""
    silence_duration: Seconds = 3.0
    """Seconds of silence that end a recording."""


class HumanDelay(Section, frozen=True, kw_only=True):
    """Pauses between messages in chat apps, as a person would make."""

    mode: Literal["off", "natural", "custom"] = "off"
    """natural picks pauses by itself; custom uses min_ms and max_ms."""
    min_ms: Count = 800
    """Shortest pause in milliseconds."""
    max_ms: Count = 2500
    """Longest pause in milliseconds."""


class QuickCommand(Section, frozen=True, kw_only=True):
    """A slash command of one's own."""

    type: Literal["exec", "alias"]
    """exec runs a shell command; alias stands for another slash command."""
    command: str = ""
    """What exec runs."""
    target: str = ""
    """What alias stands for."""


class Lsp(Section, frozen=True, kw_only=True):
    """Language servers."""

    enabled: bool = False
    """Use language servers to check edits."""
    servers: Open = {}
    """Language servers by language."""
