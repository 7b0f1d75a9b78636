"""The gateway's unit files."""

import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest

from hermes_agent.deploy.units import quoting
from hermes_agent.deploy.units.program import NoLastingProgram, lasting_program, search_path
from hermes_agent.deploy.units.render import Wanted, launchd_plist, systemd_unit
from hermes_agent.deploy.units.service import Account, Service
from hermes_agent.domain.errors import HermesError

ALICE = Account(name="alice", home=Path("/home/alice"))
ODD = '/srv/a b/100%/"quoted"/back\\slash/$HOME/é\''


def wanted(home: str = "/home/alice/.hermes", *, system: bool = False) -> Wanted:
    return Wanted(
        service=Service(hermes_home=Path(home), account=ALICE, system=system),
        program=Path("/usr/local/bin/hermes"),
        search_path="/usr/local/bin:/usr/bin",
        writable=(Path("/home/alice"), Path(home)),
    )


def settings(text: str) -> dict[str, dict[str, list[str]]]:
    """Section, setting, its values as they stand there."""
    found: dict[str, dict[str, list[str]]] = {}
    section = ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(section, {}).setdefault(name, []).append(value)
    return found


def test_the_usual_home_has_the_usual_name_and_another_a_suffix() -> None:
    usual = wanted().service
    other = wanted("/srv/hermes").service
    assert usual.name == "hermes-gateway.service"
    assert usual.label == "ai.hermes.gateway"
    assert other.suffix == other.suffix.lower()
    assert len(other.suffix) == 9
    assert other.name == f"hermes-gateway{other.suffix}.service"
    assert wanted("/srv/hermes2").service.name != other.name


def test_units_stand_where_systemd_looks() -> None:
    assert wanted().service.unit_file() == Path(
        "/home/alice/.config/systemd/user/hermes-gateway.service"
    )
    assert wanted().service.unit_file(Path("/x")) == Path("/x/systemd/user/hermes-gateway.service")
    assert wanted(system=True).service.unit_file(Path("/x")) == Path(
        "/etc/systemd/system/hermes-gateway.service"
    )


@pytest.mark.parametrize("system", [False, True])
def test_faults_that_a_restart_cannot_mend_are_left_alone(system: bool) -> None:
    service = settings(systemd_unit(wanted(system=system), version=252))["Service"]
    assert service["RestartPreventExitStatus"] == ["78"]
    assert service["RestartForceExitStatus"] == service["SuccessExitStatus"] == ["75"]


def test_only_the_machine_waits_for_the_network() -> None:
    assert "network" not in systemd_unit(wanted(), version=252)
    system = settings(systemd_unit(wanted(system=True), version=252))
    assert system["Unit"]["After"] == system["Unit"]["Wants"] == ["network-online.target"]
    assert system["Service"]["User"] == ["alice"]


def test_what_an_older_systemd_does_not_know_is_left_out() -> None:
    assert "RestartSteps" not in systemd_unit(wanted(), version=253)
    assert "\nRestartSteps=8\nRestartMaxDelaySec=300\n" in systemd_unit(wanted(), version=254)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is missing")
