"""The settings of the guide's Full Example, each key effective: as a config.yaml, and declared.

What the example names and these tests cannot reach, the address of the model server, is replaced.
"""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.declaring import declare
from tests.acceptance.hermes import Hermes
from tests.acceptance.terminal import OpenChat, needs_tmux
from tests.acceptance.test_compaction import answer, summarising, summary, system_of, turn
from tests.servers.model import ModelServer
from tests.servers.recorded import Recorded
from tests.servers.script import Call, Reply

SETTINGS: dict[str, Any] = {
    "model": {
        "base_url": "https://openrouter.ai/api/v1",
        "default": "anthropic/claude-opus-4.6",
    },
    "toolsets": ["all"],
    "max_turns": 100,
    "terminal": {"backend": "local", "cwd": ".", "timeout": 180},
    "compression": {
        "enabled": True,
        "threshold": 0.85,
        "summary_model": "google/gemini-3-flash-preview",
    },
    "memory": {"memory_enabled": True, "user_profile_enabled": True},
    "display": {"compact": False, "personality": "kawaii"},
    "agent": {"max_turns": 60, "verbose": False},
}
"""Word by word."""

WINDOW = 12_000

Configure = Callable[..., Hermes]


@pytest.fixture(params=["config.yaml", "declared"])
def configured(hermes: Hermes, server: ModelServer, request: pytest.FixtureRequest) -> Configure:
    """Gives the example to the agent, with other values for the dotted keys that are named."""

    def configure(*, there: bool = False, **changes: Any) -> Hermes:
        settings = copy.deepcopy(SETTINGS)
        if not there:
            changes["model__base_url"] = server.base_url
        for key, value in changes.items():
            section, _, name = key.rpartition("__")
            (settings.setdefault(section, {}) if section else settings)[name] = value
        file = hermes.home / "config.yaml"
        if request.param == "declared":
            file.unlink(missing_ok=True)
            declare(hermes, settings)
        else:
            file.write_text(json.dumps(settings))  # JSON is YAML, and what Nix writes
        return hermes

    return configure


def tools_of(request: Recorded) -> set[str]:
    return {tool["function"]["name"] for tool in request.json["tools"]}


def asked(hermes: Hermes, server: ModelServer, *words: str) -> Recorded:
    """The request that a question makes."""
    server.say(Reply(text="Yes."))
    ran = hermes.run("-q", "hello", *words)
    assert (ran.status, ran.out) == (0, "Yes.\n"), ran.err
    return server.model_requests[-1]


def test_the_check_finds_one_old_name_and_no_key_without_effect(configured: Configure) -> None:
    ran = configured(there=True).run("config", "check")
    assert ran.status == 0, ran.err
    warnings = [line for line in ran.out.splitlines() if line.startswith("warning")]
    assert len(warnings) == 1
    assert "max_turns" in warnings[0]
    assert "is the old name of agent.max_turns" in warnings[0]
    assert ran.out.endswith("usable, 1 warnings\n")


def test_model_base_url_and_default(configured: Configure, server: ModelServer) -> None:
    hermes = configured(there=True)
    facts = json.loads(hermes.run("status", "--json", OPENROUTER_API_KEY="sk-or-x" * 4).out)
    assert facts["model"]["uses"] == (
        "anthropic/claude-opus-4.6 at OpenRouter (https://openrouter.ai/api/v1), "
        "key from OPENROUTER_API_KEY"
    )
    request = asked(configured(), server)
    assert request.model == "anthropic/claude-opus-4.6"
    assert request.path == "/v1/chat/completions"


def test_toolsets(configured: Configure, server: ModelServer) -> None:
    hermes = configured()
    rows = json.loads(hermes.run("tools", "list", "--json").out)
    everything = tools_of(asked(hermes, server))
    assert {"terminal", "process", "read_file", "memory", "todo"} <= everything
    assert len(rows) > 0
    file = {"read_file", "write_file", "patch", "search_files"}
    assert tools_of(asked(configured(toolsets=["file"]), server)) == file
    # An entry of a platform's own outranks it, there and nowhere else.
    hermes = configured(platform_toolsets={"cli": ["file"]})
    assert tools_of(asked(hermes, server)) == file
    telegram = hermes.run("tools", "list", "--platform", "telegram").out
    assert "on   terminal" in telegram


def test_the_nested_max_turns_outranks_the_one_at_the_root(
    configured: Configure, server: ModelServer
) -> None:
    hermes = configured()
    assert hermes.run("config", "get", "agent.max_turns").out == "60\n"
    server.always(Reply(calls=[Call("todo", {})]))
    ran = hermes.run("-q", "go on and on")
    assert ran.status == 75, ran.err
    assert sum("tools" in each.json for each in server.model_requests) == 60


def test_the_root_max_turns_counts_where_there_is_no_other(configured: Configure) -> None:
    hermes = configured(agent={"verbose": False})
    assert hermes.run("config", "get", "agent.max_turns").out == "100\n"


