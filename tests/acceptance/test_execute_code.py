"""Programs that call tools: what they can do, and everything that stops them."""

import json
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.environments.bubblewrap import unusable
from tests.acceptance.declaring import manage
from tests.acceptance.hermes import Hermes
from tests.acceptance.test_interruption import assert_whole, pid_in, running, wait_for
from tests.servers.model import ModelServer
from tests.servers.script import Call, Reply

YOLO = ("--yolo",)


@pytest.fixture(params=["local", "bubblewrap"])
def place(hermes: Hermes, request: pytest.FixtureRequest) -> str:
    """The environment that programs run in."""
    if request.param == "bubblewrap" and (reason := unusable()):
        pytest.skip(f"NO TEST OF PROGRAMS IN BUBBLEWRAP: {reason}")
    hermes.configure(f"terminal: {{backend: {request.param}}}\n")
    return request.param


def ask(hermes: Hermes, server: ModelServer, code: str, *words: str) -> dict[str, Any]:
    """Run a program in a turn of its own; what the model reads of it."""
    server.say(Reply(calls=[Call("execute_code", {"code": code})]), Reply(text="Done."))
    ran = hermes.run("-q", "go", *words)
    assert (ran.status, ran.out) == (0, "Done.\n"), ran.err
    return json.loads(server.model_requests[-1].json["messages"][-1]["content"])


def noted(hermes: Hermes) -> list[tuple[str, str]]:
    """The tool runs of the store, with how they ended."""
    with sqlite3.connect(hermes.home / "state.db") as db:
        return list(db.execute("SELECT name, status FROM tool_runs ORDER BY id"))


def test_a_program_calls_tools_and_prints_what_matters(
    hermes: Hermes, server: ModelServer, place: str
) -> None:
    code = """
from hermes_tools import read_file, write_file, search_files, patch, terminal
for name in "abc":
    write_file(f"{name}.txt", f"this is {name}\\n")
print(len(terminal("ls *.txt")["output"].split()))
print(read_file(path="c.txt")["content"])
print(terminal("exit 3")["exit_code"], search_files("this is a")["matches"].count("this is a"))
"""
    told = ask(hermes, server, code, *YOLO)
    assert told["status"] == "success", told
    assert told["output"] == "3\n1|this is c\n3 1\n"
    assert told["tool_calls_made"] == 7
    assert told["duration_seconds"] > 0
    assert (hermes.folder / "a.txt").read_text() == "this is a\n"
    runs = noted(hermes)
    assert runs[0] == ("execute_code", "ok")
    assert [name for name, _ in runs[1:]] == [
        "write_file", "write_file", "write_file", "terminal", "read_file", "terminal",
        "search_files",
    ]  # fmt: skip


def test_a_calls_result_is_what_the_tool_itself_gives(
    hermes: Hermes, server: ModelServer, place: str
) -> None:
    (hermes.folder / "a.txt").write_text("one\ntwo\n")
    code = """
import json
from hermes_tools import read_file
print(json.dumps([read_file("a.txt", 2), read_file("missing"), read_file("a.txt", lines=3)]))
"""
    told = ask(hermes, server, code, *YOLO)
    second, missing, odd = json.loads(told["output"])
    server.say(
        Reply(calls=[Call("read_file", {"path": "a.txt", "offset": 2})]), Reply(text="Done.")
    )
    hermes.run("-q", "go")
    assert second == json.loads(server.model_requests[-1].json["messages"][-1]["content"])
    assert "missing" in missing["error"]
    assert "`lines` was ignored" in odd["note"]


def test_each_call_passes_the_same_policy(hermes: Hermes, server: ModelServer, place: str) -> None:
    (hermes.home / ".env").write_text("OPENROUTER_API_KEY=sk-or-v1-abcdefghijklmnop\n")
    (hermes.folder / "leak.txt").write_text("it is sk-or-v1-abcdefghijklmnop\n")
    code = f"""
from hermes_tools import read_file, write_file, terminal
print(read_file({str(hermes.home / ".env")!r})["status"])
print(write_file({str(hermes.home / "config.yaml")!r}, "approvals: {{mode: off}}")["status"])
print(terminal("rm -rf /")["error"])
print(read_file("leak.txt")["content"])
"""
    told = ask(hermes, server, code, *YOLO)
    first, second, third, fourth = told["output"].splitlines()
    assert (first, second) == ("blocked", "blocked")
    assert third.startswith("Blocked:")
    assert "abcdefghijklmnop" not in fourth
    assert "denied" in {status for _, status in noted(hermes)}
    assert "approvals" not in (hermes.home / "config.yaml").read_text()


def test_a_question_within_is_asked_and_nobody_means_no(
    hermes: Hermes, server: ModelServer
) -> None:
    if reason := unusable():
        pytest.skip(f"NO TEST OF PROGRAMS IN BUBBLEWRAP: {reason}")
    hermes.configure("terminal: {backend: bubblewrap}\n")
    code = "from hermes_tools import terminal\nprint(terminal('sudo true')['error'])"
    assert "Denied" in ask(hermes, server, code)["output"]


