"""The daemon in figures and parts, for `/metrics` and `/health/detailed`."""

import resource
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from hermes_agent.api.health import Health, Part, State
from hermes_agent.api.metrics import Metric, Sample, counter, gauge
from hermes_agent.ledger.port import Counts
from hermes_agent.version import VERSION

if TYPE_CHECKING:
    from hermes_agent.gateway.app import Gateway

FRESH_SECONDS = 2.0
_PART_STATES: dict[str, State] = {"connected": "ok", "connecting": "degraded"}


class Figures:
    """Looks at one life of the daemon. The ledger is counted at most every other second."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway
        self._counts: Counts | None = None
        self._counted = 0.0

    def health(self) -> Health:
        """The whole and its parts."""
        parts = {
            name: Part(
                state=_PART_STATES.get(connection.state.state, "down"),
                detail=connection.state.message,
                since=connection.state.since,
            )
            for name, connection in self._gateway.connections.items()
        }
        down = any(part.state == "down" for part in parts.values())
        return Health(
            status="degraded" if down else "ok",
            version=VERSION,
            uptime=self._gateway.report.uptime,
            parts=parts,
        )

    def metrics(self) -> Iterable[Metric]:
        """For Prometheus."""
        gateway, counts = self._gateway, self._fresh_counts()
        yield gauge("hermes_uptime_seconds", "Since the gateway came up.", gateway.report.uptime)
        yield _by("hermes_inbox_messages", "Accepted messages by state.", counts.inbox)
        yield _by("hermes_outbox_messages", "Outgoing messages by state.", counts.outbox)
        oldest = time.time() - counts.oldest_waiting if counts.oldest_waiting else 0.0
        yield gauge("hermes_inbox_oldest_seconds", "Age of the oldest that waits.", oldest)
        yield gauge("hermes_turns_running", "Turns on their way.", gateway.pump.working)
        yield gauge("hermes_questions_open", "Questions that wait.", len(gateway.questions))
        yield counter("hermes_turns_answered_total", "Turns settled.", gateway.pump.answered)
        yield counter("hermes_turns_failed_total", "Turns that broke.", gateway.pump.failed)
        yield counter("hermes_sent_total", "Messages sent.", gateway.courier.sent)
        yield counter("hermes_send_refused_total", "Messages refused.", gateway.courier.refused)
        yield counter("hermes_send_doubtful_total", "Perhaps sent twice.", counts.doubtful)
        yield Metric(
            name="hermes_received_total",
            help="Messages accepted, by platform.",
            kind="counter",
            samples=tuple(
                Sample(door.received, {"platform": name}) for name, door in gateway.doors.items()
            ),
        )
        yield Metric(
            name="hermes_platform_up",
            help="Whether a platform is connected.",
            samples=tuple(
                Sample(connection.state.state == "connected", {"platform": name})
                for name, connection in gateway.connections.items()
            ),
        )
        yield from _process()

    def _fresh_counts(self) -> Counts:
        if self._counts is None or time.monotonic() - self._counted > FRESH_SECONDS:
            self._counts = self._gateway.ledger.counts()
            self._counted = time.monotonic()
        return self._counts


def _by(name: str, text: str, counts: dict[str, int]) -> Metric:
    samples = tuple(Sample(count, {"state": state}) for state, count in counts.items())
    return Metric(name=name, help=text, samples=samples)


def _process() -> Iterable[Metric]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    yield counter("process_cpu_seconds_total", "CPU time.", usage.ru_utime + usage.ru_stime)
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        descriptors = len(list(Path("/proc/self/fd").iterdir()))
    except (OSError, ValueError, IndexError):
        return
    yield gauge("process_resident_memory_bytes", "Memory.", pages * resource.getpagesize())
    yield gauge("process_open_fds", "Open descriptors.", descriptors)
