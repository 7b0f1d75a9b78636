"""Plain `hermes` of a registered home, with the real sudo."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.systemd import host
from tests.systemd.host import DOOR, HOME, NAME, STATE, probed
from tests.systemd.machine import Machine

pytestmark = pytest.mark.timeout(400)  # the first test may have to fetch a Debian

# Code that leaves its mark wherever Python or a shell would run it.
MARK = "import os; open('/mnt/marks', 'a').write(f'{os.geteuid()} ')\n"
SHELL_MARK = "echo $EUID >> /mnt/marks\n"


@pytest.fixture
def entry(deployed: Machine) -> Iterator[Machine]:
    """The registry is as it was, afterwards."""
    yield deployed
    deployed.sh("rm -rf /etc/hermes-agent/homes")
    host.register(deployed)


@pytest.fixture
def real(entry: Machine) -> Machine:
    """The deployment runs the program itself instead of a probe."""
    host.register(entry, package="/opt/agent")
    return entry


def marks(machine: Machine) -> set[str]:
    """The users for whom hostile code ran."""
    found = machine.sh("cat /mnt/marks 2>/dev/null || true; rm -f /mnt/marks").split()
    return set(found)


def test_a_member_of_the_group_runs_it_as_the_services_user(deployed: Machine) -> None:
    found = probed(deployed.run("hermes", "sessions", "list", user="alice"))
    assert found["uids"] == found["gids"] == [900, 900, 900]
    assert found["groups"] == [900]
    assert found["cwd"] == f"{STATE}/workspace"
    assert found["umask"] == 0o007
    assert found["capabilities"] == ["0000000000000000"] * 4
    assert found["privileges"] == "1"
    assert found["open"] == []


def test_someone_else_is_told_which_group_they_lack_and_nothing_runs(deployed: Machine) -> None:
    ran = deployed.run("hermes", "sessions", "list", user="bob")
    assert (ran.status, ran.out) == (1, "")
    assert "is for members of the group keepers; bob is not one" in ran.err
    assert 'users.users.bob.extraGroups = [ "keepers" ];' in ran.err


def test_someone_who_was_added_need_not_log_in_again(deployed: Machine) -> None:
    said = deployed.sh(
        "usermod -aG keepers bob; trap 'gpasswd -d bob keepers >/dev/null' EXIT;"
        " setpriv --reuid=bob --regid=bob --clear-groups env HOME=/home/bob hermes status"
    )
    assert json.loads(said)["uids"] == [900, 900, 900]


def test_root_becomes_the_services_user(deployed: Machine) -> None:
    found = probed(deployed.run("hermes", "status", variables={"HERMES_SECRET": "x"}))
    assert found["uids"] == found["gids"] == [900, 900, 900]
    assert found["groups"] == [900]
    assert found["environ"]["OPENROUTER_API_KEY"] == "sk-se#cret"
    assert "HERMES_SECRET" not in found["environ"]
    assert found["open"] == []


def test_the_services_user_goes_on_without_sudo(real: Machine) -> None:
    real.sh(f"mv {DOOR} {DOOR}.away")
    try:
        ran = real.run("hermes", "config", "path", user="keeper")
    finally:
        real.sh(f"mv {DOOR}.away {DOOR}")
    assert ran.ok().strip() == f"{HOME}/config.yaml"


def test_the_environment_is_the_services_and_the_terminals(deployed: Machine) -> None:
    deployed.sh(f"install -d /run/credentials/{NAME}.service")
    carried = {
        "TERM": "xterm-256color",
        "LANG": "de_DE.UTF-8",
        "LC_TIME": "C",
        "TZ": "Europe/Berlin",
        "NO_COLOR": "1",
        "COLUMNS": "80",
    }
    foreign = {
        "HERMES_YOLO_MODE": "1",
        "HERMES_MANAGED": "false",
        "OPENAI_API_KEY": "the caller's own",
        "SSH_AUTH_SOCK": "/run/x",
        "DISPLAY": ":0",
        "EDITOR": "vi",
        "LINES": "99999",
        "COLORTERM": "%s/../x",
    }
    ran = deployed.run("hermes", user="alice", variables={**carried, **foreign})
    deployed.sh("rm -r /run/credentials/assistant.service")
    found = probed(ran)["environ"]
    assert found == {
        **carried,
        "OPENROUTER_API_KEY": "sk-se#cret",
        "HOME": STATE,
        "HERMES_HOME": HOME,
        "PATH": "/opt/probe/bin:/run/wrappers/bin:/run/current-system/sw/bin"
        ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "USER": "keeper",
        "LOGNAME": "keeper",
        "CREDENTIALS_DIRECTORY": f"/run/credentials/{NAME}.service",
        # Of the probe's own Python, where the locale is not there.
        **({"LC_CTYPE": found["LC_CTYPE"]} if "LC_CTYPE" in found else {}),
    }


@pytest.mark.parametrize("user", ["alice", "root"])
def test_words_arrive_as_they_were_typed(deployed: Machine, user: str) -> None:
    script = r"""hermes -q $'a\nb' --env TERM=x -- '' '*' '$HOME' $'\xff\xfe' '!' '%h' '\' --help"""
    found = json.loads(deployed.sh(script, user=user))
    assert [bytes.fromhex(word) for word in found["argv"]] == [
        *(b"-q", b"a\nb", b"--env", b"TERM=x", b"--", b"", b"*", b"$HOME", b"\xff\xfe"),
        *(b"!", b"%h", b"\\", b"--help"),
    ]


