"""The file of provenance events, ``<data directory>/provenance.db``: bounded, searchable.

It is apart from the repository and weaker on purpose: ``synchronous=OFF``, no part of any cut.
Losing it loses history, never data. It is a ring: when contents and attributes exceed the bound,
the oldest events go.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from flowengine.arrow_content import ArrowContent

LARGEST_CONTENT = 64 << 10
BOUND = 1 << 30
UNKNOWN = -1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, time INTEGER, type TEXT, processor TEXT, flowfile TEXT,
    relationship TEXT, connection TEXT, attributes BLOB, size INTEGER, content BLOB,
    weight INTEGER, event_time INTEGER, ingest_time INTEGER
);
CREATE INDEX IF NOT EXISTS by_flowfile ON events (flowfile);
CREATE INDEX IF NOT EXISTS by_processor ON events (processor, id);
CREATE INDEX IF NOT EXISTS by_time ON events (time);
CREATE TABLE IF NOT EXISTS parents (child TEXT, parent TEXT, event INTEGER);
CREATE INDEX IF NOT EXISTS by_child ON parents (child);
CREATE INDEX IF NOT EXISTS by_parent ON parents (parent);
CREATE INDEX IF NOT EXISTS by_event ON parents (event);
"""
_OVERHEAD = 200
_COLUMNS = (
    "id, time, type, processor, flowfile, relationship, connection, attributes, size, content, "
    "event_time, ingest_time"
)


class Event(msgspec.Struct, omit_defaults=True):
    """One thing that happened to one FlowFile. ``time`` is wall time in µs.

    type:         NiFi's: CREATE, RECEIVE, SEND, DROP, FORK, CLONE, CONTENT_MODIFIED,
                  ATTRIBUTES_MODIFIED, ROUTE, EXPIRE, REPLAY
    connection:   the queue it was polled from: replay puts it back there
    attributes:   as they were before the event, or as created
    content:      before the event; None when it was larger than 64 KB. A decoded one is stored as
                  its text, which the writer makes
    parents:      FlowFiles that it was made from
    """

    time: int
    type: str
    processor: str
    flowfile: str
    relationship: str | None = None
    connection: str | None = None
    attributes: dict[str, str] = {}
    size: int = 0
    content: bytes | ArrowContent | None = None
    event_time: int | None = None
    ingest_time: int = 0
    parents: list[str] = []
    id: int = 0


class Query(msgspec.Struct):
    """What to search for; None is anything. Times are wall time in µs, ``until`` excluded."""

    flowfile: str | None = None
    processor: str | None = None
    type: str | None = None
    since: int | None = None
    until: int | None = None
    attributes: dict[str, str] = {}
    limit: int = 100
    before: int | None = None


