"""Where a job's answer goes."""

from collections.abc import Callable

import msgspec

from hermes_agent.domain.chats import Target
from hermes_agent.domain.jobs import Job

Home = Callable[[str], Target | None]
"""The home channel of a platform, None without one."""


class Destinations(msgspec.Struct, frozen=True, kw_only=True):
    """`problems` are sentences about what leads nowhere."""

    targets: tuple[Target, ...] = ()
    problems: tuple[str, ...] = ()


def destinations(job: Job, home: Home) -> Destinations:
    """The places that `job.deliver` names, each once: `local`, `origin`, `platform` (its home
    channel) and `platform:chat[:thread]`, separated by commas."""
    targets: dict[Target, None] = {}
    problems: list[str] = []
    for word in (part.strip() for part in job.deliver.split(",")):
        if word in ("", "local"):
            continue
        target = _target(word, job, home)
        if target is not None:
            targets[target] = None
        elif word == "origin":
            problems.append("the job was made in no chat, so `origin` leads nowhere")
        elif ":" in word:
            problems.append(f"{word!r} is no place: it is platform:chat[:thread]")
        else:
            problems.append(f"{word} has no home channel; choose one there with /sethome")
    return Destinations(targets=tuple(targets), problems=tuple(problems))


def _target(word: str, job: Job, home: Home) -> Target | None:
    if word == "origin":
        return job.origin.target if job.origin else None
    platform, colon, place = word.partition(":")
    if not colon:
        return home(platform)
    return place_on(platform, place)


def place_on(platform: str, place: str) -> Target | None:
    """`chat[:thread]` of a platform. Matrix ids have a colon in themselves (!room:server)."""
    if platform == "matrix" and place[:1] in "!#":
        # Newer rooms have no server in their ids; threads always begin with a dollar.
        chat, _, thread = place.partition(":$")
        thread = f"${thread}" if thread else ""
    else:
        chat, _, thread = place.partition(":")
    if not (platform and chat):
        return None
    return Target(platform=platform, chat_id=chat, thread_id=thread or None)
