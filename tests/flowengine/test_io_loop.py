"""The I/O loop: a thread of its own for clients with heartbeats (E24)."""

import asyncio
import threading

import pytest

from flowengine.io_loop import IoLoop


@pytest.fixture
def io():
    made = IoLoop()
    yield made
    made.stop()


async def test_it_lives_while_the_engine_is_held(io):
    beats = threading.Semaphore(0)

    async def beat():
        while True:
            beats.release()
            await asyncio.sleep(0)

    future = asyncio.run_coroutine_threadsafe(beat(), io.loop())
    for _ in range(3):  # the engine's loop is held here: nothing is awaited
        assert beats.acquire(timeout=30)
    future.cancel()


async def test_results_and_errors_come_back(io):
    async def fail():
        raise ValueError("there")

    assert await io.run(asyncio.sleep(0, "done")) == "done"
    with pytest.raises(ValueError, match="there"):
        await io.run(fail())


async def test_cancelling_here_cancels_there(io):
    started, cancelled = threading.Event(), threading.Event()

    async def wait():
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(io.run(wait()))
        await asyncio.to_thread(started.wait, 30)
        task.cancel()
    assert await asyncio.to_thread(cancelled.wait, 30)


def test_stopping_cancels_what_is_left_and_ends_the_thread():
    io = IoLoop()
    io.stop()  # never started
    ended = threading.Event()

    async def wait():
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    future = asyncio.run_coroutine_threadsafe(wait(), io.loop())
    io.stop()
    assert ended.is_set()
    assert future.cancelled()
    assert "io" not in [thread.name for thread in threading.enumerate()]
