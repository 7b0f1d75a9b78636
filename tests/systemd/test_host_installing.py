"""What `hermes deploy apply` puts on a machine for the host command, and takes off again."""

import json
from collections.abc import Iterator

import pytest

from tests.systemd import host
from tests.systemd.host import DOOR, INSTALL, NAME
from tests.systemd.machine import Machine, Ran

pytestmark = pytest.mark.timeout(400)  # the first test may have to fetch a Debian

RULE = f"/etc/sudoers.d/hermes-agent_{NAME}"
COMMAND = "/usr/local/bin/hermes"
REMOVE = f"from hermes_agent.deploy.host.installing import uninstall; uninstall({NAME!r})"
EVERYTHING = (
    f"find {DOOR} {RULE} {COMMAND} /usr/local/libexec/hermes-agent 2>/dev/null | sort || true"
)


@pytest.fixture
def clean(deployed: Machine) -> Iterator[Machine]:
    """Nothing of it is installed yet."""
    remove(deployed)
    deployed.sh(f"rm -f {COMMAND}")
    yield deployed
    deployed.sh(f"rm -f {COMMAND}; chmod 755 /opt/probe/bin")
    host.install(deployed)


def remove(machine: Machine) -> None:
    machine.run("/opt/agent/bin/python3", "-c", REMOVE).ok()


def refused(machine: Machine) -> Ran:
    ran = machine.run("/opt/agent/bin/python3", "-c", INSTALL, "/root/spec.json")
    assert ran.status != 0
    return ran


def test_what_is_installed_is_roots_and_gone_without_a_trace(clean: Machine) -> None:
    before = clean.sh(EVERYTHING)
    assert host.install(clean) == ""
    assert clean.sh(f"stat -c '%a %U %G' {RULE} {DOOR}").splitlines() == [
        "440 root root",
        "755 root root",
    ]
    assert clean.sh(f"readlink -f {COMMAND}").strip() == "/opt/probe/bin/hermes"
    once = clean.sh(f"{EVERYTHING}; cat {RULE} {DOOR}")
    assert host.install(clean) == ""
    assert clean.sh(f"{EVERYTHING}; cat {RULE} {DOOR}") == once
    clean.run("visudo", "-c").ok()
    remove(clean)
    assert clean.sh(EVERYTHING) == before == ""


def test_it_goes_when_it_is_no_longer_wanted(clean: Machine) -> None:
    host.install(clean)
    host.install(clean, addToSystemPackages=False)
    assert clean.sh(EVERYTHING) == ""


def test_the_link_moves_with_the_package(clean: Machine) -> None:
    host.install(clean)
    host.install(clean, package="/opt/agent")
    assert clean.sh(f"readlink -f {COMMAND}").strip() == "/opt/agent/bin/hermes"


@pytest.mark.parametrize("making", ["ln -s /bin/true", "cp /bin/true", "mkdir", "ln -s /nowhere"])
def test_a_command_of_somebody_elses_is_left_alone(clean: Machine, making: str) -> None:
    clean.sh(f"{making} {COMMAND}")
    try:
        before = clean.sh(f"stat -c '%F %i %N' {COMMAND}")
        assert "was left as it is" in host.install(clean)
        remove(clean)
        assert clean.sh(f"stat -c '%F %i %N' {COMMAND}") == before
    finally:
        clean.sh(f"rm -rf {COMMAND}")


def test_it_can_be_used_whatever_roots_umask_is(clean: Machine) -> None:
    clean.write("/root/spec.json", json.dumps(host.specification()))
    clean.write("/root/install.py", INSTALL)
    clean.sh("umask 077; /opt/agent/bin/python3 /root/install.py /root/spec.json")
    found = host.probed(clean.run("/opt/agent/bin/hermes", "x", user="alice"))
    assert found["uids"] == [900, 900, 900]


def test_a_folder_that_others_could_change_holds_no_program_of_roots(clean: Machine) -> None:
    clean.write("/root/spec.json", json.dumps(host.specification()))
    clean.sh("install -d -g staff -m 2775 /usr/local/libexec")
    try:
        ran = refused(clean)
    finally:
        clean.sh("rm -rf /usr/local/libexec")
    assert "/usr/local/libexec can be changed by others than root" in ran.err


def test_two_deployments_do_not_take_each_other_off(clean: Machine) -> None:
    host.install(clean)
    host.install(clean, name="second")
    assert clean.sh("ls /usr/local/libexec/hermes-agent/enter").split() == [NAME, "second"]
    remove(clean)
    assert clean.sh("ls /usr/local/libexec/hermes-agent/enter").split() == ["second"]
    assert clean.sh(f"readlink -f {COMMAND}").strip() == "/opt/probe/bin/hermes"
    clean.sh("test -e /etc/sudoers.d/hermes-agent_second")
    clean.run("/opt/agent/bin/python3", "-c", REMOVE.replace(NAME, "second")).ok()
    assert clean.sh(EVERYTHING) == ""


def test_people_who_are_named_may_use_it_too(clean: Machine) -> None:
    host.install(
        clean,
        container={"hostUsers": ["bob"], "enable": True},
        packageRoots=["/opt"],
    )
    host.register(clean)
    found = host.probed(clean.run("/opt/agent/bin/hermes", "x", user="bob"))
    assert found["uids"] == [900, 900, 900]


@pytest.mark.parametrize(
    ("making", "mending"),
    [
        ("chmod o+w {}/cli", "chmod o-w {}/cli"),
        ("chown alice {}/version.py", "chown root {}/version.py"),
        ("chmod 777 /opt/agent/bin", "chmod 755 /opt/agent/bin"),
        ("chown alice /opt/agent", "chown root /opt/agent"),
    ],
)
def test_what_others_could_change_is_never_run_by_root(
    clean: Machine, making: str, mending: str
) -> None:
    package = clean.sh("echo /opt/agent/lib/python3*/site-packages/hermes_agent").strip()
    host.install(clean)
    remove(clean)
    clean.sh(making.format(package))
    try:
        ran = refused(clean)
    finally:
        clean.sh(mending.format(package))
    assert "can be changed by others than root" in ran.err
    assert clean.sh(EVERYTHING) == ""


def test_a_rule_that_sudo_does_not_understand_never_counts(clean: Machine) -> None:
    clean.sh("mv /usr/sbin/visudo /usr/sbin/visudo.away")
    clean.write("/usr/sbin/visudo", "#!/bin/sh\necho 'syntax error near line 1' >&2; exit 1\n")
    clean.sh("chmod 755 /usr/sbin/visudo")
    clean.write("/root/spec.json", json.dumps(host.specification()))
    try:
        ran = refused(clean)
    finally:
        clean.sh("mv /usr/sbin/visudo.away /usr/sbin/visudo")
    assert "syntax error near line 1" in ran.err
    clean.sh('test -z "$(ls -A /etc/sudoers.d | grep hermes)"')


def test_without_sudo_it_says_that_only_root_can(clean: Machine) -> None:
    clean.sh("mv /usr/sbin/visudo /usr/sbin/visudo.away")
    try:
        said = host.install(clean)
    finally:
        clean.sh("mv /usr/sbin/visudo.away /usr/sbin/visudo")
    assert "sudo is not installed" in said
    assert host.probed(clean.run("/opt/agent/bin/hermes", "x"))["uids"] == [900, 900, 900]
