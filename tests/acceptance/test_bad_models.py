"""Model servers that misbehave: the person is told, the history stays whole."""

import signal
import socket

import pytest

from tests.acceptance.hermes import Hermes
from tests.acceptance.test_interruption import assert_whole
from tests.servers.model import ModelServer
from tests.servers.script import Call, Fault, Reply


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault.html(), "sent a web page instead of an answer"),
        (Fault.empty(), "sent nothing instead of an answer"),
        (Fault.raw("data: {bad\n\n", content_type="text/event-stream"), "that is not JSON"),
        (Fault.reset(), "Asking scripted-model again"),
        (Fault.stream("cut-event"), "Asking scripted-model again"),
    ],
    ids=["html", "empty", "malformed", "reset", "cut"],
)
def test_a_passing_fault_is_said_and_asked_again(
    hermes: Hermes, server: ModelServer, fault: Fault, said: str
) -> None:
    server.say(fault, Reply(text="fine"))
    ran = hermes.run("-Q", "-q", "hi")
    assert ran.status == 0
    assert ran.out.startswith("fine\n")
    assert said in ran.err
    assert [m["role"] for m in hermes.messages()] == ["user", "assistant"]


@pytest.mark.parametrize("quirk", ["unknown-events", "keep-open", "crlf", "bom", "extra-fields"])
def test_odd_streams_are_read(hermes: Hermes, server: ModelServer, quirk: str) -> None:
    server.say(Fault("stream", quirks=(quirk,), reply=Reply(text="fine")))  # type: ignore[arg-type]
    ran = hermes.run("-q", "hi")
    assert (ran.status, ran.out, ran.err) == (0, "fine\n", "")


def test_nobody_listening_is_said_with_the_address(hermes: Hermes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    (hermes.home / "config.yaml").write_text(
        f"model: {{provider: custom, base_url: '{address}', default: m}}\n"
    )
    ran = hermes.run("-q", "hi")
    assert ran.status == 1
    assert address in ran.err
    assert "Traceback" not in ran.err


def test_a_refused_key_is_not_asked_again_and_says_what_to_do(
    hermes: Hermes, server: ModelServer
) -> None:
    server.always(Fault.http(401))
    ran = hermes.run("-q", "hi")
    assert ran.status == 1
    assert "hermes config set OPENAI_API_KEY" in ran.err
    assert len(server.model_requests) == 1


@pytest.mark.parametrize("fault", [Fault.hang(), Fault.stall(), Fault.stall("arguments")])
def test_a_silent_server_can_be_left_with_ctrl_c(
    hermes: Hermes, server: ModelServer, fault: Fault
) -> None:
    server.say(fault, Reply(text="fine"))
    with hermes.started("-q", "hi") as process:
        server.wait_for_model_requests(1, timeout=30)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    assert hermes.run("-c", "-q", "again").out == "fine\n"
    assert_whole(hermes.messages())


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (Call("terminal", "{bad"), "not valid JSON"),
        (Call("no_such_tool", {}), "There is no tool"),
        (Call("terminal", {"comand": "true"}), "command"),
        (Call("terminal", "[1]"), "rgument"),
    ],
    ids=["json", "unknown", "field", "list"],
)
def test_a_wrong_call_goes_back_to_the_model(
    hermes: Hermes, server: ModelServer, call: Call, said: str
) -> None:
    server.say(Reply(calls=[call]), Reply(text="fine"))
    assert hermes.run("-q", "hi").out == "fine\n"
    assert said in server.model_requests[1].json["messages"][-1]["content"]
    assert_whole(hermes.messages())


def test_two_calls_with_one_id_both_run_and_get_results_of_their_own(
    hermes: Hermes, server: ModelServer
) -> None:
    calls = [Call("terminal", {"command": f"echo {n} >> ran"}, id="same") for n in (1, 2)]
    server.say(Reply(calls=calls), Reply(text="fine"))
    assert hermes.run("-q", "hi").out == "fine\n"
    assert sorted((hermes.folder / "ran").read_text().split()) == ["1", "2"]
    results = [m for m in hermes.messages() if m["role"] == "tool"]
    assert len({m["tool_call_id"] for m in results}) == 2
    assert_whole(hermes.messages())
