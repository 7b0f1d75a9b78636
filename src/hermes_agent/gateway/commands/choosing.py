"""Commands that choose for this chat: model, manner, effort."""

from typing import get_args

from hermes_agent.domain.errors import HermesError, UsageError
from hermes_agent.domain.model import Effort
from hermes_agent.gateway.commands.desk import Call
from hermes_agent.gateway.voice import MODES
from hermes_agent.providers.audio import Audio

_OFF = ("default", "off", "reset", "")


async def model(call: Call) -> None:
    """The model of this chat."""
    service = call.service
    route = await service.routing.find(call.key)
    chosen = route.choices.get("model") if route else None
    if not call.argument:
        name = chosen or await service.host.model_name()
        call.say(f"Model: `{name}`. Change it with `/model NAME`; `/model default` goes back.")
        return
    if call.argument in _OFF:
        await service.routing.choose(call.key, call.inbound.origin, model=None)
        call.say(f"Model: `{await service.host.model_name()}`.")
        return
    name = await service.host.check_model(call.argument)
    await service.routing.choose(call.key, call.inbound.origin, model=call.argument)
    call.say(f"Model: `{name}`, from the next message on.")


async def personality(call: Call) -> None:
    """The manner of this chat."""
    service = call.service
    route = await service.routing.find(call.key)
    if not call.argument:
        current = route.choices.get("personality") if route else None
        shown = current or service.loaded.config.display.personality or "none"
        call.say(f"Personality: {shown}. Change it with `/personality NAME`.")
        return
    if route is None:
        route = await service.routing.choose(call.key, call.inbound.origin)
    await service.host.change_personality(route.session_id, call.argument)
    await service.routing.choose(call.key, call.inbound.origin, personality=call.argument)
    call.say(f"Personality: {call.argument}, from the next message on.")


async def reasoning(call: Call) -> None:
    """How hard the model thinks in this chat."""
    service = call.service
    efforts = get_args(Effort)
    if not call.argument:
        route = await service.routing.find(call.key)
        current = (route.choices.get("effort") if route else None) or (
            service.loaded.config.agent.reasoning_effort or "the model's own"
        )
        call.say(f"Reasoning: {current}. Choices: {', '.join(efforts)}, default.")
        return
    word = call.argument.lower()
    if word in _OFF:
        await service.routing.choose(call.key, call.inbound.origin, effort=None)
        call.say("Reasoning: as configured.")
    elif word in efforts:
        await service.routing.choose(call.key, call.inbound.origin, effort=word)
        call.say(f"Reasoning: {word}.")
    else:
        raise UsageError(
            f"There is no effort {call.argument!r}.",
            hint=f"Choices: {', '.join(efforts)}, default.",
        )


async def busy(call: Call) -> None:
    """What a message does that comes while the agent works."""
    modes = ("interrupt", "queue", "steer")
    if call.argument not in modes:
        raise UsageError("Choose what a message does while I work.", hint=" | ".join(modes))
    await call.service.routing.choose(call.key, call.inbound.origin, busy=call.argument)
    call.say(f"A message that comes while I work will {call.argument}.")


async def voice(call: Call) -> None:
    """Which answers of this chat are spoken too."""
    word = call.argument.lower()
    if word in ("", "status"):
        route = await call.service.routing.find(call.key)
        mode = (route.choices.get("voice") if route else None) or "off"
        call.say(f"Voice: {mode}. `/voice on` speaks answers to voice messages, `all` every one.")
        return
    if word not in MODES:
        raise UsageError(f"There is no voice mode {word!r}.", hint="on | all | off | status")
    mode = MODES[word]
    if mode:
        # Said now rather than at the first answer that stays silent.
        Audio(call.service.loaded, call.service.host.connect).speaker()
    await call.service.routing.choose(call.key, call.inbound.origin, voice=mode or None)
    call.say(f"Voice: {mode or 'off'}.")


async def reload_mcp(call: Call) -> None:
    """The MCP servers of the configuration as it stands now."""
    if call.role != "owner":
        raise HermesError("Only the owner may read the MCP servers anew.")
    reloaded = await call.service.host.premises.servers.reload()
    # A chat's tools are put together anew for each turn.
    call.say(reloaded.line(here=True))


async def sethome(call: Call) -> None:
    """This chat is where notices and jobs go."""
    if call.role != "owner":
        raise HermesError("Only the owner may choose the home chat.")
    await call.service.set_home(call.inbound)
    call.say("This is the home chat now: notices and scheduled jobs come here.")
