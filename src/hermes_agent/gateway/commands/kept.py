"""Commands that show what the agent keeps: its skills, its notes."""

from hermes_agent.domain.errors import HermesError
from hermes_agent.gateway.commands.desk import Call
from hermes_agent.policy.admission.people import RIGHTS
from hermes_agent.runtime.keeping import noted, skill_shelf


async def skills(call: Call) -> None:
    """Those of this platform; each is a command of its name."""
    if "tools" not in RIGHTS[call.role]:
        raise HermesError("Skills are for people with tools.")
    shelf = skill_shelf(call.service.loaded, call.inbound.origin.platform)
    found = sorted(shelf.all().values(), key=lambda skill: skill.name)
    lines = [f"- `/{skill.name}` {skill.description.partition('. ')[0]}" for skill in found]
    call.say("\n".join(lines) or "There are no skills here.")


async def memory(call: Call) -> None:
    """Everything, for the owner only: the notes are about them."""
    if call.role != "owner":
        raise HermesError("Only the owner may see the notes.")
    lines = [f"- {entry}" for entry in noted(call.service.loaded)]
    call.say("\n".join(lines) or "Nothing is noted yet.")
