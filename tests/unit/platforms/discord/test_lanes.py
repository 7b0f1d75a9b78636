"""Work in order within a lane, side by side between them."""

import asyncio

import pytest

from hermes_agent.platforms.discord.lanes import Lanes


async def test_a_lane_keeps_its_order_and_waits_for_no_other() -> None:
    lanes, done, gate, end = Lanes(), list[str](), asyncio.Event(), asyncio.Event()

    async def work(name: str) -> None:
        if name == "a1":
            await gate.wait()
        done.append(name)
        if name == "b2":
            gate.set()
        if name == "a3":
            end.set()

    for name in ("a1", "a2", "b1", "a3", "b2"):
        lanes.put(name[0], lambda name=name: work(name))
    await asyncio.wait_for(end.wait(), 10)
    assert done == ["b1", "b2", "a1", "a2", "a3"]
    await lanes.close()


async def test_work_that_fails_is_logged_and_the_next_is_done(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lanes, end = Lanes(), asyncio.Event()

    async def fail() -> None:
        raise ValueError("odd")

    async def succeed() -> None:
        end.set()

    lanes.put(1, fail)
    lanes.put(1, succeed)
    await asyncio.wait_for(end.wait(), 10)
    await lanes.close()
    assert "odd" in caplog.text


async def test_a_lane_without_work_is_gone() -> None:
    before = asyncio.all_tasks()
    lanes = Lanes()
    ends = [asyncio.Event() for _ in range(100)]

    async def work(end: asyncio.Event) -> None:
        end.set()

    for number, end in enumerate(ends):
        lanes.put(number, lambda end=end: work(end))
    assert len(lanes) == 100
    for end in ends:
        await asyncio.wait_for(end.wait(), 10)
    async with asyncio.timeout(10):
        await asyncio.gather(*(asyncio.all_tasks() - before))
    assert len(lanes) == 0


async def test_what_waits_when_it_is_closed_is_not_done() -> None:
    lanes, done = Lanes(), list[int]()

    async def work(number: int) -> None:
        done.append(number)
        await asyncio.Event().wait()

    lanes.put(1, lambda: work(1))
    lanes.put(1, lambda: work(2))
    await asyncio.sleep(0)
    await lanes.close()
    assert done == [1]
