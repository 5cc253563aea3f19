"""Status history: one point a minute of each component, for the last 24 hours.

The runner keeps it in ``history.db`` of its data directory, so that it outlives restarts and can be
read while the flow is stopped. A row holds one component's hour: 1 000 processors cost 2 000 small
rows a minute and 24 rows are read for one chart. What is written is never needed to run: a history
that cannot be written is said once and costs nothing else.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from flowengine.status import ConnectionStatus, FlowStatus, ProcessorStatus

if TYPE_CHECKING:
    from flowengine.control.desk import Desk

FILE = "history.db"
PERIOD = 60_000_000  # µs
HOUR = 60 * PERIOD
KEPT = 24 * HOUR

Kind: TypeAlias = Literal["flow", "processors", "connections"]
Values: TypeAlias = tuple[float, ...]

#: Sums over the minute first, then figures at its end.
SUMS = (
    *("flowfiles_in", "bytes_in", "flowfiles_out", "bytes_out"),
    *("bytes_read", "bytes_written", "tasks", "nanoseconds"),
)
FIELDS: dict[str, tuple[str, ...]] = {
    "flow": (*SUMS, "queued", "bytes", "resident"),
    "processors": (*SUMS, "queued", "active"),
    "connections": ("queued", "bytes", "penalized", "percent"),
}
_SUMMED = {"flow": len(SUMS), "processors": len(SUMS), "connections": 0}


class Series(msgspec.Struct):
    """Points of one component, oldest first: the wall time in µs at which a minute began, then one
    value for each of ``fields``. Minutes in which the flow did not run are not there."""

    kind: str
    id: str
    fields: tuple[str, ...]
    points: list[list[float]]


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=2)
    db.execute("pragma journal_mode=wal")
    db.execute("pragma synchronous=off")  # a minute may be lost, nothing else
    db.execute(
        "create table if not exists hours(kind text, id text, hour integer, points blob, "
        "primary key(kind, id, hour)) without rowid"
    )
    return db


class Minutes:
    """Writes the history of one runner. Used by one thread at a time."""

    def __init__(self, data_dir: Path) -> None:
        self._db = _open(data_dir / FILE)
        self._last: dict[tuple[str, str], Values] = {}
        self._last_time: int | None = None

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def record(self, status: FlowStatus) -> None:
        """Write down what happened since the last time, as the minute in which most of it was."""
        begun = status.started_at if self._last_time is None else self._last_time
        middle = max((begun + status.as_of) // 2, status.as_of - PERIOD)
        self._db.execute("begin")
        try:
            for kind, id, values in _figures(status):
                self._add(kind, id, middle // PERIOD * PERIOD, self._since_last(kind, id, values))
            self._db.execute("delete from hours where hour < ?", (middle - KEPT - HOUR,))
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")
        self._last_time = status.as_of

    def _since_last(self, kind: str, id: str, values: Values) -> Values:
        last, summed = self._last.get((kind, id)), _SUMMED[kind]
        self._last[kind, id] = values
        if last is None:
            return values
        grown = (max(new - old, 0) for new, old in zip(values[:summed], last, strict=False))
        return (*grown, *values[summed:])

    def _add(self, kind: str, id: str, minute: int, values: Values) -> None:
        hour = minute // HOUR * HOUR
        row = self._db.execute(
            "select points from hours where kind=? and id=? and hour=?", (kind, id, hour)
        ).fetchone()
        points: list[list[float]] = _decoded(row[0]) if row else []
        summed = _SUMMED[kind]
        if points and points[-1][0] == minute:  # the runner was started again in this minute
            before = points.pop()[1:]
            sums = (a + b for a, b in zip(values[:summed], before, strict=False))
            values = (*sums, *values[summed:])
        points.append([minute, *values])
        encoded = msgspec.msgpack.encode(points)
        self._db.execute("replace into hours values (?,?,?,?)", (kind, id, hour, encoded))


def _decoded(blob: bytes) -> list[list[float]]:
    return msgspec.msgpack.decode(blob, type=list[list[int | float]])


def _figures(status: FlowStatus) -> Iterator[tuple[Kind, str, Values]]:
    """Kind, id and values of everything in a status; sums are those since the start."""
    totals = [_totals(one) for one in status.processors.values()]
    sums = tuple(map(sum, zip(*totals, strict=True))) if totals else (0,) * len(SUMS)
    connections = status.connections.values()
    yield "flow", "", (*sums, status.queued, sum(c.bytes for c in connections), status.resident)
    for processor, total in zip(status.processors.values(), totals, strict=True):
        yield "processors", processor.id, (*total, processor.queued, processor.active)
    for connection in connections:
        yield "connections", connection.id, _gauges(connection)


def _totals(processor: ProcessorStatus) -> Values:
    return tuple(getattr(processor.total, name) for name in SUMS)


def _gauges(connection: ConnectionStatus) -> Values:
    return tuple(getattr(connection, name) for name in FIELDS["connections"])


# -- reading -----------------------------------------------------------------------------------


def read(data_dir: Path, kind: Kind, id: str, since: int, until: int) -> Series:
    """The points of one component between two wall times in µs; none where nothing is kept."""
    fields, path = FIELDS[kind], data_dir / FILE
    if not path.is_file():
        return Series(kind, id, fields, [])
    try:
        with closing(sqlite3.connect(path.as_uri() + "?mode=ro", uri=True, timeout=2)) as db:
            rows = db.execute(
                "select points from hours where kind=? and id=? and hour between ? and ? "
                "order by hour",
                (kind, id, since - HOUR, until),
            ).fetchall()
    except sqlite3.Error:
        rows = []
    found = [point for (blob,) in rows for point in _decoded(blob)]
    return Series(kind, id, fields, _between(found, max(since, _newest(found) - KEPT + 1), until))


def _newest(points: Sequence[Sequence[float]]) -> int:
    return int(points[-1][0]) if points else 0


def _between(points: list[list[float]], since: int, until: int) -> list[list[float]]:
    return [point for point in points if since <= point[0] <= until]


# -- keeping -----------------------------------------------------------------------------------


async def keep(desk: Desk) -> None:
    """Write a point at the end of each minute, and one when the desk closes."""
    try:
        minutes = await asyncio.to_thread(Minutes, desk.data_dir)
    except sqlite3.Error as error:
        _complain(desk, error)
        return
    try:
        while True:
            ended = await _pause(desk)
            status = await desk.status()
            if status.held is None:  # else the figures are old: the next minute takes them along
                await asyncio.to_thread(minutes.record, status)
            if ended:
                return
    except sqlite3.Error as error:
        _complain(desk, error)
    finally:
        minutes.close()


def _complain(desk: Desk, error: sqlite3.Error) -> None:
    desk.engine.board.post(
        desk.engine.flow.name,
        "warning",
        f"status history {str(desk.data_dir / FILE)!r} must be writable; got {error}. Delete the "
        "file, and it begins anew at the next start",
    )


async def _pause(desk: Desk) -> bool:
    """Wait for the end of the minute; True when the desk closes."""
    left = PERIOD - desk.engine.clock.wall() % PERIOD
    try:
        async with asyncio.timeout(left / 1e6):
            await desk.closing.wait()
    except TimeoutError:
        return False
    return True
