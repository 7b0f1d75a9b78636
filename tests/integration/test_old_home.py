"""The database and the transcripts of an older installation are taken over once, or not at all."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hermes_agent.domain.errors import StoreError
from hermes_agent.domain.messages import Message
from hermes_agent.store.opening import open_store
from tests.old_home import builder
from tests.old_home.builder import CHAT, GROUP, LED, ONLY_LINES, ONLY_LOG, RESUMED, write


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder


def noted(home: Path) -> dict[str, str]:
    db = sqlite3.connect(home / "state.db")
    rows = dict(db.execute("SELECT name, problem FROM old_home").fetchall())
    db.close()
    return rows


@pytest.mark.parametrize("version", [5, 6, 22, 31])
def test_every_shape_of_the_database_is_taken_over(home: Path, version: int) -> None:
    builder.build(home, version=version)
    store = open_store(home)
    old = store.resolve("Old plans")
    assert (old.id, old.input_tokens, old.reasoning_tokens) == (RESUMED, 5000, 40)
    assert old.estimated_cost_usd == 0.25
    assert store.tip(RESUMED) == f"{RESUMED}b"
    asked, calling, result, answer = store.history(LED)
    assert calling.tool_calls[0].name == "terminal"
    assert result.tool_call_id == "call_1"
    assert (asked.content[:12], answer.finish) == ("The gardener", "stop")
    assert len(store.search("Skerryvore")) == 1
    store.append(LED, Message(role="user", content="And now?"))
    assert store.history(LED)[-1].content == "And now?"
    store.close()
    (copy,) = home.glob("state.db.before-*")
    assert copy.stat().st_mode & 0o777 == 0o600
    open_store(home).close()
    assert len(list(home.glob("state.db.before-*"))) == 1


def test_conversations_that_are_only_in_files_are_found(home: Path) -> None:
    builder.build(home)
    store = open_store(home)
    assert [m.content for m in store.history(ONLY_LINES)] == [
        "Bob keeps newts.",
        "Newts, then.",
        "From a job.",
    ]
    assert store.get(ONLY_LINES).source == "telegram"
    assert store.get(ONLY_LOG).system_prompt == "Old prompt."
    assert store.search("kestrel")[0].session_id == ONLY_LOG
    assert len(store.history(LED)) == 4, "the database is read first"
    store.close()
    assert noted(home)[f"{ONLY_LINES}.jsonl"] == "1 line(s) could not be read"
    assert f"{LED}.jsonl" not in noted(home)


def test_files_alone_are_taken_over_into_a_new_database(home: Path) -> None:
    builder.conversations(home / "sessions")
    store = open_store(home)
    assert len(store.history(ONLY_LINES)) == 3
    assert store.history(LED)[0].content == "stands in the database"
    store.close()


def test_chats_go_on_in_their_sessions(home: Path) -> None:
    builder.build(home)
    store = open_store(home)
    for key, session_id in ((CHAT, LED), (GROUP, ONLY_LINES)):
        route = store.route(key)
        assert route is not None
        assert route.session_id == session_id
    route = store.route(GROUP)
    assert route is not None
    assert (route.origin.chat_id, route.origin.user_id) == ("-900", "7002")
    store.close()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("..jsonl", b'{"role": "user", "content": "x"}'),
        ("a b;c.jsonl", b'{"role": "user", "content": "x"}'),
        ("session_x.json", b'{"session_id": "../../etc", "messages": [{"role": "user"}]}'),
        ("session_y.json", b"[" * 200_000),
        ("deep.jsonl", b'{"role": "user", "content": ' + b"[" * 200_000),
        ("latin.jsonl", b'{"role": "user", "content": "\xff\xfe"}'),
        ("numbers.jsonl", b'{"role": "user", "timestamp": 1e400}\n{"role": 3}\n7\nnull\n"x"'),
        ("sessions.json", b'{"agent:main:x": 3, "k": {}, "agent:main:y": {"origin": []}}'),
        ("sessions.json", b"not json"),
    ],
)
def test_hostile_files_do_no_harm(home: Path, name: str, content: bytes) -> None:
    (home / "sessions").mkdir()
    (home / "sessions" / name).write_bytes(content)
    store = open_store(home)
    assert store.routes() == ()
    for session in store.list():
        store.history(session.id)
    store.close()


def test_a_file_of_which_nothing_could_be_read_is_named(home: Path) -> None:
    (home / "sessions").mkdir()
    (home / "sessions/20250101_000000_ab.jsonl").write_bytes(b"\xff\xfe\x00" * 100)
    open_store(home).close()
    assert "could not be read" in noted(home)["20250101_000000_ab.jsonl"]


def test_links_pipes_and_giants_are_left_alone(home: Path, tmp_path: Path) -> None:
    folder = home / "sessions"
    folder.mkdir()
    (tmp_path / "secret").write_text('{"role": "user", "content": "secret"}')
    (folder / "link.jsonl").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "pipe.jsonl")
    with (folder / "giant.jsonl").open("wb") as file:
        file.truncate(1 << 33)
    store = open_store(home)
    assert store.list() == ()
    store.close()
    assert set(noted(home)) == {"link.jsonl", "pipe.jsonl", "giant.jsonl"}


def test_a_zero_byte_and_odd_text_are_stored(home: Path) -> None:
    write(home / "sessions/odd.jsonl", '{"role": "user", "content": "a\\u0000b \\ud800 别处"}')
    write(home / "sessions/fine.jsonl", '{"role": "user", "content": "a\\u0000b 别处"}')
    store = open_store(home)
    assert "别处" in store.history("fine")[0].content
    assert len(store.search("别处")) >= 1
    store.close()


def test_a_shape_that_cannot_be_filled_is_refused_and_untouched(home: Path) -> None:
    builder.database(home / "state.db", 40)
    db = sqlite3.connect(home / "state.db")
    db.execute("ALTER TABLE sessions RENAME TO s")
    db.execute("CREATE TABLE sessions AS SELECT * FROM s")
    db.execute("DROP TABLE sessions")
    names = [row[1] for row in db.execute("PRAGMA table_info(s)")]
    columns = ", ".join("id TEXT PRIMARY KEY" if name == "id" else name for name in names)
    db.execute(f"CREATE TABLE sessions ({columns}, tenant TEXT NOT NULL)")
    db.execute("DROP TABLE s")
    db.commit()
    db.close()
    before = (home / "state.db").read_bytes()
    with pytest.raises(StoreError, match="must have a tenant"):
        open_store(home)
    assert (home / "state.db").read_bytes() == before


def test_titles_that_are_there_twice_are_told_apart(home: Path) -> None:
    builder.database(home / "state.db")
    db = sqlite3.connect(home / "state.db")
    db.execute("DROP INDEX idx_sessions_title_unique")
    db.execute("UPDATE sessions SET title = 'Same'")
    db.commit()
    db.close()
    store = open_store(home)
    titles = [session.title for session in store.list()]
    assert len(set(titles)) == len(titles) == 3
    assert store.resolve("Same").title == "Same"
    store.close()


def test_values_that_no_column_was_meant_to_hold_are_mended(home: Path) -> None:
    builder.database(home / "state.db", 22)
    db = sqlite3.connect(home / "state.db")
    odd = [
        ("text", "2025-09-01T08:00:00+00:00", "Old\n plans ", "tele\ngram", "many"),
        ("late", 1e308, "Old plans", "cli", -4),
        ("long", "soon", "x" * 300, "cli", 7),
        ("empty", -1e18, "\u200b", "", 2),
    ]
    db.execute("DROP INDEX idx_sessions_title_unique")
    for row in odd:
        columns = "id, started_at, title, source, input_tokens"
        db.execute(f"INSERT INTO sessions ({columns}) VALUES (?, ?, ?, ?, ?)", row)
    db.execute("UPDATE sessions SET title = CAST(x'41ff42' AS TEXT) WHERE id = ?", (LED,))
    db.execute("UPDATE messages SET timestamp = 'yesterday' WHERE session_id = ?", (LED,))
    db.commit()
    db.close()
    store = open_store(home)
    text = store.get("text")
    assert (text.started_at, text.source, text.input_tokens) == (1756713600.0, "tele gram", 0)
    assert [store.get(name).started_at for name in ("late", "long", "empty")] == [0, 0, 0]
    assert store.get("late").input_tokens == 0
    assert store.get("long").title == "x" * 100
    assert (store.get("empty").title, store.get("empty").source) == (None, "imported")
    assert store.get("late").title == "Old plans"
    assert store.get(RESUMED).title == f"Old plans {RESUMED}"
    assert text.title == "Old plans text"
    assert store.get(LED).title == "A\ufffdB"
    assert {message.timestamp for message in store.history(LED)} == {1756700000.0}
    store.close()


def test_a_damaged_database_is_an_error_and_untouched(home: Path) -> None:
    builder.build(home)
    path = home / "state.db"
    data = bytearray(path.read_bytes())
    data[4096:9000] = random.Random(1).randbytes(4904)
    path.write_bytes(data)
    for side in ("-wal", "-shm"):
        path.with_name(f"state.db{side}").unlink(missing_ok=True)
    with pytest.raises(StoreError):
        store = open_store(home)
        store.list()
        store.close()
    assert path.read_bytes() == data


def test_a_kill_at_any_moment_leaves_the_old_or_the_new(home: Path, tmp_path: Path) -> None:
    builder.build(home)
    for number in range(60):
        line = '{"role": "user", "content": "filler ' + "word " * 200 + '"}\n'
        write(home / f"sessions/filler{number}.jsonl", line * 20)
    program = (
        "import sys; from pathlib import Path; from hermes_agent.store.opening import open_store;"
        "print('go', flush=True); open_store(Path(sys.argv[1])).close()"
    )
    chance = random.Random(7)
    whole = 0
    for attempt in range(12):
        place = tmp_path / f"copy{attempt}"
        subprocess.run(["cp", "-a", str(home), str(place)], check=True)
        with subprocess.Popen(
            [sys.executable, "-c", program, str(place)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(chance.uniform(0, 0.25))
            process.send_signal(signal.SIGKILL)
        db = sqlite3.connect(place / "state.db")
        tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert ("store_migrations" in tables) == ("old_home" in tables)
        whole += "old_home" in tables
        db.close()
        store = open_store(place)
        assert len(store.list()) == 65
        assert len(store.history(LED)) == 4
        store.close()
        assert list(place.glob("state.db.before-*.part")) == []
    assert whole < 12, "some were killed in the middle"
