"""From a due job to what people get: real book, ledger, sessions and commands, a scripted model."""

import asyncio
import os
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from hermes_agent.config.load import load
from hermes_agent.domain.chats import Origin, Outgoing, Post, Target
from hermes_agent.domain.jobs import Job, NewJob
from hermes_agent.ledger.jobs.opening import open_jobs
from hermes_agent.ledger.jobs.port import JobBook
from hermes_agent.ledger.opening import open_ledger
from hermes_agent.ledger.port import Claim, Ledger
from hermes_agent.runtime.host import SessionHost
from hermes_agent.runtime.unattended import Unattended
from hermes_agent.scheduler.asking import cron_asker
from hermes_agent.scheduler.road import CronRoad
from hermes_agent.scheduler.settings import CronSettings, cron_settings
from hermes_agent.scheduler.ticker import Ticker
from hermes_agent.store.journal import store_thread
from hermes_agent.store.opening import open_store
from hermes_agent.store.port import SessionStore
from tests.servers.model import ModelServer
from tests.servers.script import Call, Fault, Reply, Usage

CHAT = Origin(platform="telegram", chat_id="42", user_id="7", thread_id="5")
HOME = Target(platform="telegram", chat_id="home")


@dataclass
class House:
    home: Path
    book: JobBook
    ledger: Ledger
    ticker: Ticker
    road: CronRoad
    model: ModelServer
    store: SessionStore
    sent: list[Outgoing] = field(default_factory=list[Outgoing])

    def make(self, **settings: object) -> Job:
        fields = {"schedule": "every 1h", "prompt": "Look around", "deliver": "origin"}
        new = NewJob(**{**fields, "origin": CHAT, **settings})  # pyright: ignore[reportArgumentType] - by name
        return self.book.create(new)

    async def claim(self, job: Job) -> Claim:
        await asyncio.to_thread(self.book.run, job.id)
        await asyncio.to_thread(self.ticker.tick)
        claim = await asyncio.to_thread(self.ledger.claim, "w", 60)
        assert claim is not None
        return claim

    async def run(self, job: Job) -> list[str]:
        """What is sent for one run."""
        claim = await self.claim(job)
        outgoing = await self.road.travel(claim)
        await asyncio.to_thread(self.ledger.settle, claim, "w", outgoing)
        self.sent = list(outgoing)
        return [each.post.text for each in outgoing]

    def outputs(self, job: Job) -> list[str]:
        folder = self.home / "cron" / "output" / job.id
        return [file.read_text() for file in sorted(folder.glob("*.md"))]

    def script(self, name: str, text: str) -> str:
        folder = self.home / "scripts"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text)
        return name


@asynccontextmanager
async def house(home: Path, config: str = "", **settings: object) -> AsyncGenerator[House]:
    await asyncio.to_thread(home.mkdir, parents=True, exist_ok=True)
    with ModelServer() as model:
        (home / "config.yaml").write_text(
            "model:\n  provider: custom\n  default: scripted-model\n"
            f"  base_url: {model.base_url}\nagent:\n  api_max_retries: 0\n{config}"
        )
        environ = {"HERMES_HOME": str(home), "HOME": str(home.parent), "PATH": os.environ["PATH"]}
        loaded = load(environ=environ)
        store, thread = open_store(home), store_thread()
        book, ledger = open_jobs(home, "UTC"), open_ledger(home)
        host = SessionHost(loaded, store, cwd=home.parent, thread=thread)
        asker = cron_asker(loaded.config)
        road = CronRoad(
            book,
            host,
            home_dir=home,
            render=lambda target, text: [Post(text=text, plain=text)],
            answer=lambda target, message, origin: [
                Post(text=f"{message.before}{message.said}{message.after}")
            ],
            home=lambda platform: HOME if platform == "telegram" else None,
            run_command=Unattended(host.premises, home.parent, asker),
            settings=msgspec.structs.replace(cron_settings(loaded.config), **settings),
            asker=asker,
            thread=thread,
        )
        try:
            yield House(home, book, ledger, Ticker(book, ledger), road, model, store)
        finally:
            await host.close()
            thread.shutdown()
            for each in (book, ledger, store):
                each.close()


