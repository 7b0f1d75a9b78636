"""An answer that is shown while the model writes it: secrets blanked out before they are whole."""

from collections.abc import Callable

from hermes_agent.delivery.stream import Growing, Update
from hermes_agent.policy.redaction import RedactingStream


class GrowingAnswer:
    """One message of the model's. `clean` gives a fresh redaction; None leaves the text alone."""

    def __init__(self, growing: Growing, clean: Callable[[], RedactingStream] | None) -> None:
        self._growing = growing
        self._clean = clean
        self._stream = clean() if clean else None

    def feed(self, text: str) -> None:
        """The model wrote more."""
        self._growing.feed(self._stream.push(text) if self._stream else text)

    def restart(self) -> None:
        """The model begins anew."""
        self._growing.restart()
        self._stream = self._clean() if self._clean else None

    def due(self, now: float) -> Update | None:
        """What to do now; see `Growing.due`."""
        return self._growing.due(now)

    def failed(self, update: Update) -> None:
        """It could not be shown."""
        self._growing.failed(update)
