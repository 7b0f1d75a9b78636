"""Days of traffic in minutes: `python -m bench.daemon.soak ROOT [MESSAGES] [SEED] [LIVES]`.

Messages, tool calls, slash commands, resets, background work, a scheduled job and lost connections
in fifty chats, in waves; now and then a chat is written to while it is answered. Between the
stretches the clock is put forward: what the daemon does after minutes and weeks (places given back,
rows pruned) is done then, and everything is counted. At the end the gateway is reloaded `LIVES`
times. Prints JSON, see `Report`.
"""

import asyncio
import gc
import json
import random
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import linear_regression

from bench.daemon import gauges
from bench.daemon.house import House, house
from hermes_agent.api.jobs import JobDraft

CHATS = 50
WAVE = 10
STRETCHES = 15
"""How often everything is counted; the first third warms up."""
WARM = STRETCHES // 3
DAYS = 86400.0 * 30
DEFAULTS = (3000, 1, 10)
JOB_CHAT = "telegram:jobs"
TALK = (
    ("hello, this is message {}", 66),
    ("work on number {}", 15),
    ("/status", 4),
    ("/usage", 3),
    ("/help", 2),
    ("/new", 5),
    ("/title number {}", 1),
    ("/background hello from behind {}", 2),
    ("/stop", 1),
    ("/undo", 1),
)


@dataclass(frozen=True)
class Sample:
    """What there is when nothing happens. `memory` in MB, `objects` those of Python's collector,
    `folders` scratch directories, `rows` of inbox and outbox, `dead` those given up for good."""

    messages: int
    memory: float
    objects: int
    descriptors: int
    threads: int
    children: int
    tasks: int
    folders: int
    rows: int
    dead: int


@dataclass(frozen=True)
class Report:
    """`samples` after each stretch, `lives` after each reload; `seconds` and `cpu` of it all."""

    samples: list[Sample]
    lives: list[Sample]
    seconds: float
    cpu: float
    pruned: int
    jobs: int
    connections: int

    @property
    def steady(self) -> list[Sample]:
        """The samples after the warm-up."""
        return self.samples[WARM:]

    def slope(self, field: str) -> float:
        """How much of it there is more after a thousand messages, by least squares."""
        messages = [each.messages / 1000 for each in self.steady]
        return linear_regression(messages, [getattr(each, field) for each in self.steady]).slope

    def rise(self, field: str) -> int:
        """How much more there is at the end than after the warm-up, at the least of both ends."""
        found = [getattr(each, field) for each in self.steady]
        return min(found[-2:]) - max(found[:2])


class Soak:
    """The traffic of one run; the same for the same seed, as far as the machine lets it be."""

    def __init__(self, place: House, root: Path, seed: int) -> None:
        self.sent = 0
        self.pruned = 0
        self.jobs = 0
        self._place = place
        self._root = root
        self._chance = random.Random(seed)

    async def stretch(self, messages: int) -> Sample:
        """Some traffic; then what there is."""
        end = self.sent + messages
        while self.sent < end:
            await self._wave(min(WAVE, end - self.sent))
        await self._job()
        await self._later()
        return self._sample()

    async def _wave(self, size: int) -> None:
        texts = self._chance.choices(*zip(*TALK, strict=True), k=size)
        chats = [f"chat-{self._chance.randrange(CHATS)}" for _ in range(size)]
        saying = [
            self._place.platform.say(chat, text.format(self.sent + number))
            for number, (chat, text) in enumerate(zip(chats, texts, strict=True))
        ]
        self.sent += size
        if self._chance.random() < 0.1:
            self._place.platform.lose()
        await asyncio.gather(*saying)
        await self._place.settled()

    async def _job(self) -> None:
        gateway, platform = self._place.gateway, self._place.platform
        board = gateway.board
        known = await board.list()
        if not known:
            draft = JobDraft(schedule="every day at 9", prompt="good morning", deliver=JOB_CHAT)
            known = [await board.create(draft)]
        before = platform.answers["jobs"]
        await board.run(known[0].id)
        await asyncio.to_thread(gateway.ticker.tick)
        gateway.pump.wake()
        await platform.answered("jobs", before + 1)
        self.jobs += 1

    async def _later(self) -> None:
        await self._place.settled()
        gateway = self._place.gateway
        await gateway.host.reap(time.monotonic() + DAYS)
        self.pruned += await gateway.desk.do(lambda ledger: ledger.prune(time.time() + DAYS))
        gc.collect()

    def _sample(self) -> Sample:
        counts = self._place.gateway.ledger.counts()
        rows = {**counts.inbox, **{f"out-{state}": n for state, n in counts.outbox.items()}}
        return Sample(
            messages=self.sent,
            memory=gauges.memory(),
            objects=len(gc.get_objects()),
            descriptors=gauges.descriptors(),
            threads=gauges.threads(),
            children=gauges.children(),
            tasks=len(asyncio.all_tasks()),
            folders=len(list((self._root / "run").iterdir())),
            rows=sum(rows.values()),
            dead=rows.get("dead", 0) + rows.get("out-dead", 0),
        )


async def soak(root: Path, *, messages: int, seed: int, lives: int) -> Report:
    """Run it in `root`."""
    began, cpu = time.monotonic(), time.process_time()
    async with house(root) as place:
        traffic = Soak(place, root, seed)
        samples = [await traffic.stretch(messages // STRETCHES) for _ in range(STRETCHES)]
        later: list[Sample] = []
        for _ in range(lives):
            await place.reload()
            later.append(await traffic.stretch(WAVE))
        return Report(
            samples=samples,
            lives=later,
            seconds=time.monotonic() - began,
            cpu=time.process_time() - cpu,
            pruned=traffic.pruned,
            jobs=traffic.jobs,
            connections=place.platform.connections,
        )


def main() -> None:
    """Run it, print the report."""
    root, *numbers = sys.argv[1:]
    messages, seed, lives = (*map(int, numbers), *DEFAULTS[len(numbers) :])
    report = asyncio.run(soak(Path(root), messages=messages, seed=seed, lives=lives))
    print(json.dumps(asdict(report)))


if __name__ == "__main__":
    main()
