"""`hermes config`, driven as a process."""

import json
import os
import pty
import resource
import subprocess
import sys
from pathlib import Path

import pytest

HERMES = str(Path(sys.executable).with_name("hermes"))


def hermes(
    home: Path, *args: str, env: dict[str, str] | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HERMES, *args],
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "HERMES_HOME": str(home)}
        | (env or {}),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def done(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_a_value_that_is_set_is_got_and_can_be_unset(home: Path) -> None:
    assert done(hermes(home, "config", "get", "terminal.timeout")) == "180\n"
    assert "terminal.timeout = 60" in done(hermes(home, "config", "set", "terminal.timeout", "60"))
    assert done(hermes(home, "config", "get", "terminal.timeout")) == "60\n"
    done(hermes(home, "config", "unset", "terminal.timeout"))
    assert done(hermes(home, "config", "get", "terminal.timeout", "--json")) == "180\n"
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "config.yaml").stat().st_mode & 0o777 == 0o600


def test_reading_makes_no_home(home: Path) -> None:
    done(hermes(home, "config"))
    done(hermes(home, "config", "check"))
    done(hermes(home, "config", "get", "model"))
    assert not home.exists()


def test_a_key_that_does_not_exist_ends_with_status_1_and_a_guess(home: Path) -> None:
    result = hermes(home, "config", "get", "terminal.tiemout")
    assert (result.returncode, result.stdout) == (1, "")
    assert "Did you mean terminal.timeout?" in result.stderr


def test_an_unknown_key_is_kept_and_can_be_got(home: Path) -> None:
    result = hermes(home, "config", "set", "mine.own", "yes")
    assert "mine is not a known key" in result.stderr
    assert done(hermes(home, "config", "get", "mine.own")) == "true\n"


SECRET = "sk-or-v1-0123456789abcdef"


def test_secrets_go_to_the_env_file_and_are_never_printed(home: Path) -> None:
    outputs = [
        hermes(home, "config", "set", "openrouter_api_key", SECRET),
        hermes(home, "config", "set", "OPENAI_API_KEY", stdin=SECRET + "\n"),
        hermes(home, "config", "set", "model.api_key", SECRET),
        hermes(home, "config", "set", "auxiliary.vision.api_key", SECRET),
        hermes(home, "config", "set", "model.base_url", "http://localhost/?k=${OPENAI_API_KEY}"),
        hermes(home, "config"),
        hermes(home, "config", "show", "--all"),
        hermes(home, "config", "show", "--json"),
        hermes(home, "config", "get", "OPENROUTER_API_KEY"),
        hermes(home, "config", "get", "model"),
        hermes(home, "config", "get", "model.base_url"),
        hermes(home, "config", "check"),
        hermes(home, "config", "migrate"),
    ]
    for output in outputs:
        assert SECRET not in done(output) + output.stderr
    assert (home / ".env").read_text().splitlines() == [
        f"OPENROUTER_API_KEY={SECRET}",
        f"OPENAI_API_KEY={SECRET}",
        f"MODEL_API_KEY={SECRET}",
        f"AUXILIARY_VISION_API_KEY={SECRET}",
    ]
    assert (home / ".env").stat().st_mode & 0o777 == 0o600
    assert SECRET not in (home / "config.yaml").read_text()
    assert "sk-o…cdef" in outputs[5].stdout


def test_show_names_who_set_a_value(home: Path) -> None:
    home.mkdir()
    (home / "config.yaml").write_text("timezone: UTC\nagent: {max_turns: 3}\n")
    shown = json.loads(
        done(hermes(home, "config", "show", "--json", env={"HERMES_TIMEZONE": "Europe/Paris"}))
    )
    assert shown["values"]["timezone"] == "Europe/Paris"
    assert shown["origins"]["timezone"] == "environment, HERMES_TIMEZONE"
    assert shown["origins"]["agent.max_turns"] == "config.yaml, line 2"
    assert shown["warnings"] == ["timezone in config.yaml is outranked by HERMES_TIMEZONE"]


def test_setting_a_key_that_the_env_file_outranks_changes_both(home: Path) -> None:
    home.mkdir()
    (home / ".env").write_text("TERMINAL_TIMEOUT=5\n")
    done(hermes(home, "config", "set", "terminal.timeout", "60"))
    assert done(hermes(home, "config", "get", "terminal.timeout")) == "60\n"
    assert (home / ".env").read_text() == "TERMINAL_TIMEOUT=60\n"


