"""`hermes model`, driven as people and scripts do."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.model import ModelServer, closed_port
from tests.servers.script import Fault, Reply

PROGRAM = "from hermes_agent.cli.entry import main; main()"
LEFT_OUT = ("_API_KEY", "_TOKEN", "_BASE_URL", "_PROXY", "_proxy")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


@pytest.fixture
def nobody() -> Iterator[dict[str, str]]:
    """Variables that point all local servers at a port where nobody listens."""
    with closed_port() as port:
        yield {
            f"{name}_BASE_URL": f"http://127.0.0.1:{port}/v1"
            for name in ("OLLAMA", "LMSTUDIO", "LLAMACPP", "VLLM")
        }


def environment(variables: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.endswith(LEFT_OUT)}
    return kept | variables


def hermes(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, "model", *words],
        env=environment(variables),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )


def configure(home: Path, text: str) -> None:
    home.mkdir(mode=0o700)
    (home / "config.yaml").write_text(text)


def custom(server: ModelServer) -> str:
    return (
        "# mine\nmodel:\n  provider: custom # by hand\n"
        f"  base_url: {server.base_url}\n  default: scripted-model\n"
    )


def test_set_writes_the_choice_and_keeps_comments(home: Path):
    configure(home, "# mine\nmodel:\n  default: old # by hand\ndisplay:\n  compact: true\n")
    done = hermes("set", "claude-opus-4-6", "--provider", "anthropic", ANTHROPIC_API_KEY="k")
    assert (done.returncode, done.stderr) == (0, "")
    text = (home / "config.yaml").read_text()
    assert text.startswith("# mine\n")
    assert "default: claude-opus-4-6" in text
    assert "provider: anthropic" in text
    assert "compact: true" in text


def test_set_of_another_vendor_takes_the_old_ones_address_away(home: Path, server: ModelServer):
    configure(home, custom(server))
    assert hermes("set", "openai:gpt-5", OPENAI_API_KEY="k").returncode == 0
    text = (home / "config.yaml").read_text()
    assert "base_url" not in text
    assert "provider: openai" in text
    assert "default: gpt-5" in text


def test_set_without_a_key_says_which_variable_is_missing(home: Path):
    done = hermes("set", "grok-4", "--provider", "xai")
    assert done.returncode == 0
    assert "XAI_API_KEY" in done.stderr


def test_set_of_an_unknown_vendor_writes_nothing(home: Path):
    done = hermes("set", "x", "--provider", "opnrouter")
    assert done.returncode == 2
    assert "openrouter" in done.stderr
    assert not (home / "config.yaml").exists()


def test_a_managed_home_is_left_alone(home: Path):
    configure(home, "model:\n  default: x\n")
    done = hermes("set", "y", HERMES_MANAGED="true")
    assert done.returncode == 1
    assert "managed by" in done.stderr
    assert (home / "config.yaml").read_text() == "model:\n  default: x\n"


def test_list_gives_the_servers_own_list(home: Path, server: ModelServer):
    server.models = ["beta", "alpha", "text-embedding-3"]
    configure(home, custom(server))
    assert hermes("list").stdout.split() == ["alpha", "beta"]
    listed = json.loads(hermes("list", "--json").stdout)
    assert [each["model"] for each in listed["models"]] == ["beta", "alpha"]


def test_list_of_a_named_provider_uses_its_key(home: Path, server: ModelServer):
    done = hermes(
        "list", "--provider", "deepseek", DEEPSEEK_API_KEY="d", DEEPSEEK_BASE_URL=server.base_url
    )
    assert done.stdout.split() == ["scripted-model"]
    assert server.requests[0].headers["authorization"] == "Bearer d"


def test_list_with_nothing_configured_shows_what_there_is(
    home: Path, server: ModelServer, nobody: dict[str, str]
):
    nobody["OLLAMA_BASE_URL"] = server.base_url
    done = hermes("list", **nobody, GITHUB_TOKEN="t")
    assert done.returncode == 0
    assert "OPENROUTER_API_KEY" in done.stdout
    assert "scripted-model" in done.stdout


def test_test_asks_one_question_and_tells_the_time(home: Path, server: ModelServer):
    configure(home, custom(server))
    server.say(Reply(text="ready"))
    done = hermes("test")
    assert done.returncode == 0
    assert "scripted-model at Custom server answers: first words after" in done.stdout
    assert len(server.model_requests) == 1


def test_test_tells_the_error_with_its_hint(home: Path, server: ModelServer):
    configure(home, custom(server))
    server.say(Fault.refuse("unauthorized"))
    done = hermes("test", OPENAI_API_KEY="team")
    assert done.returncode == 1
    assert "OPENAI_API_KEY" in done.stderr
    assert "team" not in done.stderr.replace("team-", "")


def test_a_pipe_gets_the_configured_model(home: Path, server: ModelServer):
    configure(home, custom(server))
    assert f"scripted-model at Custom server ({server.base_url})" in hermes().stdout


def test_the_picker_asks_for_provider_and_model(
    home: Path, server: ModelServer, nobody: dict[str, str]
):
    server.models = ["first-model", "second-model"]
    nobody["OLLAMA_BASE_URL"] = server.base_url
    main, end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "model"],
        env=environment(nobody),
        stdin=end,
        stdout=end,
        stderr=end,
    )
    os.close(end)
    shown = _until(main, "Which provider")
    assert "Ollama             running on this machine" in shown
    os.write(main, b"ollama\n")
    assert "second-model" in _until(main, "Which model")
    os.write(main, b"2\n")
    _until(main, "answers from now on")
    assert process.wait(30) == 0
    os.close(main)
    text = (home / "config.yaml").read_text()
    assert "provider: ollama" in text
    assert "default: second-model" in text


def _until(terminal: int, words: str) -> str:
    shown = b""
    while words.encode() not in shown:
        shown += os.read(terminal, 4096)
    return shown.decode()
