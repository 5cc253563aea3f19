"""Store: what all kinds of windows share. Subclasses say which panes a record belongs to."""

from __future__ import annotations

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


class Late(NamedTuple):
    """A row that no window takes any more, and the window that was the last to."""

    row: int
    span: Span


class Rejected(NamedTuple):
    """What a store did not take."""

    late: list[Late]
    unmatched: list[int]


class Store:
    """Windows of one processor.

    closed: time up to which windows were closed; None before any was
    """

    def __init__(self, trigger: Trigger, emitter: Emitter, saved: Saved) -> None:
        self.trigger, self.emitter, self.saved = trigger, emitter, saved
        self.plan = emitter.shape.plan
        self.closed: int | None = None

    # -- what a kind of windows decides --------------------------------------------------------

    def rebuild(self) -> None:
        """Make the indexes anew from the panes in the state."""
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

    # -- shared --------------------------------------------------------------------------------

    @property
    def open(self) -> int:
        """Panes in the state."""
        return len(self.saved.panes)

    def tick(self) -> None:
        """Put out early what has new records; the interval of early panes has passed."""
        for pane in list(self.saved.panes.values()):
            if pane.pending and not pane.fired:
                self.emit(pane, Timing.EARLY, Reason.INTERVAL)

    def close_all(self, reason: Reason) -> None:
        """Put out all that has not come out, and forget it."""
        for pane in sorted(self.saved.panes.values(), key=lambda p: (p.end, p.key)):
            if pane.pending or not pane.fired:
                self.emit(pane, Timing.ON_TIME, reason, final=True)
            self.saved.drop(pane)
        self.rebuild()

    def drop_all(self) -> int:
        """Forget all records; returns how many those were."""
        dropped = sum(pane.count for pane in self.saved.panes.values() if not pane.fired)
        for pane in list(self.saved.panes.values()):
            self.saved.drop(pane)
        self.rebuild()
        return dropped

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

    def settle(self, pane: Pane, due: int, watermark: float, reason: Reason) -> None:
        """Close a pane whose time has come; it stays while late records are allowed."""
        over = due + self.trigger.lateness <= watermark
        if not pane.fired:
            self.emit(pane, Timing.ON_TIME, reason, final=not self.trigger.lateness)
            pane.fired = True
        elif over and pane.pending:
            self.emit(pane, Timing.LATE, Reason.LATE, final=True)
        if over:
            self.saved.drop(pane)
