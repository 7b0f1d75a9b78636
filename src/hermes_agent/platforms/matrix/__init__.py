"""Matrix: rooms and private chats, threads, answers, edits, reactions, files, encryption.

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
        from importlib.util import find_spec

        if find_spec("nio") is None or find_spec("vodozemac") is None:
            raise ConfigError(
                "Matrix with encryption needs the extra 'matrix', which is not installed.",
                hint="Install it: pip install 'hermes-agent[matrix]'",
            )
    return Matrix(made)
