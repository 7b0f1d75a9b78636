"""A conversation of thousands of turns with the daemon, through many compactions:

`python -m tests.acceptance.long_conversation [--turns 2000] [--window 18000] [--seed 1]`

A fact is planted in each turn: told by the person, printed by a command, or noted with the memory
tool. The summaries are those of a model that keeps only the newest. At the end each fact has to
stand before the model, in the notes, or be found with session_search in another conversation.
"""

import argparse
import json
import random
import re
import sys
import tempfile
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from tests.acceptance.hermes import Hermes
from tests.acceptance.mcp_house import accepts, free_port, wait
from tests.acceptance.test_compaction import NOTES, said_to, summarising
from tests.servers.model import ModelServer
from tests.servers.recorded import Recorded
from tests.servers.script import Call, Reply, Usage

FACT = re.compile(r"locker (\d{4}) is ([a-z]+-\d{4})")
KEPT = 40
"""Facts that the summarising model keeps."""
AT_ONCE = 8
WORDS = ("heron", "cedar", "basalt", "violin", "saffron", "harbour", "pewter", "lantern")
KEY = "k" * 20
TODO_AT, FILE_AT = 5, 7
TODOS = [{"id": "1", "content": "Paint all lockers", "status": "in_progress"}]
FILLING = "Nothing else of note has happened at the lockers. " * 8


class Told(msgspec.Struct, frozen=True):
    """What came of it. Sizes in bytes, time in seconds."""

    turns: int
    compactions: int
    in_sight: int
    noted: int
    found: int
    lost: tuple[str, ...]
    todos: bool
    files: bool
    prompts: int
    """How many different fixed parts the requests had."""
    longest: int
    """The largest request."""
    took: float

    @property
    def line(self) -> str:
        return (
            f"{self.turns} turns, {self.compactions} compactions, {self.took:.0f} s: "
            f"{self.in_sight} facts in sight, {self.noted} in memory, {self.found} found by "
            f"search, {len(self.lost)} lost; todos {'kept' if self.todos else 'LOST'}, "
            f"files {'kept' if self.files else 'LOST'}; {self.prompts} fixed part(s), "
            f"largest request {self.longest:,} bytes"
        )


