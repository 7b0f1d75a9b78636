"""What the first program inside makes of any image, with or without a network."""

import pwd
from pathlib import Path

import pytest

from tests.deploy.container.deployment import Deployment
from tests.deploy.container.engines import IMAGE, TINY_IMAGE

pytestmark = pytest.mark.timeout(400)

ONE_ENGINE = pytest.mark.parametrize("engine", ["docker"], indirect=True)
"""For what happens inside alone, whichever engine that is."""

REPORT = """\
#!/bin/sh
{ id; umask; pwd; echo "$HOME"; echo "$PATH"; printf '<%s>' "$@"; } > /data/.hermes/report.new
env > /data/.hermes/variables
mv /data/.hermes/report.new /data/.hermes/report
exec sleep 1000
"""


def report(deployed: Deployment) -> list[str]:
    """What the program found that is started in the end."""
    place = deployed.state / ".hermes" / "report"
    deployed.wait(place.exists, "the report")
    return place.read_text().splitlines()


def simple(deployed: Deployment) -> None:
    """A package that needs nothing but a shell."""
    program = deployed.package / "bin" / "hermes"
    program.write_text(REPORT)


def account(deployed: Deployment, taken: str) -> pwd.struct_passwd:
    """A user of this machine whom the image does not know."""
    known = {line.split(":")[2] for line in taken.splitlines()}
    found = [each for each in pwd.getpwall() if str(each.pw_uid) not in known and each.pw_uid]
    if not found:
        pytest.skip("NO NEW USER IS TRIED: this machine has none that the image does not have")
    import grp

    deployed.account = found[0]
    deployed.keys["user"] = found[0].pw_name
    deployed.keys["group"] = grp.getgrgid(found[0].pw_gid).gr_name
    return found[0]


def test_an_image_with_busybox_alone_gets_the_user_too(deployed: Deployment) -> None:
    simple(deployed)
    deployed.container(image=TINY_IMAGE)
    deployed.keys["extraArgs"] = ["--verbose", "a b", "it's", "$HOME `id`", "*", ""]
    deployed.begin()
    who, umask, where, home, path, words = report(deployed)
    uid, gid = deployed.account.pw_uid, deployed.account.pw_gid
    assert who.startswith(f"uid={uid}({deployed.account.pw_name}) gid={gid}(")
    assert (umask, where, home) == ("0007", "/data/workspace", "/home/hermes")
    assert path.startswith("/home/hermes/.venv/bin:/home/hermes/.local/bin:/usr/local/sbin:")
    assert words == "<gateway><run><--replace><--verbose><a b><it's><$HOME `id`><*><>"
    assert deployed.sh("stat -c %u /home/hermes") == str(uid)
    first = deployed.id
    (deployed.state / ".hermes" / "report").unlink()
    assert deployed.stop().status in (0, 143)
    deployed.begin()
    assert report(deployed)[0] == who
    assert deployed.id == first
    assert deployed.sh(f"grep -c :{uid}: /etc/passwd; grep -c :{gid}: /etc/group").split() == [
        "1",
        "1",
    ]


@ONE_ENGINE
def test_a_user_whom_the_image_does_not_know_is_made(deployed: Deployment) -> None:
    taken = deployed.engine.do(
        *("run", "--rm", "--network=none", "--entrypoint=cat", IMAGE, "/etc/passwd")
    )
    user = account(deployed, taken)
    simple(deployed)
    deployed.begin()
    assert report(deployed)[0].startswith(f"uid={user.pw_uid}(")
    entry = deployed.sh(f"getent passwd {user.pw_uid}")
    assert entry.endswith(":/home/hermes:/bin/bash")
    assert deployed.exec("sudo", "-n", "id", "-u", user=deployed.agent) == "0"
    assert deployed.sh("ls -A /home/hermes").split() == [".bash_logout", ".bashrc", ".profile"]


@ONE_ENGINE
def test_a_user_whose_number_the_image_has_given_away_gets_home_and_group(
    deployed: Deployment,
) -> None:
    simple(deployed)
    deployed.begin()
    who = report(deployed)[0]
    assert who == f"uid={deployed.account.pw_uid}(games) gid={deployed.account.pw_gid}(games)" + (
        f" groups={deployed.account.pw_gid}(games)"
    )
    assert "/home/hermes" in deployed.sh("getent passwd games")
    assert deployed.sh("getent passwd root") == "root:x:0:0:root:/root:/bin/bash"
    # A name that the image has given to another number stays that one's.
    deployed.stop()
    deployed.sh_offline("sed -i 's/^games:x:5:/games:x:4242:/' /etc/passwd")
    (deployed.state / ".hermes" / "report").unlink()
    deployed.begin()
    assert report(deployed)[0].startswith("uid=5(games-5) ")
    assert deployed.sh("id -u games") == "4242"


