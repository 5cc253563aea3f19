"""Status history: a point a minute, across restarts, for a day."""

from __future__ import annotations

import sqlite3

from flowengine.control.minutes import FILE, HOUR, PERIOD, Minutes, read
from flowengine.statistics import Totals
from flowengine.status import ConnectionStatus, FlowStatus, ProcessorStatus
from tests.flowengine.running import served, small_flow, until

START = 1_000_000 * HOUR
EVER = 2 * START


def status(as_of: int, done: int, queued: int, *, started_at: int = START) -> FlowStatus:
    """A flow of one processor that has taken ``done`` FlowFiles since its start."""
    processor = ProcessorStatus("sink", "Sink", "Sink", "running", queued=queued)
    processor.total = Totals(flowfiles_in=done, tasks=done)
    connection = ConnectionStatus("a-sink", "a", "sink", ("success",), queued=queued, bytes=9)
    return FlowStatus(
        *("small", "r", 1, "running", started_at, as_of, 0, queued, {}, 0),
        {"sink": processor},
        {"a-sink": connection},
    )


def recorded(tmp_path, *statuses: FlowStatus) -> None:
    minutes = Minutes(tmp_path)
    for one in statuses:
        minutes.record(one)
    minutes.close()


def taken(tmp_path, **limits) -> list[list[float]]:
    """(minute since the start, FlowFiles taken in it) of each point."""
    limits = {"since": 0, "until": EVER} | limits
    series = read(tmp_path, "processors", "sink", **limits)
    column = 1 + series.fields.index("flowfiles_in")
    return [[(point[0] - START) / PERIOD, point[column]] for point in series.points]


def test_a_point_holds_what_happened_in_its_minute(tmp_path):
    recorded(tmp_path, *(status(START + n * PERIOD, done=10 * n, queued=n) for n in (1, 2, 3)))
    assert taken(tmp_path) == [[0, 10], [1, 10], [2, 10]]
    queue = read(tmp_path, "connections", "a-sink", 0, EVER)
    assert (queue.fields[:2], [p[1:3] for p in queue.points]) == (
        ("queued", "bytes"),
        [[1, 9], [2, 9], [3, 9]],
    )


def test_points_outlive_a_restart_and_a_gap_stays_a_gap(tmp_path):
    recorded(tmp_path, status(START + PERIOD, done=10, queued=0))
    later = START + 5 * PERIOD
    recorded(tmp_path, status(later + PERIOD, done=3, queued=0, started_at=later))
    assert taken(tmp_path) == [[0, 10], [5, 3]]


def test_two_runs_in_one_minute_are_one_point(tmp_path):
    recorded(tmp_path, status(START + 10_000_000, done=4, queued=0))
    recorded(tmp_path, status(START + 50_000_000, done=2, queued=7, started_at=START + 20_000_000))
    assert taken(tmp_path) == [[0, 6]]
    assert read(tmp_path, "flow", "", 0, EVER).points[0][-3] == 7


def test_only_a_day_is_kept(tmp_path):
    recorded(tmp_path, *(status(START + n * HOUR, done=n, queued=0) for n in range(1, 40)))
    found = taken(tmp_path)
    assert len(found) == 24
    with sqlite3.connect(tmp_path / FILE) as db:
        (rows,) = db.execute("select count(*) from hours where kind='processors'").fetchone()
    db.close()
    assert rows <= 26


def test_a_part_of_the_day_is_read(tmp_path):
    recorded(tmp_path, *(status(START + n * PERIOD, done=n, queued=0) for n in range(1, 9)))
    limits = {"since": START + 2 * PERIOD, "until": START + 4 * PERIOD}
    assert [minute for minute, _ in taken(tmp_path, **limits)] == [2, 3, 4]


def test_an_unknown_component_or_directory_has_no_points(tmp_path):
    assert read(tmp_path, "flow", "", 0, EVER).points == []
    recorded(tmp_path, status(START + PERIOD, done=1, queued=0))
    assert read(tmp_path, "processors", "other", 0, EVER).points == []


async def test_a_runner_keeps_its_history_to_the_end(tmp_path):
    async with served(tmp_path, small_flow(count=5)) as (engine, _, _):
        await until(engine, lambda: engine.completed)
    points = read(tmp_path, "processors", "sink", 0, EVER).points
    fields = read(tmp_path, "processors", "sink", 0, EVER).fields
    assert sum(point[1 + fields.index("flowfiles_in")] for point in points) == 5


async def test_a_history_that_cannot_be_written_is_said_and_costs_nothing_else(tmp_path):
    (tmp_path / FILE).write_bytes(b"this is no database" * 100)
    async with served(tmp_path, small_flow(count=5)) as (engine, _, client):
        await until(engine, lambda: engine.completed)
        assert (await client.get("/health/live")).status_code == 200
    (bulletin,) = engine.board.list("small")
    assert bulletin.message == (
        f"status history {str(tmp_path / FILE)!r} must be writable; got file is not a database. "
        "Delete the file, and it begins anew at the next start"
    )