class LongTalk:
    """The person and the model of such a conversation."""

    def __init__(self, hermes: Hermes, server: ModelServer, *, window: int, seed: int) -> None:
        self._hermes = hermes
        self._server = server
        self._random = random.Random(seed)
        self._facts: dict[str, str] = {}
        self._fixed: set[str] = set()
        self._longest = 0
        port = free_port()
        self._url = f"http://127.0.0.1:{port}"
        self._port = port
        hermes.environ |= {
            "API_SERVER_ENABLED": "1",
            "API_SERVER_KEY": KEY,
            "API_SERVER_PORT": str(port),
        }
        config = hermes.home / "config.yaml"
        text = config.read_text().replace("model:\n", f"model:\n  context_length: {window}\n")
        config.write_text(text + "compression: {threshold: 0.6, protect_last_n: 6}\n")
        server.when(summarising, self._summary)
        server.always(self._answer)

    def run(self, turns: int) -> Told:
        """Talk; the daemon is killed once, half way."""
        began = time.monotonic()
        for part in (turns // 2, turns - turns // 2):
            with self._daemon() as client:
                for _ in range(part):
                    self._turn(client)
                shown = self._last()
        seen = dict(FACT.findall(said_to(shown)))
        notes = self._hermes.home / "memories" / "MEMORY.md"
        noted = dict(FACT.findall(notes.read_text() if notes.exists() else ""))
        missing = [
            name
            for name, value in self._facts.items()
            if value not in (seen.get(name), noted.get(name))
        ]
        with self._daemon() as client:
            compactions = self._compactions(client)
            found = self._recalled(client, missing)
            todos = self._todos(client)
        lost = tuple(name for name in missing if found.get(name) != self._facts[name])
        return Told(
            turns=turns,
            compactions=compactions,
            in_sight=sum(seen.get(name) == value for name, value in self._facts.items()),
            noted=sum(noted.get(name) == value for name, value in self._facts.items()),
            found=len(missing) - len(lost),
            lost=lost,
            todos=todos,
            files="changed: ledger.txt" in said_to(shown),
            prompts=len(self._fixed),
            longest=self._longest,
            took=time.monotonic() - began,
        )

    def _turn(self, client: httpx2.Client) -> None:
        number = len(self._facts)
        name = f"{number:04d}"
        value = f"{self._random.choice(WORDS)}-{self._random.randrange(10_000):04d}"
        fact = f"The code of locker {name} is {value}."
        self._facts[name] = value
        if number == TODO_AT:
            words = f"[todo] {fact}"
        elif number == FILE_AT:
            words = f"[file] {fact}"
        elif number % 100 == 50:
            words = f"[note {value}] Note the code of locker {name}."
        elif number % 10 == 3:
            (self._hermes.folder / name).write_text(fact)
            words = f"[look] Look into locker {name}."
        else:
            words = fact
        self._say(client, "talk", f"{words} {FILLING}")

    def _say(self, client: httpx2.Client, key: str, words: str) -> None:
        """A turn in the conversation that is called so."""
        answer = client.post(
            "/v1/chat/completions",
            json={"model": "hermes-agent", "messages": [{"role": "user", "content": words}]},
            headers={"X-Hermes-Session-Key": key},
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["choices"][0]["finish_reason"] == "stop", answer.text

    def _answer(self, request: Recorded) -> Reply:
        usage = Usage(len(request.body) // 4, 30)
        last = request.json["messages"][-1]
        if last["role"] != "user":
            return Reply(text="I have it.", usage=usage)
        system, tools = request.json["messages"][0], request.json["tools"]
        said = str(last["content"])
        if not said.startswith("[recall]"):
            self._fixed.add(json.dumps([system, tools]))
            self._longest = max(self._longest, len(request.body))
        return Reply(text="I have it.", calls=list(self._calls(said)), usage=usage)

    def _calls(self, said: str) -> Iterator[Call]:
        if match := re.match(r"\[look\] Look into locker (\d+)", said):
            yield Call("terminal", {"command": f"cat {self._hermes.folder / match[1]}"})
        elif match := re.match(r"\[note (\S+)\] Note the code of locker (\d+)", said):
            note = f"locker {match[2]} is {match[1]}"
            yield Call("memory", {"action": "add", "target": "memory", "content": note})
        elif said.startswith("[todo]"):
            yield Call("todo", {"todos": TODOS})
        elif said.startswith("[todos?]"):
            yield Call("todo", {})
        elif said.startswith("[file]"):
            yield Call("write_file", {"path": "ledger.txt", "content": "lockers"})
        elif said.startswith("[recall]"):
            where, *names = said.split()[1:]
            for name in names:
                query = {"query": f"code locker {name}"}
                yield Call(
                    "session_search", query | ({"role_filter": where} if where != "all" else {})
                )

    def _summary(self, request: Recorded) -> Reply:
        """Honest, but short of room."""
        shown = said_to(request)
        facts: dict[str, str] = dict(FACT.findall(shown))
        newest = sorted(facts)[-KEPT:]
        lines = "\n".join(f"- The code of locker {name} is {facts[name]}" for name in newest)
        return Reply(
            text=NOTES.format(goal="know all lockers", facts=lines or "none"),
            usage=Usage(len(request.body) // 4, 800),
        )

    def _recalled(self, client: httpx2.Client, names: Sequence[str]) -> dict[str, str]:
        """What the search tool gives for each, asked for in conversations that know nothing."""
        found: dict[str, str] = {}
        for where in ("all", "tool"):
            left = [name for name in names if found.get(name) != self._facts[name]]
            for some in _batches(left, AT_ONCE):
                self._say(client, f"recall-{where}-{some[0]}", f"[recall] {where} {' '.join(some)}")
                for result in _results(self._last()):
                    found |= dict(FACT.findall(result))
        return found

    def _todos(self, client: httpx2.Client) -> bool:
        self._say(client, "talk", "[todos?] What is left to do?")
        return TODOS[0]["content"] in _results(self._last())[-1]

    def _last(self) -> Recorded:
        return next(each for each in reversed(self._server.model_requests) if not summarising(each))

    def _compactions(self, client: httpx2.Client) -> int:
        """How many sessions are the child of another one."""
        listed = client.get("/api/sessions", params={"limit": 100}).json()["data"]
        found = (client.get(f"/api/sessions/{each['id']}").json() for each in listed)
        return sum(each["parent_session_id"] is not None for each in found)

    @contextmanager
    def _daemon(self) -> Generator[httpx2.Client]:
        with self._hermes.started("gateway", "run") as process:
            wait(lambda: accepts(self._port), "the API server")
            headers = {"Authorization": f"Bearer {KEY}"}
            with httpx2.Client(base_url=self._url, headers=headers, timeout=60) as client:
                yield client
            process.kill()


def _batches(names: Iterable[str], size: int) -> Iterator[list[str]]:
    waiting = iter(names)
    while some := list(islice(waiting, size)):
        yield some


def _results(request: Recorded) -> list[str]:
    messages: list[dict[str, Any]] = request.json["messages"]
    said = [str(each["content"]) for each in messages if each["role"] == "tool"]
    return [text.replace(">>>", "").replace("<<<", "") for text in said]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=2000)
    parser.add_argument("--window", type=int, default=18_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ModelServer() as server:
        work = Path(folder) / "work"
        work.mkdir()
        hermes = Hermes(Path(folder) / "home", work, server.base_url)
        told = LongTalk(hermes, server, window=options.window, seed=options.seed).run(options.turns)
    print(told.line)
    for name in told.lost:
        print(f"lost: locker {name}")
    return 1 if told.lost or not told.todos or not told.files else 0


if __name__ == "__main__":
    sys.exit(main())
