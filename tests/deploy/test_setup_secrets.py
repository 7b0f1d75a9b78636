"""The service's environment: several files, several dialects, one normal form."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.deploy.setup.errors import SetupFailed
from tests.deploy.ground import Ground, seen


def test_later_files_win_over_earlier_ones_and_all_over_environment(ground: Ground) -> None:
    one = ground.file("one", "A=1\nB=1\n")
    two = ground.file("two", "B=2\n")
    done = ground.prepare(environmentFiles=[one, two], environment={"A": "0", "C": "0"})
    assert {name: done.environment[name] for name in "ABC"} == {"A": "1", "B": "2", "C": "0"}
    assert "A=1\n" in ground.environment()


def test_the_native_service_sees_its_places(ground: Ground) -> None:
    done = ground.prepare()
    assert done.environment == {
        "HERMES_HOME": f"{ground.state}/.hermes",
        "HERMES_MANAGED": "true",
        "HOME": f"{ground.state}",
        "MESSAGING_CWD": f"{ground.state}/workspace",
    }


def test_the_container_sees_its_places(ground: Ground) -> None:
    done = ground.prepare(container={"enable": True}, manager="deploy")
    assert done.environment == {
        "HERMES_HOME": "/data/.hermes",
        "HERMES_MANAGED": "deploy",
        "HOME": "/home/hermes",
        "MESSAGING_CWD": "/data/workspace",
    }


def test_a_rotated_secret_arrives_at_the_next_start_and_nothing_else_changes(
    ground: Ground,
) -> None:
    spec = ground.spec(environmentFiles=[ground.file("env", "TOKEN=old\n")])
    ground.prepare(spec)
    before = seen(ground.state)
    ground.file("env", "TOKEN=new\n")
    done = ground.prepare(spec)
    assert "TOKEN=new\n" in ground.environment()
    assert not done.changed
    assert seen(ground.state) == before
    ground.file("env", "\n")
    ground.prepare(spec)
    assert "TOKEN" not in ground.environment()


def test_no_secret_lies_anywhere_but_in_root_s_own_file(ground: Ground) -> None:
    done = ground.prepare(environmentFiles=[ground.file("env", "TOKEN=sk-very-secret\n")])
    holding = [
        str(path.relative_to(ground.folder))
        for path in ground.folder.rglob("*")
        if path.is_file() and "sk-very-secret" in path.read_text()
    ]
    assert sorted(holding) == ["env", "run/hermes-agent/environment"]
    about = (ground.roots.runtime / "hermes-agent" / "environment").stat()
    assert (about.st_mode & 0o777, about.st_uid) == (0o600, 0)
    assert "sk-very-secret" not in repr(done)


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "LD_PRELOAD", "PYTHONPATH", "HERMES_HOME", "HERMES_MANAGED", "HERMES_DEV"),
        *("GLIBC_TUNABLES", "GCONV_PATH", "LOCPATH", "NLSPATH", "LOCALE_ARCHIVE_2_27"),
    ],
)
def test_variables_that_decide_which_program_runs_are_dropped_with_a_warning(
    ground: Ground, name: str
) -> None:
    done = ground.prepare(environmentFiles=[ground.file("env", f"{name}=/evil\n")])
    assert "/evil" not in ground.environment()
    assert any(text.startswith(f"{name} is ignored") for text in done.warnings)


def test_a_place_that_the_deployment_sets_cannot_be_moved(ground: Ground) -> None:
    done = ground.prepare(environmentFiles=[ground.file("env", "HOME=/root\nMESSAGING_CWD=/\n")])
    assert done.environment["HOME"] == str(ground.state)
    assert len([text for text in done.warnings if "the deployment sets it" in text]) == 2


def test_a_name_without_a_value_is_named_and_left_out(ground: Ground) -> None:
    done = ground.prepare(environmentFiles=[ground.file("env", "export BARE\n; a comment\n")])
    assert "BARE" not in done.environment
    assert any("BARE in" in text and "has no value" in text for text in done.warnings)


FAULTS = {
    "missing": "No such file",
    "folder": "is a directory",
    "pipe": "is a pipe",
    "device": "is a device",
    "torn": "line 2: the quote",
    "encrypted": "not UTF-8",
    "huge": "longer than",
    "control": "control character",
    "loop": "symbolic links",
}


@pytest.mark.parametrize("kind", FAULTS)
def test_an_unusable_file_is_named_and_nothing_is_written(ground: Ground, kind: str) -> None:
    path = ground.folder / "env"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "torn":
        path.write_text('A=1\nB="sk-secret\n')
    elif kind == "encrypted":
        path.write_bytes(b"\x8e\x00\xff")
    elif kind == "huge":
        with path.open("wb") as file:
            file.truncate(2**40)
    elif kind == "control":
        path.write_text("A=a\x1bb\n")
    elif kind == "loop":
        path.symlink_to("env")
    with pytest.raises(SetupFailed) as caught:
        ground.prepare(environmentFiles=[str(path)])
    assert caught.value.exit_code == 1
    assert FAULTS[kind] in caught.value.message
    assert kind == "control" or str(path) in caught.value.message
    assert caught.value.hint
    assert "sk-secret" not in caught.value.message
    assert not ground.state.exists()
    assert not ground.roots.runtime.exists()


def test_a_secrets_manager_s_chain_of_links_is_followed(ground: Ground) -> None:
    generation = ground.folder / "secrets.d" / "7"
    generation.mkdir(parents=True)
    (generation / "env").write_text("A=1\n")
    (ground.folder / "secrets").symlink_to("secrets.d/7")
    (ground.folder / "env").symlink_to(f"{ground.folder}/secrets/../7/env")
    assert ground.prepare(environmentFiles=[f"{ground.folder}/env"]).environment["A"] == "1"


def test_a_link_that_the_agent_planted_does_not_make_root_read_for_it(ground: Ground) -> None:
    """People keep the file in the state directory, where the agent may replace it."""
    secret = ground.file("others.env", "STOLEN=1\n")
    spec = ground.spec(environmentFiles=[f"{ground.state}/env"])
    ground.prepare()
    planted = ground.state / "env"
    planted.symlink_to(secret)
    ground.own(planted)
    with pytest.raises(SetupFailed, match="root did not make"):
        ground.prepare(spec)
    planted.unlink()
    planted.symlink_to(secret)  # even one that root of the container made
    with pytest.raises(SetupFailed, match="root did not make"):
        ground.prepare(spec)
    planted.unlink()
    os.link(secret, planted)
    with pytest.raises(SetupFailed, match="second name"):
        ground.prepare(spec)
    planted.unlink()
    (ground.state / "deep").symlink_to(ground.folder)
    with pytest.raises(SetupFailed, match="root did not make"):
        ground.prepare(environmentFiles=[f"{ground.state}/deep/others.env"])
    planted.write_text("MY_API_KEY=1\n")
    assert ground.prepare(spec).environment["MY_API_KEY"] == "1"


LIFTED = "HERMES_YOLO_MODE=1\nHERMES_MODEL=evil/one\nAPI_SERVER_KEY=known\nOPENAI_API_KEY=sk\n"


def written_by_the_agent(ground: Ground, how: str) -> dict[str, Any]:
    """The keys of a specification with an environment file that the agent can write to."""
    if how == "state":
        (ground.state / "env").write_text(LIFTED)
        return {"environmentFiles": [f"{ground.state}/env"]}
    if how == "volume":
        volume = ground.folder / "volume"
        volume.mkdir()
        (volume / "env").write_text(LIFTED)
        container = {"enable": True, "extraVolumes": [f"{volume}:/volume"]}
        return {"environmentFiles": [f"{volume}/env"], "container": container}
    path = Path(ground.file("env", LIFTED))
    if how == "owner":
        ground.own(path)
    elif how == "everybody":
        path.chmod(0o666)
    else:
        os.chown(path, 0, ground.gid)
        path.chmod(0o660)
    return {"environmentFiles": [str(path)], "hardening": {"enable": False}}


@pytest.mark.parametrize("how", ["state", "volume", "owner", "group", "everybody"])
def test_a_file_that_the_agent_can_write_to_gives_keys_and_decides_nothing(
    ground: Ground, how: str
) -> None:
    ground.prepare()
    done = ground.prepare(**written_by_the_agent(ground, how))
    assert done.environment["OPENAI_API_KEY"] == "sk"
    assert not {"HERMES_YOLO_MODE", "HERMES_MODEL", "API_SERVER_KEY"} & set(done.environment)
    assert len([text for text in done.warnings if "the agent can write to" in text]) == 3


@pytest.mark.parametrize("container", [False, True])
def test_a_file_out_of_the_agent_s_reach_may_decide_whoever_owns_it(
    ground: Ground, container: bool
) -> None:
    path = ground.file("env", LIFTED)
    ground.own(Path(path))
    volumes = [f"{ground.folder}:/volume:ro"]
    done = ground.prepare(
        environmentFiles=[path], container={"enable": container, "extraVolumes": volumes}
    )
    assert done.environment["HERMES_YOLO_MODE"] == "1"


DIALECTS = {
    "A=plain": "plain",
    "export A=exported": "exported",
    "A = spaced": "spaced",
    "A=two words": "two words",
    'A="two words"': "two words",
    "A='it is $HOME'": "it is $HOME",
    "A=back\\slash": "back\\slash",
    'A="-----BEGIN\\nKEY\\n-----END"': "-----BEGIN\nKEY\n-----END",
    'A="really\nlong"': "really\nlong",
    'A="really\r\nlong"\r': "really\nlong",
    "A=crlf\r": "crlf",
    "A=a#b": "a#b",
    "A=a #b": "a",
    "A=`id` $(id)": "`id` $(id)",
    "A=%n %%": "%n %%",
    "A=": "",
    'A="\'"': "'",
    "A=ünï 🙂": "ünï 🙂",
    "A=tab\there": "tab\there",
    "A=b=c==": "b=c==",
    "A=!x{a,b}~": "!x{a,b}~",
}


@pytest.mark.parametrize("line", DIALECTS)
def test_whatever_the_dialect_a_shell_reads_the_same_value_from_what_is_written(
    ground: Ground, line: str
) -> None:
    path = ground.folder / "env"
    path.write_bytes(line.encode() + b"\n")
    done = ground.prepare(environmentFiles=[str(path)])
    assert done.environment["A"] == DIALECTS[line]
    written = ground.roots.runtime / "hermes-agent" / "environment"
    out = subprocess.run(
        ["sh", "-c", f'set -a; . {written}; printf %s "$A"'],
        capture_output=True,
        check=True,
        env={},
    )
    assert out.stdout.decode() == DIALECTS[line]


def test_a_full_disk_under_the_runtime_folder_leaves_the_old_one(
    ground: Ground, tmp_path: Path
) -> None:
    ground.prepare(environment={"A": "old"})
    run = ground.roots.runtime
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k,mode=711", "none", run], check=True)
    try:
        ground.prepare(environment={"A": "old"})
        with pytest.raises(SetupFailed, match="No space left"):
            ground.prepare(environment={"A": "x" * 50_000})
        assert "A=old\n" in ground.environment()
        assert [path.name for path in run.iterdir() if ".new" in path.name] == []
    finally:
        subprocess.run(["umount", run], check=True)
