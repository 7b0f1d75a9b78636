"""The gateway under launchd on macOS: a launch agent of the user, see launchctl(1).

The property list is tested; launchctl itself was never run by our tests, which have no Mac.
"""

import os
import subprocess
from collections.abc import Callable

from hermes_agent.config.files import write_atomically
from hermes_agent.deploy.units import render
from hermes_agent.deploy.units.service import Service
from hermes_agent.domain.errors import HermesError


def install(wanted: render.Wanted, *, say: Callable[[str], None]) -> None:
    """Write the property list and load it."""
    service = wanted.service
    _require_user(service)
    service.plist_file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(service.plist_file, render.launchd_plist(wanted).encode(), 0o644)
    say(f"Written: {service.plist_file}")
    _launchctl("bootout", f"{_domain()}/{service.label}", check=False)
    _launchctl("bootstrap", _domain(), str(service.plist_file))


def uninstall(service: Service, *, say: Callable[[str], None]) -> None:
    """Unload and delete it."""
    _require_user(service)
    _launchctl("bootout", f"{_domain()}/{service.label}", check=False)
    service.plist_file.unlink(missing_ok=True)
    say(f"Removed: {service.plist_file}")


def _require_user(service: Service) -> None:
    if service.system:
        raise HermesError(
            "On macOS the gateway is a launch agent of the user", hint="Leave --system out."
        )


def _domain() -> str:
    return f"gui/{os.getuid()}"


def _launchctl(*words: str, check: bool = True) -> None:
    done = subprocess.run(("launchctl", *words), capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise HermesError(f"launchctl {' '.join(words)} failed: {done.stderr.strip()}")
