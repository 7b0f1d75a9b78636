"""The least API server: `relay.py BASE_URL` passes each chat completion on to the model server.

starlette under uvicorn, and one httpx2 client. Prints its own base URL as the first line.
"""

import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

target = f"{sys.argv[1]}/chat/completions"
client = httpx2.AsyncClient(
    timeout=60, verify=False, trust_env=False, limits=httpx2.Limits(max_connections=None)
)
JSON = {"content-type": "application/json"}


async def complete(request: Request) -> Response:
    body = await request.body()
    if b'"stream":true' not in body:
        answer = await client.post(target, content=body, headers=JSON)
        return Response(answer.content, answer.status_code, JSON)
    answer = await client.send(
        client.build_request("POST", target, content=body, headers=JSON), stream=True
    )
    return StreamingResponse(answer.aiter_bytes(), media_type="text/event-stream")


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncGenerator[None]:
    print(f"http://127.0.0.1:{listening.getsockname()[1]}/v1", flush=True)
    yield
    await client.aclose()


listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
listening.bind(("127.0.0.1", 0))
app = Starlette(
    routes=[Route("/v1/chat/completions", complete, methods=["POST"])], lifespan=lifespan
)
config = uvicorn.Config(app, loop="asyncio", log_level="error", access_log=False)
uvicorn.Server(config).run(sockets=[listening])