@pytest.mark.parametrize("home", ["/home/alice/.hermes", ODD])
@pytest.mark.parametrize("system", [False, True])
def test_systemd_has_nothing_to_say_against_the_unit(
    tmp_path: Path, home: str, system: bool
) -> None:
    program = tmp_path / "a $b 100% ${c} é" / "hermes"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    about = Wanted(
        service=Service(
            hermes_home=Path(home), account=Account(name="root", home=tmp_path), system=system
        ),
        program=program,
        search_path=f"/bin:{ODD}",
        writable=(Path(home),),
    )
    unit = tmp_path / "hermes-gateway.service"
    unit.write_text(systemd_unit(about, version=252))
    scope = "--system" if system else "--user"
    done = subprocess.run(
        ["systemd-analyze", "verify", scope, "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "hermes" in line or "unit.service" in line]
    assert ours == []


@pytest.mark.parametrize("value", ["a\nExecStartPre=/bin/evil", "a\rb", "a\x00", "a\u2028b"])
def test_a_path_that_would_end_its_line_is_refused(value: str) -> None:
    for function in (quoting.quoted, quoting.plain, quoting.program, quoting.xml):
        with pytest.raises(HermesError, match="cannot be printed"):
            function(value)


@pytest.mark.parametrize("path", ["/a\\b/hermes", "/a'b/hermes", '/a"b/hermes'])
def test_a_program_that_systemd_would_not_run_is_refused(path: str) -> None:
    with pytest.raises(HermesError, match="quotes or backslashes"):
        quoting.program(path)


def test_the_property_list_says_the_same_for_launchd() -> None:
    about = wanted("/Users/alice/<a> & b")
    parsed = plistlib.loads(launchd_plist(about).encode())
    assert parsed["Label"] == about.service.label
    assert parsed["ProgramArguments"] == ["/usr/local/bin/hermes", "gateway", "run"]
    assert parsed["EnvironmentVariables"]["HERMES_HOME"] == "/Users/alice/<a> & b"
    assert parsed["KeepAlive"] is True
    assert parsed["Umask"] == 0o077


@pytest.fixture
def lasting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that counts as one that stays, though tests work in passing places."""
    monkeypatch.setattr("hermes_agent.deploy.units.program.PASSING", (f"{tmp_path}/passing/",))
    monkeypatch.setattr("hermes_agent.deploy.units.program.STORES", (f"{tmp_path}/store/",))
    return tmp_path


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_virtual_environment_is_started_from_its_own_place(lasting: Path) -> None:
    own = executable(lasting / "venv/bin/hermes")
    other = executable(lasting / "other/hermes")
    found = lasting_program({"PATH": f"relative:{other.parent}"}, prefix=str(lasting / "venv"))
    assert found == own


def test_a_link_on_path_to_the_running_program_is_kept_as_a_link(lasting: Path) -> None:
    own = executable(lasting / "venv/bin/hermes")
    link = lasting / "bin/hermes"
    link.parent.mkdir()
    link.symlink_to(own)
    environ = {"PATH": f"{own.parent}2:{link.parent}"}
    assert lasting_program(environ, prefix=str(lasting / "venv")) == link


def test_out_of_a_store_the_link_of_the_profile_is_taken_not_the_store_path(lasting: Path) -> None:
    executable(lasting / "store/abc-env/bin/hermes")
    wrapper = executable(lasting / "store/def-hermes/bin/hermes")
    link = lasting / "profile/bin/hermes"
    link.parent.mkdir(parents=True)
    link.symlink_to(wrapper)
    environ = {"PATH": f"{wrapper.parent}:{link.parent}"}
    assert lasting_program(environ, prefix=str(lasting / "store/abc-env")) == link


def test_a_program_that_will_be_collected_is_refused(lasting: Path) -> None:
    for place in ("store/abc", "passing"):
        own = executable(lasting / place / "bin/hermes")
        with pytest.raises(NoLastingProgram) as caught:
            lasting_program({"PATH": str(own.parent)}, prefix=str(lasting / place))
        assert "nix profile install" in (caught.value.hint or "")


def test_the_search_path_has_what_logins_have_and_nothing_that_passes() -> None:
    found = search_path(
        Path("/opt/hermes/bin/hermes"),
        Path("/home/alice"),
        "alice",
        {"PATH": "/nix/store/x/bin:/home/alice/.nvm/bin:/tmp/x:/home/bob/bin:rel:/usr/bin"},
    ).split(":")
    assert found[:2] == ["/opt/hermes/bin", "/home/alice/.nvm/bin"]
    for folder in (
        "/home/alice/.nix-profile/bin",
        "/etc/profiles/per-user/alice/bin",
        "/run/wrappers/bin",
        "/run/current-system/sw/bin",
        "/usr/bin",
    ):
        assert found.count(folder) == 1
    assert not {"/nix/store/x/bin", "/tmp/x", "/home/bob/bin", "rel"} & set(found)