async def test_the_answer_of_a_job_is_wrapped_kept_and_sent_to_where_it_was_made(
    home: Path,
) -> None:
    async with house(home) as there:
        there.model.say(Reply(text="All is well."))
        job = there.make(name="Rounds", skills=("walking",))
        (text,) = await there.run(job)
        assert "Rounds" in text and "All is well." in text and job.id in text
        assert there.sent[0].target == CHAT.target
        (kept,) = there.outputs(job)
        assert "All is well." in kept and "Look around" in kept
        (session,) = there.store.list()
        assert session.id.startswith(f"cron_{job.id}_20")
        assert session.source == "cron"
        said = there.store.history(session.id)[0].content
        assert "walking" in said and "Look around" in said
        found = there.book.get(job.id)
        assert (found.last_status, found.failures) == ("ok", 0)
        request = there.model.model_requests[0].body.decode()
        assert "cronjob" not in request and "clarify" not in request
        assert "[SILENT]" in request


async def test_a_silent_answer_is_kept_and_not_sent(home: Path) -> None:
    async with house(home) as there:
        there.model.say(Reply(text=" [SILENT] nothing new"))
        job = there.make()
        assert await there.run(job) == []
        assert "nothing new" in there.outputs(job)[0]


async def test_without_wrapping_the_answer_is_sent_as_it_is(home: Path) -> None:
    async with house(home, "cron:\n  wrap_response: false\n") as there:
        there.model.say(Reply(text="Plain."))
        assert await there.run(there.make()) == ["Plain."]


async def test_a_long_answer_is_cut_and_says_where_the_rest_is(home: Path) -> None:
    async with house(home) as there:
        there.model.say(Reply(text="x" * 9000, chunks=3000))
        job = there.make()
        (text,) = await there.run(job)
        assert len(text) < 4500
        (file,) = (home / "cron" / "output" / job.id).iterdir()
        assert str(file) in text
        assert "x" * 9000 in file.read_text()


async def test_an_answer_goes_to_every_place_once_its_parts_numbered(home: Path) -> None:
    async with house(home) as there:
        there.model.always(Reply(text="Hello."))
        job = there.make(
            deliver="local, telegram,discord:1:2, matrix:!room:example.org:$event,"
            " telegram, nowhere"
        )
        await there.run(job)
        assert [(each.part, each.target) for each in there.sent] == [
            (0, HOME),
            (1, Target(platform="discord", chat_id="1", thread_id="2")),
            (2, Target(platform="matrix", chat_id="!room:example.org", thread_id="$event")),
        ]
        found = there.book.get(job.id)
        assert found.last_status == "ok"
        assert "nowhere has no home channel" in found.last_error


async def test_outputs_are_kept_up_to_the_retention(home: Path) -> None:
    async with house(home, retention=2) as there:
        there.model.always(Reply(text="Hello."))
        job = there.make(deliver="local")
        for number in range(4):
            claim = await there.claim(job)
            extra = {**claim.inbound.extra, "due": f"{1_780_000_000 + number}"}
            moved = msgspec.structs.replace(
                claim, inbound=msgspec.structs.replace(claim.inbound, extra=extra)
            )
            await there.road.travel(moved)
            await asyncio.to_thread(there.ledger.settle, claim, "w", ())
        assert len(there.outputs(job)) == 2


async def test_a_job_that_keeps_failing_pauses_and_says_so(home: Path) -> None:
    async with house(home, max_failures=2) as there:
        there.model.always(Fault.http(400, "no such model"))
        job = there.make(name="Rounds")
        (first,) = await there.run(job)
        assert "failed" in first and "Rounds" in first
        second, notice = await there.run(job)
        assert "failed" in second
        assert "paused" in notice and f"hermes cron resume {job.id}" in notice
        assert there.book.get(job.id).state == "paused"


