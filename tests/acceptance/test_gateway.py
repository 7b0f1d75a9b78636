"""`hermes gateway run` as a process, with Telegram on a loopback server."""

import json
import signal
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from tests.acceptance.hermes import Hermes
from tests.servers.model import ModelServer
from tests.servers.script import Call, Reply
from tests.servers.telegram import BotApi

LIMIT = 30.0


class Running:
    """A gateway that runs, the bot it is, and Ann who may talk to it."""

    def __init__(self, hermes: Hermes, api: BotApi, process: "subprocess.Popen[bytes]") -> None:
        self.hermes = hermes
        self.api = api
        self.process = process
        self.ann: dict[str, Any] = {}

    def say(self, text: str) -> None:
        self.api.world.say(self.ann, text)

    def sees(self, text: str, times: int = 1) -> list[str]:
        """Wait until the bot's messages hold this text; all of them."""
        world, chat = self.api.world, self.ann["id"]

        def texts() -> list[str]:
            return [each.get("text", "") for each in world.seen(chat)]

        with world.changed:
            came = world.changed.wait_for(
                lambda: sum(text in each for each in texts()) >= times, LIMIT
            )
        assert came, f"{text!r} never came: {texts()}\n{self.log()}"
        return texts()

    def log(self) -> str:
        path = self.hermes.home / "logs" / "gateway.log"
        return path.read_text() if path.exists() else ""

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(LIMIT)


@pytest.fixture
def api() -> Generator[BotApi]:
    with BotApi() as api:
        yield api


@contextmanager
def gateway(hermes: Hermes, api: BotApi, *arguments: str, token: str = "") -> Generator[Running]:
    """Runs until the block ends; Ann is allowed."""
    ann = api.world.person("Ann")
    hermes.environ |= {
        "TELEGRAM_BOT_TOKEN": token or api.token,
        "TELEGRAM_ALLOWED_USERS": str(ann["id"]),
    }
    hermes.configure(f"platforms: {{telegram: {{extra: {{base_url: '{api.base_url}'}}}}}}\n")
    with hermes.started("gateway", *(arguments or ("run",))) as process:
        running = Running(hermes, api, process)
        running.ann = ann
        yield running


def test_a_person_on_telegram_is_answered_and_the_daemon_drains(
    hermes: Hermes, server: ModelServer, api: BotApi
) -> None:
    server.say(
        Reply(calls=(Call("terminal", {"command": "echo seen > proof.txt"}),)),
        Reply(text="It is *done*."),
    )
    hermes.environ["MESSAGING_CWD"] = str(hermes.folder)
    with gateway(hermes, api) as running:
        running.say("do it")
        running.sees("It is done.")
        assert (hermes.folder / "proof.txt").read_text() == "seen\n"
        status = hermes.run("gateway", "status", "--json")
        assert status.status == 0
        assert json.loads(status.out)["platforms"]["telegram"]["state"] == "connected"
        assert running.stop() == 0
    assert hermes.run("gateway", "status").status == 3
    assert api.token not in running.log()


@pytest.mark.parametrize(
    "arguments",
    [
        ("-v", "--replace"),
        ("--verbose",),
        ("run", "-v"),
        ("run", "--replace", "--verbose"),
        ("--verbose", "run", "--replace"),
    ],
)
def test_run_and_bare_gateway_take_the_same_flags_and_verbose_tells_every_step(
    hermes: Hermes, server: ModelServer, api: BotApi, arguments: tuple[str, ...]
) -> None:
    server.say(Reply(calls=(Call("terminal", {"command": "true"}),)), Reply(text="Here."))
    with gateway(hermes, api, *arguments) as running:
        running.say("there?")
        running.sees("Here.")
        assert running.stop() == 0
        steps = (
            "from telegram is taken up",
            "terminal begins",
            "terminal is ok",
            "is settled with",
        )
        assert [step for step in steps if step not in running.log()] == []


@pytest.mark.parametrize("verbose", [False, True])
def test_the_setting_agent_verbose_does_what_the_flag_does(
    hermes: Hermes, server: ModelServer, api: BotApi, verbose: bool
) -> None:
    hermes.configure(f"agent: {{verbose: {str(verbose).lower()}}}\n")
    server.say(Reply(text="Here."))
    with gateway(hermes, api) as running:
        running.say("there?")
        running.sees("Here.")
        assert running.stop() == 0
        assert ("is taken up" in running.log()) is verbose


def test_flags_of_run_before_another_command_are_refused(hermes: Hermes) -> None:
    ran = hermes.run("gateway", "--replace", "status")
    assert (ran.status, ran.out) == (2, "")
    assert "--replace are for run, not for status" in ran.err


def test_a_second_gateway_is_refused_and_replace_waits_for_the_turn(
    hermes: Hermes, server: ModelServer, api: BotApi
) -> None:
    held = threading.Event()
    server.say(lambda _: (held.wait(LIMIT), Reply(text="Finished."))[1])
    with gateway(hermes, api) as running:
        running.say("work")
        server.wait_for_model_requests(1)
        second = hermes.run("gateway", "run")
        assert second.status == 1
        assert "runs already" in second.err
        with hermes.started("gateway", "run", "--replace") as replacing:
            assert running.process.poll() is None
            held.set()
            running.sees("Finished.")
            assert running.process.wait(LIMIT) == 0
            server.say(Reply(text="By the second one."))
            running.say("and now?")
            running.sees("By the second one.")
            replacing.terminate()
            assert replacing.wait(LIMIT) == 0


