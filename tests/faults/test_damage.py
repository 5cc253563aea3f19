"""A damaged repository or content file: said at once, sources stop, the rest is kept."""

import sqlite3
from pathlib import Path

import pytest

from flowengine.errors import RepositoryError
from flowengine.repository.sqlite import SqliteRepository
from tests.faults.kit import Take, make_flow, running

COUNT = 2000


@pytest.fixture(autouse=True)
def _nothing_taken():
    Take.taken.clear()


async def fill(directory: Path, count: int = COUNT, size: str = "100 B") -> None:
    """Queue so many FlowFiles in a directory and stop."""
    async with running(directory, make_flow(count, size), stopped=("take",)) as patient:
        await patient.until(lambda: patient.engine.assembly.queued == count)


def damage_row(directory: Path) -> tuple[int, bytes]:
    """Spoil the FlowFiles of a row in the middle; its number and what it was."""
    with sqlite3.connect(directory / "flow.db") as database:
        rows = database.execute("SELECT id, data FROM chunks ORDER BY id").fetchall()
        number, data = rows[len(rows) // 2]
        spoilt = data[:50] + b"?" + data[51:]
        database.execute("UPDATE chunks SET data = ? WHERE id = ?", (spoilt, number))
    database.close()
    return number, data


def repair_row(directory: Path, number: int, data: bytes) -> None:
    with sqlite3.connect(directory / "flow.db") as database:
        database.execute("UPDATE chunks SET data = ? WHERE id = ?", (data, number))
    database.close()


async def test_a_damaged_row_stops_sources_and_keeps_the_rest(tmp_path):
    await fill(tmp_path)
    number, data = damage_row(tmp_path)
    async with running(tmp_path, make_flow(COUNT + 1000, "100 B")) as patient:
        await patient.until(lambda: bool(patient.errors))
        assert patient.errors[0] == (
            f"repository {str(tmp_path / 'flow.db')!r} must be a readable SQLite database; got "
            f"row {number} is missing or damaged. Restore it with `flowengine restore`, or move "
            "the file away to start empty"
        )
        assert patient.sources_wait
        assert patient.engine.assembly.queued > 0
        repair_row(tmp_path, number, data)
        await patient.until(lambda: Take.taken.total() >= COUNT + 1000)
        assert not patient.sources_wait
    assert set(Take.taken) == set(range(COUNT + 1000))
    assert Take.taken.total() == COUNT + 1000


async def test_a_file_that_is_no_database_is_named_at_the_start(tmp_path):
    await fill(tmp_path)
    (tmp_path / "flow.db-wal").unlink(missing_ok=True)
    with (tmp_path / "flow.db").open("r+b") as file:
        file.write(b"spoilt" * 20)
    repository = SqliteRepository(tmp_path)
    with pytest.raises(RepositoryError) as caught:
        repository.recover()
    assert str(caught.value) == (
        f"repository {str(tmp_path / 'flow.db')!r} must be a readable SQLite database; got file is "
        "not a database. Restore it with `flowengine restore`, or move the file away to start empty"
    )


async def test_pages_that_are_spoilt_are_noticed_and_nothing_is_dropped_silently(tmp_path):
    await fill(tmp_path)
    file = tmp_path / "flow.db"
    whole = file.read_bytes()
    middle = len(whole) // 2 // 8192 * 8192
    file.write_bytes(whole[:middle] + b"\xff" * 16384 + whole[middle + 16384 :])
    said = await first_error(tmp_path)
    assert "must be a readable SQLite database" in said
    assert Take.taken.total() < COUNT


async def first_error(directory: Path) -> str:
    """What a run says first: at the start, or when it comes to the damage."""
    try:
        async with running(directory, make_flow(COUNT, "100 B")) as patient:
            await patient.until(lambda: bool(patient.errors))
            assert patient.sources_wait
            return patient.errors[0]
    except RepositoryError as error:
        return str(error)


async def test_a_missing_content_file_stops_sources_until_it_is_back(tmp_path):
    await fill(tmp_path, 4, "1100 KB")
    content = sorted((tmp_path / "content").iterdir())[1]
    away = content.rename(tmp_path / "away")
    async with running(tmp_path, make_flow(6, "1100 KB")) as patient:
        await patient.until(lambda: any("content file" in error for error in patient.errors))
        assert patient.errors[0] == (
            f"content file {str(content)!r} must be readable; got No such file or directory. "
            "Restore it from a backup, or empty the queue that holds its FlowFile"
        )
        assert patient.sources_wait
        away.rename(content)
        await patient.until(lambda: Take.taken.total() >= 6)
    assert Take.taken.total() == 6


async def test_an_unreadable_content_file_stops_sources_until_it_is_back(tmp_path):
    await fill(tmp_path, 4, "1100 KB")
    content = sorted((tmp_path / "content").iterdir())[1]
    away = content.rename(tmp_path / "away")
    content.mkdir()  # unreadable for root too
    async with running(tmp_path, make_flow(6, "1100 KB")) as patient:
        await patient.until(lambda: any("content file" in error for error in patient.errors))
        assert patient.errors[0] == (
            f"content file {str(content)!r} must be readable; got Is a directory. "
            "Restore it from a backup, or empty the queue that holds its FlowFile"
        )
        content.rmdir()
        away.rename(content)
        await patient.until(lambda: Take.taken.total() >= 6)
    assert Take.taken.total() == 6
