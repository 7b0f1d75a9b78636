"""The ledger's file: lost power, kill -9, a full disk, others who hold it, damage."""

import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from hermes_agent.domain.errors import StoreBusy, StoreError
from hermes_agent.domain.messages import Message
from hermes_agent.ledger.opening import open_existing_ledger, open_ledger
from hermes_agent.ledger.port import Claim, Dispatch, Ledger
from hermes_agent.store.opening import check_store, open_store, recover_store
from hermes_agent.store.records import Session
from hermes_agent.store.sqlite import connection
from hermes_agent.store.sqlite.transaction import typed
from tests.contract.ledger.making import LEASE, NOW, inbound, outgoing

SYNCED = "synced"


class SyncedFile(apsw.VFSFile):
    """Copies the file beside it each time it was made durable."""

    def __init__(self, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self.path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name or "")

    def xSync(self, flags: int) -> None:  # noqa: N802  the name of the base class
        super().xSync(flags)
        kept = self.path.parent / SYNCED
        kept.mkdir(exist_ok=True)
        shutil.copy(self.path, kept)


class SyncedDisk(apsw.VFS):
    def __init__(self) -> None:
        super().__init__("synced", "unix", makedefault=True)

    def xOpen(  # noqa: N802  the name of the base class
        self, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> SyncedFile:
        return SyncedFile(name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802  as there
        super().xDelete(filename, syncdir)
        path = Path(filename)
        (path.parent / SYNCED / path.name).unlink(missing_ok=True)


@pytest.fixture
def after_power_loss(home: Path) -> Iterator[Callable[[], Ledger]]:
    """Opens the home as it would be found now: nothing is there that was not made durable."""
    home.mkdir()
    disk = SyncedDisk()
    opened: list[Ledger] = []

    def again() -> Ledger:
        found = home.parent / f"found {len(opened)}"
        shutil.copytree(home / SYNCED, found)
        opened.append(open_ledger(found))
        return opened[-1]

    yield again
    for ledger in opened:
        ledger.close()
    disk.unregister()


def test_what_was_accepted_settled_and_sent_survives_the_loss_of_power(
    home: Path, after_power_loss: Callable[[], Ledger]
) -> None:
    ledger = open_ledger(home)
    store = open_store(home)
    store.create(Session(id="s", source="cli"))
    for number in range(3):
        # The store's own commits are not durable at once; they must not hold up the ledger's.
        store.append("s", Message(role="user", content="x" * 5000))
        ledger.accept(inbound(str(number)), "s")
        assert after_power_loss().counts().inbox["waiting"] == 1
        claim = ledger.claim("w", LEASE)
        assert claim is not None
        ledger.settle(claim, "w", [outgoing(claim.turn)])
        assert after_power_loss().counts().outbox["waiting"] == 1
        dispatch = ledger.next(["telegram"], NOW)
        assert dispatch is not None
        assert after_power_loss().counts().outbox["sending"] == 1
        ledger.sent(dispatch, "9")
        found = after_power_loss()
        assert found.counts().inbox == {"done": number + 1}
        assert found.counts().outbox == {"sent": number + 1}
    store.close()
    ledger.close()


ACCEPTER = """
import sys
from pathlib import Path
from hermes_agent.ledger.opening import open_ledger
from tests.contract.ledger.making import inbound

ledger = open_ledger(Path(sys.argv[1]))
for number in range(int(sys.argv[2]), 1_000_000):
    ledger.accept(inbound(str(number), "word " * 500), f"s{number % 3}")
    print(number, flush=True)
"""


def test_whatever_was_accepted_survives_kill_9(home: Path) -> None:
    chance = random.Random(5)
    acknowledged = -1
    for _ in range(8):
        accepter = subprocess.Popen(
            [sys.executable, "-c", ACCEPTER, str(home), str(acknowledged + 1)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert accepter.stdout is not None
        for _ in range(chance.randint(1, 60)):
            acknowledged = int(accepter.stdout.readline())
        accepter.send_signal(signal.SIGKILL)
        rest = accepter.stdout.read().split()
        acknowledged = int(rest[-1]) if rest else acknowledged
        accepter.wait(30)
        accepter.stdout.close()
        ledger = open_ledger(home)
        keys = {int(row.inbound.key) for row in ledger.inbox(limit=1_000_000)}
        ledger.close()
        assert set(range(acknowledged + 1)) <= keys
        acknowledged = max(keys)
    assert check_store(home) == ()


FULL = """
import sys
from pathlib import Path
from hermes_agent.domain.errors import StoreError
from hermes_agent.ledger.opening import open_ledger
from tests.contract.ledger.making import inbound, outgoing

home = Path(sys.argv[1])
ledger = open_ledger(home)
ledger.accept(inbound("first"), "a")
claim = ledger.claim("w", 60)
accepted = []
try:
    for number in range(100_000):
        ledger.accept(inbound(str(number), "full " * 2000), "s")
        accepted.append(str(number))
    sys.exit("the disk never got full")
except StoreError as error:
    print(error.message)
for what in (
    lambda: ledger.accept(inbound("late", "full " * 2000), "s"),
    lambda: ledger.settle(claim, "w", [outgoing(claim.turn, n, "x" * 5000) for n in range(9)]),
):
    try:
        what()
        sys.exit("there was room")
    except StoreError:
        pass
rows = ledger.inbox("waiting", limit=1_000_000)
assert [row.inbound.key for row in reversed(rows)] == accepted
assert ledger.outbox() == ()
(home / "fill").unlink()
assert ledger.accept(inbound("late", "full " * 2000), "s").fresh
ledger.settle(claim, "w", [outgoing(claim.turn)])
assert ledger.counts().outbox == {"waiting": 1}
print(len(accepted))
"""


def test_a_full_disk_stores_nothing_by_halves_and_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    script = (
        'mount -t tmpfs -o size=3m none "$1" && head -c 1000000 /dev/zero > "$1/fill" '
        '&& "$2" -c "$3" "$1"'
    )
    folder = tmp_path / "disk"
    folder.mkdir()
    ended = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", str(folder), sys.executable, FULL],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if "not permitted" in ended.stderr:
        pytest.skip("no leave to mount a small disk here")
    assert ended.returncode == 0, ended.stderr
    message, accepted = ended.stdout.splitlines()
    assert "state.db" in message and "what was stored before is safe" in message
    assert int(accepted) > 10


def test_a_file_that_others_hold_leaves_nothing_half_done(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = open_ledger(home)
    ledger.accept(inbound("1"), "s")
    claim = ledger.claim("w", LEASE)
    ledger.accept(inbound("2"), "other")
    ledger.post([outgoing("posted"), outgoing("more", chat="c2")])
    dispatch = ledger.next(["telegram"], NOW)
    assert claim is not None and dispatch is not None
    before = (ledger.inbox(), ledger.outbox(), ledger.counts())
    ledger.close()
    monkeypatch.setattr(connection, "BUSY_SECONDS", 0.01)
    ledger = open_ledger(home)
    holder_file = apsw.Connection(str(home / "state.db"))
    holder = typed(holder_file)
    holder.execute("BEGIN IMMEDIATE")
    for name, call in _writing_calls(ledger, claim, dispatch).items():
        with pytest.raises(StoreBusy, match=r"state\.db"):
            pytest.fail(f"{name} went through: {call()}")
    assert (ledger.inbox(), ledger.outbox(), ledger.counts()) == before, "reading goes on"
    holder.execute("ROLLBACK")
    holder_file.close()
    for call in _writing_calls(ledger, claim, dispatch).values():
        call()
    ledger.close()


def _writing_calls(
    ledger: Ledger, claim: Claim, dispatch: Dispatch
) -> dict[str, Callable[[], object]]:
    """In an order in which all of them can be done."""
    return {
        "accept": lambda: ledger.accept(inbound("3"), "third"),
        "claim": lambda: ledger.claim("v", LEASE),
        "renew": lambda: ledger.renew("w", LEASE),
        "absorb": lambda: ledger.absorb(3, "w", claim),
        "open": lambda: ledger.open(outgoing(claim.turn, chat="c3")),
        "opened": lambda: ledger.opened(dispatch, "7"),
        "unsent": lambda: ledger.unsent(dispatch, error="no", retry_at=None),
        "retry": lambda: ledger.retry("out", dispatch.id),
        "drop": lambda: ledger.drop("out", dispatch.id),
        "sent": lambda: ledger.sent(dispatch, "7"),
        "next": lambda: ledger.next(["telegram"], NOW),
        "settle": lambda: ledger.settle(claim, "w", [outgoing(claim.turn, 1)]),
        "reclaim": lambda: ledger.reclaim("v"),
        "release": lambda: ledger.release(_held(ledger, claim), "v", attempts=1),
        "post": lambda: ledger.post([outgoing("late")]),
        "prune": lambda: ledger.prune(NOW),
        "remember": lambda: ledger.remember("a", "b"),
    }


def _held(ledger: Ledger, otherwise: Claim) -> Claim:
    rows = ledger.inbox("waiting")
    return (ledger.claim("v", LEASE) if rows else None) or otherwise


def test_a_reader_that_holds_the_file_stops_nobody(home: Path) -> None:
    ledger = open_ledger(home)
    ledger.accept(inbound("1"), "s")
    reader_file = apsw.Connection(str(home / "state.db"), flags=apsw.SQLITE_OPEN_READONLY)
    reader = typed(reader_file)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM inbox").get == 1
    for number in range(200):
        claim = ledger.claim("w", LEASE)
        assert claim is not None
        ledger.settle(claim, "w", [outgoing(claim.turn)])
        ledger.accept(inbound(f"next {number}"), "s")
    assert reader.execute("SELECT count(*) FROM inbox").get == 1
    reader.execute("COMMIT")
    reader_file.close()
    assert ledger.counts().inbox == {"done": 200, "waiting": 1}
    ledger.close()


def test_a_row_that_cannot_be_read_stops_no_others(home: Path) -> None:
    ledger = open_ledger(home)
    for number in "12":
        ledger.accept(inbound(number), "s")
    ledger.post([outgoing("a"), outgoing("b")])
    other_file = apsw.Connection(str(home / "state.db"))
    other = typed(other_file)
    other.execute("UPDATE inbox SET inbound = '{\"kind\": \"of later\"}' WHERE key = '1'")
    other.execute("UPDATE outbox SET outgoing = '{' WHERE turn = 'a'")
    other_file.close()
    claim, dispatch = ledger.claim("w", LEASE), ledger.next(["telegram"], NOW)
    assert claim is not None and claim.inbound.key == "2"
    assert dispatch is not None and dispatch.outgoing.turn == "b"
    (bad_in,), (bad_out,) = ledger.inbox("dead"), ledger.outbox("dead")
    assert "cannot be read" in bad_in.error and "cannot be read" in bad_out.error
    assert bad_in.inbound.text == bad_out.outgoing.post.plain == "(cannot be read)"
    ledger.drop("in", bad_in.id)
    ledger.drop("out", bad_out.id)
    ledger.close()


def test_what_can_be_read_of_a_damaged_file_is_still_owed(home: Path) -> None:
    ledger = open_ledger(home)
    for number in range(300):
        ledger.accept(inbound(str(number), "word " * 300), f"s{number}")
    claim = ledger.claim("w", LEASE)
    assert claim is not None
    ledger.settle(claim, "w", [outgoing(claim.turn)])
    ledger.remember("offset", "300")
    ledger.close()
    path = home / "state.db"
    size = path.stat().st_size
    with path.open("r+b") as file:
        for page in range(60, size // 4096, 40):
            file.seek(page * 4096)
            file.write(b"\xde\xad\xbe\xef" * 1024)
    assert check_store(home)
    recover_store(home)
    assert check_store(home) == ()
    ledger = open_ledger(home)
    rows = ledger.inbox(limit=1000)
    assert len(rows) > 200
    assert ledger.recall("offset") == "300"
    assert [row.outgoing.turn for row in ledger.outbox()] == [claim.turn]
    newest = rows[0]
    assert not ledger.accept(newest.inbound, "s").fresh
    assert ledger.accept(inbound("new"), "s").id > newest.id
    ledger.close()


def test_a_new_file_names_its_turns_anew(home: Path) -> None:
    """A home keeps its platforms when state.db is thrown away, and they remember old keys."""
    ledger = open_ledger(home, lambda: NOW)
    before = ledger.accept(inbound("1"), "s")
    ledger.close()
    for file in home.glob("state.db*"):
        file.unlink()
    assert open_existing_ledger(home) is None
    ledger = open_ledger(home, lambda: NOW + 60)
    after = ledger.accept(inbound("1"), "s")
    assert after.id == before.id
    assert after.turn != before.turn
    ledger.close()


def test_a_home_that_cannot_be_written_is_a_clear_error(home: Path) -> None:
    home.write_text("a file")
    with pytest.raises(StoreError, match=r"state\.db"):
        open_ledger(home)
