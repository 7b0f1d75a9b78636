"""Commands about the conversation: begin anew, take back, stop, go elsewhere."""

from contextlib import AbstractAsyncContextManager

from hermes_agent.domain.errors import DeniedError, NotFoundError, UsageError
from hermes_agent.domain.events import Compacted, Event, NotCompacted
from hermes_agent.gateway.commands.desk import Call
from hermes_agent.gateway.turns import ActiveTurn
from hermes_agent.sessions.host import Opening
from hermes_agent.sessions.live import LiveSession
from hermes_agent.sessions.telling import told
from hermes_agent.store.records import Filters

RECENT = 8


async def new(call: Call) -> None:
    """Leave the session; what runs is stopped."""
    await _stop(call)
    await _leave(call)
    await call.service.routing.anew(call.key, call.inbound.origin)
    if call.argument:
        call.rerun.append(call.argument)
    else:
        call.say("A new session begins.")


async def stop(call: Call) -> None:
    """Stop the turn and the background processes."""
    stopped = await _stop(call)
    route = await call.service.routing.find(call.key)
    killed = await call.service.host.kill_processes(route.session_id) if route else 0
    parts = ["Stopped."] if stopped else []
    if killed:
        parts.append(f"{killed} background process{'es' if killed > 1 else ''} ended.")
    call.say(" ".join(parts) or "Nothing is running.")


async def retry(call: Call) -> None:
    """Answer the last message again."""
    async with await _open(call) as live:
        last = live.rewind()
    if last is None:
        raise UsageError("There is nothing to try again.")
    call.rerun.append(last.content)


async def undo(call: Call) -> None:
    """Forget the last message and its answer."""
    async with await _open(call) as live:
        last = live.rewind()
    if last is None:
        raise UsageError("There is nothing to take back.")
    call.say(f"Taken back: {' '.join(last.content.split())[:200]}")


async def title(call: Call) -> None:
    """Name the session, or say its name."""
    session_id = await _session_id(call)
    store = call.service.store
    if call.argument:
        call.say(f"Title: {store.rename(session_id, call.argument)}")
        return
    call.say(f"Title: {store.get(session_id).title or '(none)'}")


async def resume(call: Call) -> None:
    """Go on with another session of this chat's person, or list them."""
    store = call.service.store
    if not call.argument:
        rows = [
            row
            for row in store.list(
                Filters(with_messages=True, newest=True, led=True), limit=RECENT * 10
            )
            if call.role == "owner" or _is_theirs(call, row.source, store.get(row.id).user_id)
        ][:RECENT]
        lines = [f"- `{row.id}` {(row.title or row.preview)[:60]}" for row in rows]
        call.say("\n".join(lines) or "There are no sessions yet.")
        return
    found = store.resolve(call.argument)
    if not _is_theirs(call, found.source, found.user_id):
        # The same words as for one that does not exist: ids are not for guessing.
        raise NotFoundError(f"There is no session {call.argument!r}.")
    await _stop(call)
    await _leave(call)
    await call.service.routing.lead(call.key, call.inbound.origin, store.tip(found.id))
    call.say(f"Going on with {found.title or found.id}.")


async def compress(call: Call) -> None:
    """Make the conversation short; the argument says what to keep above all."""
    events: list[Event] = []
    async with await _open(call) as live:
        fitted = await live.compress(events.append, call.argument)
    ends = [event for event in events if isinstance(event, Compacted | NotCompacted)]
    if fitted is None and not ends:
        call.say("There is nothing worth shortening yet.")
    for event in ends:
        call.say(told(event))


async def context(call: Call) -> None:
    """How full the model's window is."""
    async with await _open(call) as live:
        window, last, at = live.model.context_length, live.last_input, live.shortens_at
        messages = len(live.history)
    counted = f"{last:,} tokens at the last request" if last else "not counted yet"
    lines = [
        f"Session `{live.id}`" + (f" {live.row.title}" if live.row.title else ""),
        f"{messages} messages, {counted}",
        f"Window of `{live.model.name}`: {window:,} tokens",
    ]
    if at:
        lines.append(f"Is shortened at about {at:,} tokens; `/compress` does it now")
    call.say("\n".join(f"- {line}" for line in lines))


async def background(call: Call) -> None:
    """Work on something in a session of its own; the answer comes here."""
    if not call.argument:
        raise UsageError("What should be done?", hint="/background PROMPT")
    key = f"{call.key}:background:{call.turn}"
    await call.service.begin(call.inbound, call.argument, key)
    call.say("Working on it in the background.")


async def steer(call: Call) -> None:
    """Say something to the running turn."""
    if not call.argument:
        raise UsageError("Say what?", hint="/steer TEXT")
    active = call.service.turns.get(call.key)
    if active is None or active.control.stopping:
        call.rerun.append(call.argument)
        return
    _check_open(call, active)
    active.control.steer(call.argument)
    call.say("Passed on.")


async def _leave(call: Call) -> None:
    """What is worth noting of the session is noted."""
    route = await call.service.routing.find(call.key)
    if route is not None:
        call.service.host.reviews.left(route.session_id)


async def _stop(call: Call) -> bool:
    active = call.service.turns.get(call.key)
    if active is None:
        return False
    _check_open(call, active)
    active.control.stop()
    return True


def _check_open(call: Call, active: ActiveTurn) -> None:
    if not active.open_to(call.role):
        raise DeniedError("I am working for somebody else here; please wait until I am done.")


def _is_theirs(call: Call, source: str, user_id: str | None) -> bool:
    if call.role == "owner":
        return True
    origin = call.inbound.origin
    return source == origin.platform and user_id == origin.user_id


async def _session_id(call: Call) -> str:
    route = await call.service.routing.find(call.key)
    if route is None:
        raise UsageError("This chat has no session yet.")
    return route.session_id


async def _open(call: Call) -> AbstractAsyncContextManager[LiveSession]:
    route = await call.service.routing.find(call.key)
    if route is None:
        raise UsageError("This chat has no session yet.")
    origin = call.inbound.origin
    return call.service.host.open(
        Opening(
            session_id=route.session_id,
            source=origin.platform,
            user_id=origin.user_id,
            model=route.choices.get("model", ""),
        )
    )
