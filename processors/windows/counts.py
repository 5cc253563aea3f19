"""CountWindows: windows of so many records of a key, whatever their times.

The n-th record of a key is at place n of its own axis; windows are hopping ones on that axis, from
place 0 on, and each closes with its last record.
"""

from __future__ import annotations

import math
from collections import defaultdict

from processors.windows.assign import Hopping
from processors.windows.output import Emitter
from processors.windows.records import Batch
from processors.windows.state import Saved
from processors.windows.store import Rejected, Store
from processors.windows.trigger import Reason, Timing, Trigger


class CountWindows(Store):
    """Open windows by key and place; ``n<key>`` in the state counts the records of a key."""

    def __init__(
        self, count: int, slide: int, trigger: Trigger, emitter: Emitter, saved: Saved
    ) -> None:
        super().__init__(trigger, emitter, saved)
        self._windows = Hopping(count, slide)
        self._count, self._tumbling = count, slide == count

    def rebuild(self) -> None:
        """Nothing is kept beside the panes."""

    def add(self, batch: Batch, rows: list[int], watermark: float) -> Rejected:
        groups: defaultdict[str, list[int]] = defaultdict(list)
        for row in rows:
            groups[batch.keys[row]].append(row)
        for key, members in groups.items():
            name = f"n{key}"
            place: int = self.saved.state.get(name, 0)
            for row in members:
                self._add_one(key, place, batch, row)
                place += 1
            if self._tumbling and place % self._count == 0:
                place = 0  # nothing is open: the key need not be remembered
            self.saved.note(name, place or None)
        return Rejected([], [])

    def _add_one(self, key: str, place: int, batch: Batch, row: int) -> None:
        for span in self._windows.windows(place):
            if span.start < 0:
                continue
            ident = f"p{span.start} {key}"
            pane = self.saved.panes.get(ident)
            if pane is None:
                pane = self.saved.add(ident, key, batch.times[row], batch.times[row] + 1)
            self.feed(pane, batch, [row])
            pane.start = min(pane.start, batch.times[row])
            pane.end = max(pane.end, batch.times[row] + 1)
            if span.end - 1 == place:
                self.emit(pane, Timing.ON_TIME, Reason.COUNT, final=True)
                self.saved.drop(pane)

    def advance(self, watermark: float, reason: Reason) -> bool:
        if watermark == math.inf:  # no input can come: what is not full comes out as it is
            self.close_all(reason)
        return True

    def next_due(self) -> int | None:
        return (1 << 62) if self.saved.panes else None

    def hold(self) -> int | None:
        return min((pane.end - 1 for pane in self.saved.panes.values()), default=None)