async def test_a_dangerous_command_is_denied_because_nobody_can_be_asked(home: Path) -> None:
    victim = home.parent / "precious"
    victim.mkdir()
    async with house(home) as there:
        there.model.say(Reply(calls=[Call("terminal", {"command": f"rm -rf {victim}"})]))
        there.model.say(Reply(text="I could not."))
        await there.run(there.make())
        assert victim.is_dir()
        (session,) = there.store.list()
        (result,) = [m for m in there.store.history(session.id) if m.role == "tool"]
        assert "approval" in result.content.lower() or "denied" in result.content.lower()


async def test_where_cron_mode_approves_the_command_runs(home: Path) -> None:
    victim = home.parent / "rubbish"
    victim.mkdir()
    async with house(home, "approvals:\n  cron_mode: approve\n") as there:
        there.model.say(Reply(calls=[Call("terminal", {"command": f"rm -rf {victim}"})]))
        there.model.say(Reply(text="Done."))
        await there.run(there.make())
        assert not victim.exists()


async def test_a_script_alone_needs_no_model(home: Path) -> None:
    async with house(home) as there:
        script = there.script("count.py", "print(6 * 7)")
        job = there.make(script=script, no_agent=True, prompt="")
        (text,) = await there.run(job)
        assert "42" in text
        assert there.model.model_requests == []
        assert there.store.list() == ()


async def test_a_script_with_a_prompt_gives_the_model_what_it_printed(home: Path) -> None:
    async with house(home) as there:
        there.model.say(Reply(text="Warm."))
        job = there.make(script=there.script("t.sh", "echo 31 degrees"), prompt="How warm?")
        await there.run(job)
        request = there.model.model_requests[0].body.decode()
        assert "31 degrees" in request and "How warm?" in request


async def test_a_script_that_fails_is_a_failure_with_its_last_words(home: Path) -> None:
    async with house(home) as there:
        job = there.make(script=there.script("t.sh", "echo no disk; exit 3"), no_agent=True)
        (text,) = await there.run(job)
        assert "ended with 3" in text and "no disk" in text
        assert there.book.get(job.id).last_status == "error"


@pytest.mark.parametrize("script", ["missing.sh", "out.sh"])
async def test_only_files_in_the_folder_of_scripts_are_run(home: Path, script: str) -> None:
    async with house(home) as there:
        there.script("in.sh", "echo in")
        outside = home.parent / "outside.sh"
        outside.write_text("echo out")
        (home / "scripts" / "out.sh").symlink_to(outside)
        (text,) = await there.run(there.make(script=script, no_agent=True))
        assert "failed" in text and "There is no script" in text


async def test_a_script_that_the_gate_refuses_does_not_run(home: Path) -> None:
    async with house(home, 'approvals:\n  deny: ["*scripts*"]\n') as there:
        trace = home.parent / "trace"
        script = there.script("t.sh", f"touch {trace}")
        (text,) = await there.run(there.make(script=script, no_agent=True))
        assert "failed" in text
        assert not trace.exists()


async def test_a_script_that_a_crash_cut_off_is_reported_and_never_run_again(home: Path) -> None:
    async with house(home) as there:
        counter = home.parent / "counter"
        begun = home.parent / "begun"
        os.mkfifo(begun)
        script = there.script("t.sh", f"echo ran >> {counter}; echo > {begun}; sleep 60")
        job = there.make(script=script, no_agent=True)
        claim = await there.claim(job)
        travelling = asyncio.create_task(there.road.travel(claim))
        await asyncio.to_thread(begun.read_text)
        travelling.cancel()
        await asyncio.wait([travelling])
        (again,) = await there.road.travel(claim)
        assert "not run again" in again.post.text
        assert counter.read_text() == "ran\n"


async def test_a_run_that_was_stored_before_a_crash_gives_the_same_answer_without_the_model(
    home: Path,
) -> None:
    async with house(home) as there:
        there.model.say(Reply(text="Once."))
        job = there.make()
        claim = await there.claim(job)
        first = await there.road.travel(claim)
        again = await there.road.travel(claim)
        assert again == first
        assert len(there.model.model_requests) == 1
        assert len(there.outputs(job)) == 1


