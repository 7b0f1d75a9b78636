"""Whether a distant place can be reached, asked without making one."""

import subprocess

from hermes_agent.environments.distant.container import Container
from hermes_agent.environments.distant.ssh import Ssh
from hermes_agent.environments.enclosure import Place

_SECONDS = 20


def reach(name: str, place: Place) -> tuple[bool, str]:
    """Whether the engine or machine behind `docker`, `podman` or `ssh` answers, and a sentence.

    Takes up to 20 seconds. Raises `ConfigError` when not even its name is set.
    """
    link = Ssh(place) if name == "ssh" else Container(name, place)
    probe = link.probe()
    what = link.noun if name == "ssh" else name
    try:
        asked = subprocess.run(
            probe.argv,
            cwd=probe.cwd,
            env=probe.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        return False, f"{name} is not installed"
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, f"{what} does not answer: {error}"
    said = " ".join((asked.stdout if asked.returncode == 0 else asked.stderr).split())
    if asked.returncode:
        return False, f"{what} does not answer: {said or f'status {asked.returncode}'}"
    return True, f"{what} answers ({said})"
