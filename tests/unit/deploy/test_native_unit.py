"""The unit file of a native deployment."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hermes_agent.deploy.native.unit import MARK, render, search_path
from hermes_agent.deploy.places import Places, Roots
from hermes_agent.deploy.spec import Hardening, Specification
from hermes_agent.deploy.units.quoting import Unquotable

SCORE = 20  # tenths: 2.0


def unit(settings: dict[str, Any] | None = None, **changes: Any) -> str:
    spec = Specification(package="/opt/hermes", **changes)
    return render(spec, Places.of(spec, Roots()), settings or {})


def values(text: str, name: str) -> list[str]:
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{name}=")]


def test_it_begins_with_the_mark_that_says_whose_it_is() -> None:
    assert unit().startswith(MARK)
    assert unit(scope="user").startswith(MARK)


def test_a_service_of_the_machine_is_set_up_by_root_and_runs_as_its_user() -> None:
    text = unit(user="agent", group="agents")
    (setup,) = values(text, "ExecStartPre")
    assert setup.startswith("+:/usr/bin/env -i ")
    assert setup.endswith(
        '"/opt/hermes/bin/hermes" deploy prepare'
        ' "/etc/hermes-agent/specifications/hermes-agent.json"'
    )
    assert values(text, "ExecStart") == [':"/opt/hermes/bin/hermes" gateway run --replace']
    assert values(text, "EnvironmentFile") == ["-/run/hermes-agent/hermes-agent/environment"]
    assert (values(text, "User"), values(text, "Group")) == (["agent"], ["agents"])
    assert values(text, "Type") == ["notify"]
    assert values(text, "RestartPreventExitStatus") == ["78"]
    assert values(text, "StartLimitIntervalSec") == ["0"]
    assert values(text, "After") == ["network-online.target"]
    assert values(text, "WantedBy") == ["multi-user.target"]


def test_a_persons_service_waits_for_no_network_and_needs_no_root() -> None:
    text = unit(scope="user")
    assert values(text, "After") == values(text, "Wants") == []
    assert values(text, "User") == []
    assert not values(text, "ExecStartPre")[0].startswith("+")
    assert values(text, "WantedBy") == ["default.target"]
    assert values(text, "NoNewPrivileges") == ["yes"]
    assert values(text, "ProtectSystem") == []


def test_restarts_are_as_declared() -> None:
    text = unit(restart="on-failure", restart_sec=42)
    assert (values(text, "Restart"), values(text, "RestartSec")) == (["on-failure"], ["42"])


def test_path_has_extra_packages_first_and_nothing_that_the_agent_can_write() -> None:
    spec = Specification(package="/opt/hermes", extra_packages=("/opt/a", "/opt/b"))
    folders = search_path(spec).split(os.pathsep)
    assert folders[:5] == [
        "/opt/a/bin",
        "/opt/b/bin",
        "/opt/hermes/bin",
        "/run/wrappers/bin",
        "/run/current-system/sw/bin",
    ]
    assert not any(folder.startswith((spec.state_dir, "/home", "/tmp")) for folder in folders)
    with pytest.raises(Unquotable, match="colon"):
        unit(extra_packages=("/opt/a:b",))


def test_secrets_are_credentials_named_by_their_keys() -> None:
    text = unit(secrets={"model.api_key": "/run/secrets/model key", "b": "/x"})
    assert values(text, "LoadCredential") == [
        "settings.b:/x",
        "settings.model.api_key:/run/secrets/model key",
    ]
    # One that is missing is for the set-up to name.
    assert values(text, "SetCredential") == ["settings.b:\\n", "settings.model.api_key:\\n"]


@pytest.mark.parametrize(
    "changes",
    [
        {"secrets": {"a:b": "/x"}},
        {"secrets": {"é": "/x"}},
        {"secrets": {"a": "/x\\"}},
        {"secrets": {"a": "/x "}},
        {"extra_args": ("a\nUser=root",)},
        {"working_directory": "/srv/a\rb"},
        {"working_directory": "/home/a:b"},
        {"package": "/opt/a'b"},
        {"hardening": Hardening(settings={"PrivateTmp=no\nUser": "root"})},
        {"hardening": Hardening(settings={"UMask": "0077\nUser=root"})},
        {"hardening": Hardening(settings={"UMask": ("0077", "x\nUser=root")})},
        {"hardening": Hardening(settings={"UMask": "0077\\"})},
    ],
)
def test_nothing_breaks_out_of_its_line(changes: dict[str, Any]) -> None:
    spec = msgspec.structs.replace(Specification(package="/opt/hermes"), **changes)
    with pytest.raises(Unquotable):
        render(spec, Places.of(spec, Roots()), {})


def test_percent_and_dollar_are_themselves() -> None:
    text = unit(state_dir="/srv/100%/$HOME", extra_args=("%h", "$HOME"))
    assert values(text, "ReadWritePaths") == ['"-/srv/100%%/$HOME"']
    assert values(text, "WorkingDirectory") == ["-/srv/100%%/$HOME/workspace"]
    assert values(text, "ExecStart")[0].endswith('--replace "%%h" "$HOME"')


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        ({}, {}),
        ({"terminal": {"backend": "docker"}}, {}),
        ({}, {"state_dir": "/home/a/agent"}),
    ],
)
def test_systemd_rates_the_confinement_well(
    settings: dict[str, Any], changes: dict[str, Any], tmp_path: Path
) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("THE CONFINEMENT IS NOT RATED: systemd-analyze is missing")
    file = tmp_path / "hermes-agent.service"
    file.write_text(unit(settings, **changes))
    rated = subprocess.run(
        [
            "systemd-analyze",
            "security",
            "--offline=yes",
            f"--threshold={SCORE}",
            "--no-pager",
            file,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert rated.returncode == 0, rated.stdout.splitlines()[-1:]
    assert rated.stderr == ""
