"""How often a cut is taken (E15)."""

import asyncio
from typing import Any

import pytest

from flowengine.clock import FakeClock
from flowengine.repository import SqliteRepository
from flowengine.repository.sqlite import BACKLOG_OBJECTS
from tests.flowengine.repository.kit import Rig, closed

MS = 1000


class SlowDisk(SqliteRepository):
    """Each cut takes 100 ms of virtual time; notes when each began."""

    def __init__(self, directory: Any, clock: FakeClock) -> None:
        super().__init__(directory, clock)
        self.time = clock
        self.began: list[int] = []
        self.writing = False

    async def _cut(self) -> bool:
        self.began.append(self.time.monotonic() // MS)
        self.writing = True
        done = await super()._cut()
        self.time.advance(100 * MS)
        self.writing = False
        return done


@pytest.mark.parametrize(("made", "pause"), [(1, 400), (BACKLOG_OBJECTS + 1, 100)])
async def test_a_pause_is_four_times_the_cut_unless_sources_wait_for_the_disk(
    tmp_path, made, pause
):
    clock = FakeClock()
    repository = SlowDisk(tmp_path, clock)
    rig = Rig(repository, clock)
    rig.make(1)
    async with asyncio.TaskGroup() as group:
        group.create_task(repository.run())
        await _until(repository, cuts=1)
        ended = repository.began[0] + 100
        rig.make(made)
        assert rig.core.sources_wait() is (made > 1)
        await _until(repository, cuts=2)
        repository.stop()
    assert repository.began[1] - ended == pytest.approx(pause, abs=10)
    await closed(rig)


async def _until(repository: SlowDisk, cuts: int) -> None:
    """Let virtual time pass, a millisecond at a time, while nothing is being written."""
    while repository.cuts < cuts or repository.writing:
        if not repository.writing:
            repository.time.advance(MS)
        for _ in range(5):
            await asyncio.sleep(0)
