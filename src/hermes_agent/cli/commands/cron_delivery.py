"""Whether the answers of a job will reach somebody: found out while its maker still looks."""

from typing import TYPE_CHECKING

from hermes_agent.domain.errors import UsageError

if TYPE_CHECKING:
    from hermes_agent.config.load import Loaded
    from hermes_agent.domain.jobs import Job

_NO_PLATFORM = ("", "local", "origin")


def check(deliver: str) -> None:
    """Raises `UsageError` for a platform that does not exist."""
    from hermes_agent.platforms.table import PLATFORMS

    for word in deliver.split(","):
        platform = word.strip().partition(":")[0]
        if platform not in _NO_PLATFORM and platform not in PLATFORMS:
            raise UsageError(
                f"There is no platform called {platform!r} to deliver to.",
                hint=f"local, or one of {', '.join(PLATFORMS)}, as it is or with :chat[:thread].",
            )


def problems(loaded: "Loaded", job: "Job") -> tuple[str, ...]:
    """Sentences about what leads nowhere now."""
    import msgspec

    from hermes_agent.domain.chats import Target
    from hermes_agent.gateway.platform_settings import home_channel
    from hermes_agent.ledger.opening import open_existing_ledger
    from hermes_agent.scheduler.targets import destinations

    ledger = open_existing_ledger(loaded.paths.home)

    def home(platform: str) -> Target | None:
        # What /sethome keeps; see gateway/home.py.
        chosen = ledger.recall(f"home.{platform}") if ledger else None
        if chosen:
            return msgspec.json.decode(chosen, type=Target)
        return home_channel(loaded, platform)

    try:
        return destinations(job, home).problems
    finally:
        if ledger:
            ledger.close()
