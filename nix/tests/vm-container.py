# ruff: noqa: F821  names of the test driver
def inside(command):
    return machine.succeed(f"{engine} exec hermes-agent {command}").strip()


def container():
    return machine.succeed(f"{engine} inspect hermes-agent --format '{{{{.Id}}}}'").strip()


def installs():
    inside("sh -c 'echo kept > /usr/bin/installed; echo kept > /home/hermes/installed'")


def kept():
    inside("grep -q kept /usr/bin/installed")
    inside("grep -q kept /home/hermes/installed")


up()

with subtest("the guide's commands print what they say"):
    assert inside("readlink /data/current-package") == package
    machine.succeed("test -s /var/lib/hermes/.container-identity")
    inside("cat /data/.container-identity")
    roots = machine.succeed(f"nix-store --query --roots {package}")
    assert "/nix/var/nix/gcroots" in roots, roots
    assert (
        machine.succeed(f"{engine} inspect hermes-agent --format '{{{{.State.Status}}}}'").strip()
        == "running"
    )

with subtest("what persists across what"):
    installs()
    first = container()

    machine.succeed("systemctl restart hermes-agent")
    up()
    assert container() == first, "a restart made a new container"
    kept()

    machine.succeed("nix-collect-garbage >&2")
    machine.succeed(f"test -x {package}/bin/hermes")

    restarts_only_for_a_changed_configuration()
    assert container() == first, "other settings made a new container"
    kept()

    switch("environment")
    up()
    second = container()
    assert second != first, "another environment kept the container"
    machine.fail(f"{engine} exec hermes-agent test -e /usr/bin/installed")

    switch("image")
    up()
    assert container() != second, "another image kept the container"
    machine.succeed("test -d /var/lib/hermes/.hermes")

with subtest("the declaration is applied again after a reboot, in the same container"):
    machine.succeed("/run/booted-system/bin/switch-to-configuration test >&2")
    up()
    installs()
    before = container()
    machine.shutdown()
    machine.start()
    up()
    assert container() == before, "a reboot made a new container"
    kept()

with subtest("no secret shows"):
    secret_stays("first-secret-of-the-test")
    machine.fail(f"{engine} inspect hermes-agent | grep -q first-secret-of-the-test")

with subtest("hermes on the host runs inside"):
    hermes_on_the_host()

with subtest("a rotated secret needs no new container"):
    before = container()
    rotates()
    assert container() == before

with subtest("nobody is put into the engine's group"):
    machine.fail("id -nG alice | grep -qw docker")