async def test_a_run_that_takes_too_long_is_stopped_and_failed(home: Path) -> None:
    held = threading.Event()
    async with house(home, turn_seconds=0.2) as there:
        there.model.say(Reply(text="Never finished at all", hold=held))
        (text,) = await there.run(there.make())
        held.set()
        assert "took longer" in text


async def test_a_missed_one_shot_is_told_and_not_run(home: Path) -> None:
    async with house(home) as there:
        job = there.make()
        claim = await there.claim(job)
        extra = {**claim.inbound.extra, "reason": "missed"}
        moved = msgspec.structs.replace(
            claim, inbound=msgspec.structs.replace(claim.inbound, extra=extra)
        )
        (told,) = await there.road.travel(moved)
        assert "was not run" in told.post.text and f"hermes cron run {job.id}" in told.post.text
        assert there.model.model_requests == []


async def test_the_run_of_a_job_that_is_gone_or_rests_is_left_out(home: Path) -> None:
    async with house(home) as there:
        job = there.make()
        claim = await there.claim(job)
        extra = {**claim.inbound.extra, "reason": "due"}
        moved = msgspec.structs.replace(
            claim, inbound=msgspec.structs.replace(claim.inbound, extra=extra)
        )
        await asyncio.to_thread(there.book.pause, job.id)
        assert await there.road.travel(moved) == ()
        await asyncio.to_thread(there.book.remove, job.id)
        assert await there.road.travel(claim) == ()
        assert there.model.model_requests == []


async def test_no_more_jobs_run_at_once_than_allowed(home: Path) -> None:
    async with house(home, parallel=1) as there:
        there.model.always(Reply(text="Done."))
        claims = [await there.claim(there.make()) for _ in range(4)]
        await asyncio.gather(*(there.road.travel(claim) for claim in claims))
        runs = [
            (history[0].timestamp, history[-1].timestamp)
            for history in (there.store.history(each.id) for each in there.store.list())
        ]
        runs.sort()
        assert len(runs) == 4
        assert all(before[1] <= after[0] for before, after in pairwise(runs))


def test_the_settings_are_those_of_the_configuration(home: Path) -> None:
    home.mkdir()
    (home / "config.yaml").write_text(
        "cron:\n  max_parallel_jobs: 3\n  output_retention: 7\n  wrap_response: false\n"
        "  missed_runs: once\n  max_failures: 2\n"
        "agent:\n  gateway_timeout: 60\n"
    )
    found = cron_settings(load(environ={"HERMES_HOME": str(home)}).config)
    assert found == CronSettings(
        parallel=3, retention=7, wrap=False, turn_seconds=60, missed="once", max_failures=2
    )


async def test_a_cap_that_others_reached_fails_a_run_and_is_not_held_against_the_job(
    home: Path,
) -> None:
    async with house(home, "budget: {month_tokens: 10}\n", max_failures=2) as there:
        there.model.always(Reply(text="Well.", usage=Usage(input=9, output=9)))
        job = there.make()
        await there.run(job)
        for _ in range(3):
            (text,) = await there.run(job)
            assert "budget.month_tokens" in text
        after = there.book.get(job.id)
        assert (after.state, after.failures, after.last_status) == ("scheduled", 0, "error")
        assert "budget.month_tokens" in after.last_error


async def test_a_job_that_is_too_dear_by_itself_pauses(home: Path) -> None:
    async with house(home, "budget: {turn_tokens: 10}\n", max_failures=2) as there:
        call = Call("terminal", {"command": "true"})
        there.model.always(Reply(calls=[call], usage=Usage(input=9, output=9)))
        job = there.make()
        await there.run(job)
        failed, notice = await there.run(job)
        assert "budget.turn_tokens" in failed and "paused" in notice
        assert there.book.get(job.id).state == "paused"
