"""Rounds of work and sudden death, and what must hold in the end."""

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.histories import history_faults, shortened
from tests.crash.platform import CrashPlatform
from tests.crash.trap import Trap
from tests.servers.model import ModelServer
from tests.servers.recorded import Recorded
from tests.servers.script import Call, Reply

CHATS = 4
END = 60.0
NARROW = "  context_length: 12000\ncompression: {protect_last_n: 2, target_ratio: 0.1}\n"
FILLING = " and some more words about it" * 70
NOTES = "\n".join(f"## {name}\nnone" for name in ("Goal", "Facts", "Files", "Done", "Next steps"))


@dataclass
class Outcome:
    """What happened, and what went wrong (nothing, we hope)."""

    rounds: int = 0
    messages: int = 0
    sends: int = 0
    edits: int = 0
    ends: Counter[str] = field(default_factory=Counter[str])
    half: int = 0
    tool_runs: int = 0
    interrupted: int = 0
    twice: int = 0
    shortened: int = 0
    doubtful: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list[str])

    def table(self) -> str:
        """For people."""
        lines = [
            f"rounds (each ends with kill -9)       {self.rounds}",
            f"messages accepted and answered        {self.messages}",
            f"sends that reached the platform       {self.sends}  (edits {self.edits})",
            f"tool calls that ran                   {self.tool_runs}",
            f"tool calls cut off and told so        {self.interrupted}",
            f"times a conversation was shortened    {self.shortened}",
            f"sends in doubt at a start             {self.doubtful}",
            f"messages that people saw twice        {self.twice}",
            f"half messages that stayed so          {self.half}",
            f"seconds                               {self.seconds:.0f}",
        ]
        ends = ", ".join(f"{name} {count}" for name, count in self.ends.most_common())
        lines.insert(1, f"killed at                             {ends}")
        return "\n".join([*lines, *(f"FAULT: {fault}" for fault in self.faults)])