def test_the_agent_starts_without_a_network_and_what_is_missing_is_said(
    deployed: Deployment,
) -> None:
    deployed.container(network="none", provision=["no-such-package"])
    deployed.start()
    deployed.wait(
        lambda: "not everything could be installed" in deployed.log(), "the end of the provisioning"
    )
    assert "installing in the background: no-such-package" in deployed.log()
    assert deployed.runs
    deployed.sh("test -s /var/lib/hermes-agent/provision.log")
    # What is there already needs no network, and is not looked for again.
    deployed.container(provision=["sudo", "python3"])
    deployed.restart()
    marker = "/var/lib/hermes-agent/provisioned"
    deployed.wait(
        lambda: deployed.engine.run("exec", "hermes-agent", "test", "-e", marker).returncode == 0,
        "the note",
    )
    assert "not everything" not in deployed.log()


@ONE_ENGINE
def test_what_root_of_the_container_left_is_given_back_and_nothing_else_is_touched(
    deployed: Deployment,
) -> None:
    simple(deployed)
    outside = deployed.folder / "outside"
    outside.write_text("root's\n")
    deployed.begin()
    report(deployed)
    deployed.sh(
        "cd /data/workspace; mkdir -m 2770 theirs; echo x > theirs/file;"
        " ln -s /etc/shadow link; chown -h 0:0 link;"
        " echo x > /data/.hermes/skills/mine; chmod 640 /data/.hermes/skills/mine"
    )
    shadow = deployed.sh("stat -c '%u %a' /etc/shadow")
    (deployed.state / ".hermes" / "report").unlink()
    deployed.stop()
    deployed.begin()
    report(deployed)
    uid, gid = deployed.account.pw_uid, deployed.account.pw_gid
    workspace = deployed.state / "workspace"
    for path in (
        workspace / "theirs",
        workspace / "theirs" / "file",
        workspace / "link",
        deployed.state / ".hermes" / "skills" / "mine",
    ):
        about = path.lstat()
        assert (path.name, about.st_uid, about.st_gid) == (path.name, uid, gid)
    assert oct((workspace / "theirs").stat().st_mode & 0o7777) == "0o2770"
    assert deployed.sh("stat -c '%u %a' /etc/shadow") == shadow
    assert Path("/etc/shadow").stat().st_uid == 0
    assert outside.stat().st_uid == 0


@ONE_ENGINE
def test_variables_of_any_name_and_value_arrive_and_upset_nothing(deployed: Deployment) -> None:
    simple(deployed)
    values = {
        "uid": "0",
        "user": "root",
        "groups": "0",
        "sudo": "yes",
        "workspace": "/",
        "IFS": "x",
        "ODD": "a 'b' \"c\" $d `e` \\f *",
        "LINES_": "one\ntwo",
    }
    deployed.keys["environment"] = {n: v for n, v in values.items() if n != "LINES_"}
    deployed.keys["environmentFiles"] = [deployed.file("env", 'LINES_="one\ntwo"\n')]
    deployed.begin()
    assert report(deployed)[0].startswith(f"uid={deployed.account.pw_uid}(")
    del values["IFS"]  # every shell sets its own
    variables = (deployed.state / ".hermes" / "variables").read_text()
    for name, value in values.items():
        assert f"{name}={value}\n" in variables


@ONE_ENGINE
def test_a_working_directory_on_a_volume_is_the_agent_s(deployed: Deployment) -> None:
    simple(deployed)
    projects = deployed.folder / "projects"
    projects.mkdir()
    projects.chmod(0o777)
    (projects / "theirs").write_text("x")
    deployed.container(extraVolumes=[f"{projects}:/projects:rw"])
    deployed.keys["workingDirectory"] = "/projects/one"
    deployed.keys["documents"] = {"USER.md": {"text": "me"}}
    (projects / "one").mkdir()
    (projects / "one").chmod(0o777)
    deployed.begin()
    assert report(deployed)[2] == "/projects/one"
    assert deployed.exec("cat", "/projects/one/USER.md") == "me"
    assert (projects / "theirs").stat().st_uid == 0