def test_a_wrong_value_is_refused_before_anything_is_written(home: Path) -> None:
    home.mkdir()
    (home / "config.yaml").write_text("timezone: UTC # mine\n")
    result = hermes(home, "config", "set", "agent.max_turns", "many")
    assert result.returncode == 78
    assert "agent.max_turns: expected a whole number, got 'many'" in result.stderr
    assert (home / "config.yaml").read_text() == "timezone: UTC # mine\n"


def test_check_lists_faults_with_status_78_and_warnings_with_0(home: Path) -> None:
    home.mkdir()
    file = home / "config.yaml"
    file.write_text("approvals: {mode: maybe}\nagent: {max_turns: many}\n")
    result = hermes(home, "config", "check")
    assert result.returncode == 78
    assert f"{file}, line 1: approvals.mode" in result.stderr
    assert f"{file}, line 2: agent.max_turns" in result.stderr
    file.write_text("tts: {provider: edge}\nmax_turns: 5\nfoo: 1\n")
    out = done(hermes(home, "config", "check", env={"HERMES_MAX_ITERATIONS": "7"}))
    assert "tts.provider (config.yaml, line 1) is accepted, but has no effect yet" in out
    assert "max_turns (config.yaml, line 2) is the old name of agent.max_turns" in out
    assert "foo (config.yaml, line 3) is not a known key" in out
    assert "agent.max_turns in config.yaml is outranked by HERMES_MAX_ITERATIONS" in out


def test_migrate_brings_an_old_home_up_to_date_once(home: Path) -> None:
    home.mkdir()
    (home / "config.yaml").write_text("# top\nmax_turns: 5  # old\nterminal:\n  env_type: local\n")
    (home / ".env").write_text("OPENAI_API_KEY=sk-1ANTHROPIC_API_KEY=sk-2\nrubbish here\n")
    done(hermes(home, "config", "migrate"))
    assert (home / "config.yaml").read_text() == (
        "# top\nterminal:\n  backend: local\nagent:\n  max_turns: 5\n_config_version: 10\n"
    )
    assert (home / ".env").read_text() == (
        "OPENAI_API_KEY=sk-1\nANTHROPIC_API_KEY=sk-2\n# not understood: rubbish here\n"
    )
    before = (home / "config.yaml").stat().st_ino
    done(hermes(home, "config", "migrate"))
    assert (home / "config.yaml").stat().st_ino == before


def test_paths_are_told_even_when_the_configuration_is_torn(home: Path) -> None:
    home.mkdir()
    (home / "config.yaml").write_text("{torn")
    assert done(hermes(home, "config", "path")) == f"{home}/config.yaml\n"
    assert done(hermes(home, "config", "env-path")) == f"{home}/.env\n"
    result = hermes(home, "config", "set", "timezone", "UTC")
    assert (result.returncode, (home / "config.yaml").read_text()) == (78, "{torn")


def test_the_schema_is_json(home: Path) -> None:
    schema = json.loads(done(hermes(home, "config", "schema")))
    assert schema["properties"]["terminal"]["description"] == "Where commands run."


def editor(tmp_path: Path, script: str) -> dict[str, str]:
    program = tmp_path / "my editor"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"EDITOR": "false", "VISUAL": f"'{program}'"}


def test_edit_saves_what_is_right(home: Path, tmp_path: Path) -> None:
    home.mkdir()
    (home / "config.yaml").write_text("timezone: UTC\n")
    env = editor(tmp_path, 'echo "agent: {max_turns: 5}" >> "$1"')
    assert "Saved" in done(hermes(home, "config", "edit", env=env))
    assert (home / "config.yaml").read_text() == "timezone: UTC\nagent: {max_turns: 5}\n"


def test_edit_saves_nothing_that_is_wrong(home: Path, tmp_path: Path) -> None:
    home.mkdir()
    (home / "config.yaml").write_text("timezone: UTC\n")
    env = editor(tmp_path, 'echo "agent: {max_turns: no}" >> "$1"')
    result = hermes(home, "config", "edit", env=env)
    assert result.returncode == 78
    assert "expected a whole number" in result.stderr
    assert (home / "config.yaml").read_text() == "timezone: UTC\n"


def test_edit_on_a_terminal_offers_to_edit_again(home: Path, tmp_path: Path) -> None:
    home.mkdir()
    env = editor(
        tmp_path,
        'if [ -e "$0.once" ]; then echo "timezone: UTC" > "$1"\n'
        'else touch "$0.once"; echo "[" > "$1"; fi',
    )
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [HERMES, "config", "edit"],
        env={**os.environ, "HERMES_HOME": str(home)} | env,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(theirs)
    os.write(ours, b"y\n")
    out, err = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == 0, err
    assert "Edit again?" in err
    assert "Saved" in out
    assert (home / "config.yaml").read_text() == "timezone: UTC\n"


