"""Shared by the tests of deployments."""

from collections.abc import Iterator

import pytest

from tests.deploy.ground import NO_ROOT, Ground
from tests.deploy.ground import ground as make_ground


@pytest.fixture
def ground() -> Iterator[Ground]:
    if NO_ROOT:
        pytest.skip(NO_ROOT)
    with make_ground() as made:
        yield made
