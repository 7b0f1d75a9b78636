"""What keeps a container from running."""

from hermes_agent.domain.errors import ConfigError, EnvironmentFault


class EngineMissing(EnvironmentFault):
    """The container engine is not installed."""


class EngineDown(EnvironmentFault):
    """The container engine does not answer."""


class EngineTooOld(ConfigError):
    """The container engine lacks what we need."""


class EngineRefused(EnvironmentFault):
    """The container engine did not do what it was told."""


class ImageMissing(EngineRefused):
    """The image is not here and cannot be pulled."""


class ForeignContainer(ConfigError):
    """Somebody else's container has our name."""


class ContainerGone(EnvironmentFault):
    """The container was removed while it ran."""
