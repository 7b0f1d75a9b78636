"""The real weights for tests: given, found in the person's cache, or fetched into it once."""

import asyncio
import os
import pwd
from pathlib import Path

import pytest

from hermes_agent.providers.embedded.catalog import find
from hermes_agent.providers.embedded.official import Official
from hermes_agent.providers.embedded.parts import Parts
from hermes_agent.providers.embedded.weights import WeightsError, fetch, is_complete


def weights_file(size: str) -> Path:
    """The GGUF of this size; skips the test, saying why, where there is none to be had.

    HERMES_TEST_WEIGHTS names a folder that holds it; otherwise the cache outside the tests'
    own home is used, and filled.
    """
    weights = find(size)
    assert weights is not None
    if named := os.environ.get("HERMES_TEST_WEIGHTS"):
        path = Path(named, weights.file)
        if not is_complete(path, weights):
            pytest.skip(f"HERMES_TEST_WEIGHTS holds no whole {weights.file}")
        return path
    cache = Path(pwd.getpwuid(os.getuid()).pw_dir, ".cache/hermes-agent/models")
    try:
        return asyncio.run(fetch(weights, cache, (Official(), Parts()), lambda _: None))
    except WeightsError as error:
        pytest.skip(f"no weights, the embedded model is NOT tested: {error.message}")
