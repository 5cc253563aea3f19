"""TimedProcessor: what all processors with windows have in common.

A trigger closes what the watermark has passed, then takes a batch: each record goes into the panes
of its windows (:mod:`store`), and what no window takes goes to ``late``. Everything lies in the
processor's state, so the windows are part of the cut; memory only keeps a copy of it.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Final

import orjson

from flowengine.context import ProcessContext
from flowengine.errors import DefinitionError
from flowengine.processor import Processor, Relationship
from flowengine.session import ProcessSession
from processors.windows.clocks import Clocks
from processors.windows.disposal import dispose
from processors.windows.output import Emitter, Shape
from processors.windows.properties import Changed, Stop, TimedProperties
from processors.windows.records import Batch
from processors.windows.state import CLOSED, Saved
from processors.windows.store import Rejected, Store
from processors.windows.times import iso
from processors.windows.trigger import Reason

CONFIG: Final = "config"
LATE_LOG: Final = 60_000_000  # µs between two lines about late records
REPORT: Final = 1_000_000  # µs between two looks at how large the state is
SHAPING: Final = frozenset({"key", "key_fields", "time", "folds", "sql", "fold"})

WRITES: Final = {
    "window.start": "First instant of the window, ISO 8601 in UTC.",
    "window.end": "End of the window, the first instant that is not in it.",
    "window.count": "Records in this pane.",
    "window.key": "The key; empty without one.",
    "pane.index": "0 for the first pane of a window, then 1, 2, …",
    "pane.timing": "`early`, `on_time` or `late`.",
    "pane.reason": "What made it come out: watermark, count, interval, condition, late, end, idle, "
    "stop or change.",
    "final": "`true` when no other pane of this window will come.",
    "watermark": "Event time that had certainly come.",
    "late.by.ms": "How much too late a late record was, in milliseconds.",
    "mime.type": "Of the content.",
}


class TimedProcessor(Processor):
    """Base of all processors with windows.

    signature: the parameters that saved windows depend on, as JSON
    """

    serial = True
    event_time = True
    writes = WRITES

    Properties: ClassVar[type[TimedProperties]] = TimedProperties
    properties: TimedProperties
    shaping: ClassVar[frozenset[str]] = SHAPING

    window = Relationship("One FlowFile per window, key and pane.")
    late = Relationship("Records whose windows have all closed.")
    invalid = Relationship("Records without a readable time, key or value.", failure=True)
    unmatched = Relationship("Records between windows that leave gaps.")

    def __init__(self, properties: TimedProperties) -> None:
        super().__init__(properties)
        self._build()
        self._stopped = False
        self.signature = properties.model_dump_json(include=set(self.shaping))
        self._clocks = self.make_clocks()
        self._next_late_log = self._next_report = -math.inf

    def _build(self) -> None:
        shape = self.make_shape()
        self.saved = Saved(shape.plan)
        self._emitter = Emitter(shape, self.saved)
        self._reading = self.properties.reading(shape.plan, self.more_keys)
        self.store = self.make_store(self._emitter, self.saved)

    # -- what a subclass decides ---------------------------------------------------------------

    def make_shape(self) -> Shape:
        """What windows put out."""
        raise NotImplementedError

    def make_store(self, emitter: Emitter, saved: Saved) -> Store:
        """The windows."""
        raise NotImplementedError

    def make_clocks(self) -> Clocks:
        """The times that windows follow."""
        return Clocks(self.properties)

    def batches(self, session: ProcessSession) -> Iterator[Batch]:
        """Take FlowFiles and read them."""
        flowfiles = session.get_batch()
        if flowfiles:
            yield self._reading.read(flowfiles, session.read, self._clocks.now)

    @property
    def more_keys(self) -> tuple[str, ...]:
        """Fields that are part of the key beside the common ones."""
        return ()

    def prepare(self, batch: Batch) -> None:
        """Look at the rows before they go into windows; may mark some as invalid."""

    @classmethod
    def relationships_for(cls, properties: Any) -> Mapping[str, Relationship]:
        """``unmatched`` exists only where windows leave gaps."""
        gaps = getattr(properties, "allow_gaps", False)
        return {n: r for n, r in cls.relationships.items() if gaps or n != cls.unmatched}

    # -- life ----------------------------------------------------------------------------------

    @asynccontextmanager
    async def on_scheduled(self, context: ProcessContext) -> AsyncIterator[None]:
        """Refuse saved windows that were made with other parameters (E18)."""
        saved = context.state.get(CONFIG)
        windows = any(name.startswith("p") for name in context.state)
        refuses = self.properties.saved_windows is Changed.REFUSE
        if saved not in (None, self.signature) and windows and refuses:
            raise DefinitionError(self._refusal(context, saved))
        try:
            yield
        finally:
            self._stopped = True

    def _refusal(self, context: ProcessContext, saved: str) -> str:
        old, new = orjson.loads(saved), orjson.loads(self.signature)
        changed = {name: old.get(name) for name in new if old.get(name) != new[name]}
        text = ", ".join(f"{name} {value!r:.60}" for name, value in changed.items())
        return (
            f"processor {context.id!r} ({context.type}) must keep the parameters of its open "
            f"windows; they were saved with {text}. Set them back, or set `saved_windows` to "
            "'emit' or 'drop'"
        )

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        self._begin(context, session)
        done = self._advance(context, session)
        if done:
            taken = 0
            for batch in self.batches(session):
                self._take(context, session, batch)
                taken += 1
            done = not taken or self._advance(context, session)
        self._set_timers(session, done)
        self._emitter.finish()
        self.saved.finish()
        self._report(context)

    def _begin(self, context: ProcessContext, session: ProcessSession) -> None:
        emitter, state = self._emitter, session.state
        emitter.begin(session)
        anew = self.saved.begin(state, lambda: list(context.state))
        self._clocks.begin(state, session.now, context.watermark)
        if state.get(CONFIG) != self.signature:
            self._apply_change(context, session)
            anew = True
        if anew:
            self.store.rebuild()
        self.store.closed = state.get(CLOSED)
        if self._stopped:
            self._stopped = False
            self._apply_stop(session)

    def _apply_change(self, context: ProcessContext, session: ProcessSession) -> None:
        """Emit or drop windows that were saved with other parameters."""
        saved = session.state.get(CONFIG)
        if saved is not None:
            old = type(self)(self.Properties.model_validate_json(saved))
            old.saved.begin(session.state, lambda: list(context.state))
            old.store.rebuild()
            old._emitter.begin(session)
            if self.properties.saved_windows is Changed.EMIT:
                old.store.close_all(Reason.CHANGE)
            else:
                session.adjust_counter(f"records_dropped_total.{context.id}", old.store.drop_all())
            old._emitter.finish()
            old.saved.finish()
            for name in list(context.state):
                if name.startswith("n") and name in session.state:
                    del session.state[name]
            self.saved.begin(session.state, list)
        self.saved.note(CONFIG, self.signature)

    def _apply_stop(self, session: ProcessSession) -> None:
        if self.properties.on_stop is Stop.EMIT:
            self.store.close_all(Reason.STOP)
        elif self.properties.on_stop is Stop.DISCARD:
            self.store.drop_all()

    # -- one trigger ---------------------------------------------------------------------------

    def _advance(self, context: ProcessContext, session: ProcessSession) -> bool:
        """Close what is due by the watermark, then by silence, then show what changed."""
        for watermark, reason in self._clocks.watermarks(self.store.closed):
            self._emitter.watermark = watermark
            if not self.store.advance(watermark, reason):
                return False
            if math.isfinite(watermark):
                self.store.closed = int(watermark)
        if self._clocks.tick_due():
            self.store.tick()
        return True

    def _take(self, context: ProcessContext, session: ProcessSession, batch: Batch) -> None:
        watermark = self._emitter.watermark
        self.prepare(batch)
        rows = list(batch.valid)
        rejected = self.store.add(batch, rows, watermark) if rows else Rejected([], [])
        self._clocks.seen([batch.times[row] for row in rows])
        if rejected.late:
            self._count_late(context, session, len(rejected.late))
        if batch.invalid or batch.broken:
            bad = len(batch.invalid) + len(batch.broken)
            session.adjust_counter(f"records_invalid_total.{context.id}", bad)
        dispose(session, batch, rejected, watermark)

    def _count_late(self, context: ProcessContext, session: ProcessSession, count: int) -> None:
        session.adjust_counter(f"records_late_total.{context.id}", count)
        now = context.clock.monotonic()
        if now >= self._next_late_log:
            self._next_late_log = now + LATE_LOG
            context.log.warning(
                f"{count} records came after their windows had closed, watermark "
                f"{iso(self._emitter.watermark)}; they go to 'late'"
            )

    def _set_timers(self, session: ProcessSession, done: bool) -> None:
        store = self.store
        if not store.open:
            self._clocks.rest()
        session.hold_time(store.hold())
        due = store.next_due()
        session.set_event_timer(self._clocks.event_timer(due))
        wall = self._clocks.clock_timer(due)
        session.set_clock_timer(wall if done else session.now)
        self.saved.note(CLOSED, store.closed)
        self._clocks.finish(open=store.open > 0)

    def _report(self, context: ProcessContext) -> None:
        """What people see: why a window has not closed is the watermark against its end."""
        due = self.store.next_due()
        figures: dict[str, Any] = {
            "watermark": iso(self._emitter.watermark),
            "open_windows": self.store.open,
            "next_close": iso(due + 1) if due is not None and due < 1 << 60 else None,
        }
        now = context.clock.monotonic()
        if now >= self._next_report:
            self._next_report = now + REPORT
            figures["window_bytes"] = self.saved.size
        context.report(**figures)
