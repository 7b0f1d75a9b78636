"""Commands that show something."""

import asyncio
import time
from collections.abc import Iterator

from hermes_agent.domain.errors import HermesError, NotFoundError
from hermes_agent.gateway.commands.desk import Call
from hermes_agent.runtime.spending import costs_of
from hermes_agent.sessions.costs import cap_told, told
from hermes_agent.store.port import SessionStore
from hermes_agent.store.records import COMPRESSION, Session
from hermes_agent.version import VERSION

DAY = 86400.0


async def status(call: Call) -> None:
    """The daemon and this chat."""
    service = call.service
    route = await service.routing.find(call.key)
    active = service.turns.get(call.key)
    lines = [await service.status()] if call.role == "owner" else []
    if route is not None:
        lines.append(f"Session `{route.session_id}`")
        running = service.host.processes(route.session_id)
        if running:
            lines.append(f"{running} background process{'es' if running > 1 else ''}")
    if active is not None:
        lines.append(f"Working for {active.seconds:.0f} s: {active.doing}")
    else:
        lines.append("Nothing is running in this chat.")
    call.say("\n".join(f"- {line}" for line in lines))


async def usage(call: Call) -> None:
    """What this session used."""
    route = await call.service.routing.find(call.key)
    if route is None:
        call.say("This chat has no session yet.")
        return
    # Over a long life these are many rows; the other chats must not wait for them.
    call.say(await asyncio.to_thread(_used, call.service.store, route.session_id))


def _used(store: SessionStore, session_id: str) -> str:
    try:
        row = store.get(session_id)
    except NotFoundError:
        return "This session has no messages yet."
    rows = [row, *_before(store, row)]
    cost = told(store.spent_in(row.id))
    cost = f", cost {cost}" if cost else ""
    from_cache = sum(each.cache_read_tokens for each in rows)
    cached = f" ({from_cache:,} from the cache)" if from_cache else ""
    reviews = store.reviews(row.id)
    noting = f"; {_times(reviews.calls)} looked through for notes: " if reviews.calls else ""
    if reviews.calls:
        noting += f"{reviews.usage.input:,} tokens in, {reviews.usage.output:,} out"
    shortened = f", shortened {_times(len(rows) - 1)}" if len(rows) > 1 else ""
    return (
        f"{row.message_count} messages{shortened}, "
        f"{sum(each.tool_call_count for each in rows)} tool calls, "
        f"{sum(each.input_tokens for each in rows):,} tokens in{cached}, "
        f"{sum(each.output_tokens for each in rows):,} out{cost}{noting}"
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _before(store: SessionStore, row: Session) -> Iterator[Session]:
    """The sessions in which this one began, the newest first."""
    seen = {row.id}
    while row.parent_session_id is not None and row.parent_session_id not in seen:
        row = store.get(row.parent_session_id)
        if row.end_reason != COMPRESSION:
            return
        seen.add(row.id)
        yield row


async def insights(call: Call) -> None:
    """The last days in figures; what they cost is for the owner."""
    days = int(call.argument) if call.argument.isdigit() and 0 < int(call.argument) <= 3650 else 30
    call.say(await asyncio.to_thread(_figures, call, days))


def _figures(call: Call, days: int) -> str:
    service = call.service
    total = service.store.insights(since=time.time() - days * DAY).total
    lines = [
        f"Last {days} days: {total.sessions} sessions, {total.messages} messages, "
        f"{total.input_tokens:,} tokens in, {total.output_tokens:,} out"
    ]
    if call.role != "owner":
        return "\n".join(lines)
    costs = costs_of(service.loaded, service.store, days)
    if costs.total.calls:
        lines.append(f"Cost: {told(costs.total.sum)}")
    lines += [f"- `{line.name or '?'}`: {told(line.sum)}" for line in costs.by_model]
    lines += [f"- {cap.key}: {cap_told(cap)}" for cap in costs.caps]
    return "\n".join(lines)


async def provider(call: Call) -> None:
    """Who serves the model."""
    model = call.service.loaded.config.model
    name = await call.service.host.model_name()
    call.say(
        f"Provider: {model.provider}, model `{name}`. A model of another one: "
        "`/model PROVIDER:NAME`."
    )


async def update(call: Call) -> None:
    """Which version this is, and how it becomes another."""
    if call.role != "owner":
        raise HermesError("Only the owner may ask about updates.")
    managed = call.service.loaded.managed
    how = (
        f"It is managed by {managed.manager.name}: update its declaration."
        if managed is not None
        else "Update it where it was installed, then: hermes gateway restart"
    )
    call.say(f"Hermes Agent v{VERSION}. {how}")


async def whoami(call: Call) -> None:
    """Who the agent takes you for."""
    origin = call.inbound.origin
    call.say(
        f"Platform `{origin.platform}`, user `{origin.user_id}`, chat `{origin.chat_id}`"
        + (f", thread `{origin.thread_id}`" if origin.thread_id else "")
        + f". Role: {call.role}."
    )
