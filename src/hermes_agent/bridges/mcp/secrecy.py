"""Nothing that a server was given in confidence appears in what is said about it."""

from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from hermes_agent.config.schema.execution import McpServer
from hermes_agent.config.secret_names import looks_secret

_SHORTEST = 6
_BLANK = "***"


def address(url: str) -> str:
    """An address as it may be shown: without the name and password before its host, and without
    the values behind its question mark."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return _BLANK
    host = parts.netloc.rpartition("@")
    shown = f"{_BLANK}@{host[2]}" if host[1] else host[2]
    query = f"?{_BLANK}" if parts.query else ""
    return f"{parts.scheme}://{shown}{parts.path}{query}"


def blanked(text: str, server: McpServer) -> str:
    """A text without the values of the server's headers and secret variables, and without what
    its address hides."""
    if server.url:
        text = text.replace(server.url, address(server.url))
    for value in sorted(set(_values(server)), key=len, reverse=True):
        text = text.replace(value, _BLANK)
    return text


def _values(server: McpServer) -> Iterator[str]:
    named = (value for name, value in server.env.items() if looks_secret(name))
    for value in (*server.headers.values(), *named):
        # `Bearer …`: the word behind is what must not be seen.
        for word in (value.strip(), *value.split()):
            if len(word) >= _SHORTEST:
                yield word
    if not server.url:
        return
    try:
        parts = urlsplit(server.url)
    except ValueError:
        return
    for hidden in (parts.password, parts.username, parts.query):
        if hidden and len(hidden) >= _SHORTEST:
            yield hidden
            yield unquote(hidden)
    for pair in parts.query.split("&"):
        value = pair.partition("=")[2]
        if len(value) >= _SHORTEST:
            yield value
