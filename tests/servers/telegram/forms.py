"""The four ways of passing parameters: query, form, multipart, JSON.

https://core.telegram.org/bots/api#making-requests
"""

import json
from email import policy
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.servers.http1 import Incoming


class Upload:
    """A file that came with a request."""

    def __init__(self, name: str, data: bytes, media_type: str) -> None:
        self.name = name
        self.data = data
        self.media_type = media_type


def parameters(incoming: Incoming) -> dict[str, Any]:
    """All parameters; JSON-serialized ones are decoded, uploads are `Upload`."""
    given: dict[str, Any] = dict(parse_qsl(urlsplit(incoming.path).query, keep_blank_values=True))
    kind = incoming.headers.get("content-type", "")
    if kind.startswith("application/json") and incoming.body:
        body = json.loads(incoming.body)
        if not isinstance(body, dict):
            raise ValueError("the body is no JSON object")
        given |= body
    elif kind.startswith("application/x-www-form-urlencoded"):
        given |= parse_qsl(incoming.body.decode(), keep_blank_values=True)
    elif kind.startswith("multipart/form-data"):
        given |= _multipart(kind, incoming.body)
    return {name: _value(name, value) for name, value in given.items()}


_TEXTS = frozenset(("text", "caption", "callback_data", "url", "secret_token", "callback_query_id"))


def _value(name: str, value: Any) -> Any:
    if not isinstance(value, str) or name in _TEXTS:
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _multipart(kind: str, body: bytes) -> dict[str, Any]:
    head = f"content-type: {kind}\r\n\r\n".encode()
    whole = BytesParser(policy=policy.HTTP).parsebytes(head + body)
    found: dict[str, Any] = {}
    for part in whole.iter_parts():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        assert isinstance(name, str)
        assert isinstance(payload, bytes)
        filename = part.get_filename()
        if filename is None:
            found[name] = payload.decode()
        else:
            found[name] = Upload(filename, payload, part.get_content_type())
    return found