@pytest.mark.parametrize("user", ["alice", "root"])
def test_status_and_pipes_pass_through(deployed: Machine, user: str) -> None:
    assert deployed.run("hermes", "exit", "42", user=user).status == 42
    assert deployed.sh("printf 'hi\\0there' | hermes cat | od -c | head -1", user=user).split() == [
        *("0000000", "h", "i", "\\0", "t", "h", "e", "r", "e")
    ]
    assert deployed.sh("hermes signal 9 >/dev/null 2>&1 || echo $?", user=user).strip() == "137"
    assert deployed.sh("seq 100000 | hermes cat | head -1; echo ${PIPESTATUS[2]}", user=user) == (
        "1\n0\n"
    )


def test_what_only_python_ignores_is_not_ignored_by_what_it_executes(entry: Machine) -> None:
    entry.sh("install -d /opt/signals/bin")
    entry.write("/opt/signals/bin/hermes", "#!/bin/sh\ngrep SigIgn /proc/self/status\n")
    entry.sh("chmod 755 /opt/signals/bin/hermes")
    host.register(entry, package="/opt/signals")
    for user in ("alice", "root"):
        assert entry.run("hermes", user=user).ok().split()[1] == "0000000000000000"


def test_a_callers_environment_reaches_neither_root_nor_the_service(deployed: Machine) -> None:
    deployed.sh("install -d -o alice /mnt/evil/encodings; rm -f /mnt/marks")
    for name in ("sitecustomize.py", "usercustomize.py", "syslog.py", "startup.py"):
        deployed.write(f"/mnt/evil/{name}", MARK)
    deployed.write("/mnt/evil/rc", SHELL_MARK)
    for program in ("sudo", "python3", "docker", "id", "sh"):
        deployed.write(f"/mnt/evil/{program}", f"#!/bin/bash\n{SHELL_MARK}")
    deployed.sh("chmod -R a+rwx /mnt/evil")
    hostile = {
        "PATH": "/mnt/evil:/usr/local/bin:/usr/bin:/bin",
        "LD_PRELOAD": "/mnt/evil/x.so",
        "LD_LIBRARY_PATH": "/mnt/evil",
        "PYTHONPATH": "/mnt/evil",
        "PYTHONSTARTUP": "/mnt/evil/startup.py",
        "PYTHONINSPECT": "1",
        "PYTHONUSERBASE": "/mnt/evil",
        "BASH_ENV": "/mnt/evil/rc",
        "ENV": "/mnt/evil/rc",
        "IFS": "/",
        "SHELLOPTS": "xtrace",
        "TERMINFO": "/mnt/evil",
        "LANG": "../../mnt/evil",
        "LC_ALL": "../../../mnt/evil",
        "TZ": "/mnt/evil/rc",
        "SUDO_ASKPASS": "/mnt/evil/id",
        "SUDO_UID": "0",
        "DOCKER_HOST": "unix:///mnt/evil/sock",
        "OPENROUTER_API_KEY": "mine",
        "HOME": "/mnt/evil",
    }
    # As the caller it may run: Python itself, started by them, reads their PYTHONPATH.
    names = " ".join(f"{name}={value}" for name, value in hostile.items())
    script = f"env {names} /usr/local/bin/hermes -q x </dev/null 2>/mnt/err || true"
    found = json.loads(deployed.sh(script, user="alice"))
    assert found["uids"] == [900, 900, 900]
    assert not set(found["environ"]) & (
        set(hostile) - {"PATH", "HOME", "OPENROUTER_API_KEY", "LANG"}
    )
    assert "/mnt/evil" not in json.dumps(found["environ"])
    assert marks(deployed) <= {str(deployed.uid("alice"))}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--env", "LD_PRELOAD=/mnt/x", "--", "x"], "LD_PRELOAD"),
        (["--env", "HERMES_HOME=/mnt/x", "--", "x"], "HERMES_HOME"),
        (["--env", "PATH=/mnt/x", "--", "x"], "PATH"),
        (["--env", "TERM=../x", "--", "x"], "TERM"),
        (["--env", "TERM=a\nb", "--", "x"], "TERM"),
        (["--env", "LC_X/Y=a", "--", "x"], "LC_X/Y"),
        (["--env", "TZ=/etc/shadow", "--", "x"], "TZ"),
        (["--env", "LANG=" + "x" * 5000, "--", "x"], "LANG"),
        (["--env", "TERM", "--", "x"], "TERM"),
        (["--env"], "Expected"),
        (["../../etc", "--", "x"], "Expected"),
        ([], "Expected"),
    ],
)
def test_roots_side_takes_nothing_that_is_not_on_its_list(
    deployed: Machine, words: list[str], said: str
) -> None:
    ran = deployed.run("sudo", "-n", DOOR, *words, user="alice")
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err


