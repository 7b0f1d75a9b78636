"""GNU's OpenMP library, which the inference library is linked with and a small system lacks.

Debian has it in the package libgomp1. Without root it is taken out of a small Python package
that carries it, checked by hash; nothing of that package is imported.
"""

import shutil
import sys
from pathlib import Path

from hermes_agent.domain.errors import ModelError
from hermes_agent.providers.embedded.clients import fetch_package
from hermes_agent.providers.embedded.places import Places, private_folder

NAME = "libgomp.so.1"
_REQUIREMENTS = Path(__file__).with_name("openmp-requirements.txt")
_HINT = "Install it with: apt-get install libgomp1 (or your system's package with libgomp)"


def openmp_folder(places: Places) -> Path | None:
    """The folder for the loader's path; None where the system has the library, or needs none."""
    folder = places.runtime / "openmp"
    return folder if (folder / NAME).is_file() else None


def lacks_openmp(places: Places) -> bool:
    """Whether the library is needed and neither the system nor we have it."""
    if sys.platform != "linux" or openmp_folder(places) is not None:
        return False
    import ctypes

    try:
        ctypes.CDLL(NAME)
    except OSError:
        return True
    return False


def install_openmp(places: Places) -> None:
    """Fetch it, unless it is there. The caller has consent. Raises `ModelError`."""
    if not lacks_openmp(places):
        return
    folder = places.runtime / "openmp"
    private_folder(folder.parent)
    fresh = folder.with_name("openmp.partial")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fault = fetch_package(fresh, "--require-hashes", "--requirement", str(_REQUIREMENTS))
        found = next(fresh.glob("*.libs/libgomp-*.so*"), None)
        if fault or found is None:
            raise ModelError(
                f"The offline model needs {NAME}, and it could not be fetched: {fault}", hint=_HINT
            )
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        found.replace(folder / NAME)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
