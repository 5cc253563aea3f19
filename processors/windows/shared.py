"""SharedWindows: overlapping windows over shared panes, put out once each.

A mean over 10 minutes each second keeps 600 small panes per key and no record in 600 copies. A
window is the merge of its panes at the moment it closes; a pane goes with its last window.
"""

from __future__ import annotations

import math
from bisect import insort
from collections import defaultdict

from processors.windows.assign import Span
from processors.windows.output import Emitter
from processors.windows.panes import Pane
from processors.windows.records import Batch
from processors.windows.running import Running
from processors.windows.sharing import Sharing, between
from processors.windows.state import Saved
from processors.windows.store import OUTPUTS, Late, Rejected, Store
from processors.windows.trigger import Reason, Timing, Trigger


class SharedWindows(Store):
    """Panes by start and key; windows are made of them as they close."""

    def __init__(self, sharing: Sharing, trigger: Trigger, emitter: Emitter, saved: Saved) -> None:
        super().__init__(trigger, emitter, saved)
        self._sharing = sharing
        self.rebuild()

    def rebuild(self) -> None:
        self._panes: dict[int, dict[str, Pane]] = {}
        for pane in self.saved.panes.values():
            self._panes.setdefault(pane.start, {})[pane.key] = pane
        self._starts = sorted(self._panes)
        self._running = Running(self.plan)

    def add(self, batch: Batch, rows: list[int], watermark: float) -> Rejected:
        keys = batch.keys
        groups: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
        starts = self._sharing.panes([batch.times[row] for row in rows])
        for row, start in zip(rows, starts, strict=True):
            groups[start, keys[row]].append(row)
        rejected = Rejected([], [])
        for (start, key), members in sorted(groups.items(), reverse=True):  # late ones join others
            last = self._sharing.last(start)
            if last is None:
                rejected.unmatched.extend(members)
            elif last.end - 1 <= watermark and not self._wanted_late(start, key, watermark):
                rejected.late.extend(Late(row, last) for row in members)
            else:
                self.feed(self._pane(start, key), batch, members)
        return rejected

    def _wanted_late(self, start: int, key: str, watermark: float) -> bool:
        """Whether the window of another record of the key, still open, takes it."""
        free = self._sharing.free_at(start)
        if free <= watermark:
            return False
        later = between(self._starts, start + 1, free + 1)
        return any(other > watermark and key in self._panes[other] for other in later)

    def _pane(self, start: int, key: str) -> Pane:
        if self._running.upto is not None and start < self._running.upto:
            self._running.forget()
        if start not in self._panes:
            self._panes[start] = {}
            insort(self._starts, start)
        panes = self._panes[start]
        if key not in panes:
            panes[key] = self.saved.add(f"p{start} {key}", key, start, start + 1)
        return panes[key]

    def advance(self, watermark: float, reason: Reason) -> bool:
        due = self._sharing.due(self._starts, self.closed, watermark)
        for window in sorted(due, key=lambda span: (span.end, span.start)):
            if self.emitter.made >= OUTPUTS:
                return False
            self._put_out(window, reason)
            self.closed = window.end - 1
        self._free(watermark)
        return True

    def _put_out(self, window: Span, reason: Reason) -> None:
        """Merge the panes of a window, key by key."""
        running = self._running
        running.move(*window, self._panes, self._starts)
        opened = self._sharing.opened_by(window)
        keys = running.keys() if opened is None else list(self._panes[opened])
        for key in keys:
            merged = running.of(key, window.start)
            if merged is None:
                continue
            whole = Pane("", key, *window, self.plan)
            whole.count, whole.first, whole.last, whole.held = merged
            if self.emitter.shape.keeps:
                whole.chunks = self._chunks(key, window)
            self.emitter.emit(whole, Timing.ON_TIME, reason, final=True)

    def _chunks(self, key: str, window: Span) -> tuple[int, ...]:
        """The kept records of all panes of a window."""
        found = [self._panes[start].get(key) for start in between(self._starts, *window)]
        return tuple(number for pane in found if pane is not None for number in pane.chunks)

    def _free(self, watermark: float) -> None:
        """Forget panes that no window will need."""
        gone = 0
        for start in self._starts:
            if self._sharing.free_at(start) > watermark:
                break
            for pane in self._panes.pop(start).values():
                self.saved.drop(pane)
            gone += 1
        del self._starts[:gone]

    def next_due(self) -> int | None:
        due = self.hold()
        if not self._starts:
            return due
        free = self._sharing.free_at(self._starts[0])
        return free if due is None else min(due, free)

    def hold(self) -> int | None:
        return self._sharing.earliest(self._starts, self.closed)

    def close_all(self, reason: Reason) -> None:
        """Put out each window that has records, and forget them."""
        while not self.advance(math.inf, reason):
            self.emitter.made = 0
