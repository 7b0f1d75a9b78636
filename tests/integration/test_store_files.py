"""The file: its modes, its versions, its damage, and what other programs see in it."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from hermes_agent.domain.errors import NewerStoreError, StoreBusy, StoreError
from hermes_agent.domain.messages import Message, ToolCall
from hermes_agent.store.opening import check_store, open_existing_store, open_store, recover_store
from hermes_agent.store.records import Session
from hermes_agent.store.sqlite import connection
from hermes_agent.store.sqlite.store import SqliteStore
from hermes_agent.store.sqlite.transaction import typed

DOCUMENTED = {
    "sessions": [
        "id", "source", "user_id", "model", "model_config", "system_prompt", "parent_session_id",
        "started_at", "ended_at", "end_reason", "message_count", "tool_call_count", "input_tokens",
        "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens",
        "billing_provider", "billing_base_url", "billing_mode", "estimated_cost_usd",
        "actual_cost_usd", "cost_status", "cost_source", "pricing_version", "title",
    ],
    "messages": [
        "id", "session_id", "role", "content", "tool_call_id", "tool_calls", "tool_name",
        "timestamp", "token_count", "finish_reason",
    ],
    "schema_version": ["version"],
}  # fmt: skip


def fill(home: Path, count: int = 1) -> None:
    store = open_store(home)
    store.create(Session(id="s", source="cli", title="Whales"))
    for number in range(count):
        store.append("s", Message(role="user", content=f"message {number} " + "text " * 50))
    store.close()


def modes(home: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o777 for file in home.iterdir()}


@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_only_the_owner_can_read_the_files(home: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        store = open_store(home)
        store.create(Session(id="s", source="cli"))
        assert modes(home) == {"state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600}
        store.close()
        assert home.stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)


def test_a_mode_that_was_set_on_purpose_stays(home: Path) -> None:
    fill(home)
    (home / "state.db").chmod(0o660)
    store = open_store(home)
    store.create(Session(id="t", source="cli"))
    assert set(modes(home).values()) == {0o660}
    store.close()


def test_looking_for_a_store_makes_nothing(home: Path) -> None:
    assert open_existing_store(home) is None
    assert check_store(home) == ()
    assert not home.exists()


def test_other_programs_find_the_documented_tables(home: Path) -> None:
    store = open_store(home)
    store.create(Session(id="s", source="cli"))
    store.append("s", Message(role="user", content="find these words"))
    store.append("s", Message(role="assistant", tool_calls=(ToolCall("c", "terminal", "{}"),)))
    store.close()
    other = sqlite3.connect(home / "state.db")
    for table, columns in DOCUMENTED.items():
        assert [row[1] for row in other.execute(f"PRAGMA table_info({table})")] == columns
    assert other.execute("SELECT version FROM schema_version").fetchall() == [(5,)]
    assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    found = other.execute(
        "SELECT snippet(messages_fts, 0, '>>>', '<<<', '…', 40) FROM messages_fts"
        " WHERE messages_fts MATCH 'words'"
    ).fetchall()
    assert found == [("find these >>>words<<<",)]
    calls = other.execute("SELECT tool_calls FROM messages WHERE role = 'assistant'").fetchone()
    assert calls == (
        '[{"id":"c","function":{"name":"terminal","arguments":"{}"},"type":"function"}]',
    )
    other.close()


def test_what_other_programs_write_is_found_and_shown(home: Path) -> None:
    fill(home)
    other = sqlite3.connect(home / "state.db")
    other.execute("INSERT INTO sessions (id, source, started_at) VALUES ('theirs', 'cron', 5)")
    other.execute(
        "INSERT INTO messages (session_id, role, content, timestamp, tool_calls) VALUES"
        " ('theirs', 'assistant', 'written elsewhere 别处', 6, '{broken')"
    )
    other.commit()
    other.close()
    store = open_store(home)
    assert len(store.search("elsewhere")) == len(store.search("别处")) == 1
    (message,) = store.history("theirs")
    assert (message.content, message.tool_calls) == ("written elsewhere 别处", ())
    assert store.repair("theirs").added == ()
    store.delete("theirs")
    store.close()
    assert check_store(home) == ()


def test_text_that_is_no_utf_8_and_roles_of_other_programs_do_no_harm(home: Path) -> None:
    fill(home)
    other = sqlite3.connect(home / "state.db")
    for role in ("user", "session_meta"):
        other.execute(
            "INSERT INTO messages (session_id, role, content, timestamp)"
            " VALUES ('s', ?, CAST(x'62ff64' AS TEXT), 6)",
            (role,),
        )
    other.commit()
    other.close()
    store = open_store(home)
    assert [m.content for m in store.history("s")][1:] == ["b\ufffdd", "b\ufffdd"]
    assert [m.role for m in store.repair("s").history] == ["user", "user"]
    store.close()
    assert recover_store(home).messages == 3
    store = open_store(home)
    assert len(store.search("text OR d")) == 3
    store.close()


def make_foreign(home: Path, version: int = 5, *, without: str = "") -> Path:
    home.mkdir(exist_ok=True)
    path = home / "state.db"
    other = sqlite3.connect(path)
    special = {
        ("sessions", "id"): "id TEXT PRIMARY KEY",
        ("messages", "id"): "id INTEGER PRIMARY KEY AUTOINCREMENT",
    }
    for table, columns in DOCUMENTED.items():
        defined = [special.get((table, c), c) for c in columns if c != without]
        other.execute(f"CREATE TABLE {table} ({', '.join(defined)})")
    other.executescript(
        "CREATE VIRTUAL TABLE messages_fts USING fts5(content, content=messages, content_rowid=id);"
        "CREATE TRIGGER theirs AFTER INSERT ON messages BEGIN"
        " INSERT INTO messages_fts(rowid, content) VALUES (new.id, new.content); END;"
        f"INSERT INTO schema_version VALUES ({version});"
        "INSERT INTO sessions (id, source, started_at, title) VALUES ('old', 'cli', 1.0, 'Old');"
        "INSERT INTO messages (session_id, role, content, timestamp)"
        " VALUES ('old', 'user', 'from before 从前', 2.0);"
    )
    other.close()
    return path


def test_a_database_of_another_program_is_taken_over_after_a_copy(home: Path) -> None:
    make_foreign(home, without="reasoning_tokens")
    store = open_store(home)
    assert store.resolve("old").reasoning_tokens == 0
    assert len(store.search("before")) == len(store.search("从前")) == 1
    stored = store.append("old", Message(role="user", content="and after"))
    assert len(store.search("after")) == 1
    assert stored.id is not None and store.rewind("old", stored.id) == 1
    assert store.search("after") == ()
    store.close()
    assert check_store(home) == ()
    (copy,) = home.glob("state.db.before-*")
    assert copy.stat().st_mode & 0o777 == 0o600
    before = sqlite3.connect(copy)
    assert before.execute("SELECT content FROM messages").fetchall() == [("from before 从前",)]
    before.close()
    open_store(home).close()
    assert len(list(home.glob("state.db.before-*"))) == 1, "migrated once"


def test_a_migration_that_fails_leaves_the_database_as_it_was(home: Path) -> None:
    path = make_foreign(home)
    before = sqlite3.connect(path)
    before.execute("CREATE VIEW message_details AS SELECT 1")
    before.close()
    with pytest.raises(StoreError):
        open_store(home)
    after = sqlite3.connect(path)
    names = {row[0] for row in after.execute("SELECT name FROM sqlite_master")}
    assert "store_migrations" not in names and "theirs" in names
    after.close()


def test_a_newer_database_is_refused_and_not_touched(home: Path) -> None:
    fill(home)
    path = home / "state.db"
    newer = sqlite3.connect(path)
    newer.execute("INSERT INTO store_migrations VALUES (9999, 'later', 0)")
    newer.commit()
    newer.close()
    before = path.read_bytes()
    with pytest.raises(NewerStoreError, match=r"state\.db was written by a newer version") as error:
        open_store(home)
    assert error.value.hint is not None and "Update" in error.value.hint
    assert path.read_bytes() == before
    assert [file.name for file in home.iterdir()] == ["state.db"]


def test_a_database_that_others_hold_too_long_is_busy(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BUSY_SECONDS", 0.05)
    fill(home)
    holder_file = apsw.Connection(str(home / "state.db"))
    holder = typed(holder_file)
    holder.execute("BEGIN IMMEDIATE")
    store = open_store(home)
    assert len(store.history("s")) == 1, "reading goes on"
    with pytest.raises(StoreBusy, match=r"state\.db"):
        store.append("s", Message(role="user", content="x"))
    holder.execute("ROLLBACK")
    holder_file.close()
    store.append("s", Message(role="user", content="x"))
    store.close()


KILLED = """
import os, sys
from pathlib import Path
from hermes_agent.domain.messages import Message
from hermes_agent.store.opening import open_store

