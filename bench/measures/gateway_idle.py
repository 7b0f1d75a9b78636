"""The daemon at rest, with Telegram, the API server and the scheduler on."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

from tests.servers.telegram import BotApi
from tests.servers.telegram.world import Json

from bench.daemon import gauges
from bench.figures import Figure
from bench.stage import CannotMeasure, Stage

ANSWER = {"always": {"text": "Hello! How can I help you today?"}}
KEY = "bench-key"
SETTLE = 5.0
WATCH = 60.0
"""Seconds: twice the longest of the daemon's own intervals."""
MESSAGES = 20
LIMIT = 30.0
BARE = "import asyncio; asyncio.run(asyncio.sleep(600))"


def measure(stage: Stage) -> Iterator[Figure]:
    """Memory and processor time when nobody writes, before and after a little conversation."""
    with stage.model_server(script=ANSWER), BotApi() as bot, _bare(stage) as bare:
        alice = bot.world.person("Alice", username="alice")
        with _daemon(stage, bot, alice) as pid:
            time.sleep(SETTLE)
            yield Figure(
                name="gateway idle: memory",
                value=gauges.memory(pid),
                unit="MB",
                floor=gauges.memory(bare),
                floor_name="bare asyncio loop",
                budget=60,
            )
            yield _idle_cpu("gateway idle: CPU", pid)
            _talk(bot, alice)
            time.sleep(SETTLE)
            yield Figure(
                name=f"gateway idle after {MESSAGES} messages: memory",
                value=gauges.memory(pid),
                unit="MB",
                budget=60,
            )
            yield Figure(name="gateway idle: threads", value=gauges.threads(pid), unit="threads")
            yield Figure(
                name="gateway idle: child processes",
                value=gauges.children(pid),
                unit="processes",
                budget=0,
            )


def _idle_cpu(name: str, pid: int) -> Figure:
    began, before = time.monotonic(), gauges.cpu(pid)
    time.sleep(WATCH)
    used, passed = gauges.cpu(pid) - before, time.monotonic() - began
    return Figure(name=name, value=used / passed * 100, unit="%", budget=0.2)


def _talk(bot: BotApi, alice: Json) -> None:
    for number in range(1, MESSAGES + 1):
        bot.world.say(alice, f"hello {number}")
        _until(lambda wanted=number: len(bot.world.seen(alice["id"])) >= wanted, "an answer")


@contextmanager
def _daemon(stage: Stage, bot: BotApi, alice: Json) -> Generator[int]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    environ = stage.environ | {
        "TELEGRAM_BOT_TOKEN": bot.token,
        "TELEGRAM_BASE_URL": bot.base_url,
        "TELEGRAM_ALLOWED_USERS": str(alice["id"]),
        "API_SERVER_ENABLED": "true",
        "API_SERVER_KEY": KEY,
        "API_SERVER_PORT": str(port),
    }
    job = stage.hermes("cron", "create", "every day at 9", "Say good morning.")
    subprocess.run(job, env=environ, check=True, stdout=subprocess.DEVNULL)
    daemon = subprocess.Popen(
        stage.hermes("gateway", "run"),
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _until(lambda: bot.polls > 0 and _listens(port), "the gateway", daemon)
        yield daemon.pid
    finally:
        daemon.terminate()
        daemon.wait(30)


@contextmanager
def _bare(stage: Stage) -> Generator[int]:
    bare = subprocess.Popen([sys.executable, "-c", BARE], env=stage.environ)
    try:
        yield bare.pid
    finally:
        bare.terminate()
        bare.wait(30)


def _listens(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def _until(
    holds: Callable[[], bool], what: str, process: "subprocess.Popen[bytes] | None" = None
) -> None:
    deadline = time.monotonic() + LIMIT
    while not holds():
        if time.monotonic() > deadline or (process is not None and process.poll() is not None):
            raise CannotMeasure(f"{what} did not come")
        time.sleep(0.02)
