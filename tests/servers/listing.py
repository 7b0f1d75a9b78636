"""Lists of models, as each vendor gives them.

Sources: https://platform.openai.com/docs/api-reference/models,
https://docs.anthropic.com/en/api/models-list, https://ai.google.dev/api/models,
https://github.com/ollama/ollama/blob/main/docs/api.md.
"""

from collections.abc import Mapping, Sequence
from typing import Any


def models(path: str, headers: Mapping[str, str], names: Sequence[str]) -> dict[str, Any]:
    """`GET …/models`; the vendor is told by its path or its key header."""
    if "x-goog-api-key" in headers or "/v1beta/" in path:
        return {"models": [_gemini(name) for name in names]}
    if "anthropic-version" in headers:
        return {
            "data": [_anthropic(name) for name in names],
            "has_more": False,
            "first_id": names[0] if names else None,
            "last_id": names[-1] if names else None,
        }
    return {"object": "list", "data": [_openai(name) for name in names]}


def tags(names: Sequence[str]) -> dict[str, Any]:
    """Ollama's `GET /api/tags`."""
    return {"models": [_ollama(name) for name in names]}


def _openai(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1700000000, "owned_by": "scripted"}


def _anthropic(name: str) -> dict[str, Any]:
    return {
        "type": "model",
        "id": name,
        "display_name": name,
        "created_at": "2026-01-01T00:00:00Z",
        "lifecycle": "active",
    }


def _gemini(name: str) -> dict[str, Any]:
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name,
        "inputTokenLimit": 1048576,
        "outputTokenLimit": 65536,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
    }


def _ollama(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "model": name,
        "modified_at": "2026-01-01T00:00:00Z",
        "size": 1000000000,
        "digest": "0" * 64,
        "details": {
            "parent_model": "",
            "format": "gguf",
            "family": "qwen2",
            "families": ["qwen2"],
            "parameter_size": "1.5B",
            "quantization_level": "Q4_K_M",
        },
    }
