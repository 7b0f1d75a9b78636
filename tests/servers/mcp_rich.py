"""A real MCP server with resources, prompts, sampling and a list of tools that changes:
`python mcp_rich.py stdio|sse|http [PORT]`. It wants the header in KEY, where that is set.

`grow` adds a tool and says so; `ask_model` asks our model; `ask_person` asks our person.
"""

import os
import sys
from typing import Annotated, Any

import mcp_types as types
from mcp.server.mcpserver import Context, Elicit, MCPServer, Resolve, Sample
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

server = MCPServer("rich")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
async def grow(ctx: Context) -> str:
    """Add a tool that was not there before."""

    def grown() -> str:
        return "grown"

    server.add_tool(grown, description="Appeared later.")
    await ctx.notify_tools_changed()
    await ctx.session.send_tool_list_changed()
    return "done"


def question(hint: str = "", most: int = 100) -> Sample:
    text = types.TextContent(type="text", text="What is the capital?")
    hints = [types.ModelHint(name=hint)] if hint else None
    return Sample(
        [types.SamplingMessage(role="user", content=text)],
        max_tokens=most,
        system_prompt="You are a sampler.",
        model_preferences=types.ModelPreferences(hints=hints),
    )


@server.tool()
def ask_model(
    answer: Annotated[types.CreateMessageResult, Resolve(question)],
    hint: str = "",
    most: int = 100,
) -> dict[str, Any]:
    """Ask the client's model."""
    return {"model": answer.model, "said": getattr(answer.content, "text", "")}


class Wish(BaseModel):
    """What a person would be asked."""

    password: str


def nosy() -> Elicit[Wish]:
    return Elicit("Your password, please", Wish)


@server.tool()
def ask_person(wish: Annotated[Wish, Resolve(nosy)]) -> str:
    """Ask the client's person."""
    return wish.password


@server.resource("notes://today", description="What is planned.")
def today() -> str:
    return "Water the plants."


@server.resource("notes://day/{name}")
def day(name: str) -> str:
    return f"Nothing on {name}."


@server.prompt(description="Sums something up.")
def summary(topic: str) -> str:
    return f"Sum up {topic}, please."


class Locked:
    """Lets in only who has the key."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app, self._key = app, key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and dict(scope["headers"]).get(b"x-key") != self._key:
            await PlainTextResponse("no", status_code=403)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def listen(app: Starlette, port: int) -> None:
    import uvicorn

    key = os.environ.get("KEY", "")
    guarded: ASGIApp = Locked(app, key) if key else app
    uvicorn.run(guarded, host="127.0.0.1", port=port, log_level="error")


if sys.argv[1] == "stdio":
    server.run()
elif sys.argv[1] == "sse":
    # Where its streamable HTTP would be, there is only GET.
    listen(server.sse_app(sse_path="/mcp"), int(sys.argv[2]))
else:
    listen(server.streamable_http_app(), int(sys.argv[2]))
