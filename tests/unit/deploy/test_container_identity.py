"""What makes another container, and what does not."""

from typing import Any

import msgspec
import pytest

from hermes_agent.deploy import reading
from hermes_agent.deploy.container import identity
from hermes_agent.deploy.spec import Specification

NIX: dict[str, Any] = {
    "package": "/nix/store/one-hermes-agent",
    "packageRoots": ["/nix/store"],
    "workingDirectory": "/var/lib/hermes/workspace",
    "container": {"enable": True},
}


def spec(**keys: Any) -> Specification:
    container = {**NIX["container"], **keys.pop("container", {})}
    text = msgspec.json.encode({**NIX, **keys, "container": container})
    return reading.parse(text.decode())


CHANGES: dict[str, dict[str, Any]] = {
    "image": {"container": {"image": "debian:13"}},
    "environment": {"environment": {"A": "b"}},
    "environmentFiles": {"environmentFiles": ["/run/secrets/env"]},
    "extraVolumes": {"container": {"extraVolumes": ["/a:/b"]}},
    "extraOptions": {"container": {"extraOptions": ["--gpus", "all"]}},
    "network": {"container": {"network": "bridge"}},
    "sudo": {"container": {"sudo": False}},
    "stateDir": {"stateDir": "/srv/hermes", "workingDirectory": "/srv/hermes/workspace"},
    "packageRoots": {"packageRoots": ["/opt/hermes"]},
    "workingDirectory": {"workingDirectory": "/var/lib/hermes/elsewhere"},
}
SAME: dict[str, dict[str, Any]] = {
    "package": {"package": "/nix/store/two-hermes-agent"},
    "settings": {"settings": {"timezone": "Asia/Tokyo"}},
    "documents": {"documents": {"SOUL.md": {"text": "x"}}},
    "mcpServers": {"mcpServers": {"a": {"command": "b"}}},
    "extraArgs": {"extraArgs": ["--verbose"]},
    "secrets": {"secrets": {"model.api_key": "/run/secrets/key"}},
    "authFile": {"authFile": "/run/secrets/auth.json"},
    "restart": {"restart": "on-failure", "restartSec": 9},
    "user": {"user": "other", "group": "other"},
    "manager": {"manager": "nixos"},
    "addToSystemPackages": {"addToSystemPackages": True},
    "gcRoots": {"gcRoots": "/nix/var/nix/gcroots"},
    "program": {"container": {"program": "/bin/podman", "backend": "podman"}},
    "hostUsers": {"container": {"hostUsers": ["alice"]}},
    "provision": {"container": {"provision": ["git"]}},
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_shapes_the_container_makes_another(name: str) -> None:
    assert identity.of(spec(**CHANGES[name])) != identity.of(spec())


def test_no_two_changes_make_the_same_container() -> None:
    found = {identity.of(spec(**keys)) for keys in CHANGES.values()}
    assert len(found) == len(CHANGES)


@pytest.mark.parametrize("name", SAME)
def test_what_comes_by_the_mounts_does_not(name: str) -> None:
    assert identity.of(spec(**SAME[name])) == identity.of(spec())


def test_what_is_said_to_be_as_usual_is_as_usual() -> None:
    said = spec(
        stateDir="/var/lib/hermes",
        container={"network": "host", "sudo": True, "image": "ubuntu:24.04", "extraVolumes": []},
    )
    assert identity.of(said) == identity.of(spec(workingDirectory=None))


def test_an_upgrade_of_ours_keeps_the_containers_that_are_there() -> None:
    """A number of an earlier version: whoever changes it throws writable layers away."""
    assert identity.of(spec()) == "9bd7d4ece860bcd0a9414326126044ac7a50056910f9b884c04cb0fb387df2d3"
