"""What the service manager hears."""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hermes_agent.gateway.notify import Notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(10)
        yield listening


def heard(manager: socket.socket) -> list[str]:
    return manager.recv(4096).decode().split("\n")


def test_without_a_service_manager_nothing_is_sent() -> None:
    for address in ("", "relative/path", "@", "vsock:2:1"):
        notifier = Notifier(address)
        assert not notifier.enabled
        assert not notifier.ready()


def test_ready_status_stopping_watchdog_and_extension(manager: socket.socket) -> None:
    notifier = Notifier.of({"NOTIFY_SOCKET": manager.getsockname()})
    assert notifier.enabled
    assert notifier.ready("2 platforms")
    assert heard(manager) == ["READY=1", "STATUS=2 platforms"]
    assert notifier.ready()
    assert heard(manager) == ["READY=1"]
    assert notifier.status("draining")
    assert heard(manager) == ["STATUS=draining"]
    assert notifier.stopping("bye")
    assert heard(manager) == ["STOPPING=1", "STATUS=bye"]
    assert notifier.alive()
    assert heard(manager) == ["WATCHDOG=1"]
    assert notifier.extend(1.5)
    assert heard(manager) == ["EXTEND_TIMEOUT_USEC=1500000"]


def test_a_reload_carries_the_monotonic_time_in_microseconds(manager: socket.socket) -> None:
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert Notifier(manager.getsockname()).reloading()
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    first, second = heard(manager)
    assert first == "RELOADING=1"
    name, _, value = second.partition("=")
    assert name == "MONOTONIC_USEC"
    assert before <= int(value) <= after


def test_a_socket_in_the_abstract_namespace_is_reached() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0hermes-test-{os.getpid()}")
        listening.settimeout(10)
        assert Notifier(f"@hermes-test-{os.getpid()}").ready()
        assert heard(listening) == ["READY=1"]


def test_a_status_cannot_smuggle_a_command_in(manager: socket.socket) -> None:
    Notifier(manager.getsockname()).status("a\nWATCHDOG=trigger\r\x00\x1b[31m\u2028b")
    assert heard(manager) == ["STATUS=a WATCHDOG=trigger   [31m b"]


def test_a_long_status_is_cut_at_a_whole_character(manager: socket.socket) -> None:
    Notifier(manager.getsockname()).status("é" * 5000)
    (line,) = heard(manager)
    assert line == "STATUS=" + "é" * 500


def test_children_inherit_no_way_to_speak_for_the_daemon(manager: socket.socket) -> None:
    environ = {
        "NOTIFY_SOCKET": manager.getsockname(),
        "WATCHDOG_USEC": "30000000",
        "WATCHDOG_PID": str(os.getpid()),
        "PATH": "/bin",
    }
    notifier = Notifier.of(environ)
    assert environ == {"PATH": "/bin"}
    assert notifier.watchdog == 30.0


@pytest.mark.parametrize(
    ("usec", "pid"), [("", ""), ("0", ""), ("-5", ""), ("soon", ""), ("٣", ""), ("30000000", "1")]
)
def test_a_watchdog_that_is_off_or_for_another_process_is_none(usec: str, pid: str) -> None:
    assert Notifier.of({"WATCHDOG_USEC": usec, "WATCHDOG_PID": pid}).watchdog is None


def test_a_manager_that_went_away_is_no_error(manager: socket.socket) -> None:
    notifier = Notifier(manager.getsockname())
    manager.close()
    assert not notifier.ready()


def test_a_manager_that_does_not_read_cannot_hang_the_daemon(manager: socket.socket) -> None:
    notifier = Notifier(manager.getsockname())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filling:
        filling.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                filling.sendto(b"x", manager.getsockname())
    assert not notifier.alive()
