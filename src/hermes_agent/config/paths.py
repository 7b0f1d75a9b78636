"""Where things are."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from hermes_agent.domain.errors import ConfigError


def hermes_home(environ: Mapping[str, str] = os.environ) -> Path:
    """HERMES_HOME, or `~/.hermes`. Made nothing of, checked nothing."""
    named = environ.get("HERMES_HOME", "").strip()
    try:
        return Path(named).expanduser().absolute() if named else Path.home() / ".hermes"
    except RuntimeError as error:
        raise ConfigError(
            "There is no home directory to keep anything in",
            hint="Set HERMES_HOME to a directory.",
        ) from error


class Paths(msgspec.Struct, frozen=True):
    """The layout of one HERMES_HOME."""

    home: Path

    @classmethod
    def of(cls, environ: Mapping[str, str] = os.environ) -> "Paths":
        """The layout of the home that the environment names."""
        return cls(hermes_home(environ))

    @property
    def config_file(self) -> Path:
        """Settings."""
        return self.home / "config.yaml"

    @property
    def env_file(self) -> Path:
        """Secrets and environment variables."""
        return self.home / ".env"

    @property
    def managed_marker(self) -> Path:
        """Says that a declaration manages this home; may name the manager."""
        return self.home / ".managed"

    @property
    def auth_file(self) -> Path:
        """Logins."""
        return self.home / "auth.json"

    @property
    def soul_file(self) -> Path:
        """Who the agent is, in the person's words."""
        return self.home / "SOUL.md"

    @property
    def state_db(self) -> Path:
        """Sessions and messages."""
        return self.home / "state.db"

    @property
    def history_file(self) -> Path:
        """What was typed into the terminal chat."""
        return self.home / ".hermes_history"

    @property
    def sessions_dir(self) -> Path:
        """Transcripts."""
        return self.home / "sessions"

    @property
    def memories_dir(self) -> Path:
        """What the agent keeps."""
        return self.home / "memories"

    @property
    def skills_dir(self) -> Path:
        """Skills."""
        return self.home / "skills"

    @property
    def logs_dir(self) -> Path:
        """Log files."""
        return self.home / "logs"

    @property
    def cron_dir(self) -> Path:
        """Scheduled jobs."""
        return self.home / "cron"

    @property
    def pastes_dir(self) -> Path:
        """Long pastes of the terminal chat."""
        return self.home / "pastes"

    @property
    def sandboxes_dir(self) -> Path:
        """Files of sandboxed environments."""
        return self.home / "sandboxes"
