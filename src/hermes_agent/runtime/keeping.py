"""What the agent keeps, as this configuration wants it."""

from collections.abc import Collection
from pathlib import Path

from hermes_agent.config.load import Loaded
from hermes_agent.domain.delegating import SOURCE as DELEGATE
from hermes_agent.knowledge.memory import MemoryFiles, Target
from hermes_agent.knowledge.recall import Recall
from hermes_agent.knowledge.skills.bundled import seed, source
from hermes_agent.knowledge.skills.shelf import Shelf
from hermes_agent.store.port import SessionStore
from hermes_agent.tools.table import TABLE


def memory_files(loaded: Loaded) -> MemoryFiles | None:
    """The notes; None where both kinds are turned off."""
    settings = loaded.config.memory
    limits: dict[Target, int] = {}
    if settings.memory_enabled:
        limits["memory"] = settings.memory_char_limit
    if settings.user_profile_enabled:
        limits["user"] = settings.user_char_limit
    return MemoryFiles(loaded.paths.memories_dir, limits) if limits else None


def noted(loaded: Loaded) -> tuple[str, ...]:
    """All entries as they are now; about the person first. Raises `HermesError`."""
    files = memory_files(loaded)
    targets: tuple[Target, ...] = ("user", "memory")
    return tuple(
        entry
        for target in targets
        if files is not None and target in files.targets
        for entry in files.read(target).entries
    )


def recall_for(
    store: SessionStore, session_id: str, *, source: str, user_id: str | None, everything: bool
) -> Recall:
    """The past conversations that this session's person may look into: all for the owner, else
    those that the same person led on the same platform. What sub-agents did is nobody's."""
    return Recall(
        store,
        session_id,
        lambda row: (
            row.source != DELEGATE
            and (everything or (row.source == source and row.user_id == user_id is not None))
        ),
    )


def skill_shelf(loaded: Loaded, platform: str) -> Shelf:
    """The skills of this home for a session on `platform`; the home's own come first."""
    settings = loaded.config.skills
    others = [Path(each).expanduser() for each in settings.external_dirs]
    disabled = (*settings.disabled, *settings.platform_disabled.get(platform, ()))
    return Shelf((loaded.paths.skills_dir, *others), disabled)


def seed_skills(loaded: Loaded) -> None:
    """Put the skills that come with the program into the home."""
    seed(source(loaded.environ), loaded.paths.skills_dir)


def offered(tools: Collection[str]) -> frozenset[str]:
    """The names of these tools and of their toolsets."""
    return frozenset((*tools, *(TABLE[name].toolset for name in tools if name in TABLE)))