def test_on_the_bare_machine_a_program_needs_a_persons_word(
    hermes: Hermes, server: ModelServer
) -> None:
    code = "open('ran', 'w')"
    told = ask(hermes, server, code)
    assert told["status"] == "blocked"
    assert "what that does cannot be checked" in told["error"]
    assert not (hermes.folder / "ran").exists()
    hermes.configure('command_allowlist: ["inline-code:python"]\n')
    assert ask(hermes, server, code)["status"] == "success"
    assert (hermes.folder / "ran").exists()


def test_a_forbidden_program_runs_nowhere(hermes: Hermes, server: ModelServer, place: str) -> None:
    hermes.configure('approvals: {deny: ["*shutil.rmtree*"]}\n')
    told = ask(hermes, server, "import shutil\nshutil.rmtree('x')", *YOLO)
    assert "approvals.deny" in told["error"]


def test_a_program_sees_no_secrets(hermes: Hermes, server: ModelServer, place: str) -> None:
    hermes.environ |= {"MY_API_KEY": "sk-very-secret-thing", "DB_PASSWORD": "hunter2hunter2"}
    told = ask(hermes, server, "import os\nprint(sorted(os.environ))", *YOLO)
    assert "PATH" in told["output"]
    assert "MY_API_KEY" not in told["output"]
    assert "DB_PASSWORD" not in told["output"]


@pytest.mark.parametrize("signal_", ["variable", "registry"])
def test_in_a_managed_home_the_secrets_are_out_of_reach(
    hermes: Hermes, server: ModelServer, signal_: str
) -> None:
    if reason := unusable():
        pytest.skip(f"NO TEST OF PROGRAMS IN A MANAGED HOME: {reason}")
    (hermes.home / ".env").write_text("OPENROUTER_API_KEY=sk-or-v1-abcdefghijklmnop\n")
    manage(hermes, signal_)
    code = f"""
import os, glob
for name in (".env", "state.db", "config.yaml", "auth.json"):
    try:
        print(name, open(os.path.join({str(hermes.home)!r}, name)).read()[:3] and "READ")
    except OSError as error:
        print(name, type(error).__name__)
for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        if b"OPENROUTER" in open(path, "rb").read():
            print("READ", path)
    except OSError:
        pass
try:
    open(os.path.join({str(hermes.home)!r}, "config.yaml"), "a").write("yolo: true")
    print("WROTE")
except OSError as error:
    print(type(error).__name__)
"""
    told = ask(hermes, server, code)
    assert told["status"] == "success", told
    assert "READ" not in told["output"]
    assert "WROTE" not in told["output"]
    assert "yolo" not in (hermes.home / "config.yaml").read_text()


def test_one_that_loops_forever_is_killed_with_all_it_forked(
    hermes: Hermes, server: ModelServer, place: str
) -> None:
    hermes.configure("code_execution: {timeout: 2}\n")
    code = """
import os, subprocess, time
subprocess.Popen([os.getcwd(), "1000"], executable="/usr/bin/sleep")
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sleep", [os.getcwd(), "1000"])
    os._exit(0)
print("looping", flush=True)
while True:
    pass
"""
    told = ask(hermes, server, code, *YOLO)
    assert told["status"] == "timeout"
    assert told["output"] == "looping\n"
    assert "2 seconds" in told["error"]
    wait_for(lambda: not left_over(hermes.folder))


def test_nothing_outlives_a_program_that_ended(
    hermes: Hermes, server: ModelServer, place: str
) -> None:
    code = """
import os
for number in range(20):
    if os.fork() == 0:
        if number % 2:
            os.setsid()
        os.execvp("sleep", [os.getcwd(), "1000"])
print("over")
"""
    told = ask(hermes, server, code, *YOLO)
    assert (told["status"], told["output"]) == ("success", "over\n")
    wait_for(lambda: not left_over(hermes.folder))


def left_over(folder: Path) -> list[int]:
    """The processes that call themselves like the folder."""
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0] == str(folder).encode():
            found.append(int(path.parent.name))
    return [pid for pid in found if running(pid)]


def test_a_flood_is_cut_to_fifty_thousand(hermes: Hermes, server: ModelServer, place: str) -> None:
    code = "print('begin')\nfor n in range(200_000): print('flood', n)\nprint('end')"
    told = ask(hermes, server, code, *YOLO)
    assert told["status"] == "success"
    assert len(told["output"]) < 51_000
    assert told["output"].startswith("begin\n")
    assert told["output"].endswith("end\n")


def test_calls_are_counted_and_limited(hermes: Hermes, server: ModelServer, place: str) -> None:
    hermes.configure("code_execution: {max_tool_calls: 3}\n")
    code = """
from hermes_tools import read_file, ToolError
for n in range(5):
    try:
        read_file("a.txt")
        print("read")
    except ToolError as error:
        print(error)
"""
    told = ask(hermes, server, code, *YOLO)
    assert told["output"].splitlines()[:3] == ["read"] * 3
    assert told["output"].splitlines()[3:] == ["The limit of 3 tool calls is reached."] * 2
    assert told["tool_calls_made"] == 3


