"""A real MCP server whose results are more than text: `python mcp_media.py`.

`chart` gives a picture, `scan` one inside of a resource, `counted` one beside structured data;
`odd` gives a sound, a file, a link and what only claims to be a picture; `many` gives more
pictures than anybody wants; `asks_about` asks our model about a picture.
"""

import base64
from typing import Annotated, Any

import mcp_types as types
from mcp.server.mcpserver import MCPServer, Resolve, Sample

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
"""A picture of one point."""
server = MCPServer("media")


def coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def picture(data: bytes = DOT, said: str = "image/png") -> types.ImageContent:
    return types.ImageContent(type="image", data=coded(data), mime_type=said)


def inside(data: bytes, uri: str, said: str) -> types.EmbeddedResource:
    held = types.BlobResourceContents(uri=uri, mime_type=said, blob=coded(data))
    return types.EmbeddedResource(type="resource", resource=held)


@server.tool(structured_output=False)
def chart() -> list[Any]:
    """Draw a chart."""
    return [types.TextContent(type="text", text="Sales of May"), picture(said="image/jpeg")]


@server.tool(structured_output=False)
def scan() -> list[Any]:
    """Scan a page."""
    return [inside(DOT, "scan://page/1", "image/png")]


@server.tool(structured_output=False)
def counted() -> types.CallToolResult:
    """Count what is in a picture."""
    return types.CallToolResult(content=[picture()], structured_content={"points": 1})


@server.tool(structured_output=False)
def odd() -> list[Any]:
    """Give what is not text."""
    return [
        types.AudioContent(type="audio", data=coded(b"RIFF" * 30), mime_type="audio/wav"),
        inside(b"%PDF-1.7", "papers://law", "application/pdf"),
        types.ResourceLink(type="resource_link", uri="notes://today", name="Today"),
        picture(b"<svg/>", "image/svg+xml"),
        types.ImageContent(type="image", data="no base64!", mime_type="image/png"),
    ]


@server.tool(structured_output=False)
def many() -> list[Any]:
    """Give pictures without measure."""
    return [picture(DOT + bytes([number])) for number in range(60)] + [picture(), picture()]


@server.resource("pictures://dot", mime_type="image/png")
def dot() -> bytes:
    return DOT


def question() -> Sample:
    return Sample([types.SamplingMessage(role="user", content=picture())], max_tokens=100)


@server.tool()
def asks_about(answer: Annotated[types.CreateMessageResult, Resolve(question)]) -> str:
    """Ask the client's model about a picture."""
    return getattr(answer.content, "text", "")


if __name__ == "__main__":
    server.run()
