"""Store: what all kinds of windows share. Subclasses say which panes a record belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from flowengine.errors import ExpressionError
from flowengine.flowfile import FlowFile
from processors.windows.assign import Span
from processors.windows.output import Emitter
from processors.windows.panes import Pane
from processors.windows.records import Batch, as_text
from processors.windows.state import Saved
from processors.windows.trigger import Reason, Timing, Trigger

OUTPUTS = 1000  # panes per trigger, so that back pressure can stop the rest
DROPS = 20_000  # panes that are forgotten per trigger


class Late(NamedTuple):
    """A row that no window takes any more, and the window that was the last to."""

    row: int
    span: Span


class Rejected(NamedTuple):
    """What a store did not take."""

    late: list[Late]
    unmatched: list[int]


class Shown(NamedTuple):
    """An open window, as the status shows it."""

    start: int
    end: int
    key_count: int
    records: int


class Store:
    """Windows of one processor.

    closed:  time up to which windows were closed; None before any was
    ticking: the clock asks for early panes, so what has changed is remembered
    """

    def __init__(self, trigger: Trigger, emitter: Emitter, saved: Saved) -> None:
        self.trigger, self.emitter, self.saved = trigger, emitter, saved
        self.plan = emitter.shape.plan
        self.closed: int | None = None
        self.ticking = False
        self._changed: dict[str, None] = {}

    # -- what a kind of windows decides --------------------------------------------------------

    def rebuild(self) -> None:
        """Make the indexes anew from the state."""
        raise NotImplementedError

    def add(self, batch: Batch, rows: list[int], watermark: float) -> Rejected:
        """Put rows into their windows."""
        raise NotImplementedError

    def advance(self, watermark: float, reason: Reason) -> bool:
        """Close what is due; False when there is more, for another trigger."""
        raise NotImplementedError

    def next_due(self) -> int | None:
        """Watermark at which there is something to do."""
        raise NotImplementedError

    def hold(self) -> int | None:
        """Least event time of what may still come out on time."""
        raise NotImplementedError

    def in_order(self) -> Iterator[str]:
        """Names of all panes, those that close first before others."""
        raise NotImplementedError

    def forget(self, pane: Pane) -> None:
        """Take a pane out of the state and of the indexes."""
        raise NotImplementedError

    def overview(self, most: int) -> list[Shown]:
        """The windows that close next."""
        raise NotImplementedError

    @property
    def windows(self) -> int:
        """Windows that are open."""
        return self.saved.count

    def finish(self) -> None:
        """Write what the indexes rest on; a trigger ends."""

    # -- shared --------------------------------------------------------------------------------

    @property
    def open(self) -> int:
        """Panes in the state."""
        return self.saved.count

    def recall(self) -> None:
        """The state is another one than at the last trigger."""
        self.rebuild()
        self._changed = {}
        if self.ticking:
            for ident in self.saved.idents():
                pane = self.saved.there(ident)
                if pane.pending and not pane.fired:
                    self._changed[ident] = None

    def tick(self) -> bool:
        """Put out early what has new records; False when there is more, for another trigger."""
        for ident in list(self._changed):
            if self.emitter.made >= OUTPUTS:
                return False
            del self._changed[ident]
            pane = self.saved.pane(ident)
            if pane is not None and pane.pending and not pane.fired:
                self.emit(pane, Timing.EARLY, Reason.INTERVAL)
        return True

    def close_all(self, reason: Reason) -> bool:
        """Put out all that has not come out, and forget it; False when there is more."""
        for ident in self.in_order():
            if self.emitter.made >= OUTPUTS:
                return False
            pane = self.saved.there(ident)
            if pane.pending or not pane.fired:
                timing = Timing.LATE if pane.fired else Timing.ON_TIME
                self.emit(pane, timing, reason, final=True)
            self.forget(pane)
        return True

    def drop_some(self) -> tuple[int, bool]:
        """Forget panes; returns how many records those held, and whether these were all."""
        dropped = 0
        for number, ident in enumerate(self.in_order()):
            if number >= DROPS:
                return dropped, False
            pane = self.saved.there(ident)
            dropped += 0 if pane.fired else pane.count
            self.forget(pane)
        return dropped, True

    def feed(self, pane: Pane, batch: Batch, rows: list[int]) -> None:
        """Add rows of one key to a pane; it comes out early or late as the trigger says."""
        step = self._step(pane)
        while rows:
            take = len(rows) if step is None else max(step - pane.pending, 1)
            part, rows = rows[:take], rows[take:]
            self._fold(pane, batch, part)
            if step is not None and pane.pending >= step and self._wanted(pane):
                late = pane.fired
                reason = Reason.LATE if late else self._early_reason
                self.emit(pane, Timing.LATE if late else Timing.EARLY, reason)

    @property
    def _early_reason(self) -> Reason:
        return Reason.CONDITION if self.trigger.when is not None else Reason.COUNT

    def _step(self, pane: Pane) -> int | None:
        """Records after which to look whether the pane comes out; None is not before it closes."""
        if pane.fired:
            return self.trigger.late
        return self.trigger.early or (1 if self.trigger.when is not None else None)

    def _fold(self, pane: Pane, batch: Batch, rows: list[int]) -> None:
        all_times = batch.times
        times = [all_times[row] for row in rows]
        pane.spread(min(times), max(times))
        pane.held = self.plan.add(pane.held, batch.columns, rows, times)
        pane.count += len(rows)
        pane.pending += len(rows)
        if self.emitter.shape.keeps:
            self.saved.keep(pane, self.emitter.shape.lines(batch, rows))
        self.saved.touch(pane)
        if self.ticking:
            self._changed[pane.ident] = None

    def _wanted(self, pane: Pane) -> bool:
        """Whether the condition for an early pane holds."""
        when = self.trigger.when
        if when is None or pane.fired:
            return True
        results = self.emitter.results(pane)
        attributes = {name: as_text(v) for name, v in results.items() if v is not None}
        attributes["window.count"] = str(pane.count)
        try:
            return when.matches(FlowFile(0, attributes, b"", 0, 0, 0, 0))
        except ExpressionError:  # a fold without a value yet
            return False

    def emit(self, pane: Pane, timing: Timing, reason: Reason, *, final: bool = False) -> None:
        """Put a pane out, and forget its records when panes discard."""
        self.emitter.emit(pane, timing, reason, final=final)
        pane.index += 1
        pane.pending = 0
        if not self.trigger.accumulate and not final:
            self.saved.drop_chunks(pane)
            pane.reset(self.plan)
        self.saved.touch(pane)

    def settle(self, pane: Pane, due: int, watermark: float, reason: Reason) -> bool:
        """Close a pane whose time has come; True when no late record can come to it."""
        over = due + self.trigger.lateness <= watermark
        if not pane.fired:
            self.emit(pane, Timing.ON_TIME, reason, final=not self.trigger.lateness)
            pane.fired = True
        elif over and pane.pending:
            self.emit(pane, Timing.LATE, Reason.LATE, final=True)
        if over:
            self.forget(pane)
        return over


def shown(pane: Pane) -> Shown:
    """A window of one key."""
    return Shown(pane.start, pane.end, 1, pane.count)