@pytest.mark.parametrize(
    "asked",
    [
        ["-E", DOOR, "--", "x"],
        ["--preserve-env=PYTHONPATH", DOOR, "--", "x"],
        ["LD_PRELOAD=/mnt/x", DOOR, "--", "x"],
        ["-u", "keeper", DOOR, "--", "x"],
        ["-g", "root", DOOR, "--", "x"],
        ["-D", "/mnt", DOOR, "--", "x"],
        ["-C", "100", DOOR, "--", "x"],
        ["-T", "1", DOOR, "--", "x"],
        ["/usr/local/libexec/hermes-agent/enter/../enter/assistant-2", "--", "x"],
        ["/opt/agent/bin/python3", "-c", "0"],
        ["/opt/agent/bin/hermes", "deploy", "enter", "assistant"],
    ],
)
def test_sudo_starts_that_one_program_in_that_one_way(deployed: Machine, asked: list[str]) -> None:
    ran = deployed.run("sudo", "-n", *asked, user="alice", variables={"PYTHONPATH": "/mnt"})
    assert (ran.status, ran.out) == (1, "")
    assert "sudo:" in ran.err


def test_the_agent_itself_has_no_use_of_it(deployed: Machine) -> None:
    assert deployed.run("sudo", "-n", DOOR, "--", "x", user="keeper").status == 1
    assert deployed.run("sudo", "-n", DOOR, "--", "x", user="bob").status == 1


def test_what_is_said_to_the_agent_is_not_logged_but_who_came_is(deployed: Machine) -> None:
    deployed.run("hermes", "-q", "my-private-question", user="alice").ok()
    deployed.sh("journalctl --sync")
    # The machine logs the commands of this test itself.
    logged = deployed.sh(
        "journalctl --no-pager -o cat _COMM=sudo + SYSLOG_IDENTIFIER=sudo"
        " + SYSLOG_IDENTIFIER=hermes-agent"
    )
    assert f"uid {deployed.uid('alice')} enters the deployment 'assistant'" in logged
    assert "my-private-question" not in logged


def test_what_is_set_up_before_each_start_is_what_is_entered(entry: Machine) -> None:
    entry.write("/root/env", "OPENROUTER_API_KEY='sk $x'\n")
    spec = host.specification(
        manager="nixos", environmentFiles=["/root/env"], extraPackages=["/opt/agent"]
    )
    entry.write("/root/spec.json", json.dumps(spec))
    kept = f"/run/hermes-agent/{NAME}"
    entry.sh(f"cp -a {kept} /root/kept; rm /etc/hermes-agent/homes/*")
    try:
        entry.run("/opt/agent/bin/hermes", "deploy", "prepare", "/root/spec.json").ok()
        found = probed(entry.run("hermes", "x", user="alice"))
        assert found["uids"] == found["gids"] == [900, 900, 900]
        assert found["environ"]["OPENROUTER_API_KEY"] == "sk $x"
        assert found["environ"]["HERMES_MANAGED"] == "true"
        assert found["environ"]["PATH"].startswith("/opt/agent/bin:/opt/probe/bin:")
        assert found["cwd"] == found["environ"]["MESSAGING_CWD"] == f"{STATE}/workspace"
        ran = entry.run("/opt/agent/bin/hermes", "config", "path", user="keeper")
        assert ran.ok().strip() == f"{HOME}/config.yaml"
    finally:
        entry.sh(f"rm -rf {kept}; mv /root/kept {kept}; rm -rf {HOME}/* {HOME}/.[a-z]*")


