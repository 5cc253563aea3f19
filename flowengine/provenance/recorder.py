"""Recording provenance: whole lineages, sampled at the source, at most 1 000 events a second (E27).

1. The decision is made once, when a FlowFile enters the flow; what descends from it is known by
   membership in one set of live ids. So a lineage is recorded as a whole or not at all.
2. A slow flow is recorded completely. In a fast one the first FlowFiles of each second are taken,
   as many as the events of those before them suggest; once they have left the flow the set is
   empty and a session costs one comparison for the rest of the second.
3. The engine's loop only collects references; a thread of its own encodes and writes. When it
   cannot keep up, or the disk is full, events are dropped and counted; the flow never waits.

A restart forgets which queued FlowFiles were sampled: their lineages end there.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from flowengine.content import FileContent
from flowengine.errors import DefinitionError
from flowengine.flowfile import FlowFile, format_uuid, parse_uuid
from flowengine.provenance.store import BOUND, LARGEST_CONTENT, Event, ProvenanceStore

if TYPE_CHECKING:
    from flowengine.commit import Sent, Work
    from flowengine.connection import Connection
    from flowengine.engine import Engine
    from flowengine.node import Node

FILE = "provenance.db"
PER_SECOND = 1000
MOST_LIVE = 100_000
FEWEST = 4.0  # events that a lineage is expected to have at least
MOST_WAITING = 200  # hand-overs that wait for the writer
SECOND = 1_000_000

_id = attrgetter("id")


class Recorder:
    """Observes sessions. Used on the engine's loop; ``write`` runs on a thread of its own.

    live:    ids of sampled FlowFiles that are in the flow
    dropped: events that were lost because the writer could not keep up
    """

    def __init__(self, engine: Engine, path: Path, limit: int = PER_SECOND) -> None:
        self.path = path
        self.live: set[int] = set()
        self.dropped = 0
        self._engine = engine
        self._clock = engine.clock
        self._limit = limit
        self._second = 0
        self._spent = 0.0
        self._lineages = 0
        self._recorded = 0
        self._queue: queue.Queue[list[Event] | None] = queue.Queue(MOST_WAITING)

    # -- deciding ------------------------------------------------------------------------------

    def _room(self) -> int:
        """How many more lineages may begin in this second."""
        second = self._clock.monotonic() // SECOND
        if second != self._second:
            self._second, self._spent = second, 0.0
        if len(self.live) >= MOST_LIVE:
            return 0
        return int((self._limit - self._spent) / self._each())

    def _each(self) -> float:
        """Events that a lineage will have, as those before it suggest."""
        return max(self._recorded / max(self._lineages, 1), FEWEST)

    def observe(self, node: Node, work: Work, sent: list[Sent]) -> None:
        """Called for every session that commits."""
        if node.is_source:
            if not self._begin(work):
                return
        elif not self.live or self.live.isdisjoint(map(_id, work.polled)):
            return
        events = _Session(self, node, work, sent).events()
        if events:
            self.record(events)

    def _begin(self, work: Work) -> bool:
        """Choose FlowFiles that a source made; True when there are any."""
        room = self._room() if work.created else 0
        chosen = work.created[: max(room, 0)]
        self._spent += len(chosen) * self._each()
        self._lineages += len(chosen)
        self.live.update(map(_id, chosen))
        return bool(chosen)

    def record(self, events: list[Event]) -> None:
        """Hand events to the writer, or drop them when it cannot keep up."""
        self._recorded += len(events)
        try:
            self._queue.put_nowait(events)
        except queue.Full:
            self.dropped += len(events)

    def expired(self, connection: Connection, flowfiles: Iterable[FlowFile]) -> None:
        """FlowFiles were dropped by age."""
        gone = [f for f in flowfiles if f.id in self.live]
        if gone:
            self.live.difference_update(map(_id, gone))
            to = connection.destination
            self.record([self.event("EXPIRE", to, f, connection=connection.id) for f in gone])

    def event(
        self,
        kind: str,
        processor: str,
        flowfile: FlowFile,
        *,
        relationship: str | None = None,
        connection: str | None = None,
        parents: Iterable[int] = (),
    ) -> Event:
        """One event; the content is kept by reference when it is small enough."""
        content = flowfile.content
        small = not isinstance(content, FileContent) and len(content) <= LARGEST_CONTENT
        return Event(
            self._clock.wall(),
            kind,
            processor,
            flowfile.uuid,
            relationship,
            connection,
            flowfile.attributes,
            flowfile.size,
            content if small and not isinstance(content, FileContent) else None,
            flowfile.event_time,
            flowfile.ingest_time,
            [format_uuid(parent) for parent in parents],
        )

    def refusal(self, event: Event) -> str | None:
        """Why an event cannot be replayed; None when it can."""
        subject = f"provenance event {event.id} ({event.type}) must"
        if event.connection is None:
            return (
                f"{subject} have been polled from a queue to be replayed; "
                "got one at which its FlowFile entered the flow"
            )
        if event.connection not in self._engine.assembly.connections:
            return (
                f"{subject} come from a queue that the flow still has to be replayed; "
                f"got {event.connection!r}"
            )
        if event.content is None:
            return (
                f"{subject} have kept its content to be replayed; got {event.connection!r} and "
                f"{event.size} bytes, of which at most {LARGEST_CONTENT} are kept"
            )
        return None

    def replay(self, event: Event) -> FlowFile:
        """Put what an event saw back into the queue that fed it, as a new FlowFile.

        Raises DefinitionError when its content was not kept or its queue is no more.
        """
        if refusal := self.refusal(event):
            raise DefinitionError(refusal)
        engine, now = self._engine, self._clock.wall()
        assert event.connection is not None
        assert event.content is not None
        connection = engine.assembly.connections[event.connection]
        core = engine.assembly.core
        flowfile = FlowFile(
            core.ids.take(),
            dict(event.attributes),
            event.content,
            len(event.content),
            now,
            now,
            event.ingest_time,
            event.event_time,
            event.event_time,
        )
        core.repository.begin([], [])
        connection.put([flowfile], flowfile.size)
        core.ledger.add("in", 1)
        core.repository.set_totals("ledger", core.ledger.totals)
        core.repository.end()
        self.live.add(flowfile.id)
        parents = [parse_uuid(event.flowfile)]
        self.record([self.event("REPLAY", event.processor, flowfile, parents=parents)])
        return flowfile

    # -- writing -------------------------------------------------------------------------------

    def write(self, bound: int) -> None:
        """Write what comes until ``close``."""
        store = ProvenanceStore(self.path, bound)
        try:
            while (events := self._next()) is not None:
                self._store(store, events)
        finally:
            store.close()

    def _next(self) -> list[Event] | None:
        """What waits, as one transaction; None at the end."""
        events = self._queue.get()
        while events is not None and len(events) < PER_SECOND:
            try:
                more = self._queue.get_nowait()
            except queue.Empty:
                return events
            if more is None:
                self._queue.put(None)
                return events
            events = events + more
        return events

    def _store(self, store: ProvenanceStore, events: list[Event]) -> None:
        try:
            store.add(events)
        except sqlite3.Error as error:
            self.dropped += len(events)
            store.abandon()
            self._engine.board.post(
                self._engine.flow.name,
                "warning",
                f"provenance {str(self.path)!r} must be writable; got {error}. Events are lost "
                "until it is; FlowFiles are not",
            )

    def close(self) -> None:
        """Let ``write`` return when all is written."""
        self._queue.put(None)


class _Session:
    """The events of one committed session that touches sampled FlowFiles."""

    def __init__(self, recorder: Recorder, node: Node, work: Work, sent: list[Sent]) -> None:
        self._recorder = recorder
        self._live = recorder.live
        self._node = node
        self._work = work
        self._sent = sent
        self._before = {f.id: f for f in work.polled if f.id in recorder.live}
        self._events: list[Event] = []
        self._fed = _feeding(work) if self._before else {}

    def events(self) -> list[Event]:
        """All events, in the order in which they make sense."""
        self._made()
        for group in self._sent:
            self._transferred(group)
        for flowfile in self._work.removed:
            if flowfile.id in self._live:
                self._ended(flowfile, None)
        return self._events

    def _add(
        self,
        kind: str,
        flowfile: FlowFile,
        relationship: str | None = None,
        parents: Iterable[int] = (),
    ) -> None:
        fed = self._fed.get(flowfile.id)
        self._events.append(
            self._recorder.event(
                kind,
                self._node.id,
                flowfile,
                relationship=relationship,
                connection=fed,
                parents=parents,
            )
        )

    def _made(self) -> None:
        for made in self._work.created:
            root = self._work.roots.get(made.id)
            if made.id in self._live:
                self._add(_entry(self._node), made)
            elif root in self._before:
                shared = made.content is self._before[root].content
                self._live.add(made.id)
                self._add("CLONE" if shared else "FORK", made, parents=[root])
            elif root is None and self._before:
                self._live.add(made.id)
                self._add("JOIN", made, parents=self._before)

    def _transferred(self, group: Sent) -> None:
        for index, flowfile in enumerate(group.flowfiles):
            if flowfile.id not in self._live:
                continue
            before = self._before.get(flowfile.id)
            kind = None if before is None else self._change(before, flowfile)
            if before is not None and kind is not None:
                self._add(kind, before, group.relationship)
            for copies in group.copies:
                self._live.add(copies[index].id)
                self._add("CLONE", copies[index], group.relationship, [flowfile.id])
            if not group.connections:
                self._ended(flowfile, group.relationship)

    def _change(self, before: FlowFile, after: FlowFile) -> str | None:
        if self._node.processor.provenance:
            return self._node.processor.provenance
        if after.content is not before.content:
            return "CONTENT_MODIFIED"
        if after.attributes != before.attributes:
            return "ATTRIBUTES_MODIFIED"
        return "ROUTE" if len(self._node.flat.relationships) > 1 else None

    def _ended(self, flowfile: FlowFile, relationship: str | None) -> None:
        self._live.discard(flowfile.id)
        self._add("DROP", flowfile, relationship)


def _entry(node: Node) -> str:
    """How FlowFiles enter by this source: from outside when it does I/O."""
    outside = node.is_async or node.blocking
    return node.processor.provenance or ("RECEIVE" if outside else "CREATE")


def _feeding(work: Work) -> dict[int, str]:
    """Id of each polled FlowFile → connection that it was polled from."""
    polled = iter(work.polled)
    return {
        flowfile.id: piece.connection.id
        for piece in work.pieces
        for _, flowfile in zip(range(piece.count), polled, strict=False)  # range ends first
    }


@contextmanager
def recording(
    engine: Engine, data_dir: Path, limit: int = PER_SECOND, bound: int = BOUND
) -> Iterator[Recorder]:
    """Record an opened engine's provenance. Enter it on the engine's loop, before ``run``.

    limit: events a second; bound: bytes of attributes and contents that are kept
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    recorder = Recorder(engine, data_dir / FILE, limit)
    writer = threading.Thread(target=recorder.write, args=(bound,), name="provenance", daemon=True)
    writer.start()
    observers, expiring = engine.assembly.core.observers, engine.assembly.expiring
    observers.append(recorder.observe)
    expiring.append(recorder.expired)
    try:
        yield recorder
    finally:
        observers.remove(recorder.observe)
        expiring.remove(recorder.expired)
        recorder.close()
        writer.join()
