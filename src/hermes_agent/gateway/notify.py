"""Tells the service manager how the daemon is: the protocol of sd_notify(3).

Messages are lines `NAME=value` in one datagram to the socket that NOTIFY_SOCKET names; a leading
`@` stands for the abstract namespace. Without that variable nothing is sent.
"""

import os
import socket
import time
from collections.abc import MutableMapping

STATUS_BYTES = 1000
_SEND_SECONDS = 0.5
_VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class Notifier:
    """The way to the service manager; mute where there is none. Failing to tell harms nobody."""

    def __init__(self, address: str = "", *, watchdog: float | None = None) -> None:
        self._address = _address(address)
        self.watchdog = watchdog
        """Seconds after which a silent daemon is killed; None without a watchdog."""

    @classmethod
    def of(cls, environ: MutableMapping[str, str] = os.environ) -> "Notifier":
        """As the environment says. The variables are taken out of it: no child may speak for us."""
        address, usec, pid = (environ.pop(name, "") for name in _VARIABLES)
        ours = not pid or pid == str(os.getpid())
        watched = ours and usec.isascii() and usec.isdigit() and int(usec) > 0
        return cls(address, watchdog=int(usec) / 1e6 if watched else None)

    @property
    def enabled(self) -> bool:
        """Whether anybody listens."""
        return self._address is not None

    def ready(self, status: str = "") -> bool:
        """Up, or up again after `reloading`; all of these return whether it was sent."""
        return self._tell("READY=1", *_status(status))

    def status(self, text: str) -> bool:
        """A sentence for `systemctl status`."""
        return self._tell(*_status(text))

    def reloading(self) -> bool:
        """The configuration is being read again; `ready` ends it."""
        microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        return self._tell("RELOADING=1", f"MONOTONIC_USEC={microseconds}")

    def stopping(self, status: str = "") -> bool:
        """On the way down."""
        return self._tell("STOPPING=1", *_status(status))

    def alive(self) -> bool:
        """Still here: to be called at least every half of `watchdog` seconds."""
        return self._tell("WATCHDOG=1")

    def extend(self, seconds: float) -> bool:
        """Starting, reloading or stopping takes up to so long from now."""
        return self._tell(f"EXTEND_TIMEOUT_USEC={max(1, int(seconds * 1e6))}")

    def _tell(self, *lines: str) -> bool:
        if self._address is None:
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.settimeout(_SEND_SECONDS)
                out.connect(self._address)
                out.send("\n".join(lines).encode("utf-8", "replace"))
        except OSError:
            return False
        return True


def _address(text: str) -> str | None:
    if text.startswith("@") and len(text) > 1:
        return "\0" + text[1:]
    return text if text.startswith("/") else None


def _status(text: str) -> tuple[str, ...]:
    """No line break can leave the line: the rest would be read as commands."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    cut = plain.encode("utf-8", "replace")[:STATUS_BYTES].decode("utf-8", "ignore")
    return (f"STATUS={cut}",) if text else ()