def test_someones_own_home_stays_theirs(deployed: Machine) -> None:
    deployed.sh("install -d -m 700 -o bob -g bob /home/bob/.hermes /home/bob/other")
    try:
        ran = deployed.run("hermes", "config", "path", user="bob")
        assert ran.ok().strip() == "/home/bob/.hermes/config.yaml"
        named = {"HERMES_HOME": "/home/bob/other"}
        ran = deployed.run("hermes", "config", "path", user="bob", variables=named)
        assert ran.ok().strip() == "/home/bob/other/config.yaml"
    finally:
        deployed.sh("rm -rf /home/bob/.hermes /home/bob/other")


def test_a_member_can_name_a_home_of_their_own(deployed: Machine) -> None:
    named = {"HERMES_HOME": "/home/alice/.hermes"}
    ran = deployed.run("hermes", "config", "path", user="alice", variables=named)
    assert ran.ok().strip() == "/home/alice/.hermes/config.yaml"


@pytest.mark.parametrize(
    "way", [HOME, f"{HOME}/", f"{STATE}/workspace/../.hermes", "/mnt/link", "~/link"]
)
def test_every_name_of_the_registered_home_means_it(deployed: Machine, way: str) -> None:
    deployed.sh(
        f"ln -sfn {HOME} /mnt/link; ln -sfn {HOME} /home/bob/link; ln -sfn {HOME} /home/alice/link"
    )
    named = {"HERMES_HOME": way}
    ran = deployed.run("hermes", "config", "path", user="bob", variables=named)
    assert (ran.status, ran.out) == (1, "")
    assert "keepers" in ran.err
    found = probed(deployed.run("hermes", "x", user="alice", variables=named))
    assert found["uids"] == [900, 900, 900]


def test_a_home_that_the_agent_made_elsewhere_is_not_used_as_ones_own(deployed: Machine) -> None:
    deployed.sh(f"install -d -o keeper -g keepers -m 777 {STATE}/workspace/home")
    named = {"HERMES_HOME": f"{STATE}/workspace/home"}
    ran = deployed.run("hermes", "config", "path", user="alice", variables=named)
    assert (ran.status, ran.out) == (1, "")
    assert "belongs to keeper" in ran.err


def test_of_two_deployments_one_has_to_be_named(entry: Machine) -> None:
    host.register(entry, "second", home="/var/lib/second/.hermes", uid=901, user="other")
    ran = entry.run("hermes", "status", user="alice")
    assert (ran.status, ran.out) == (2, "")
    assert "several deployments here: assistant and second" in ran.err
    assert f"HERMES_HOME={HOME} hermes" in ran.err
    named = {"HERMES_HOME": HOME}
    assert probed(entry.run("hermes", "x", user="alice", variables=named))["uids"][0] == 900


def test_a_deployment_without_a_command_is_not_meant_by_plain_hermes(entry: Machine) -> None:
    host.register(entry, command=False)
    ran = entry.run("hermes", "config", "path", user="bob")
    assert ran.ok().strip() == "/home/bob/.hermes/config.yaml"


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"user": "nobody-there"}, 1, "does not exist any more"),
        ({"uid": 12345}, 1, "does not exist any more"),
        ({"uid": 0}, 78, "runs as root"),
        ({"package": "/opt/gone"}, 1, "/opt/gone/bin/hermes cannot be executed as keeper"),
        ({"uid": -1}, 78, "uid is not the number of an account"),
        ({"package": "bin"}, 78, "package is not an absolute path"),
    ],
)
def test_an_entry_that_nothing_can_be_made_of_is_an_error(
    entry: Machine, change: dict[str, Any], status: int, said: str
) -> None:
    host.register(entry, **change)
    ran = entry.run("hermes", "x", user="alice")
    assert (ran.status, ran.out) == (status, "")
    assert said in ran.err


