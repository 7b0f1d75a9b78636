"""What may run, what may be seen."""

from typing import Literal

from hermes_agent.config.schema.types import Count, Seconds, Section, Words


class Approvals(Section, frozen=True, kw_only=True):
    """Questions before dangerous commands."""

    mode: Literal["manual", "smart", "off"] = "manual"
    """manual asks the person; off asks nobody (what is always forbidden stays so)."""
    timeout: Seconds = 60
    """Seconds to wait for an answer; then it is no."""
    cron_mode: Literal["deny", "approve"] = "deny"
    """What scheduled jobs get where a person would be asked."""
    deny: Words = ()
    """Patterns of commands that never run, as globs."""


class WebsiteBlocklist(Section, frozen=True, kw_only=True):
    """Web sites that are never visited."""

    enabled: bool = False
    """Apply the list."""
    domains: Words = ()
    """Host names, their subdomains included."""
    shared_files: Words = ()
    """Files with one host name a line."""


class Security(Section, frozen=True, kw_only=True):
    """Protection against leaks and harmful input."""

    redact_secrets: bool = True
    """Blank out known secrets in logs, tool results and messages."""
    tirith_enabled: bool = True
    """Have the tirith program look at commands, where it is installed."""
    tirith_path: str = "tirith"
    """Where that program is."""
    tirith_timeout: Seconds = 5
    """Seconds to wait for it."""
    tirith_fail_open: bool = True
    """Go on when it does not answer."""
    website_blocklist: WebsiteBlocklist = WebsiteBlocklist()
    """Web sites that are never visited."""


class Privacy(Section, frozen=True, kw_only=True):
    """What is told about people."""

    redact_pii: bool = False
    """Hide user ids and telephone numbers from the model."""


class Logging(Section, frozen=True, kw_only=True):
    """Log files in logs/."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """How much is written."""
    max_size_mb: Count = 5
    """Size in MB at which a new file is begun."""
    backup_count: Count = 3
    """Old files kept."""


class Cron(Section, frozen=True, kw_only=True):
    """Scheduled jobs."""

    wrap_response: bool = True
    """Say in the message which job it comes from."""
    max_parallel_jobs: Count | None = None
    """Most jobs at once; unset means no limit."""
    output_retention: Count = 50
    """Outputs kept of each job."""
    missed_runs: Literal["grace", "skip", "once", "all"] = "grace"
    """Runs that were due while nothing ran: grace makes up for late ones, once for one of all."""
    max_failures: Count = 5
    """Failed runs in a row after which a job is paused; 0 for never."""
