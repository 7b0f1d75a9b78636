"""Commands that show what the agent keeps: its skills, its notes."""

from hermes_agent.domain.errors import HermesError
from hermes_agent.gateway.commands.desk import Call
from hermes_agent.policy.admission.people import RIGHTS
from hermes_agent.runtime.keeping import noted


async def skills(call: Call) -> None:
    """Those of this platform; each is a command of its name."""
    if "tools" not in RIGHTS[call.role]:
        raise HermesError("Skills are for people with tools.")
    found = await call.service.host.skills(call.inbound.origin.platform)
    lines = [f"- `/{name}` {text.partition('. ')[0]}" for name, text in sorted(found.items())]
    call.say("\n".join(lines) or "There are no skills here.")


async def memory(call: Call) -> None:
    """Everything, for the owner only: the notes are about them."""
    if call.role != "owner":
        raise HermesError("Only the owner may see the notes.")
    if call.inbound.origin.chat_type != "dm":
        raise HermesError("The notes are shown in a private chat only.")
    lines = [f"- {entry}" for entry in noted(call.service.loaded)]
    call.say("\n".join(lines) or "Nothing is noted yet.")
