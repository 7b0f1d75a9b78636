"""Matrix: rooms and private chats, threads, answers, edits, reactions, files.

https://spec.matrix.org/latest/client-server-api/
"""

from hermes_agent.domain.errors import ConfigError
from hermes_agent.platforms.base import Platform, PlatformSettings


def create(settings: PlatformSettings) -> Platform:
    """The adapter. Raises `ConfigError`."""
    from hermes_agent.platforms.matrix.adapter import Matrix
    from hermes_agent.platforms.matrix.configuration import configuration

    made = configuration(settings)
    if made.encryption:
        raise ConfigError(
            "Matrix with end-to-end encryption is not supported.",
            hint="Set MATRIX_ENCRYPTION=false and use rooms that are not encrypted.",
        )
    return Matrix(made)
