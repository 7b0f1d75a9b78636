"""Nothing that was acknowledged is lost, however the process ends."""

import resource
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from hermes_agent.domain.messages import Message
from hermes_agent.store.records import Session
from hermes_agent.store.sqlite.recovery import problems
from hermes_agent.store.sqlite.store import SqliteStore
from hermes_agent.store.sqlite.transaction import typed

MAKER = """
import sys
from pathlib import Path
from hermes_agent.store.sqlite.store import SqliteStore

print(SqliteStore.open(Path(sys.argv[1])).stats().sessions)
"""

WRITER = """
import sys
from pathlib import Path
from hermes_agent.domain.messages import Message, ToolCall, ToolResult
from hermes_agent.store.sqlite.store import SqliteStore

path, session, start, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
store = SqliteStore.open(Path(path))
for number in range(start, start + count):
    call = ToolCall(f"call_{number}", "terminal", "{}")
    text = f"{session} {number} " + "word " * 200
    store.append(session, Message(role="assistant", content=text, tool_calls=(call,)))
    store.call_started(session, call)
    output = "out " * 200
    store.call_finished(session, ToolResult(call_id=call.id, name="terminal", content=output))
    store.append(session, Message(role="tool", content=output, tool_call_id=call.id))
    print(number, flush=True)
"""


def start_writer(
    path: Path, session: str, start: int = 0, count: int = 1_000_000
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), session, str(start), str(count)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def numbers(store: SqliteStore, session: str) -> list[int]:
    return [int(m.content.split()[1]) for m in store.history(session) if m.role == "assistant"]


def test_whatever_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = SqliteStore.open(path)
    store.create(Session(id="s", source="cli"))
    store.close()
    acknowledged = -1
    for round_ in range(12):
        writer = start_writer(path, "s", acknowledged + 1)
        assert writer.stdout is not None and writer.stderr is not None
        for _ in range(5 + 7 * round_):
            line = writer.stdout.readline()
            assert line, writer.stderr.read()
            acknowledged = int(line)
        writer.kill()
        rest = writer.stdout.read().split()
        acknowledged = int(rest[-1]) if rest else acknowledged
        writer.wait(30)
        writer.stdout.close()
        writer.stderr.close()

        assert problems(path) == ()
        store = SqliteStore.open(path)
        found = numbers(store, "s")
        assert set(range(acknowledged + 1)) <= set(found)
        repaired = store.repair("s").history
        assert len(repaired) == 2 * len(found)
        acknowledged = max(found)
        assert len(store.search(f'"s {acknowledged}"')) == 1, "the index is as far as the rows"
        store.close()


def test_two_processes_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    names = ("one", "two", "three")
    with_ids = SqliteStore.open(path)
    for name in names:
        with_ids.create(Session(id=name, source="cli"))
    writers = [start_writer(path, name, count=150) for name in names]
    for writer in writers:
        out, err = writer.communicate(timeout=60)
        assert writer.returncode == 0, err
        assert len(out.split()) == 150
    for name in names:
        assert numbers(with_ids, name) == list(range(150))
        assert with_ids.get(name).message_count == 300
    with_ids.close()
    assert problems(path) == ()


def test_many_processes_may_make_the_database_at_once(home: Path) -> None:
    path = home / "state.db"
    makers = [
        subprocess.Popen(
            [sys.executable, "-c", MAKER, str(path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    for maker in makers:
        out, err = maker.communicate(timeout=60)
        assert (maker.returncode, out) == (0, "0\n"), err
    assert [file.name for file in home.iterdir()] == ["state.db"]


def test_a_reader_that_holds_a_snapshot_does_not_stop_writers(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = SqliteStore.open(path)
    store.create(Session(id="s", source="cli"))
    reader_file = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    reader = typed(reader_file)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM messages").get == 0
    for number in range(50):
        store.append("s", Message(role="user", content=f"said {number}"))
    assert reader.execute("SELECT count(*) FROM messages").get == 0
    reader.execute("COMMIT")
    assert reader.execute("SELECT count(*) FROM messages").get == 50
    reader_file.close()
    store.close()


FULL = """
import sys
from pathlib import Path
from hermes_agent.domain.errors import StoreError
from hermes_agent.domain.messages import Message
from hermes_agent.store.sqlite.store import SqliteStore

store = SqliteStore.open(Path(sys.argv[1]))
stored = 0
try:
    while True:
        store.append("s", Message(role="user", content=f"{stored} " + "full " * 2000))
        stored += 1
except StoreError as error:
    print(stored, len(store.history("s")), flush=True)
    print(error.message, flush=True)
    try:
        store.close()
    except StoreError:
        pass
"""


def _assert_full_disk_loses_nothing(path: Path, ended: subprocess.CompletedProcess[str]) -> None:
    assert ended.returncode == 0, ended.stderr
    counts, message = ended.stdout.splitlines()
    stored, readable = map(int, counts.split())
    assert stored == readable > 0
    assert str(path) in message and "what was stored before is safe" in message
    store = SqliteStore.open(path)
    assert len(store.history("s")) == stored
    store.append("s", Message(role="user", content="there is room again"))
    store.close()
    assert problems(path) == ()


def test_a_file_size_limit_is_a_clear_error_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = SqliteStore.open(path)
    store.create(Session(id="s", source="cli"))
    store.close()

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))

    ended = subprocess.run(
        [sys.executable, "-c", FULL, str(path)],
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    _assert_full_disk_loses_nothing(path, ended)


def test_a_full_disk_is_a_clear_error_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = SqliteStore.open(path)
    store.create(Session(id="s", source="cli"))
    store.close()
    script = (
        'mkdir "$1/disk" && mount -t tmpfs -o size=3m none "$1/disk" '
        '&& cp "$1/state.db" "$1/disk/" && "$2" -c "$3" "$1/disk/state.db" '
        '&& cp "$1"/disk/state.db* "$1/"'
    )
    ended = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", str(tmp_path), sys.executable, FULL],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if "not permitted" in ended.stderr:
        pytest.skip("no leave to mount a small disk here")
    shown = ended.stdout.replace(str(tmp_path / "disk"), str(tmp_path))
    ended.stdout = shown
    _assert_full_disk_loses_nothing(path, ended)


def test_sigterm_in_the_middle_of_an_append_leaves_a_whole_database(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = SqliteStore.open(path)
    store.create(Session(id="s", source="cli"))
    writer = start_writer(path, "s")
    assert writer.stdout is not None and writer.stderr is not None
    assert writer.stdout.readline()
    writer.send_signal(signal.SIGTERM)
    writer.communicate(timeout=30)
    store.append("s", Message(role="user", content="next"))
    store.close()
    assert problems(path) == ()
