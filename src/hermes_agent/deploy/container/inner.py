"""Where things are inside a container."""

from hermes_agent.deploy.spec import Specification

DATA = "/data"
"""The state directory."""
RUN = "/run/hermes"
"""The runtime folder."""
REGISTRY = "/etc/hermes-agent"
HERMES_HOME = f"{DATA}/.hermes"
HOME = "/home/hermes"
"""The agent's home directory, in the writable layer."""
PACKAGE = f"{DATA}/current-package"
ENTRYPOINT = f"{RUN}/entrypoint"


def workspace(spec: Specification) -> str:
    """The working directory; what lies outside of the state directory is a volume."""
    inside = f"{spec.state_dir}/"
    if not f"{spec.workspace}/".startswith(inside):
        return spec.workspace
    return f"{DATA}/{f'{spec.workspace}/'.removeprefix(inside)}".rstrip("/")
