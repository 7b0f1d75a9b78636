"""What is said about a specification before anything is changed."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hermes_agent.cli.deploying.check import command as check
from hermes_agent.deploy import reading
from hermes_agent.deploy.applying import obstacles
from hermes_agent.deploy.host import installing
from hermes_agent.deploy.places import Places, Roots
from hermes_agent.deploy.setup import secrets
from hermes_agent.deploy.spec import Specification
from hermes_agent.domain.errors import ConfigError, EnvironmentFault


@pytest.fixture
def package(tmp_path: Path) -> Path:
    made = tmp_path / "package"
    (made / "bin").mkdir(parents=True)
    (made / "bin" / "hermes").touch(0o755)
    return made


def specification(package: Path, **keys: Any) -> Specification:
    return reading.parse(json.dumps({"package": str(package), **keys}))


def checked(folder: Path, **keys: Any) -> list[str]:
    file = folder / "agent.json"
    file.write_text(json.dumps(keys))
    ran = CliRunner().invoke(check, [str(file)], catch_exceptions=False)
    assert ran.exit_code == 0
    assert ran.stdout == f"{file} is a good specification for hermes-agent.service.\n"
    return ran.stderr.splitlines()


def test_a_check_says_what_this_machine_lacks(tmp_path: Path, package: Path) -> None:
    none = f"{tmp_path}/none"
    assert checked(tmp_path, package=str(package)) == []
    assert checked(
        tmp_path,
        package=none,
        environmentFiles=[none],
        secrets={"model.api_key": none},
        documents={"SOUL.md": {"path": none}},
    ) == [
        f"hermes: package: there is no {none}/bin/hermes on this machine",
        f"hermes: environmentFiles: there is no {none} on this machine",
        f"hermes: secrets.model.api_key: there is no {none} on this machine",
        f"hermes: documents.SOUL.md: there is no {none} on this machine",
    ]
    assert checked(tmp_path, package=str(package), configFile=none) == [
        f"hermes: configFile: there is no {none} on this machine"
    ]


def test_a_check_says_which_settings_have_no_effect(tmp_path: Path, package: Path) -> None:
    said = "model.defaultt is not a known key; did you mean model.default?"
    wrong = {"model": {"defaultt": "x"}}
    assert checked(tmp_path, package=str(package), settings=wrong) == [f"hermes: settings: {said}"]


def as_json(folder: Path, text: str) -> tuple[int, dict[str, Any]]:
    file = folder / "agent.json"
    file.write_text(text)
    ran = CliRunner().invoke(check, [str(file), "--json"], catch_exceptions=False)
    assert ran.stderr == ""
    return ran.exit_code, json.loads(ran.stdout)


def test_a_program_is_told_each_fault_with_its_place(tmp_path: Path, package: Path) -> None:
    declared: dict[str, Any] = {
        "package": str(package),
        "settings": {"agent": {"max_turns": "many"}},
        "documents": {"SOUL.md": {}},
    }
    status, said = as_json(tmp_path, json.dumps(declared))
    assert status == 78
    assert said["valid"] is False
    assert {fault["path"] for fault in said["faults"]} == {
        "settings.agent.max_turns",
        "documents.SOUL.md",
    }
    assert all(fault["message"] for fault in said["faults"])
    status, said = as_json(tmp_path, '{"package": "/x", "stateDri": "/x"}')
    assert (status, said["faults"]) == (
        78,
        [
            {
                "path": "stateDri",
                "message": "stateDri is not known; did you mean stateDir?",
            }
        ],
    )
    status, said = as_json(tmp_path, "settings: {\n}}")
    assert status == 78
    (fault,) = said["faults"]
    assert "path" not in fault
    assert "line 2" in fault["message"]
    assert "hermes deploy schema" in fault["hint"]
    declared = {"package": str(package), "configFile": f"{tmp_path}/config.yaml"}
    (tmp_path / "config.yaml").write_text("agent: {max_turns: many}")
    status, said = as_json(tmp_path, json.dumps(declared))
    assert (status, said["faults"][0]["path"]) == (78, "configFile")


def test_a_program_is_told_what_is_no_fault_too(tmp_path: Path, package: Path) -> None:
    container = {"enable": True, "program": "/none/docker"}
    declared = {
        "package": str(package),
        "settings": {"model": {"defaultt": "x"}},
        "environmentFiles": [f"{tmp_path}/none"],
        "container": container,
    }
    status, said = as_json(tmp_path, json.dumps(declared))
    assert (status, said["valid"], said["unit"]) == (0, True, "hermes-agent.service")
    assert said["faults"] == []
    assert [each["path"] for each in said["remarks"]] == [
        "settings.model.defaultt",
        "environmentFiles",
        "container.backend",
    ]
    assert said["remarks"][-1]["hint"]


def test_a_torn_specification_is_not_mended_by_editing_the_configuration() -> None:
    with pytest.raises(ConfigError, match=r"agent\.yaml, line 2") as caught:
        reading.parse("settings: {\n}}", "agent.yaml")
    assert "config edit" not in str(caught.value.hint)


def test_a_key_that_is_given_twice_is_an_error_with_its_line() -> None:
    text = "package: /opt/hermes\nsettings: {}\nuser: hermes\nsettings: {timezone: UTC}\n"
    with pytest.raises(ConfigError, match=r"line 4: settings is given a second time"):
        reading.parse(text, "agent.yaml")


def test_files_with_secrets_are_held_against_what_the_service_was_given(
    tmp_path: Path, package: Path
) -> None:
    variables, key = tmp_path / "variables", tmp_path / "key"
    variables.write_text("A_KEY=first\n")
    key.write_text("one")
    spec = specification(
        package,
        scope="user",
        environmentFiles=[str(variables)],
        secrets={"model.api_key": str(key)},
    )
    places = Places.of(spec, Roots(tmp_path / "etc", tmp_path / "lib", tmp_path / "run/hermes"))
    assert not obstacles.look(spec, places).changed  # it never started
    places.runtime.mkdir(parents=True)
    places.environment.write_text(secrets.text(secrets.gather(spec)[0]))
    given = tmp_path / "run" / "credentials" / spec.unit / "settings.model.api_key"
    given.parent.mkdir(parents=True)
    given.write_text("one")
    assert obstacles.look(spec, places) == obstacles.Files(changed=False, fault=None)
    key.write_text("two")
    assert obstacles.look(spec, places).changed
    given.write_text("two")
    variables.write_text("A_KEY=second\n")
    assert obstacles.look(spec, places).changed
    variables.unlink()
    fault = obstacles.look(spec, places).fault
    assert fault is not None
    assert str(variables) in fault.message


def test_a_container_needs_an_engine_and_sight_of_the_package(
    tmp_path: Path, package: Path
) -> None:
    def wanted(roots: list[str], program: str = "/bin/true") -> Specification:
        container = {"enable": True, "program": program}
        return specification(package, packageRoots=roots, container=container)

    obstacles.require_container(wanted([str(tmp_path)]))
    obstacles.require_container(specification(package))
    with pytest.raises(ConfigError, match="packageRoots: the container would not see"):
        obstacles.require_container(wanted([f"{tmp_path}/pack"]))
    with pytest.raises(EnvironmentFault, match="is not installed"):
        obstacles.require_container(wanted([str(tmp_path)], "/none/docker"))


def test_what_the_host_command_puts_on_the_machine_is_announced(
    tmp_path: Path, package: Path
) -> None:
    spec = specification(package, addToSystemPackages=True)
    places = installing.Places(spec.name, tmp_path)
    paths = [places.door, places.rule, places.command]
    assert installing.changes(spec, root=tmp_path) == [f"write {path}" for path in paths]
    assert installing.leftovers(spec.name, root=tmp_path) == []
    for path in (places.door, places.rule):
        path.parent.mkdir(parents=True)
        path.touch()
    places.command.parent.mkdir(parents=True)
    places.command.symlink_to(places.program)
    assert installing.changes(spec, root=tmp_path) == []
    assert installing.leftovers(spec.name, root=tmp_path) == [f"remove {path}" for path in paths]
    without = specification(package)
    assert installing.changes(without, root=tmp_path) == [f"remove {path}" for path in paths]
    (places.door.parent / "another").touch()
    assert len(installing.leftovers(spec.name, root=tmp_path)) == 2
