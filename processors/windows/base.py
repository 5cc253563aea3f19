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
from flowengine.window_status import MOST_OPEN
from processors.windows.clocks import Clocks
from processors.windows.disposal import dispose
from processors.windows.output import Emitter, Shape
from processors.windows.properties import Changed, Stop, TimedProperties
from processors.windows.records import Batch
from processors.windows.state import CLOSED, VERSION, Saved
from processors.windows.store import Rejected, Store
from processors.windows.times import Time, iso
from processors.windows.trigger import Reason

CONFIG: Final = "config"
LATE_LOG: Final = 60_000_000  # µs between two lines about late records
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
        self._clocks = self.make_clocks()
        self._build()
        self._before: TimedProcessor | None = None  # with the parameters of saved windows
        self.signature = properties.model_dump_json(include=set(self.shaping))
        self._next_late_log = -math.inf
        self._shown: dict[str, Any] = {"time": properties.time.value}

    def _build(self) -> None:
        shape = self.make_shape()
        self.saved = Saved(shape.plan)
        self._emitter = Emitter(shape, self.saved)
        self._reading = self.properties.reading(shape.plan, self.more_keys)
        self.store = self.make_store(self._emitter, self.saved)
        self.store.ticking = self._clocks.ticking

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
        windows = context.state.get(VERSION, (0, 0, 0))[2]
        refuses = self.properties.saved_windows is Changed.REFUSE
        if saved not in (None, self.signature) and windows and refuses:
            raise DefinitionError(self._refusal(context, saved))
        yield

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
        if not self._changed_over(context, session):
            session.set_clock_timer(session.now)
            return
        self._begin(context, session)
        done = self._advance(context, session)
        if done:
            taken = 0
            for batch in self.batches(session):
                self._take(context, session, batch)
                taken += 1
            done = not taken or self._advance(context, session)
        self._end(session, done)

    def on_stopped(self, context: ProcessContext, session: ProcessSession) -> bool:
        """The user stopped it: keep, put out or forget what is open; True when there is more."""
        if self.properties.on_stop is Stop.KEEP or not self._changed_over(context, session):
            return False
        self._begin(context, session)
        if self.properties.on_stop is Stop.EMIT:
            done = self.store.close_all(Reason.STOP)
        else:
            done = self._drop(context, session, self.store)
        self._end(session, done)
        return not done

    def _begin(self, context: ProcessContext, session: ProcessSession) -> None:
        state = session.state
        self._emitter.begin(session)
        anew = self.saved.begin(state)
        self._clocks.begin(state, session.now, context.watermark)
        if anew:
            self.store.recall()
        self.store.closed = state.get(CLOSED)

    def _end(self, session: ProcessSession, done: bool) -> None:
        self.store.finish()
        self._set_timers(session, done)
        self._emitter.finish()
        self.saved.finish()

    def _changed_over(self, context: ProcessContext, session: ProcessSession) -> bool:
        """Emit or drop windows that were saved with other parameters; False when there are more."""
        saved = session.state.get(CONFIG)
        if saved == self.signature:
            return True
        if saved is not None and not self._clear_old(context, session, saved):
            return False
        session.state[CONFIG] = self.signature
        return True

    def _clear_old(self, context: ProcessContext, session: ProcessSession, saved: str) -> bool:
        if self._before is None:
            self._before = type(self)(self.Properties.model_validate_json(saved))
        old = self._before
        old._begin(context, session)
        if self.properties.saved_windows is Changed.EMIT:
            done = old.store.close_all(Reason.CHANGE)
        else:
            done = self._drop(context, session, old.store)
        if done:
            for name in list(session.state.scan("~n", "~o")):
                session.state.discard(name)
        old._end(session, done)
        return done

    def _drop(self, context: ProcessContext, session: ProcessSession, store: Store) -> bool:
        dropped, done = store.drop_some()
        session.adjust_counter(f"records_dropped_total.{context.id}", dropped)
        return done

    # -- one trigger ---------------------------------------------------------------------------

    def _advance(self, context: ProcessContext, session: ProcessSession) -> bool:
        """Close what is due by the watermark, then by silence, then show what changed."""
        for watermark, reason in self._clocks.watermarks(self.store.closed):
            steps = self._ends(watermark) if reason is Reason.IDLE else (watermark,)
            if not all(self._advance_to(step, reason) for step in steps):
                return False
        if self._clocks.tick_due() and not self.store.tick():
            self._clocks.again()
            return False
        return True

    def _ends(self, watermark: float) -> Iterator[int]:
        """Silence closes one window after the other and moves time to their ends, no further: what
        comes after it may be older than the clock says."""
        before = None
        while (due := self.store.next_due()) is not None and before != due <= watermark:
            before = due
            yield due

    def _advance_to(self, watermark: float, reason: Reason) -> bool:
        self._emitter.watermark = watermark
        if not self.store.advance(watermark, reason):
            return False
        if math.isfinite(watermark):
            self.store.closed = int(watermark)
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

    # -- what people see -----------------------------------------------------------------------

    def status(self, context: ProcessContext) -> Mapping[str, Any]:
        """What is open and how far time has come; the engine adds what holds it back."""
        if not context.active:  # a thread that works on the windows now is not disturbed
            self._shown = {
                "time": self.properties.time.value,
                "watermark": self._reached(context),
                "open": [one._asdict() for one in self.store.overview(MOST_OPEN)],
                "open_count": self.store.windows,
                "bytes": self.saved.size,
                "late": context.counters.get(f"records_late_total.{context.id}", 0),
                "invalid": context.counters.get(f"records_invalid_total.{context.id}", 0),
            }
        return {"windows": self._shown}

    def _reached(self, context: ProcessContext) -> int | None:
        """The watermark now, which may have moved since the last trigger."""
        reached = self._emitter.watermark
        if self.properties.time is Time.EVENT:
            reached = max(reached, context.watermark)
        elif self.properties.time is Time.PROCESSING:
            reached = max(reached, context.clock.wall() - 1)
        return int(reached) if math.isfinite(reached) else None
