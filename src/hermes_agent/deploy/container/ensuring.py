"""Makes the container that is declared, keeps the one that is there.

Created once, started many times: the writable layer is the agent's, and only another identity, or
a person who removes `.container-identity`, ends it.
"""

from collections.abc import Callable

from hermes_agent.deploy.container import creating, identity, marker
from hermes_agent.deploy.container.defaults import defaults
from hermes_agent.deploy.container.engine import Engine
from hermes_agent.deploy.container.errors import EngineRefused, ForeignContainer, ImageMissing
from hermes_agent.deploy.container.found import IDENTITY, Found
from hermes_agent.deploy.places import Places
from hermes_agent.deploy.setup.account import Account
from hermes_agent.deploy.setup.errors import SetupFailed
from hermes_agent.deploy.spec import Specification

Say = Callable[[str], None]
"""Takes a sentence for the status and the log; called with nothing to say: it still goes on."""


def ensure(
    spec: Specification, places: Places, account: Account, engine: Engine, say: Say
) -> Found:
    """The container, which does not run. Raises `EnvironmentFault`s, `ConfigError`s."""
    engine.require_usable()
    wanted = identity.of(spec)
    found = engine.named(spec.name)
    if found is not None and not found.ours:
        raise _foreign(spec, engine, found)
    _look_for_strays(spec, engine, found, say)
    marked = marker.present(spec)
    why = _why_anew(found, wanted, marked=marked)
    # Before the old one goes: an image that cannot be had must cost nothing.
    fresh = _created(spec, places, engine, wanted, say) if why is not None else None
    was_alive = found is not None and _quieten(engine, found, say)
    if fresh is not None:
        if found is not None:
            say(f"Replacing the container {spec.name}: {why}")
            engine.remove(found.id)
        engine.rename(fresh, spec.name)
    _mark(spec, account, wanted, say, must=not marked)
    if found is not None and fresh is None and not was_alive:
        return found
    ready = engine.inspect(fresh or (found.id if found is not None else ""))
    if ready is None:
        raise EngineRefused(f"The container {spec.name} went away while it was set up")
    if ready.alive:
        raise EngineRefused(
            f"{engine.backend} takes the container {spec.name} for {ready.status} still",
            hint="When the machine has started anew it knows better. At once, but without what is"
            f" installed in it: {engine.backend} rm -f {spec.name}",
        )
    return ready


def _why_anew(found: Found | None, wanted: str, *, marked: bool) -> str | None:
    if found is None:
        return "there is none"
    if found.labels.get(IDENTITY) != wanted:
        return "its image, environment, volumes or options changed"
    if not marked:
        return f"{marker.MARKER} was removed"
    return None


def _created(spec: Specification, places: Places, engine: Engine, wanted: str, say: Say) -> str:
    name = f"{spec.name}-new"
    left = engine.named(name)
    if left is not None:
        if not left.ours:
            raise _foreign(spec, engine, left)
        engine.remove(left.id)
    image = spec.container.image
    there = engine.has_image(image)
    say(f"Creating the container {spec.name}" if there else f"Pulling the image {image}")
    try:
        return engine.create(creating.arguments(spec, places, wanted, name), tick=lambda: say(""))
    except EngineRefused as error:
        if there or engine.has_image(image):
            raise
        raise ImageMissing(
            f"The image {image} cannot be had: {error.message}",
            hint=f"Is the name right, and is there a network? Try: {engine.program} pull {image}",
        ) from error


def _quieten(engine: Engine, found: Found, say: Say) -> bool:
    """Two agents must not work on one home, and what is handed over has changed. Whether it ran."""
    if not found.alive:
        return False
    if found.status == "paused":
        say(f"The container {found.name} was paused; it goes on now")
        engine.unpause(found.id)
    say(f"Stopping the container {found.name}, which still runs; running turns end first")
    engine.stop(found, defaults().stop_seconds, tick=lambda: say(""))
    return True


def _look_for_strays(spec: Specification, engine: Engine, found: Found | None, say: Say) -> None:
    for stray in engine.labelled(spec.name):
        if (found is not None and stray.id == found.id) or stray.name == f"{spec.name}-new":
            continue
        _quieten(engine, stray, say)
        command = engine.backend
        say(
            f"The container {stray.name} was {spec.name} once and keeps its own installed packages;"
            f" to have it again: systemctl stop {spec.unit} && {command} rm -f {spec.name} &&"
            f" {command} rename {stray.name} {spec.name}; to be rid of it:"
            f" {command} rm {stray.name}"
        )


def _mark(spec: Specification, account: Account, wanted: str, say: Say, *, must: bool) -> None:
    try:
        marker.write(spec, account, wanted)
    except SetupFailed as error:
        if must:
            # The next start would take it for removed by hand, and throw the container away.
            raise
        say(error.message)


def _foreign(spec: Specification, engine: Engine, found: Found) -> ForeignContainer:
    command = engine.backend
    return ForeignContainer(
        f"There is a container {found.name} that is not the agent's; it was left alone",
        hint=f"Call it something else: {command} rename {found.name} {found.name}-old; or remove"
        f" it: {command} rm -f {found.name}; then: systemctl start {spec.unit}",
    )