store = open_store(Path(sys.argv[1]))
store.append("s", Message(role="user", content="message"))
os._exit(0)
"""

READ_ONLY = """
set -e
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
"$2" -c '
import sys
from pathlib import Path
from hermes_agent.domain.errors import StoreError
from hermes_agent.domain.messages import Message
from hermes_agent.store.opening import open_store
store = open_store(Path(sys.argv[1]))
print(store.read_only, len(store.history("s")), len(store.list()), len(store.search("message")))
try:
    store.append("s", Message(role="user", content="x"))
except StoreError as error:
    print(error.message)
store.close()
' "$1"
"""


@pytest.mark.parametrize("killed", [False, True], ids=["closed", "killed"])
def test_a_read_only_disk_can_be_read(home: Path, killed: bool) -> None:
    fill(home, 3)
    if killed:
        subprocess.run([sys.executable, "-c", KILLED, str(home)], check=True)
        assert (home / "state.db-wal").stat().st_size > 0
    ended = subprocess.run(
        ["unshare", "-m", "sh", "-c", READ_ONLY, "sh", str(home), sys.executable],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if "not permitted" in ended.stderr:
        pytest.skip("no leave to mount here")
    count = 4 if killed else 3
    assert ended.stdout.splitlines() == [
        f"True {count} 1 {count}",
        f"{home / 'state.db'} can be read but not written.",
    ], ended.stderr


@pytest.mark.parametrize("content", [b"this is no database\n" * 500, b"\x00" * 8192])
def test_a_file_that_is_no_database_is_a_clear_error_and_recovery_keeps_it(
    home: Path, content: bytes
) -> None:
    home.mkdir()
    path = home / "state.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"state\.db is damaged") as error:
        open_store(home)
    assert error.value.hint is not None and "hermes doctor --fix" in error.value.hint
    assert path.read_bytes() == content
    assert check_store(home)
    recovery = recover_store(home)
    assert Path(recovery.kept).read_bytes() == content
    fill(home)
    assert check_store(home) == ()


def test_an_empty_file_is_an_empty_store(home: Path) -> None:
    home.mkdir()
    (home / "state.db").touch()
    fill(home)
    assert check_store(home) == ()


def test_what_can_be_read_of_a_torn_database_is_saved(home: Path) -> None:
    fill(home, 3000)
    path = home / "state.db"
    whole = path.stat().st_size
    with path.open("r+b") as file:
        for page in range(20, whole // 4096, 25):
            file.seek(page * 4096)
            file.write(b"\xde\xad\xbe\xef" * 1024)
    assert check_store(home)
    recovery = recover_store(home)
    assert Path(recovery.kept).stat().st_size == whole
    assert recovery.messages > 1500
    assert check_store(home) == ()
    store = open_store(home)
    (session,) = store.list()
    assert session.message_count == recovery.messages == len(store.history(session.id))
    assert store.search("text")
    store.append(session.id, Message(role="user", content="goes on"))
    store.close()


def test_a_database_cut_short_gives_what_is_left(home: Path) -> None:
    fill(home, 3000)
    path = home / "state.db"
    os.truncate(path, path.stat().st_size * 2 // 3 // 4096 * 4096)
    with pytest.raises(StoreError, match=r"state\.db is damaged"):
        store = open_store(home)
        try:
            store.history("s")
            store.search("text")
            store.append("s", Message(role="user", content="x" * 100_000))
        finally:
            store.close()
    recovery = recover_store(home)
    assert recovery.messages > 0
    assert check_store(home) == ()


def test_a_torn_word_index_is_made_anew(home: Path) -> None:
    fill(home, 50)
    other = sqlite3.connect(home / "state.db")
    other.execute("UPDATE messages_fts_data SET block = zeroblob(10) WHERE id > 1")
    other.commit()
    other.close()
    assert recover_store(home).messages == 50
    store = open_store(home)
    assert len(store.search("text")) == 20
    store.close()


def test_a_backup_is_one_whole_file(home: Path, tmp_path: Path) -> None:
    fill(home, 10)
    store = open_store(home)
    store.append("s", Message(role="user", content="in the log still"))
    store.backup(tmp_path / "copy.db")
    store.close()
    copy = SqliteStore.open(tmp_path / "copy.db")
    assert len(copy.history("s")) == 11
    copy.close()


def test_a_home_that_is_a_file_is_a_clear_error(home: Path) -> None:
    home.write_text("no folder")
    with pytest.raises(StoreError, match=r"state\.db cannot be made"):
        open_store(home)
    assert open_existing_store(home) is None


@pytest.mark.parametrize("name", ["with space", "q?uery#hash%20", "ünï\u2603"])
def test_any_folder_name_will_do(tmp_path: Path, name: str) -> None:
    fill(tmp_path / name)
    assert (tmp_path / name / "state.db").is_file()
