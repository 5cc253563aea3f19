"""AlignedWindows: tumbling, hopping and calendar windows, each with a pane of its own per key."""

from __future__ import annotations

import heapq
from collections import defaultdict
from itertools import islice

from processors.windows.assign import Span, Windower
from processors.windows.output import Emitter
from processors.windows.panes import Pane
from processors.windows.records import Batch
from processors.windows.state import Saved
from processors.windows.store import OUTPUTS, Late, Rejected, Store
from processors.windows.trigger import Reason, Trigger


class AlignedWindows(Store):
    """Panes by the start of their window, and two heaps of times: to close, and to forget."""

    def __init__(
        self, assigner: Windower, trigger: Trigger, emitter: Emitter, saved: Saved
    ) -> None:
        super().__init__(trigger, emitter, saved)
        self._assigner = assigner
        self.rebuild()

    def rebuild(self) -> None:
        self._windows: dict[Span, dict[str, Pane]] = {}
        self._unfired: set[Span] = set()  # those in the heap to close
        self._closing: list[tuple[int, Span]] = []
        self._freeing: list[tuple[int, Span]] = []
        for pane in self.saved.panes.values():
            self._file(pane)

    def _file(self, pane: Pane) -> None:
        span = Span(pane.start, pane.end)
        panes = self._windows.setdefault(span, {})
        lateness = self.trigger.lateness
        if not pane.fired and span not in self._unfired:
            self._unfired.add(span)
            heapq.heappush(self._closing, (pane.end - 1, span))
        if lateness and not panes:
            heapq.heappush(self._freeing, (pane.end - 1 + lateness, span))
        panes[pane.key] = pane

    def add(self, batch: Batch, rows: list[int], watermark: float) -> Rejected:
        times, keys = batch.times, batch.keys
        assigned = self._assigner.assign([times[row] for row in rows])
        groups: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
        spans_of: dict[int, list[Span]] = {}
        for row, spans in zip(rows, assigned, strict=True):
            spans_of[id(spans)] = spans
            groups[id(spans), keys[row]].append(row)
        late: list[Late] = []
        unmatched: list[int] = []
        limit = watermark - self.trigger.lateness
        for (number, key), members in groups.items():
            spans = spans_of[number]
            accepting = [span for span in spans if span.end - 1 > limit]
            for span in accepting:
                self.feed(self._pane(span, key, watermark), batch, members)
            if not spans:
                unmatched += members
            elif not accepting:
                late += [Late(row, spans[-1]) for row in members]
        return Rejected(late, unmatched)

    def _pane(self, span: Span, key: str, watermark: float) -> Pane:
        pane = self._windows.get(span, {}).get(key)
        if pane is None:
            pane = self.saved.add(f"p{span.start} {key}", key, *span)
            pane.fired = span.end - 1 <= watermark
            self._file(pane)
        return pane

    def advance(self, watermark: float, reason: Reason) -> bool:
        for heap in (self._closing, self._freeing):
            while heap and heap[0][0] <= watermark:
                span = heap[0][1]
                if not self._settle_window(span, watermark, reason):
                    return False
                heapq.heappop(heap)
        return True

    def _settle_window(self, span: Span, watermark: float, reason: Reason) -> bool:
        panes = self._windows.get(span, {})
        room = None if self.trigger.lateness else OUTPUTS - self.emitter.made + 1
        for key, pane in list(islice(panes.items(), room)):  # not all of 100 000 each time
            if self.emitter.made >= OUTPUTS:
                return False
            self.settle(pane, span.end - 1, watermark, reason)
            if pane.ident not in self.saved.panes:
                del panes[key]
        self._unfired.discard(span)
        if not panes:
            self._windows.pop(span, None)
        return True

    def next_due(self) -> int | None:
        return min((heap[0][0] for heap in (self._closing, self._freeing) if heap), default=None)

    def hold(self) -> int | None:
        return self._closing[0][0] if self._closing else None
