"""What a command must not find out."""

import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from hermes_agent.domain.errors import ConfigError, EnvironmentFault
from hermes_agent.environments import Workroom, create
from hermes_agent.environments.enclosure import Place
from tests.contract.environments.conftest import SECRET, skip_without


async def test_no_secret_is_in_the_variables(environment: Workroom) -> None:
    ended = await environment.run("env; export -p; cat /proc/self/environ", timeout=10)
    assert "HOME=" in ended.output
    assert SECRET not in ended.output


class TestBubblewrap:
    @pytest.fixture
    async def inside(self, place: Place):
        skip_without("bubblewrap")
        environment = create("bubblewrap", place)
        yield environment
        await environment.close()

    async def test_private_files_cannot_be_read(self, inside: Workroom, furnished: Path) -> None:
        ended = await inside.run(
            f"cd {furnished}; grep -ra . .; cat .env auth.json config.yaml state.db state.db-wal"
            " pairing/*; ls hooks plugins",
            timeout=10,
        )
        assert SECRET not in ended.output
        assert "say hello" in ended.output, "skills are to be seen"

    async def test_private_files_cannot_be_replaced(
        self, inside: Workroom, furnished: Path
    ) -> None:
        await inside.run(
            f"cd {furnished}; echo evil >config.yaml; rm -f .env; mkdir -p hooks/evil;"
            " echo evil >hooks/evil/handler.py",
            timeout=10,
        )
        assert (furnished / "config.yaml").read_text() == SECRET
        assert (furnished / ".env").read_text() == SECRET
        assert not (furnished / "hooks/evil").exists()

    @pytest.mark.parametrize(
        "attack",
        [
            "umount -l {home}; cat {home}/.env",
            "unshare -Urm sh -c 'umount -l {home}; cat {home}/.env'",
            "mv {home} {home}-moved; cat {home}-moved/.env",
            "ln {home}/.env stolen; cat stolen",
            "for p in /proc/[0-9]*; do cat $p/root{home}/.env $p/cwd/../hermes-home/.env; done",
            "mkdir m; mount --bind / m; cat m{home}/.env",
            "d=$(stat -c %d /); mknod disk b $((d/256)) $((d%256)); strings disk | grep sk-a-s",
        ],
        ids=["umount", "own namespace", "rename", "hard link", "proc", "bind", "device"],
    )
    async def test_no_way_leads_to_private_files(
        self, inside: Workroom, furnished: Path, attack: str
    ) -> None:
        ended = await inside.run(attack.format(home=furnished), timeout=10)
        assert SECRET not in ended.output
        assert (furnished / ".env").read_text() == SECRET

    async def test_what_is_written_later_stays_hidden(
        self, inside: Workroom, furnished: Path
    ) -> None:
        started = await inside.spawn(f"read line; cat {furnished}/.env {furnished}/new.json")
        fresh = furnished / ".env.new"
        fresh.write_text(SECRET)
        fresh.rename(furnished / ".env")
        (furnished / "new.json").write_text(SECRET)
        await inside.processes.write(started.id, "go\n")
        assert (await inside.processes.wait(started.id, 10)).exit_code is not None
        output, _ = inside.processes.log(started.id)
        assert output
        assert SECRET not in output

    async def test_our_own_process_is_out_of_sight(self, inside: Workroom) -> None:
        ended = await inside.run("cat /proc/[0-9]*/comm", timeout=10)
        assert set(ended.output.split()) == {"bwrap", "bash"}

    async def test_tools_see_what_commands_see(self, inside: Workroom, furnished: Path) -> None:
        with pytest.raises(PermissionError):
            await inside.files.read(f"{furnished}/.env", limit=100)
        with pytest.raises(PermissionError):
            await inside.files.write(f"{furnished}/config.yaml", b"evil")
        await inside.run(f"echo mine >/tmp/note; ln -s {furnished}/.env /tmp/link", timeout=10)
        assert await inside.files.read("/tmp/note", limit=100) == b"mine\n"
        with pytest.raises(PermissionError):
            await inside.files.read("/tmp/link", limit=100)
        assert await inside.files.read(f"{furnished}/skills/greet.md", limit=3) == b"say"
        await inside.files.write("/tmp/back", b"yours")
        assert (await inside.run("cat /tmp/back", timeout=10)).output == "yours"


