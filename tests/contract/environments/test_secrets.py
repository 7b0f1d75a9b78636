"""What a command must not find out."""

from pathlib import Path

import pytest

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
