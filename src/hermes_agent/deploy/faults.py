"""What is wrong with a specification, or of no effect in it: for people and for programs."""

import msgspec


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """`path` is a dotted key of the specification, None where it is about the file itself;
    `message` a sentence about it; `hint` says what to do."""

    message: str
    path: str | None = None
    hint: str | None = None

    @property
    def text(self) -> str:
        """One line for people."""
        if self.path is None or self.message.startswith(self.path):
            return self.message
        first, _, rest = self.path.partition(".")
        if rest and self.message.startswith(rest):
            return f"{first}: {self.message}"
        return f"{self.path}: {self.message}"


class Checked(msgspec.Struct, frozen=True):
    """What `hermes deploy check --json` prints. Of `remarks` none keeps the specification from
    being applied: they are about what has no effect, and what this machine lacks."""

    valid: bool
    unit: str | None
    faults: list[Fault]
    remarks: list[Fault]
