"""Working beside others in one place."""

import asyncio
import os
from pathlib import Path

import pytest

from hermes_agent.domain.errors import NotFoundError
from hermes_agent.environments.annex import Annex, beside
from hermes_agent.environments.enclosure import Place
from hermes_agent.environments.local import LocalEnvironment
from hermes_agent.environments.shell import ShellEnvironment


def local(folder: Path) -> LocalEnvironment:
    return LocalEnvironment(Place(cwd=str(folder), variables=dict(os.environ)))


async def said(environment: ShellEnvironment | Annex, command: str) -> str:
    return (await environment.run(command, timeout=20)).output.strip()


async def test_a_branch_begins_where_the_whole_is_and_goes_its_own_way(tmp_path: Path) -> None:
    whole = local(tmp_path)
    await said(whole, "mkdir a b; cd a; export NAME=whole")
    branch = beside(whole)
    assert isinstance(branch, ShellEnvironment)
    assert await said(branch, "pwd; echo $NAME") == f"{tmp_path}/a\nwhole"
    await said(branch, "cd ../b; export NAME=branch")
    assert await said(branch, "pwd; echo $NAME") == f"{tmp_path}/b\nbranch"
    assert await said(whole, "pwd; echo $NAME") == f"{tmp_path}/a\nwhole"
    await branch.close()
    assert await said(whole, "pwd") == f"{tmp_path}/a"
    assert whole.scratch is not None
    assert await asyncio.to_thread(Path(whole.scratch).is_dir)
    await whole.close()


async def test_background_processes_belong_to_whoever_started_them(tmp_path: Path) -> None:
    for make in (beside, Annex):
        whole = local(tmp_path)
        ours = await whole.spawn("sleep 1000")
        other = make(whole)
        theirs = await other.spawn("sleep 1000")
        assert [each.id for each in other.processes.list()] == [theirs.id]
        with pytest.raises(NotFoundError):
            await other.processes.kill(ours.id)
        await other.close()
        with pytest.raises(ProcessLookupError):
            os.kill(theirs.pid, 0)
        assert (await whole.processes.wait(ours.id, 0)).exit_code is None
        await whole.close()


async def test_in_an_annex_every_command_begins_at_the_same_place(tmp_path: Path) -> None:
    whole = local(tmp_path)
    await said(whole, "mkdir a b; cd a")
    annex = Annex(whole)
    await said(annex, "cd ../b")
    assert await said(annex, "pwd") == f"{tmp_path}/a"
    await said(whole, "cd ../b")
    assert await said(annex, "pwd") == f"{tmp_path}/a"
    assert await said(whole, "pwd") == f"{tmp_path}/b"
    await whole.close()
