"""In a declared home a session may choose its model and manner, and ask for less: no more.

What the agent's own user could write, `.env` and config.yaml, lets nobody in.
"""

import json
from typing import Any

import pytest

from tests.acceptance.declaring import contents, declare
from tests.acceptance.hermes import Hermes
from tests.acceptance.terminal import OpenChat, needs_tmux
from tests.servers.model import ModelServer
from tests.servers.recorded import Recorded
from tests.servers.script import Call, Reply
from tests.servers.telegram import BotApi

FILE = {"read_file", "write_file", "patch", "search_files"}
REMOVAL = Call("terminal", {"command": "rm -rf precious"})


def tools_of(request: Recorded) -> set[str]:
    return {tool["function"]["name"] for tool in request.json.get("tools", [])}


@needs_tmux
def test_slash_commands_choose_model_and_manner_and_lift_nothing(
    hermes: Hermes, chat: OpenChat, server: ModelServer
) -> None:
    declare(hermes, {"approvals": {"mode": "manual"}, "display": {"personality": "none"}})
    before = contents(hermes.home)["config.yaml"]
    (hermes.folder / "precious").mkdir()
    server.say(Reply(calls=[REMOVAL]), Reply(text="Over."))
    tmux = chat()
    tmux.say("/yolo")
    tmux.see("Cannot change who is asked: managed by NixOS")
    tmux.say("/model another-model")
    tmux.see("Model: another-model")
    tmux.say("/personality noir")
    tmux.see("Personality: noir")
    tmux.say("remove it")
    tmux.see("[s] for this session")
    tmux.answer("d")
    tmux.see("Over.")
    assert (hermes.folder / "precious").is_dir()
    assert server.model_requests[-1].model == "another-model"
    assert "# Manner" in server.model_requests[-1].json["messages"][0]["content"]
    assert contents(hermes.home)["config.yaml"] == before


@pytest.mark.parametrize(
    ("words", "tools", "said"),
    [
        (["-t", "file"], FILE, ""),
        (["-t", "file,web"], FILE | {"terminal", "process"}, "the flag is ignored"),
        (["-t", "all"], FILE | {"terminal", "process"}, "the flag is ignored"),
    ],
)
def test_toolsets_may_be_fewer_and_never_more(
    hermes: Hermes, server: ModelServer, words: list[str], tools: set[str], said: str
) -> None:
    declare(hermes, {"toolsets": ["file", "terminal"]})
    server.say(Reply(text="Yes."))
    ran = hermes.run("-q", "hello", *words)
    assert ran.status == 0, ran.err
    assert tools_of(server.model_requests[-1]) == tools
    assert (said in ran.err) if said else "ignored" not in ran.err


@pytest.mark.parametrize(("asked", "made"), [("2", 2), ("50", 4)])
def test_turns_may_be_fewer_and_never_more(
    hermes: Hermes, server: ModelServer, asked: str, made: int
) -> None:
    declare(hermes, {"agent": {"max_turns": 4}})
    server.always(Reply(calls=[Call("todo", {})]))
    assert hermes.run("-q", "go on", "--max-turns", asked).status == 75
    assert sum("tools" in each.json for each in server.model_requests) == made


@pytest.mark.parametrize(
    ("words", "variables"), [(["--yolo"], {}), ([], {"HERMES_YOLO_MODE": "1"})]
)
def test_no_flag_and_no_variable_lifts_the_asking(
    hermes: Hermes, server: ModelServer, words: list[str], variables: dict[str, str]
) -> None:
    declare(hermes, {})
    (hermes.home / ".env").write_text("HERMES_YOLO_MODE=1\n")
    hermes.configure("approvals: {mode: off}\ncommand_allowlist: ['rm -rf *']\n")
    (hermes.folder / "precious").mkdir()
    server.say(Reply(calls=[REMOVAL]), Reply(text="Over."))
    ran = hermes.run("-q", "go", *words, **variables)
    assert ran.status == 0, ran.err
    assert (hermes.folder / "precious").is_dir()
    for key in ("HERMES_YOLO_MODE", "approvals.mode (config.yaml, line"):
        assert key in ran.err


def test_a_job_gets_no_tools_that_are_not_declared(hermes: Hermes, server: ModelServer) -> None:
    declare(hermes, {"toolsets": ["file"]})
    made = hermes.run(
        "cron", "create", "2h", "Look", "--toolset", "file", "--toolset", "terminal", "--json"
    )
    job: dict[str, Any] = json.loads(made.out)
    assert hermes.run("cron", "run", job["id"]).status == 0
    server.always(Reply(text="Looked."))
    with hermes.started("gateway", "run"):
        (request,) = server.wait_for_model_requests(1)
    assert tools_of(request) == FILE


def test_a_stranger_stays_one_whatever_the_agent_writes_into_its_home(
    hermes: Hermes, server: ModelServer
) -> None:
    server.always(Reply(text="Come in."))
    with BotApi() as api:
        stranger = api.world.person("Eve")
        extra = {"base_url": api.base_url}
        declare(hermes, {"platforms": {"telegram": {"enabled": True, "extra": extra}}})
        hermes.environ["TELEGRAM_BOT_TOKEN"] = api.token
        (hermes.home / ".env").write_text(
            f"GATEWAY_ALLOW_ALL_USERS=true\nTELEGRAM_ALLOW_ALL_USERS=1\n"
            f"TELEGRAM_ALLOWED_USERS={stranger['id']}\nTELEGRAM_OWNERS={stranger['id']}\n"
        )
        hermes.configure(
            "platforms: {telegram: {extra: "
            f"{{allow_all_users: true, owners: [{stranger['id']}], allowed_users: ['*']}}}}}}\n"
        )
        told = hermes.run("doctor", "--offline").out
        assert "telegram: nobody may write yet" in told
        assert "TELEGRAM_OWNERS in .env is ignored" in told
        assert "platforms.telegram.extra.owners (config.yaml" in told
        with hermes.started("gateway", "run"):
            api.world.say(stranger, "Let me in")
            with api.world.changed:
                assert api.world.changed.wait_for(lambda: api.world.seen(stranger["id"]), 30)
        (answer,) = api.world.seen(stranger["id"])
        assert "hermes pairing approve" in answer["text"]
        assert server.model_requests == []