@pytest.mark.parametrize(
    "doing",
    ["chown alice {}", "chmod 666 {}", "chmod 777 /etc/hermes-agent/homes", "echo '{{' > {}"],
)
def test_an_entry_that_others_could_write_counts_for_nobody(entry: Machine, doing: str) -> None:
    entry.sh(doing.format(f"/etc/hermes-agent/homes/{NAME}.json"))
    for user in ("alice", "root"):
        ran = entry.run("hermes", "x", user=user)
        assert (ran.status, ran.out) == (78, "")
        assert "The registry entry" in ran.err


def test_a_working_directory_that_is_gone_is_said_and_survived(entry: Machine) -> None:
    host.register(entry, workspace="/srv/gone")
    ran = entry.run("hermes", "x", user="alice")
    assert probed(ran)["cwd"] == "/"
    assert "The working directory /srv/gone cannot be entered" in ran.err


def test_without_sudo_or_the_program_a_sentence_says_so(entry: Machine) -> None:
    entry.sh(f"mv {DOOR} {DOOR}.away")
    ran = entry.run("hermes", "x", user="alice")
    entry.sh(f"mv {DOOR}.away {DOOR}")
    assert (ran.status, ran.out) == (1, "")
    assert "addToSystemPackages" in ran.err
    entry.sh("mv /usr/bin/sudo /usr/bin/sudo.away")
    ran = entry.run("hermes", "x", user="alice")
    entry.sh("mv /usr/bin/sudo.away /usr/bin/sudo")
    assert (ran.status, ran.out) == (1, "")
    assert "sudo is not installed" in ran.err


@pytest.mark.parametrize("user", ["alice", "bob"])
def test_what_a_declaration_forbids_is_refused_on_both_sides(real: Machine, user: str) -> None:
    ran = real.run("hermes", "config", "set", "model.default", "x", user=user)
    assert (ran.status, ran.out) == (1, "")
    assert "managed by NixOS" in ran.err


def test_version_and_help_are_answered_to_everybody(deployed: Machine) -> None:
    for words in ("--version", "--help"):
        assert "ermes" in deployed.run("hermes", words, user="bob").ok()


def test_tab_completes_for_members_and_is_silent_for_others(real: Machine) -> None:
    asked = {"_HERMES_COMPLETE": "bash_complete", "COMP_WORDS": "hermes\nsess", "COMP_CWORD": "1"}
    assert "sessions" in real.run("hermes", user="alice", variables=asked).ok()
    ran = real.run("hermes", user="bob", variables=asked)
    assert (ran.status, ran.out, ran.err) == (1, "", "")


def test_nothing_in_an_agents_home_is_read_or_run_as_the_caller(real: Machine) -> None:
    for name in ("sitecustomize.py", "usercustomize.py", "plugins/evil/__init__.py", "hooks/x.py"):
        real.write(f"{HOME}/{name}", MARK)
    real.write(f"{HOME}/.env", "PYTHONPATH=/var/lib/assistant/.hermes\nEVIL=1\n")
    real.write(f"{HOME}/config.yaml", "terminal:\n  shell_init: [/mnt/evil]\nbad key: {\n")
    real.write(f"{HOME}/SOUL.md", "x")
    real.sh(f"chown -R keeper: {HOME}; chmod -R g+rw {HOME}; rm -f /mnt/marks")
    # The caller's own Python tells which files it opens.
    real.write(
        "/home/alice/spy/sitecustomize.py",
        "import os, sys\n"
        "def seen(event, words):\n"
        "    if event in ('open', 'os.listdir', 'os.scandir', 'import', 'exec', 'os.chdir'):\n"
        "        log.write(f'{os.getuid()} {event} {words[0]}\\n'); log.flush()\n"
        "log = open('/mnt/opened', 'a')\nsys.addaudithook(seen)\n",
    )
    spying = {"PYTHONPATH": "/home/alice/spy"}
    try:
        for words in (("doctor",), ("config", "show"), ("sessions", "list"), ("-q", "hello")):
            real.run("hermes", *words, user="alice", variables=spying)
        real.run("hermes", "doctor")
        opened = real.sh("cat /mnt/opened; rm /mnt/opened")
    finally:
        real.sh(f"rm -rf {HOME}/* {HOME}/.env /home/alice/spy")
    alice = str(real.uid("alice"))
    lines = [line.split(" ", 2) for line in opened.splitlines()]
    assert any(what.startswith("/etc/hermes-agent") for _, _, what in lines)  # it does tell
    assert {who for who, _, _ in lines} == {alice}
    assert not [what for _, _, what in lines if what.startswith(STATE)]
    assert marks(real) <= {"900"}
