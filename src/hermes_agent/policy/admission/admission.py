"""The door: who may talk, as whom, and how often."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Literal

import msgspec

from hermes_agent.domain.chats import Origin
from hermes_agent.domain.errors import HermesError
from hermes_agent.policy.admission.files import TornFile
from hermes_agent.policy.admission.pairing import PairingBook
from hermes_agent.policy.admission.people import (
    FORGEABLE,
    MAX_ID,
    OPEN,
    RIGHTS,
    Right,
    Role,
    person_id,
)
from hermes_agent.policy.admission.rates import Rates
from hermes_agent.policy.admission.rules import AdmissionRules

_log = logging.getLogger(__name__)


class Admitted(msgspec.Struct, frozen=True):
    """The person may talk."""

    role: Role


class Limited(msgspec.Struct, frozen=True):
    """The person may talk, but wrote too often. `until` is when the next message is taken;
    `tell`: say so now, for the first time in this window."""

    until: float
    tell: bool


class Ignored(msgspec.Struct, frozen=True):
    """Nothing is answered."""

    why: Literal["nobody", "stranger", "chat"]


class Unknown(msgspec.Struct, frozen=True):
    """A stranger in a private chat. `code` is to be sent; None: nothing is."""

    code: str | None


Decision = Admitted | Limited | Ignored | Unknown


class Admission:
    """Decides at the door. Safe to call from several threads."""

    def __init__(
        self,
        rules: AdmissionRules,
        pairing: PairingBook,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.rules = rules
        self._pairing = pairing
        self._clock = clock
        self._rates = Rates()
        self._complained: dict[str, str] = {}
        self._lock = threading.Lock()

    def decide(self, origin: Origin, *, addressed: bool = True, name: str = "") -> Decision:
        """What becomes of a message from there. Never raises: a fault keeps the door shut.

        Every call with `addressed` counts as one message. A stranger in a private chat may be
        given a code; one in a group never is. `name` is the person's name where `origin` has none.
        """
        with self._lock:
            return self._decide(origin, addressed, name)

    def role(self, origin: Origin) -> Role | None:
        """The role of whoever that is, None for a stranger; nothing is counted or kept."""
        with self._lock:
            if not self._chat_allowed(origin):
                return None
            return self._role(origin.platform, person_id(origin.platform, origin.user_id))

    def may(self, origin: Origin, right: Right) -> bool:
        """Whether that person has this right."""
        role = self.role(origin)
        return role is not None and right in RIGHTS[role]

    def toolsets(self, origin: Origin) -> tuple[str, ...]:
        """The toolsets that the person is held to; empty: those of the platform."""
        if self.may(origin, "tools"):
            return ()
        return self.rules.of(origin.platform).guest_toolsets

    def _decide(self, origin: Origin, addressed: bool, name: str) -> Decision:
        platform = origin.platform
        person = person_id(platform, origin.user_id)
        if not self._chat_allowed(origin):
            return Ignored("chat")
        role = self._role(platform, person)
        if role is None:
            return self._stranger(origin, person, addressed, name)
        if addressed and role != "owner" and platform not in OPEN:
            rules, now = self.rules.of(platform), self._clock()
            until = self._rates.count(
                (platform, person), now, per_minute=rules.per_minute, per_hour=rules.per_hour
            )
            if until is not None:
                return Limited(until, self._rates.tell((platform, person), now, until))
        return Admitted(role)

    def _chat_allowed(self, origin: Origin) -> bool:
        chats = self.rules.of(origin.platform).chats
        if origin.chat_type == "dm" or chats is None:
            return True
        return person_id(origin.platform, origin.chat_id) in chats

    def _role(self, platform: str, person: str) -> Role | None:
        if platform in OPEN:
            return "user"
        if not person or len(person) > MAX_ID:
            return None
        rules = self.rules.of(platform)
        if person in rules.owners:
            return "owner"
        if person in rules.guests:
            return "guest"
        role = self._paired(platform, person) or self._listed(platform, person)
        return "owner" if role == "user" and self._is_sole(platform, person) else role

    def _listed(self, platform: str, person: str) -> Role | None:
        rules = self.rules.of(platform)
        if person in (rules.allowed or ()) or person in self._anywhere(platform):
            return "user"
        if rules.everyone is not None:
            return rules.everyone
        nobody_listed = rules.allowed is None and self.rules.allowed is None
        return "user" if nobody_listed and self.rules.everyone else None

    def _anywhere(self, platform: str) -> frozenset[str]:
        return frozenset(person_id(platform, each) for each in self.rules.allowed or ())

    def _is_sole(self, platform: str, person: str) -> bool:
        """Whether this is the one person that may talk at all, guests left out."""
        named = self.rules.named()
        if named is None or platform in FORGEABLE:
            return False
        try:
            paired = self._pairing.everyone()
        except HermesError:
            return False
        if "owner" in paired.values():
            return False
        people = {(platform, person)} | {key for key, role in paired.items() if role != "guest"}
        people |= {(where or platform, person_id(where or platform, who)) for where, who in named}
        return len(people) == 1

    def _paired(self, platform: str, person: str) -> Role | None:
        try:
            roles = self._pairing.roles(platform)
        except TornFile as error:
            self._complain(platform, f"{error.message}. Nobody paired on {platform} is let in.")
            return None
        except HermesError:
            return None
        self._complained.pop(platform, None)
        return roles.get(person)

    def _stranger(self, origin: Origin, person: str, addressed: bool, name: str) -> Decision:
        if not person or len(person) > MAX_ID:
            return Ignored("nobody")
        if not addressed:
            return Ignored("stranger")
        try:
            self._pairing.note_stranger(origin.platform, person)
            private = origin.chat_type == "dm"
            if not private or self.rules.of(origin.platform).strangers == "ignore":
                return Ignored("stranger")
            code = self._pairing.request(origin.platform, person, name or origin.user_name)
        except HermesError as error:
            self._complain("", f"No trace of a stranger can be kept: {error.message}")
            return Ignored("stranger")
        return Unknown(code)

    def _complain(self, about: str, text: str) -> None:
        if self._complained.get(about) != text:
            self._complained[about] = text
            _log.warning("%s", text)
