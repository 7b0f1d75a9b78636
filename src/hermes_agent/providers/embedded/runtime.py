"""The inference library: part of the installation (extra `local`), or a private copy.

The copy is for installations that nothing can be added to. It is fetched by the machine's own
package client, so that its index, certificates, proxies and credentials are honoured.
"""

import importlib.util
import shutil
import sys
from pathlib import Path

from hermes_agent.domain.errors import ModelError
from hermes_agent.providers.embedded.clients import fetch_package
from hermes_agent.providers.embedded.places import Places, private_folder

LIBRARY = "xllamacpp"
REQUIREMENT = "xllamacpp>=2026.10"

_HINT = (
    "Install the extra: `uv sync --extra local` in a checkout, `uv tool install "
    "'hermes-agent[local]'` or `pip install 'hermes-agent[local]'` elsewhere."
)


def has_runtime(places: Places) -> bool:
    """Whether the library is there, in the installation or as a private copy."""
    return importlib.util.find_spec(LIBRARY) is not None or _private(places).is_dir()


def require_runtime(places: Places) -> Path | None:
    """The folder to add to the import path; None when the installation has the library."""
    if importlib.util.find_spec(LIBRARY) is not None:
        return None
    if _private(places).is_dir():
        return _private(places).parent
    raise ModelError("The library that runs the offline model is not installed", hint=_HINT)


def install_runtime(places: Places | None = None) -> None:
    """Fetch the library into the cache folder, unless it is there. The caller has consent."""
    places = places or Places.of()
    if has_runtime(places):
        return
    target = _private(places).parent
    private_folder(target.parent)
    fresh = target.with_name(target.name + ".partial")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        if fault := fetch_package(fresh, REQUIREMENT):
            raise ModelError(
                f"The library that runs the offline model could not be fetched: {fault}",
                hint=_HINT,
            )
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _private(places: Places) -> Path:
    # Compiled for one interpreter version: another one gets a copy of its own.
    return places.runtime / f"{sys.version_info.major}.{sys.version_info.minor}" / LIBRARY