class ProvenanceStore:
    """One connection to the file. Each thread opens its own."""

    def __init__(self, path: Path, bound: int = BOUND) -> None:
        self._bound = bound
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA auto_vacuum=INCREMENTAL")
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute("PRAGMA busy_timeout=10000")
        self._db.executescript(_SCHEMA)
        self._weight = UNKNOWN  # counting reads the whole file: only who writes needs it

    def close(self) -> None:
        self._db.close()

    # -- writing -------------------------------------------------------------------------------

    def add(self, events: Iterable[Event]) -> None:
        """Append events and drop the oldest beyond the bound."""
        run = self._db.execute
        run("BEGIN")
        if self._weight == UNKNOWN:
            self._weight = self._stored()
        for event in events:
            self._insert(event)
        while self._weight > self._bound and self._drop_oldest():
            pass
        run("COMMIT")
        run("PRAGMA incremental_vacuum")

    def abandon(self) -> None:
        """Undo a transaction that failed."""
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        self._weight = UNKNOWN

    def _stored(self) -> int:
        (weight,) = self._db.execute("SELECT coalesce(sum(weight), 0) FROM events").fetchone()
        return int(weight)

    def _insert(self, event: Event) -> None:
        attributes = msgspec.json.encode(event.attributes)
        content = event.content.text() if isinstance(event.content, ArrowContent) else event.content
        weight = len(attributes) + len(content or b"") + _OVERHEAD
        cursor = self._db.execute(
            "INSERT INTO events VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                event.time,
                event.type,
                event.processor,
                event.flowfile,
                event.relationship,
                event.connection,
                attributes,
                event.size,
                content,
                weight,
                event.event_time,
                event.ingest_time,
            ),
        )
        event.id = cursor.lastrowid or 0
        self._db.executemany(
            "INSERT INTO parents VALUES (?, ?, ?)",
            [(event.flowfile, parent, event.id) for parent in event.parents],
        )
        self._weight += weight

    def _drop_oldest(self) -> int:
        oldest = self._db.execute("SELECT id, weight FROM events ORDER BY id LIMIT 500").fetchall()
        for id, weight in oldest:
            self._db.execute("DELETE FROM events WHERE id = ?", (id,))
            self._db.execute("DELETE FROM parents WHERE event = ?", (id,))
            self._weight -= weight
            if self._weight <= self._bound:
                break
        return len(oldest)

    # -- reading -------------------------------------------------------------------------------

    def search(self, query: Query) -> list[Event]:
        """Events, newest first, without contents; ``before`` an event id for the next page."""
        conditions, values = _conditions(query)
        where = " AND ".join(conditions) or "1"
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM events WHERE {where} ORDER BY id DESC LIMIT ?",
            (*values, query.limit),
        )
        return [msgspec.structs.replace(event, content=None) for event in self._events(rows)]

    def event(self, id: int) -> Event | None:
        """One event with its content."""
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM events WHERE id = ?", (id,))
        return next(self._events(rows), None)

    def lineage(self, flowfile: str, most: int = 1000) -> list[Event]:
        """Events of a FlowFile, all its ancestors and all its descendants, oldest first."""
        family = {flowfile}
        for one, other in (("child", "parent"), ("parent", "child")):
            family |= self._reachable(flowfile, one, other, most)
        marks = ", ".join("?" * len(family))
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM events WHERE flowfile IN ({marks}) ORDER BY id LIMIT ?",
            (*family, most),
        )
        return [msgspec.structs.replace(event, content=None) for event in self._events(rows)]

    def _reachable(self, start: str, here: str, there: str, most: int) -> set[str]:
        rows = self._db.execute(
            f"WITH RECURSIVE found(id) AS (SELECT ? UNION SELECT {there} FROM parents "
            f"JOIN found ON {here} = found.id LIMIT ?) SELECT id FROM found",
            (start, most),
        )
        return {id for (id,) in rows}

    def _events(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[Event]:
        for row in list(rows):
            id, time, type, processor, flowfile, relationship, connection = row[:7]
            attributes, size, content, event_time, ingest_time = row[7:]
            parents = self._db.execute("SELECT parent FROM parents WHERE event = ?", (id,))
            yield Event(
                time,
                type,
                processor,
                flowfile,
                relationship,
                connection,
                msgspec.json.decode(attributes),
                size,
                content,
                event_time,
                ingest_time,
                [parent for (parent,) in parents],
                id,
            )


def _conditions(query: Query) -> tuple[list[str], list[Any]]:
    asked = [
        ("flowfile = ?", query.flowfile),
        ("processor = ?", query.processor),
        ("type = ?", query.type),
        ("time >= ?", query.since),
        ("time < ?", query.until),
        ("id < ?", query.before),
    ]
    conditions = [text for text, value in asked if value is not None]
    values: list[Any] = [value for _, value in asked if value is not None]
    for name, value in query.attributes.items():
        conditions.append(
            "EXISTS (SELECT 1 FROM json_each(attributes) WHERE key = ? AND value = ?)"
        )
        values += [name, value]
    return conditions, values