class TestSealed:
    """The person's own secrets behind bubblewrap."""

    @pytest.fixture(autouse=True)
    def filled(self) -> Path:
        skip_without("bubblewrap")
        home = Path.home()
        for name in (".ssh/id_ed25519", ".ssh/odd", ".aws/credentials", ".gnupg/x", ".kube/config",
                     ".netrc", ".mozilla/firefox/p/key4.db", ".docker/config.json"):  # fmt: skip
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_text(SECRET)
        for name in (".ssh/config", ".ssh/known_hosts", ".ssh/id_ed25519.pub"):
            (home / name).write_text("public\n")
        return home

    async def test_keys_and_logins_of_the_person_are_not_there(
        self, place: Place, filled: Path
    ) -> None:
        environment = create("bubblewrap", place)
        try:
            ended = await environment.run(f"cd {filled}; grep -ra . .; ls .ssh", timeout=10)
            assert SECRET not in ended.output
            assert sorted(ended.output.split()[-3:]) == ["config", "id_ed25519.pub", "known_hosts"]
            ended = await environment.run(f"echo evil >>{filled}/.ssh/config", timeout=10)
            assert ended.exit_code != 0
            ended = await environment.run(f"echo lost >>{filled}/.aws/credentials", timeout=10)
            assert ended.exit_code != 0, "what would be lost is refused"
            with pytest.raises(PermissionError):
                await environment.files.read(f"{filled}/.aws/credentials", limit=9)
        finally:
            await environment.close()
        assert (filled / ".ssh/config").read_text() == "public\n"

    async def test_what_the_person_opens_is_there_and_nothing_else(
        self, place: Place, filled: Path
    ) -> None:
        opened = msgspec.structs.replace(place, opened=("~/.aws", "~/.netrc"))
        environment = create("bubblewrap", opened)
        try:
            ended = await environment.run(
                f"cd {filled}; cat .aws/credentials .netrc; cat .kube/config", timeout=10
            )
            assert ended.output.count(SECRET) == 2
            assert ended.exit_code != 0
        finally:
            await environment.close()

    @pytest.mark.parametrize("allowed", [False, True])
    async def test_the_ssh_agent_is_reached_when_it_is_opened(
        self, place: Place, tmp_path: Path, allowed: bool
    ) -> None:
        path = str(tmp_path / "agent")
        with socket.socket(socket.AF_UNIX) as agent:
            agent.bind(path)
            agent.listen()
            opened = msgspec.structs.replace(
                place,
                opened=("ssh-agent",) if allowed else (),
                variables={**place.variables, "SSH_AUTH_SOCK": path},
            )
            environment = create("bubblewrap", opened)
            try:
                ended = await environment.run("test -S $SSH_AUTH_SOCK", timeout=10)
                assert (ended.exit_code == 0) is allowed
            finally:
                await environment.close()

    @pytest.mark.parametrize("name", ["aws", "{home}", "{home}/.env", "/"])
    def test_hermes_own_secrets_are_not_to_be_opened(
        self, place: Place, furnished: Path, name: str
    ) -> None:
        opened = msgspec.structs.replace(place, opened=(name.format(home=furnished),))
        with pytest.raises(ConfigError, match=r"terminal\.bubblewrap_open"):
            create("bubblewrap", opened)


class TestFleetingMounts:
    """bwrap stumbles over mounts that come and go; here it does so as often as it is told."""

    MESSAGE = "bwrap: Can't bind mount /oldroot/ on /newroot/: Unable to remount merged: Invalid"

    @pytest.fixture
    def stumbling(self, place: Place, tmp_path: Path) -> Callable[[int], Place]:
        skip_without("bubblewrap")

        def times(count: int) -> Place:
            programs = tmp_path / "programs"
            programs.mkdir()
            left = tmp_path / "left"
            left.write_text("x" * count)
            program = programs / "bwrap"
            program.write_text(
                f'#!/bin/bash\nread -r left <{left}\nif [ -n "$left" ]; then\n'
                f'echo "${{left:1}}" >{left}\necho "{self.MESSAGE}"; exit 1\nfi\n'
                f'exec {shutil.which("bwrap")} "$@"\n'
            )
            program.chmod(0o755)
            path = f"{programs}:{place.variables['PATH']}"
            return msgspec.structs.replace(place, variables={**place.variables, "PATH": path})

        return times

    async def test_a_command_is_tried_again(self, stumbling: Callable[[int], Place]) -> None:
        environment = create("bubblewrap", stumbling(2))
        try:
            assert (await environment.run("echo fine", timeout=10)).output == "fine\n"
        finally:
            await environment.close()

    async def test_so_is_one_in_the_background(self, stumbling: Callable[[int], Place]) -> None:
        environment = create("bubblewrap", stumbling(2))
        try:
            started = await environment.spawn("echo fine")
            await environment.processes.wait(started.id, 10)
            assert environment.processes.log(started.id)[0] == "fine"
            assert len(environment.processes.list()) == 1
        finally:
            await environment.close()

    async def test_it_is_not_tried_for_ever(self, stumbling: Callable[[int], Place]) -> None:
        environment = create("bubblewrap", stumbling(9))
        try:
            with pytest.raises(EnvironmentFault, match="mounts of this machine changed"):
                await environment.run("echo fine", timeout=10)
        finally:
            await environment.close()

    async def test_a_command_that_only_says_so_is_run_once(
        self, stumbling: Callable[[int], Place], tmp_path: Path
    ) -> None:
        place = stumbling(0)
        environment = create("bubblewrap", place)
        try:
            ended = await environment.run(
                f'echo ran >>{place.cwd}/runs; echo "{self.MESSAGE}"; exit 1', timeout=10
            )
            assert (ended.exit_code, ended.output) == (1, f"{self.MESSAGE}\n")
            assert await environment.files.read("runs", limit=99) == b"ran\n"
        finally:
            await environment.close()
