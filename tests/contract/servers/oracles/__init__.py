"""The vendors' own clients, asked the same question and reporting what they understood."""

from collections.abc import Callable

from tests.contract.servers.oracles.anthropic import Anthropic, AnthropicStream
from tests.contract.servers.oracles.chat import Chat, ChatStream
from tests.contract.servers.oracles.gemini import Gemini, GeminiStream
from tests.contract.servers.oracles.heard import Heard, Oracle
from tests.contract.servers.oracles.responses import Responses, ResponsesStream
from tests.servers.model import ModelServer

__all__ = ["ORACLES", "Heard", "Oracle"]

ORACLES: dict[str, Callable[[ModelServer], Oracle]] = {
    "chat": Chat,
    "chat-stream": ChatStream,
    "responses": Responses,
    "responses-stream": ResponsesStream,
    "anthropic": Anthropic,
    "anthropic-stream": AnthropicStream,
    "gemini": Gemini,
    "gemini-stream": GeminiStream,
}