def test_after_kill_9_the_turn_goes_on_and_its_command_is_not_run_again(
    hermes: Hermes, server: ModelServer, api: BotApi
) -> None:
    server.say(Reply(calls=(Call("terminal", {"command": "echo x >> ran; sleep 60"}),)))
    hermes.environ["MESSAGING_CWD"] = str(hermes.folder)
    ran = hermes.folder / "ran"
    with gateway(hermes, api) as running:
        running.say("work")
        deadline = threading.Event()
        while not ran.exists():
            assert not deadline.wait(0.02)
        running.process.kill()
        running.process.wait(LIMIT)
        server.say(Reply(text="It was cut off."))
        with hermes.started("gateway", "run") as again:
            running.sees("It was cut off.")
            again.terminate()
            assert again.wait(LIMIT) == 0
    assert ran.read_text() == "x\n"
    told = server.model_requests[-1].json["messages"][-1]
    assert told["role"] == "tool"
    assert "interrupted" in str(told["content"])


def test_hup_reads_the_configuration_again_and_keeps_the_old_one_when_it_is_torn(
    hermes: Hermes, server: ModelServer, api: BotApi
) -> None:
    server.always(Reply(text="Yes."))
    with gateway(hermes, api) as running:
        running.say("one")
        running.sees("Yes.", 1)
        config = hermes.home / "config.yaml"
        whole = config.read_text()
        config.write_text(whole + "agent: [torn\n")
        running.process.send_signal(signal.SIGHUP)
        running.say("two")
        running.sees("Yes.", 2)
        assert "the new configuration is not used" in running.log()
        config.write_text(whole + "agent: {system_prompt: Be brief indeed.}\n")
        running.process.send_signal(signal.SIGHUP)
        running.say("/new three")
        running.sees("Yes.", 3)
        asked = server.model_requests[-1].json["messages"]
        assert "Be brief indeed." in asked[0]["content"]
        assert running.stop() == 0


def test_a_wrong_token_is_reported_and_the_rest_goes_on(
    hermes: Hermes, server: ModelServer, api: BotApi
) -> None:
    server.say(Reply(text="Over HTTP."))
    hermes.environ |= {"API_SERVER_ENABLED": "1", "API_SERVER_KEY": "k" * 20}
    hermes.environ["API_SERVER_PORT"] = str(_free_port())
    wrong = "77:" + "w" * 35
    with gateway(hermes, api, token=wrong) as running:
        url = f"http://127.0.0.1:{hermes.environ['API_SERVER_PORT']}"
        telegram = _until_it_fails(hermes)
        assert telegram["state"] == "failed"
        assert "TELEGRAM_BOT_TOKEN" in running.log()
        assert wrong not in running.log() + json.dumps(telegram)
        answer = httpx2.post(
            f"{url}/v1/chat/completions",
            json={"model": "hermes-agent", "messages": [{"role": "user", "content": "hi"}]},
            headers={"Authorization": "Bearer " + "k" * 20},
            timeout=LIMIT,
        )
        assert answer.json()["choices"][0]["message"]["content"] == "Over HTTP."
        assert running.stop() == 0


def test_a_configuration_that_cannot_be_used_ends_with_78(hermes: Hermes) -> None:
    hermes.configure("terminal: {cwd: /nowhere/at/all}\n")
    done = hermes.run("gateway", "run")
    assert done.status == 78
    assert "/nowhere/at/all" in done.err


def test_the_queue_is_empty_listed_and_refuses_nonsense(hermes: Hermes) -> None:
    assert hermes.run("gateway", "queue", "list").out == "Nothing waits.\n"
    assert json.loads(hermes.run("gateway", "queue", "list", "--json").out) == {
        "inbox": [],
        "outbox": [],
    }
    assert hermes.run("gateway", "queue", "retry", "nonsense").status == 2
    assert hermes.run("gateway", "queue", "retry").status == 2


def _until_it_fails(hermes: Hermes) -> dict[str, str]:
    pause = threading.Event()
    for _ in range(300):
        status = json.loads(hermes.run("gateway", "status", "--json").out)
        telegram: dict[str, str] = status["platforms"].get("telegram", {})
        if telegram.get("state") in ("failed", "retrying"):
            return telegram
        pause.wait(0.05)
    raise AssertionError("nothing was reported")


def _free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def test_told_twice_to_stop_it_does_not_wait_for_the_turn(
    hermes: Hermes, server: ModelServer, api: BotApi
) -> None:
    held = threading.Event()
    server.say(lambda _: (held.wait(LIMIT), Reply(text="Never."))[1])
    with gateway(hermes, api) as running:
        running.say("work")
        server.wait_for_model_requests(1)
        running.process.send_signal(signal.SIGINT)
        while "waiting for 1 turn" not in running.log():
            assert running.process.poll() is None
            threading.Event().wait(0.02)
        assert running.stop(signal.SIGINT) == 0
        held.set()
