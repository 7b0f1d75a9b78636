"""Stored responses: the least used make room."""

import stat
from pathlib import Path

import pytest

from hermes_agent.api.response_store import ResponseStore
from hermes_agent.domain.errors import StoreError


def put(store: ResponseStore, *names: str) -> None:
    for name in names:
        store.put(name, 1.0, f"session of {name}", 7, b"{}")


def test_what_was_put_is_found_by_another_process_too(tmp_path: Path) -> None:
    path = tmp_path / "home" / "response_store.db"
    store = ResponseStore(path)
    put(store, "a")
    other = ResponseStore(path)
    kept = other.get("a")
    assert kept is not None
    assert (kept.session_id, kept.last_message, kept.body) == ("session of a", 7, b"{}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    store.close()
    other.close()


def test_the_one_unused_for_longest_makes_room(tmp_path: Path) -> None:
    store = ResponseStore(tmp_path / "r.db", kept=3)
    put(store, "a", "b", "c")
    assert store.get("a") is not None
    put(store, "d")
    assert store.get("b") is None
    assert all(store.get(name) for name in "acd")
    store.close()


def test_what_is_deleted_is_gone_once(tmp_path: Path) -> None:
    store = ResponseStore(tmp_path / "r.db")
    put(store, "a")
    assert [store.delete("a"), store.delete("a")] == [True, False]
    assert store.get("a") is None
    store.close()


def test_a_file_that_is_no_database_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    path.write_bytes(b"this is no database" * 100)
    store = ResponseStore(path)
    with pytest.raises(StoreError, match=r"r\.db cannot be used") as caught:
        store.get("a")
    assert "removed" in (caught.value.hint or "")
    store.close()