def test_only_the_few_tools_can_be_called_whatever_the_socket_is_told(
    hermes: Hermes, server: ModelServer, place: str
) -> None:
    code = """
import json, socket, os, hermes_tools
def say(data):
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(os.path.join(os.path.dirname(hermes_tools.__file__), "s"))
        try:
            line.sendall(data)
            line.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: line.recv(65536), b"")).decode()
        except OSError as error:
            return type(error).__name__
print(say(b'{"name": "memory", "arguments": {"action": "add", "content": "x"}}\\n'))
print(say(b'{"name": "execute_code", "arguments": {"code": "1"}}\\n'))
print(say(b'no json\\n'))
print(say(b''))
print(say(b'{"name": "read_file", "arguments": 5}\\n'))
print(len(say(b'x' * 17_000_000)) < 200)
print(hermes_tools.read_file("missing")["error"])
print(oct(os.stat(os.path.dirname(hermes_tools.__file__)).st_mode))
"""
    told = ask(hermes, server, code, *YOLO)
    lines = told["output"].splitlines()
    assert "cannot call memory" in lines[0]
    assert "cannot call execute_code" in lines[1]
    assert all("refused" in line for line in lines[2:5])
    assert lines[5] == "True"
    assert "missing" in lines[6]
    assert lines[7] == "0o40700"
    assert not (hermes.home / "memories/MEMORY.md").exists()


def test_threads_of_a_program_may_call_at_once(
    hermes: Hermes, server: ModelServer, place: str
) -> None:
    code = """
from concurrent.futures import ThreadPoolExecutor
from hermes_tools import terminal
with ThreadPoolExecutor(10) as pool:
    print(sorted(pool.map(lambda n: int(terminal(f"echo {n}")["output"]), range(10))))
"""
    told = ask(hermes, server, code, *YOLO)
    assert told["output"] == f"{[*range(10)]}\n", told


def test_a_mistake_comes_back_with_its_place(
    hermes: Hermes, server: ModelServer, place: str
) -> None:
    told = ask(hermes, server, "print('so far')\n1/0\n", *YOLO)
    assert told["status"] == "error"
    assert told["output"].startswith("so far\n")
    assert 'program.py", line 2' in told["output"]
    assert "ZeroDivisionError" in told["output"]
    assert "SyntaxError" in ask(hermes, server, "def (", *YOLO)["output"]


def test_an_interrupt_kills_the_program_and_the_call_on_its_way(
    hermes: Hermes, server: ModelServer, place: str
) -> None:
    code = f"""
import os
from hermes_tools import terminal
print("half", flush=True)
terminal("echo $$ > call.pid; exec -a {hermes.folder} sleep 1000")
"""
    server.say(Reply(calls=[Call("execute_code", {"code": code})]))
    with hermes.started("-q", "go", *YOLO) as process:
        pid_in(hermes.folder / "call.pid")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
    wait_for(lambda: not left_over(hermes.folder))
    messages = hermes.messages()
    assert_whole(messages)
    assert "half" in str(messages[-1]["content"])
    assert ("terminal", "interrupted") in noted(hermes)


def test_kill_9_leaves_nothing_running(hermes: Hermes, server: ModelServer, place: str) -> None:
    code = """
import os
if os.fork() == 0:
    os.setsid()
    os.execvp("sleep", [os.getcwd(), "1000"])
open("began", "w").close()
os.execvp("sleep", [os.getcwd(), "1000"])
"""
    server.say(Reply(calls=[Call("execute_code", {"code": code})]))
    with hermes.started("-q", "go", *YOLO) as process:
        wait_for((hermes.folder / "began").exists)
        wait_for(lambda: len(left_over(hermes.folder)) == 2)
        process.kill()
        process.wait()
    wait_for(lambda: not left_over(hermes.folder))
    server.say(Reply(text="I see."))
    assert hermes.run("-c", "-q", "and?").status == 0
    assert "interrupted" in server.model_requests[-1].json["messages"][-2]["content"]


def test_where_a_program_could_not_call_back_it_is_not_offered(
    hermes: Hermes, server: ModelServer
) -> None:
    hermes.configure("terminal: {backend: ssh, ssh_host: nowhere.invalid}\n")
    server.say(Reply(text="Hello."))
    assert hermes.run("-q", "hello").status == 0
    names = [each["function"]["name"] for each in server.model_requests[0].json["tools"]]
    assert "terminal" in names
    assert "execute_code" not in names
    assert "execute_code is not offered" in hermes.run("tools", "list").out


def test_with_both_the_fixed_part_of_a_request_stays_small(
    hermes: Hermes, server: ModelServer
) -> None:
    server.say(Reply(text="Hello."))
    hermes.run("-q", "hello")
    asked = server.model_requests[0].json
    fixed = json.dumps([asked["messages"][0], asked["tools"]]).encode()
    assert {"delegate_task", "execute_code"} <= {
        each["function"]["name"] for each in asked["tools"]
    }
    assert len(fixed) < 16_000
