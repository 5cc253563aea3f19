"""CountWindows: windows of so many records of a key, whatever their times.

The n-th record of a key is at place n of its own axis; windows are hopping ones on that axis, from
place 0 on, and each closes with its last record.
"""

from __future__ import annotations

import math
from collections import defaultdict

from processors.windows.assign import Hopping
from processors.windows.indexed import IndexedStore
from processors.windows.output import Emitter
from processors.windows.records import Batch
from processors.windows.state import Saved
from processors.windows.store import Rejected
from processors.windows.times import FOREVER
from processors.windows.trigger import Reason, Timing, Trigger


class CountWindows(IndexedStore):
    """Open windows by key and place; ``~n<key>`` in the state counts the records of a key. The
    index has the time of the last record of each, or an earlier one."""

    def __init__(
        self, count: int, slide: int, trigger: Trigger, emitter: Emitter, saved: Saved
    ) -> None:
        super().__init__(trigger, emitter, saved)
        self._windows = Hopping(count, slide)
        self._count, self._tumbling = count, slide == count

    def add(self, batch: Batch, rows: list[int], watermark: float) -> Rejected:
        groups: defaultdict[str, list[int]] = defaultdict(list)
        for row in rows:
            groups[batch.keys[row]].append(row)
        for key, members in groups.items():
            name = f"~n{key}"
            place: int = self.saved.state.get(name, 0)
            for row in members:
                self._add_one(key, place, batch, row)
                place += 1
            if self._tumbling and place % self._count == 0:
                self.saved.remove(name)  # nothing is open: the key need not be remembered
            else:
                self.saved.put(name, place)
        return Rejected([], [])

    def _add_one(self, key: str, place: int, batch: Batch, row: int) -> None:
        time = batch.times[row]
        for span in self._windows.windows(place):
            if span.start < 0:
                continue
            ident = f"~p{span.start} {key}"
            pane = self.saved.pane(ident)
            if pane is None:
                pane = self.saved.add(ident, key, time, time + 1)
                self.enlist(pane, time)
            self.feed(pane, batch, [row])
            pane.start, pane.end = min(pane.start, time), max(pane.end, time + 1)
            if span.end - 1 == place:
                self.emit(pane, Timing.ON_TIME, Reason.COUNT, final=True)
                self.forget(pane)

    def advance(self, watermark: float, reason: Reason) -> bool:
        if watermark == math.inf:  # no input can come: what is not full comes out as it is
            return self.close_all(reason)
        return True

    def next_due(self) -> int | None:
        return FOREVER if self.saved.count else None

    def hold(self) -> int | None:
        while (top := self.index.top()) is not None:
            pane = self.saved.there(top[1])
            if pane.end - 1 == top[0]:
                return top[0]
            self.relist(pane, pane.end - 1)
        return None
