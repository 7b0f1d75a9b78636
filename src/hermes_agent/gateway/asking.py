"""Who is asked when something needs a yes."""

from collections.abc import Callable

from hermes_agent.domain.chats import Origin, Target
from hermes_agent.policy.admission.people import RIGHTS, Role


def approver_of(origin: Origin, role: Role, home: Callable[[str], Target | None]) -> Target | None:
    """Where somebody with the grant is: the chat itself for those who have it, for others the home
    chat. None: nobody, and then everything is denied."""
    if "approve" in RIGHTS[role]:
        return origin.target
    place = home(origin.platform)
    return None if place == origin.target else place