def test_terminal_backend_cwd_and_timeout(configured: Configure, server: ModelServer) -> None:
    hermes = configured()
    server.say(Reply(calls=[Call("terminal", {"command": "pwd; touch here"})]), Reply(text="Ok."))
    assert hermes.run("-q", "where?").status == 0
    result = json.loads(server.model_requests[-1].json["messages"][-1]["content"])
    assert result["output"].strip() == str(hermes.folder)
    assert (hermes.folder / "here").exists()
    server.say(Reply(calls=[Call("terminal", {"command": "sleep 170"})]), Reply(text="Ok."))
    assert configured(terminal__timeout=1).run("-q", "wait").status == 0
    result = json.loads(server.model_requests[-1].json["messages"][-1]["content"])
    assert result["exit_code"] == 124
    assert json.loads(hermes.run("status", "--json").out)["terminal"]["backend"] == "local"


def talk(hermes: Hermes, server: ModelServer, *, turns: int) -> tuple[list[int], list[Recorded]]:
    """Speak; the tokens of each ordinary request, and the requests for summaries."""
    server.when(summarising, summary)
    server.always(answer)
    router = {"OPENROUTER_API_KEY": "sk-or-x", "OPENROUTER_BASE_URL": server.base_url}
    hermes.environ |= router
    turn(hermes, 0)
    for number in range(1, turns):
        turn(hermes, number, "-c")
    ordinary = [each for each in server.model_requests if not summarising(each)]
    return [len(each.body) // 4 for each in ordinary], list(
        filter(summarising, server.model_requests)
    )


def test_compression_begins_at_the_threshold_and_asks_the_summary_model(
    configured: Configure, server: ModelServer
) -> None:
    sizes, summaries = talk(configured(model__context_length=WINDOW), server, turns=14)
    assert {each.model for each in summaries} == {"google/gemini-3-flash-preview"}
    # Longer than the usual half of the window, and never longer than what was asked for.
    assert 0.75 * WINDOW < max(sizes) < 0.85 * WINDOW + 700


def test_without_compression_nothing_is_summarised(
    configured: Configure, server: ModelServer
) -> None:
    hermes = configured(model__context_length=WINDOW, compression__enabled=False)
    sizes, summaries = talk(hermes, server, turns=14)
    assert summaries == []
    assert max(sizes) > 0.9 * WINDOW


def test_memory_enabled_and_user_profile_enabled(
    configured: Configure, server: ModelServer
) -> None:
    hermes = configured()
    (hermes.home / "memories").mkdir()
    (hermes.home / "memories/MEMORY.md").write_text("The build needs cmake")
    (hermes.home / "memories/USER.md").write_text("Prefers tabs")
    request = asked(hermes, server)
    assert "memory" in tools_of(request)
    assert "The build needs cmake" in system_of(request)
    assert "Prefers tabs" in system_of(request)
    request = asked(configured(memory__user_profile_enabled=False), server)
    assert "Prefers tabs" not in system_of(request)
    assert "The build needs cmake" in system_of(request)
    request = asked(configured(memory__memory_enabled=False), server)
    assert "The build needs cmake" not in system_of(request)
    assert "Prefers tabs" in system_of(request)


@needs_tmux
@pytest.mark.parametrize("compact", [False, True])
def test_display_compact(configured: Configure, chat: OpenChat, compact: bool) -> None:
    configured(display__compact=compact)
    screen = chat().see("Hermes Agent")
    assert ("folder" in screen) is not compact
    assert ("/help for commands" in screen) is not compact


def test_display_personality(configured: Configure, server: ModelServer) -> None:
    texts = Path(__file__).parents[2] / "src/hermes_agent/context/personalities"
    kawaii = (texts / "kawaii.md").read_text().strip()
    assert f"# Manner\n{kawaii}" in system_of(asked(configured(), server))
    assert "# Manner" not in system_of(asked(configured(display__personality="none"), server))


@pytest.mark.parametrize("verbose", [False, True])
def test_agent_verbose_shows_what_the_flag_shows(
    configured: Configure, server: ModelServer, verbose: bool
) -> None:
    def run(*words: str) -> str:
        call = Call("terminal", {"command": "echo printed-by-the-tool"})
        server.say(Reply(calls=[call]), Reply(text="Done."))
        return hermes.run("-q", "go", *words).err.partition("session")[0]

    hermes = configured(agent__verbose=verbose)
    plain, flagged = run(), run("-v")
    assert flagged.count("printed-by-the-tool") > 1
    assert (plain.count("printed-by-the-tool") > 1) is verbose


def test_soul_md_of_the_working_directory_is_the_persona_of_a_managed_home(
    hermes: Hermes, server: ModelServer
) -> None:
    (hermes.folder / "SOUL.md").write_text("You are Iris, and terse.")
    hermes.environ["MESSAGING_CWD"] = str(hermes.folder)
    assert system_of(asked(hermes, server)).startswith("You are Iris") is False
    hermes.environ["HERMES_MANAGED"] = "true"
    (hermes.home / "SOUL.md").unlink()
    assert system_of(asked(hermes, server)).startswith("You are Iris, and terse.")
    (hermes.home / "SOUL.md").write_text("You are Io.")
    assert system_of(asked(hermes, server)).startswith("You are Io.")
