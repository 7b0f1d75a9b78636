"""`hermes sessions`, driven as a process."""

import json
import os
import pty
import re
import resource
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hermes_agent.domain.messages import Message, ToolCall
from hermes_agent.store.opening import open_store
from hermes_agent.store.records import Session

HERMES = str(Path(sys.executable).with_name("hermes"))
WHALES, CHAT = "20260301_101500_aaaaaa", "20260302_101500_bbbbbb"


def environment(home: Path, **more: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "HERMES_HOME": str(home),
        "TERM": "xterm-256color",
        "LC_ALL": "C.UTF-8",
    } | more


def sessions(home: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HERMES, "sessions", *args],
        env=environment(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def done(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stderr
    return result.stdout


def on_terminal(home: Path, *args: str, typed: str = "", **env: str) -> tuple[int, str]:
    """Exit status and screen of a command on a terminal; `typed` is sent at its first question."""
    return run_on_terminal(home, [HERMES, "sessions", *args], typed, **env)


def run_on_terminal(home: Path, command: list[str], typed: str = "", **env: str) -> tuple[int, str]:
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        command,
        env=environment(home, COLUMNS="80", **env),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # the last one closed the terminal
            break
        shown += piece
        if typed and shown.endswith(b": "):
            os.write(terminal, typed.encode())
            typed = ""
    os.close(terminal)
    return process.wait(10), shown.decode()


@pytest.fixture
def filled(home: Path) -> Path:
    now = time.time()
    store = open_store(home)
    store.create(Session(id=WHALES, source="cli", title="Whales", model="m", started_at=now - 9000))
    store.create(Session(id=CHAT, source="telegram", started_at=now - 9000))
    for message in (
        Message(role="user", content="Where do whales sing?", timestamp=now - 7300),
        Message(
            role="assistant",
            tool_calls=(ToolCall("c", "terminal", '{"command": "ls"}'),),
            timestamp=now - 7299,
        ),
        Message(
            role="tool",
            content="\x1b[31mred\x07\n" + "line\n" * 50,
            tool_call_id="c",
            tool_name="terminal",
            timestamp=now - 7298,
        ),
        Message(role="assistant", content="At night 夜里.", timestamp=now - 7297),
    ):
        store.append(WHALES, message)
    store.append(CHAT, Message(role="user", content="你好，世界 " * 30, timestamp=now - 120))
    store.close()
    return home


def test_without_sessions_nothing_is_made_and_reading_says_so(home: Path) -> None:
    assert done(sessions(home, "list")) == "No sessions yet.\n"
    assert json.loads(done(sessions(home, "list", "--json"))) == []
    assert done(sessions(home, "search", "x")) == "No sessions yet.\n"
    assert json.loads(done(sessions(home, "stats", "--json")))["sessions"] == 0
    assert "No session ended" in done(sessions(home, "prune"))
    for command in (["show", "x"], ["export", "-"], ["delete", "x"], ["rename", "x", "y"]):
        result = sessions(home, *command)
        assert (result.returncode, result.stdout) == (1, "")
        assert "No sessions yet" in result.stderr
    assert not home.exists()


def test_list_has_aligned_columns_and_relative_times(filled: Path) -> None:
    heading, first, second = done(sessions(filled, "list")).splitlines()
    assert re.fullmatch(r"ID +ACTIVE +SOURCE +MESSAGES +TITLE", heading)
    assert first.startswith(CHAT) and "2 min ago" in first
    assert second.startswith(WHALES) and "2 h ago" in second and second.endswith("Whales")
    assert first.index("telegram") == second.index("cli") == heading.index("SOURCE")
    assert len(done(sessions(filled, "list", "--limit", "1")).splitlines()) == 2
    assert "Whales" not in done(sessions(filled, "list", "--source", "telegram"))
    (line,) = json.loads(done(sessions(filled, "list", "--json", "--source", "cli")))
    assert (line["id"], line["title"], line["message_count"]) == (WHALES, "Whales", 4)


def test_list_fits_a_terminal_and_honours_no_color(filled: Path) -> None:
    status, shown = on_terminal(filled, "list")
    assert status == 0 and "\x1b[1mID" in shown
    wide = [line for line in shown.splitlines() if "你好" in line]
    assert wide and wide[0].endswith("…")
    status, shown = on_terminal(filled, "list", NO_COLOR="1")
    assert status == 0 and "\x1b" not in shown


def test_show_tells_a_session_without_letting_it_move_the_terminal(filled: Path) -> None:
    for name in (WHALES, "20260301", "whales"):
        shown = done(sessions(filled, "show", name))
        assert "Where do whales sing?" in shown and "At night 夜里." in shown
        assert '→ terminal {"command": "ls"}' in shown
        assert "more lines" in shown
        assert "\x1b" not in shown and "\x07" not in shown
    session = json.loads(done(sessions(filled, "show", WHALES, "--json")))
    assert len(session["messages"]) == 4


def test_a_name_that_fits_none_or_several_ends_with_status_1(filled: Path) -> None:
    result = sessions(filled, "show", "nobody")
    assert (result.returncode, result.stdout) == (1, "")
    assert "nobody" in result.stderr
    result = sessions(filled, "show", "2026")
    assert result.returncode == 1
    assert WHALES in result.stderr and CHAT in result.stderr


def test_search_shows_the_words_around_a_match(filled: Path) -> None:
    assert ">>>whales<<< sing?" in done(sessions(filled, "search", "whales"))
    assert WHALES in done(sessions(filled, "search", "夜里"))
    assert done(sessions(filled, "search", "whales", "--role", "tool")) == "Nothing found.\n"
    (hit,) = json.loads(done(sessions(filled, "search", "whales", "--json")))
    assert (hit["session_id"], hit["role"]) == (WHALES, "user")
    assert done(sessions(filled, "search", "--", '-"(')) == "Nothing found.\n"


def test_export_writes_one_line_a_session_for_the_owners_eyes(filled: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    assert "2 sessions" in done(sessions(filled, "export", str(out)))
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert {line["id"]: len(line["messages"]) for line in lines} == {WHALES: 4, CHAT: 1}
    assert out.stat().st_mode & 0o777 == 0o600
    one = done(sessions(filled, "export", "-", "--session-id", "whales"))
    assert json.loads(one)["title"] == "Whales"
    only = done(sessions(filled, "export", "-", "--source", "telegram"))
    assert json.loads(only)["id"] == CHAT
    result = sessions(filled, "export", str(tmp_path / "no" / "folder.jsonl"))
    assert result.returncode == 1 and "cannot be written" in result.stderr


def test_an_export_that_fails_leaves_an_earlier_one_alone(filled: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("precious")
    assert sessions(filled, "export", str(out), "--session-id", "nobody").returncode == 1
    assert out.read_text() == "precious"
    assert [file.name for file in tmp_path.glob("*out.jsonl*")] == ["out.jsonl"]


def test_rename_takes_many_words_and_refuses_a_title_twice(filled: Path) -> None:
    assert "'Small talk'" in done(sessions(filled, "rename", CHAT, "Small", "talk"))
    result = sessions(filled, "rename", WHALES, "Small talk")
    assert result.returncode == 1 and CHAT in result.stderr
    assert "no title" in done(sessions(filled, "rename", "Small talk", ""))


def test_delete_and_prune_ask_and_refuse_where_nobody_can_answer(filled: Path) -> None:
    store = open_store(filled)
    store.end(CHAT, "done")
    store.close()
    for command in (["delete", WHALES], ["prune", "--older-than", "0"]):
        result = sessions(filled, *command)
        assert (result.returncode, result.stdout) == (2, "")
        assert "-y" in result.stderr
    status, shown = on_terminal(filled, "delete", "Whales", typed="n\n")
    assert status == 130 and "4 messages?" in shown
    assert len(json.loads(done(sessions(filled, "list", "--json")))) == 2
    status, shown = on_terminal(filled, "delete", "Whales", typed="y\n")
    assert status == 0 and "Deleted" in shown
    assert "1 session" in done(sessions(filled, "prune", "--older-than", "0", "-y"))
    assert done(sessions(filled, "list")) == "No sessions yet.\n"


def test_stats_count(filled: Path) -> None:
    shown = done(sessions(filled, "stats"))
    assert re.search(r"^Sessions +2$", shown, re.MULTILINE)
    assert re.search(r"^  telegram +1$", shown, re.MULTILINE)
    assert re.search(r"^Messages +5$", shown, re.MULTILINE)


def test_browse_needs_a_terminal_and_leaves_on_an_empty_answer(filled: Path) -> None:
    result = sessions(filled, "browse")
    assert result.returncode == 2 and "hermes sessions list" in result.stderr
    status, shown = on_terminal(filled, "browse", typed="\n")
    assert status == 0 and "1)" in shown and WHALES in shown
    status, shown = on_terminal(filled, "browse", typed="7\n")
    assert status == 2 and "1 to 2" in shown


def test_browse_goes_on_with_the_picked_session(filled: Path, tmp_path: Path) -> None:
    program = tmp_path / "hermes"
    program.write_text('#!/bin/sh\necho "resumed: $*"\n')
    program.chmod(0o755)
    code = (
        "import sys; from hermes_agent.cli.entry import run; sys.argv[0] = sys.argv[1];"
        "sys.exit(run(['sessions', 'browse']))"
    )
    status, shown = run_on_terminal(filled, [sys.executable, "-c", code, str(program)], typed="2\n")
    assert status == 0
    assert f"resumed: --resume {WHALES}" in shown


def test_a_database_that_is_none_is_told_with_what_to_do(home: Path) -> None:
    home.mkdir()
    (home / "state.db").write_bytes(b"nonsense " * 1000)
    result = sessions(home, "list")
    assert (result.returncode, result.stdout) == (1, "")
    assert str(home / "state.db") in result.stderr and "hermes doctor --fix" in result.stderr


def test_list_is_light(filled: Path) -> None:
    code = (
        "import sys; from hermes_agent.cli.entry import run; run(['sessions', 'list']);"
        "print(*sorted({'asyncio', 'rich', 'httpx2', 'ruamel', 'prompt_toolkit', 'pydantic',"
        " 'importlib.metadata'} & set(sys.modules)), file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(filled),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Whales" in ended.stdout
    assert ended.stderr == "\n"

    def cpu(*command: str) -> float:
        best = 9.0
        for _ in range(5):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, env=environment(filled), check=True, capture_output=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            best = min(best, spent)
        return best

    assert cpu(HERMES, "sessions", "list") - cpu(sys.executable, "-c", "pass") < 0.18, (
        "three times the budget, for machines that are busy"
    )
