"""The table of modes (data/permissions.json), which the Nix modules read too."""

from pathlib import Path

import msgspec

HOME = ".hermes"
WORKSPACE = "workspace"

_OWNER_ONLY = 0o700


class Permissions(msgspec.Struct, frozen=True):
    """Modes as numbers. `directories` and `files` are relative to the state directory, except for
    `workspace` and `document`, which hold wherever the working directory is."""

    umask: int
    state_dir: int
    directories: dict[str, int]
    files: dict[str, int]

    def for_one_person(self) -> "Permissions":
        """The same where the group is not the deployment's own: nothing for others."""
        return Permissions(
            0o077,
            self.state_dir & _OWNER_ONLY,
            {name: mode & _OWNER_ONLY for name, mode in self.directories.items()},
            {name: mode & _OWNER_ONLY for name, mode in self.files.items()},
        )

    def in_home(self) -> dict[str, int]:
        """The directories of HERMES_HOME, by their names in it."""
        inside = f"{HOME}/"
        return {
            name.removeprefix(inside): mode
            for name, mode in self.directories.items()
            if name.startswith(inside)
        }


class _Table(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    umask: str
    state_dir: str
    directories: dict[str, str]
    files: dict[str, str]


def table() -> Permissions:
    """The table as it is shipped."""
    path = Path(__file__).parent.parent / "data" / "permissions.json"
    raw = msgspec.json.decode(path.read_bytes(), type=_Table)
    return Permissions(
        int(raw.umask, 8),
        int(raw.state_dir, 8),
        {name: int(mode, 8) for name, mode in raw.directories.items()},
        {name: int(mode, 8) for name, mode in raw.files.items()},
    )