def test_an_edit_does_not_overwrite_what_came_in_between(home: Path, tmp_path: Path) -> None:
    home.mkdir()
    file = home / "config.yaml"
    file.write_text("timezone: UTC\n")
    env = editor(tmp_path, f'echo "worktree: true" >> "$1"; echo "# newer" >> {file}')
    result = hermes(home, "config", "edit", env=env)
    assert result.returncode == 1
    assert "changed by something else" in result.stderr
    assert file.read_text() == "timezone: UTC\n# newer\n"


MANAGED = [
    ("set", "timezone", "UTC"),
    ("set", "OPENAI_API_KEY", "x"),
    ("unset", "timezone"),
    ("edit",),
    ("migrate",),
]


@pytest.mark.parametrize("args", MANAGED)
@pytest.mark.parametrize("signal", ["variable", "marker"])
def test_in_managed_mode_the_commands_refuse_and_say_what_to_do(
    home: Path, args: tuple[str, ...], signal: str
) -> None:
    home.mkdir()
    (home / "config.yaml").write_text("timezone: A\nmax_turns: 4\n")
    env = {"EDITOR": "touch"}
    if signal == "variable":
        env["HERMES_MANAGED"] = "true"
    else:
        (home / ".managed").touch()
    before = {p.name: p.read_bytes() for p in home.iterdir()}
    result = hermes(home, "config", *args, env=env)
    assert (result.returncode, result.stdout) == (1, "")
    assert "Cannot save configuration: managed by NixOS" in result.stderr
    assert "sudo nixos-rebuild switch" in result.stderr
    assert {p.name: p.read_bytes() for p in home.iterdir()} == before


@pytest.mark.parametrize("args", [("show",), ("get", "model"), ("check",), ("path",), ("schema",)])
def test_in_managed_mode_reading_works(home: Path, args: tuple[str, ...]) -> None:
    home.mkdir()
    (home / ".managed").write_text("home-manager")
    done(hermes(home, "config", *args))


def in_mount(home: Path, options: str, fill: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Run hermes with a small file system of its own over the home."""
    script = (
        f"mount -t tmpfs -o size=64k tmpfs {home} && cp -a {home}.seed/. {home}/ && {fill}"
        f" && mount -o remount,{options} {home} && {{ {HERMES} {' '.join(args)}; status=$?;"
        f" cat {home}/config.yaml; exit $status; }}"
    )
    return subprocess.run(
        ["unshare", "-m", "--propagation", "private", "sh", "-c", script],
        env={**os.environ, "HERMES_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def can_mount() -> bool:
    probe = ["unshare", "-m", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="cannot mount a file system of its own here")
@pytest.mark.parametrize(
    ("options", "fill", "problem"),
    [
        ("ro", "true", "Read-only file system"),
        (
            "rw",
            "{ cat /dev/zero > $HERMES_HOME/fill 2>/dev/null || true; }",
            "No space left on device",
        ),
    ],
)
def test_a_disk_that_takes_nothing_is_a_clear_error_and_the_old_file_stays(
    home: Path, options: str, fill: str, problem: str
) -> None:
    home.mkdir()
    seed = home.with_name(home.name + ".seed")
    seed.mkdir()
    (seed / "config.yaml").write_text("timezone: UTC\n")
    result = in_mount(home, options, fill, "config", "set", "timezone", "Europe/Berlin")
    assert result.returncode == 1
    assert problem in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == "timezone: UTC\n"


def test_light_commands_import_nothing_heavy(home: Path) -> None:
    code = (
        "import sys; from hermes_agent.cli.entry import run;"
        "run(['config', 'get', 'model.default']);"
        "heavy = {'asyncio', 'rich', 'httpx2', 'ruamel', 'prompt_toolkit', 'importlib.metadata',"
        " 'filelock', 'pydantic', 'ssl', 'socket', 'subprocess', 'tempfile', 'difflib'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ}
    )
    assert result.stdout.splitlines() == ["anthropic/claude-opus-4.6", "[]"]


def test_a_value_is_got_quickly(home: Path) -> None:
    """CPU over importing the three libraries that it stands on; they are not ours to speed up."""
    home.mkdir()
    (home / "config.yaml").write_text("model: {default: a/b}\nterminal: {timeout: 5}\n")

    def cpu(*argv: str) -> float:
        def once() -> float:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(argv, capture_output=True, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

        return min(once() for _ in range(8))

    floor = cpu(sys.executable, "-c", "import click, msgspec, pathlib, yaml")
    assert cpu(HERMES, "config", "get", "model.default") < 1.6 * floor
