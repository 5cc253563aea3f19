"""Clocks: waits end by the event or by time, and time does not set the event."""

import asyncio

import pytest

from flowengine.clock import FakeClock, SystemClock


async def test_the_end_of_the_time_does_not_set_the_event():
    event = asyncio.Event()
    await SystemClock().wait(event, 1000)
    assert not event.is_set()


async def test_a_wait_without_time_ends_with_the_event():
    event = asyncio.Event()
    asyncio.get_running_loop().call_soon(event.set)
    await SystemClock().wait(event, None)
    assert event.is_set()


@pytest.mark.parametrize("timeout", [0, -5])
async def test_no_time_left_is_no_wait(timeout):
    await SystemClock().wait(asyncio.Event(), timeout)
    await FakeClock().wait(asyncio.Event(), timeout)


async def test_a_fake_wait_ends_when_the_clock_is_told():
    clock, event, ended = FakeClock(), asyncio.Event(), []

    async def wait(timeout):
        await clock.wait(event, timeout)
        ended.append(timeout)

    async with asyncio.TaskGroup() as group:
        for timeout in (30, 10, 20):
            group.create_task(wait(timeout))
        await asyncio.sleep(0)
        assert clock.next_due == 10
        clock.advance(20)
        await _settled()
        assert sorted(ended) == [10, 20]
        assert not event.is_set()
        event.set()
    assert sorted(ended) == [10, 20, 30]
    assert clock.next_due is None


async def test_a_fake_wait_ends_with_its_event_and_is_forgotten():
    clock, event = FakeClock(), asyncio.Event()
    event.set()
    await clock.wait(event, 10)
    clock.advance(100)
    assert clock.next_due is None


async def test_advancing_twice_before_the_loop_runs_ends_a_wait_once():
    clock = FakeClock()
    async with asyncio.TaskGroup() as group:
        group.create_task(clock.wait(asyncio.Event(), 10))
        await asyncio.sleep(0)
        clock.advance(10)
        clock.advance(10)


def test_the_wall_may_jump_while_the_monotonic_clock_goes_on():
    clock = FakeClock(wall=100)
    clock.advance(5)
    clock.set_wall(7)
    assert (clock.wall(), clock.monotonic()) == (7, 5)
    system = SystemClock()
    assert system.wall() > 1_600_000_000_000_000
    assert system.monotonic() <= system.monotonic()


async def _settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)
