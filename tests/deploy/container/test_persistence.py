"""The guide's table "What persists across what", row by row, on real engines."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.container import agent
from tests.deploy.container.deployment import Deployment
from tests.deploy.container.engines import OTHER_IMAGE
from tests.deploy.container.store import Store, nix_store

pytestmark = pytest.mark.timeout(400)

LAYER = ("/usr/local/bin/by-apt", "/home/hermes/.local/lib/by-pip", "/usr/local/lib/by-npm")
PASSING = "/tmp/by-the-agent"


def install(deployed: Deployment) -> None:
    """What apt, pip and npm leave in the writable layer, and the agent in its state."""
    for path in LAYER:
        deployed.sh(f"mkdir -p $(dirname {path}); echo installed > {path}")
    deployed.sh(f"echo kept > {PASSING}; echo kept > /data/workspace/notes", user=deployed.agent)


def state_persists(deployed: Deployment) -> bool:
    return (deployed.state / "workspace" / "notes").read_text() == "kept\n"


def layer(deployed: Deployment) -> str:
    """`persists`, `lost`, or what is left of it."""
    paths = (*LAYER, PASSING)
    there = deployed.sh(f"ls -d {' '.join(paths)} 2>/dev/null || true").split()
    return {len(paths): "persists", 0: "lost"}.get(len(there), str(there))


def test_what_persists_across_what(deployed: Deployment) -> None:
    deployed.start()
    install(deployed)
    first = deployed.id

    def kept() -> tuple[bool, bool, str]:
        return deployed.id == first, state_persists(deployed), layer(deployed)

    # systemctl restart hermes-agent
    deployed.restart()
    assert kept() == (True, True, "persists")

    # nixos-rebuild switch (code change): the symlink is updated, the container is not recreated
    other = deployed.make_package("two")
    deployed.keys["package"] = str(other)
    deployed.restart()
    assert deployed.exec("readlink", "/data/current-package") == str(other)
    assert deployed.exec("/data/current-package/bin/hermes", "which") == "two"
    assert (deployed.state / ".gc-root").readlink() == other
    assert kept() == (True, True, "persists")

    # Host reboot
    deployed.stop()
    deployed.engine.down()
    shutil.rmtree(deployed.roots.runtime)
    deployed.engine.up()
    deployed.start()
    assert kept() == (True, True, "persists")

    # Image change, and each of "Env/volume/options change"
    (deployed.folder / "projects").mkdir()
    (deployed.folder / "projects" / "plan").write_text("the plan\n")
    secrets = deployed.file("secrets.env", "EXTRA=one\n")
    changes: dict[str, Callable[[], None]] = {
        "image": lambda: deployed.container(image=OTHER_IMAGE),
        "environment": lambda: deployed.keys.update(environment={"GREETING": "hello there"}),
        "environmentFiles": lambda: deployed.keys.update(environmentFiles=[secrets]),
        "extraVolumes": lambda: deployed.container(
            extraVolumes=[f"{deployed.folder}/projects:/projects:ro"]
        ),
        "extraOptions": lambda: deployed.container(extraOptions=["--shm-size", "48m"]),
    }
    for name, change in changes.items():
        install(deployed)
        first = deployed.id
        change()
        deployed.restart()
        assert (name, *kept()) == (name, False, True, "lost")
    assert deployed.sh("echo $GREETING") == "hello there"
    assert "EXTRA=one" in agent.variables(deployed)
    assert deployed.exec("cat", "/projects/plan") == "the plan"
    assert "49152" in deployed.sh("df -k /dev/shm")


def test_settings_documents_arguments_and_secrets_change_without_another_container(
    deployed: Deployment,
) -> None:
    secrets = deployed.file("secrets.env", "TEST_API_KEY=first-secret\n")
    deployed.keys["environmentFiles"] = [secrets]
    deployed.start()
    install(deployed)
    first = deployed.id
    deployed.keys["settings"] = {**deployed.keys["settings"], "timezone": "Asia/Tokyo"}
    deployed.keys["documents"] = {"SOUL.md": {"text": "Be kind."}}
    deployed.keys["extraArgs"] = ["--verbose"]
    Path(secrets).write_text("TEST_API_KEY=second-secret\n")
    deployed.restart()
    assert (deployed.id == first, layer(deployed)) == (True, "persists")
    assert "timezone: Asia/Tokyo" in deployed.exec("cat", "/data/.hermes/config.yaml")
    assert deployed.exec("cat", "/data/workspace/SOUL.md") == "Be kind."
    assert agent.command(deployed)[-4:] == ["gateway", "run", "--replace", "--verbose"]
    assert "TEST_API_KEY=second-secret" in agent.variables(deployed)


def test_a_container_identity_that_was_removed_makes_a_fresh_container(
    deployed: Deployment,
) -> None:
    """Word for word what the guide says about forcing it."""
    deployed.start()
    install(deployed)
    first, said = deployed.id, deployed.exec("cat", "/data/.container-identity")
    assert len(said) == 64
    deployed.stop()
    deployed.engine.do("rm", "-f", "hermes-agent")
    (deployed.state / ".container-identity").unlink()
    deployed.start()
    assert deployed.id != first
    assert (state_persists(deployed), layer(deployed)) == (True, "lost")

    # Removing the file alone does it too; a container that is there is replaced.
    install(deployed)
    second = deployed.id
    (deployed.state / ".container-identity").unlink()
    deployed.restart()
    assert deployed.id != second
    assert layer(deployed) == "lost"
    assert deployed.exec("cat", "/data/.container-identity") == said


def test_a_container_identity_that_the_agent_wrote_decides_nothing(deployed: Deployment) -> None:
    deployed.start()
    install(deployed)
    first, said = deployed.id, deployed.exec("cat", "/data/.container-identity")
    deployed.sh("echo 0000 > /data/.container-identity", user=deployed.agent)
    deployed.restart()
    assert (deployed.id == first, layer(deployed)) == (True, "persists")
    assert deployed.exec("cat", "/data/.container-identity") == said
    deployed.sh(
        "rm /data/.container-identity; ln -s /etc/shadow /data/.container-identity",
        user=deployed.agent,
    )
    before = Path("/etc/shadow").read_bytes()
    deployed.restart()
    assert deployed.exec("cat", "/data/.container-identity") == said
    assert Path("/etc/shadow").read_bytes() == before


def test_garbage_collection_leaves_the_running_package_and_takes_the_one_before(
    deployed: Deployment,
) -> None:
    program = nix_store()
    if program is None:
        pytest.skip("NO GARBAGE COLLECTION IS TESTED: there is no nix-store, nor a Debian's apt")
    with Store(program) as store:
        one, two = (store.add(deployed.make_package(label)) for label in ("gc-one", "gc-two"))
        deployed.keys["packageRoots"] = [str(store.path), *deployed.keys["packageRoots"][1:]]
        deployed.keys["gcRoots"] = str(store.gc_roots)
        deployed.keys["package"] = str(one)
        deployed.start()
        install(deployed)
        first = deployed.id
        deployed.keys["package"] = str(two)
        deployed.restart()
        current = deployed.exec("readlink", "/data/current-package")
        assert current == str(two)
        assert "hermes-agent-hermes-agent" in store.roots_of(current)
        store.collect_garbage()
        assert (one.exists(), two.exists()) == (False, True)
        deployed.restart()
        assert (deployed.id == first, layer(deployed)) == (True, "persists")
        assert deployed.exec("/data/current-package/bin/hermes", "which") == "gc-two"
