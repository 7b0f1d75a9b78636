"""Which environment commands run in."""

from hermes_agent.config.load import Loaded


def backend_of(loaded: Loaded) -> str:
    """`terminal.backend`; in a managed home `local` means bubblewrap where that works.

    There the agent must not be able to lift its own gate, so its commands may not reach what
    decides about it. Elsewhere `local` is what it says: sudo works, and doctor says how strong
    the gate is.
    """
    backend = loaded.config.terminal.backend
    if backend != "local" or loaded.managed is None:
        return backend
    from hermes_agent.environments.bubblewrap import unusable

    return "bubblewrap" if unusable() is None else backend
