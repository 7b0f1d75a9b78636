"""What keeps a deployment from being set up."""

from hermes_agent.domain.errors import HermesError


class SetupFailed(HermesError):
    """The deployment could not be set up; trying again may help."""


class UnsafeWay(SetupFailed):
    """Somebody else could put another directory in the place of this one."""


class InTheWay(SetupFailed):
    """Something of another kind stands where a file or a directory belongs."""