class Harness:
    """`streaming` lets answers grow while they are written. With a `narrow` window conversations
    are shortened again and again."""

    def __init__(
        self,
        folder: Path,
        *,
        seed: int,
        honours_keys: bool,
        streaming: bool,
        narrow: bool = False,
    ) -> None:
        self._random = random.Random(seed)
        self._folder = folder
        self._home = folder / "home"
        self._log = folder / "tool.log"
        self._streaming = streaming
        self._narrow = narrow
        self._interrupted: set[str] = set()
        self.platform = CrashPlatform(honours_keys=honours_keys)
        self.outcome = Outcome()
        self._sent: list[tuple[str, str]] = []
        self._at: Callable[[str], None] = lambda _: None

    def run(self, rounds: int) -> Outcome:
        """So many rounds, then an end in peace; the outcome with all its faults."""
        began = time.monotonic()
        with self.platform, ModelServer() as model:
            model.always(self._reply)
            self._prepare(model)
            for _ in range(rounds):
                self._round()
            with self._worker() as worker:
                wanted = {f"answer {number}." for _, number in self._sent}
                if not self.platform.until(wanted, END):
                    missing = wanted - {seen.text for seen in self.platform.seen}
                    self.outcome.faults.append(f"never answered: {sorted(missing)}")
                worker.send_signal(signal.SIGTERM)
                if worker.wait(30) != 0:
                    self.outcome.faults.append(f"the last life ended with {worker.returncode}")
            self._judge()
        self.outcome.seconds = time.monotonic() - began
        return self.outcome

    def _prepare(self, model: ModelServer) -> None:
        self._home.mkdir(parents=True)
        (self._home / "config.yaml").write_text(
            "model:\n  provider: custom\n  default: scripted-model\n"
            f"  base_url: {model.base_url}\n"
            + (NARROW if self._narrow else "")
            + f"streaming: {{enabled: {str(self._streaming).lower()}, buffer_threshold: 1, "
            "edit_interval: 0.02}\n"
            "display: {tool_progress: 'off', busy_input_mode: queue}\n"
            "session_reset: {mode: none}\n"
        )

    def _round(self) -> None:
        self.outcome.rounds += 1
        with self._worker() as worker:
            for _ in range(self._random.randint(1, 4)):
                number = str(len(self._sent) + 1)
                chat = f"c{self._random.randint(1, CHATS)}"
                self._sent.append((chat, number))
                self.platform.say(chat, f"question {number}" + FILLING * self._narrow)
            trap = Trap(self._random, worker, self._log)
            self.platform.on = self._at = trap.at
            self.outcome.ends[trap.wait()] += 1
            self.platform.on = self._at = lambda _: None

    @contextlib.contextmanager
    def _worker(self):  # pyright: ignore[reportUnknownParameterType]  a context manager of a Popen
        """A life of the daemon, up to the moment when it takes messages."""
        environ = {
            "HERMES_HOME": str(self._home),
            "HOME": str(self._folder),
            "PATH": os.environ["PATH"],
            "TELEGRAM_ALLOWED_USERS": "1",
        }
        ready = threading.Event()
        self.platform.on = lambda _: ready.set()
        errors = self._folder / "errors"
        with errors.open("ab") as stderr:
            worker = subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.crash.worker", self.platform.url),
                    "key" if self.platform.honours_keys else "nothing",
                ],
                env=environ,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )
        try:
            if not ready.wait(30):
                self.outcome.faults.append(f"a life never began: {errors.read_text()[-2000:]}")
            yield worker
        finally:
            if worker.poll() is None:
                worker.kill()
                worker.wait()

    def _reply(self, request: Recorded) -> Reply:
        """First a tool call whose effect can be counted, then the answer."""
        self._at("model asked")
        messages = request.json["messages"]
        if "working notes" in str(messages[0]["content"]):
            return Reply(text=NOTES)
        last = max(i for i, each in enumerate(messages) if each["role"] == "user")
        (number,) = re.findall(r"question (\d+)", messages[last]["content"])
        results = [each for each in messages[last:] if each["role"] == "tool"]
        if results:
            if "interrupted" in str(results[-1]["content"]):
                self._interrupted.add(number)
            return Reply(text=f"answer {number}.")
        command = f"echo {number} >> {self._log}"
        return Reply(text="Let me see.", calls=(Call("terminal", {"command": command}),))

    def _judge(self) -> None:
        from hermes_agent.ledger.opening import open_ledger

        outcome, seen = self.outcome, self.platform.seen
        outcome.messages = len(self._sent)
        outcome.sends = self.platform.sends
        outcome.edits = sum(each.edits for each in seen)
        outcome.interrupted = len(self._interrupted)
        ran = Counter(self._log.read_text().split()) if self._log.exists() else Counter[str]()
        outcome.tool_runs = ran.total()
        outcome.faults += [f"tool call {n} ran {c} times" for n, c in ran.items() if c > 1]
        answers = [each for each in seen if re.fullmatch(r"answer \d+\.", each.text)]
        shown = Counter(each.text for each in answers)
        outcome.twice = sum(count - 1 for count in shown.values())
        ledger = open_ledger(self._home)
        counts = ledger.counts()
        ledger.close()
        outcome.doubtful = counts.doubtful
        torn = {each.text for each in seen} - {*shown, "Let me see."}
        outcome.half = sum(each.text in torn for each in seen)
        if self.platform.honours_keys:
            outcome.faults += [f"{text} shown {c} times" for text, c in shown.items() if c > 1]
            outcome.faults += [f"a half message was left: {text}" for text in sorted(torn)]
        elif outcome.twice + outcome.half > outcome.doubtful:
            outcome.faults.append("more was shown twice or by halves than was known to be in doubt")
        left = {state: n for state, n in {**counts.inbox, **counts.outbox}.items() if n}
        if set(left) - {"done", "sent"}:
            outcome.faults.append(f"left in the ledger: {left}")
        outcome.shortened = shortened(self._home)
        outcome.faults += history_faults(self._home, {number for _, number in self._sent})
        for chat in sorted({chat for chat, _ in self._sent}):
            asked = [f"answer {number}." for where, number in self._sent if where == chat]
            heard = list(dict.fromkeys(each.text for each in answers if each.chat == chat))
            if heard != asked:
                outcome.faults.append(f"{chat}: asked {asked}, heard {heard}")
