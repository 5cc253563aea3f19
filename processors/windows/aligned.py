"""AlignedWindows: tumbling, hopping and calendar windows, each with a pane of its own per key."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator

from processors.windows.assign import Span, Windower
from processors.windows.output import Emitter
from processors.windows.panes import Pane
from processors.windows.records import Batch
from processors.windows.spans import Open, Spans
from processors.windows.state import Saved
from processors.windows.store import OUTPUTS, Late, Rejected, Shown, Store
from processors.windows.trigger import Reason, Trigger


class AlignedWindows(Store):
    """Windows in memory, with two heaps of times: to close, and to forget. Panes in the state,
    named by the start of their window and their key, so that those of one window are a range."""

    def __init__(
        self, assigner: Windower, trigger: Trigger, emitter: Emitter, saved: Saved
    ) -> None:
        super().__init__(trigger, emitter, saved)
        self._assigner = assigner
        self.spans = Spans(saved)
        self.rebuild()

    def rebuild(self) -> None:
        self._closing: list[tuple[int, Span]] = []
        self._freeing: list[tuple[int, Span]] = []
        self._reached: dict[Span, str] = {}  # up to which name panes were settled
        for window in self.spans.load():
            self._file(window)

    def _file(self, window: Open) -> None:
        due, lateness = window.span.end - 1, self.trigger.lateness
        if not window.fired:
            heapq.heappush(self._closing, (due, window.span))
        if lateness:
            heapq.heappush(self._freeing, (due + lateness, window.span))

    def add(self, batch: Batch, rows: list[int], watermark: float) -> Rejected:
        times, keys = batch.times, batch.keys
        assigned = self._assigner.assign([times[row] for row in rows])
        found: dict[int, tuple[list[Span], defaultdict[str, list[int]]]] = {}
        last: list[Span] | None = None
        for row, spans in zip(rows, assigned, strict=True):
            if spans is not last:  # neighbours mostly are in the same windows
                last = spans
                groups = found.setdefault(id(spans), (spans, defaultdict(list)))[1]
            groups[keys[row]].append(row)
        late: list[Late] = []
        unmatched: list[int] = []
        limit = watermark - self.trigger.lateness
        for spans, groups in found.values():
            accepting = [span for span in spans if span.end - 1 > limit]
            for key, members in groups.items():
                for span in accepting:
                    self._feed_window(span, key, batch, members, watermark)
                if not spans:
                    unmatched += members
                elif not accepting:
                    late += [Late(row, spans[-1]) for row in members]
        return Rejected(late, unmatched)

    def _feed_window(
        self, span: Span, key: str, batch: Batch, rows: list[int], watermark: float
    ) -> None:
        window = self.spans.get(span)
        if window is None:
            window = self.spans.add(span, fired=span.end - 1 <= watermark)
            self._file(window)
        ident = f"{self._prefix(span)}{key}"
        pane = self.saved.pane(ident) if window.keys else None
        fresh = pane is None
        if pane is None:
            pane = self.saved.add(ident, key, *span)
            pane.fired = window.fired
        self.spans.grow(window, int(fresh), len(rows))
        self.feed(pane, batch, rows)

    def _prefix(self, span: Span) -> str:
        """Of the names of all panes of a window."""
        return f"~p{span.start} "

    # -- closing -------------------------------------------------------------------------------

    def advance(self, watermark: float, reason: Reason) -> bool:
        for heap in (self._closing, self._freeing):
            while heap and heap[0][0] <= watermark:
                span = heap[0][1]
                if span in self.spans.open and not self._settle_window(span, watermark, reason):
                    return False
                self._reached.pop(span, None)
                heapq.heappop(heap)
        return True

    def _settle_window(self, span: Span, watermark: float, reason: Reason) -> bool:
        """Close or free the panes of a window, from where the last trigger stopped."""
        window = self.spans.open[span]
        prefix = self._prefix(span)
        start = self._reached.get(span, prefix)
        for ident in self.saved.idents(start, f"{prefix[:-1]}!"):
            if self.emitter.made >= OUTPUTS:
                self._reached[span] = ident
                return False
            self.settle(self.saved.there(ident), span.end - 1, watermark, reason)
        self.spans.fire(window)
        return True

    def forget(self, pane: Pane) -> None:
        self.saved.drop(pane)
        span = Span(pane.start, pane.end)
        window = self.spans.open[span]
        self.spans.grow(window, -1, -pane.count)
        if not window.keys:
            self.spans.close(span)

    def finish(self) -> None:
        self.spans.flush()

    # -- looking -------------------------------------------------------------------------------

    def in_order(self) -> Iterator[str]:
        for span in sorted(self.spans.open, key=lambda span: (span.end, span.start)):
            prefix = self._prefix(span)
            yield from self.saved.idents(prefix, f"{prefix[:-1]}!")

    @property
    def windows(self) -> int:
        return len(self.spans.open)

    def overview(self, most: int) -> list[Shown]:
        return self.spans.overview(most)

    def next_due(self) -> int | None:
        heads = (self._head(self._closing), self._head(self._freeing))
        return min((due for due in heads if due is not None), default=None)

    def _head(self, heap: list[tuple[int, Span]]) -> int | None:
        """The first time of a window that is still open."""
        while heap and heap[0][1] not in self.spans.open:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def hold(self) -> int | None:
        return self._head(self._closing)
