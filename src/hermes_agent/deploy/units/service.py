"""What a gateway's service is called and where its unit file stands."""

import hashlib
from pathlib import Path

import msgspec

SYSTEM_UNITS = Path("/etc/systemd/system")
_NAME = "hermes-gateway"
_LABEL = "ai.hermes.gateway"


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """The user whom a gateway runs as, and that user's home directory."""

    name: str
    home: Path


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """The service of one HERMES_HOME. `system` is one of the machine, otherwise of the user."""

    hermes_home: Path
    account: Account
    system: bool = False

    @property
    def suffix(self) -> str:
        """Empty for `~/.hermes`, else 8 hexadecimal digits that tell the homes apart."""
        if self.hermes_home == self.account.home / ".hermes":
            return ""
        return "-" + hashlib.sha256(bytes(self.hermes_home)).hexdigest()[:8]

    @property
    def name(self) -> str:
        """The unit's name for systemd."""
        return f"{_NAME}{self.suffix}.service"

    @property
    def label(self) -> str:
        """The agent's name for launchd."""
        return _LABEL + self.suffix

    def unit_file(self, config_home: Path | None = None) -> Path:
        """Where systemd looks for it; `config_home` is XDG_CONFIG_HOME, if that is set."""
        if self.system:
            return SYSTEM_UNITS / self.name
        return (config_home or self.account.home / ".config") / "systemd" / "user" / self.name

    @property
    def plist_file(self) -> Path:
        """Where launchd looks for it."""
        return self.account.home / "Library" / "LaunchAgents" / f"{self.label}.plist"
