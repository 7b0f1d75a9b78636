"""What `hermes doctor` looks at. A check gives findings; a finding may know how to mend itself."""

from collections.abc import Callable
from typing import Literal

import msgspec

Level = Literal["ok", "note", "problem"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the doctor's. `mend` puts it right and says what it did."""

    area: str
    level: Level
    text: str
    hint: str = ""
    mend: Callable[[], str] | None = None
