from pathlib import Path

import pytest

from flowengine.errors import EnvironmentFault
from flowengine.repository.sqlite import SqliteRepository
from tests.faults.disks import small_disk, small_tmpfs
from tests.faults.kit import Take, make_flow, running

__all__ = ["small_disk"]
COUNT = 40_000
pytestmark = [pytest.mark.slow]


@pytest.fixture(autouse=True)
def _nothing_taken():
    Take.taken.clear()


def told(directory, reason: str) -> str:
    return (
        f"repository {str(directory)!r} must be writable; got {reason}. Sources wait and resume "
        "by themselves when there is room again; nothing queued is lost"
    )


async def test_a_full_disk_stops_sources_until_there_is_room(small_disk):
    directory = small_disk.path / "data"
    async with running(directory, make_flow(COUNT, "1 KB"), stopped=("take",)) as patient:
        await patient.until(lambda: patient.problem is not None)
        reasons = ("database or disk is full", "disk I/O error")
        assert patient.problem in [told(directory, reason) for reason in reasons]
        assert patient.sources_wait
        small_disk.grow()
        await patient.until(lambda: patient.problem is None)
        patient.engine.start("take")
        await patient.until(lambda: Take.taken.total() >= COUNT)
    assert set(Take.taken) == set(range(COUNT))
    assert Take.taken.total() == COUNT


async def test_sources_stay_stopped_while_sinks_work_on_a_full_disk(small_disk):
    directory = small_disk.path / "data"
    async with running(directory, make_flow(COUNT, "1 KB"), stopped=("take",)) as patient:
        await patient.until(lambda: patient.problem is not None)
        made = patient.engine.assembly.core.ledger.totals["in"]
        patient.engine.start("take")
        await patient.until(lambda: patient.engine.assembly.queued == 0)
        assert patient.engine.assembly.core.ledger.totals["in"] == made
        assert not Take.taken  # nothing is acknowledged that is not on disk
        small_disk.grow()
        await patient.until(lambda: Take.taken.total() >= COUNT)
    assert Take.taken.total() == COUNT


async def test_a_stop_on_a_full_disk_loses_nothing(small_disk):
    directory = small_disk.path / "data"
    async with running(directory, make_flow(COUNT, "1 KB"), stopped=("take",)) as patient:
        await patient.until(lambda: patient.problem is not None)
    small_disk.grow()
    async with running(directory, make_flow(COUNT, "1 KB")) as patient:
        await patient.until(lambda: Take.taken.total() >= COUNT)
    assert set(Take.taken) == set(range(COUNT))
    assert Take.taken.total() == COUNT


def open_again(directory: Path) -> None:
    repository = SqliteRepository(directory)
    repository.recover()
    try:
        repository.open_epoch("{}")
    finally:
        repository.abandon()


@pytest.mark.parametrize("room", [0, 4, 40, 70], ids=lambda room: f"{room} KB")
def test_a_disk_that_is_full_at_the_start_is_named(tmp_path, room):
    with small_tmpfs(tmp_path):
        (tmp_path / "ballast").write_bytes(bytes((3 << 20) - (room << 10)))
        with pytest.raises(EnvironmentFault) as caught:
            open_again(tmp_path / "data")
    assert str(tmp_path / "data") in str(caught.value)
    assert "must be writable; got" in str(caught.value)
    assert "move the file away" not in str(caught.value)


async def test_a_restart_on_a_full_disk_says_so_and_loses_nothing(tmp_path):
    with small_tmpfs(tmp_path) as disk:
        data = disk.path / "data"
        async with running(data, make_flow(500, "1 KB"), stopped=("take",)) as patient:
            await patient.until(lambda: patient.engine.assembly.queued == 500)
        with pytest.raises(OSError, match="No space left"):
            (disk.path / "ballast").write_bytes(bytes(4 << 20))
        with pytest.raises(EnvironmentFault, match="must be writable; got"):
            open_again(data)
        disk.grow()
        async with running(data, make_flow(500, "1 KB")) as patient:
            await patient.until(lambda: Take.taken.total() >= 500)
        assert Take.taken.total() == 500
