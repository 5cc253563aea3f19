"""SharedWindows: overlapping windows over shared panes, put out once each.

A mean over 10 minutes each second keeps 600 small panes per key and no record in 600 copies. A
window is the merge of its panes at the moment it closes; a pane goes with its last window. As long
as there are not too many panes, a running merge spares merging each of them for each window; beyond
that, a window is merged key by key from what the state has.
"""

from __future__ import annotations

import math
from bisect import insort
from collections import defaultdict
from collections.abc import Iterator
from heapq import merge
from itertools import groupby
from operator import itemgetter

from processors.windows.assign import Span
from processors.windows.output import Emitter
from processors.windows.panes import Pane
from processors.windows.records import Batch
from processors.windows.running import Merged, Running, merged
from processors.windows.sharing import Sharing, between
from processors.windows.spans import Spans
from processors.windows.state import Saved
from processors.windows.store import DROPS, OUTPUTS, Late, Rejected, Shown, Store
from processors.windows.trigger import Reason, Timing, Trigger

PART = "part"
MANY = 100_000  # panes above which no running merge is kept


class SharedWindows(Store):
    """Panes by start and key; windows are made of them as they close.

    ``part`` in the state says how far the keys of a window have come out that has more of them
    than one trigger may put out.
    """

    def __init__(self, sharing: Sharing, trigger: Trigger, emitter: Emitter, saved: Saved) -> None:
        super().__init__(trigger, emitter, saved)
        self._sharing = sharing
        self._places = Spans(saved, listed=sharing.few)
        self.rebuild()

    def rebuild(self) -> None:
        self._places.load()
        self._starts = sorted(span.start for span in self._places.open)
        self._running = Running(self.plan)
        self._turn: tuple[Span, list[str]] | None = None

    # -- adding --------------------------------------------------------------------------------

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
                self._feed_place(start, key, batch, members)
        return rejected

    def _wanted_late(self, start: int, key: str, watermark: float) -> bool:
        """Whether the window of another record of the key, still open, takes it."""
        free = self._sharing.free_at(start)
        if free <= watermark:
            return False
        later = between(self._starts, start + 1, free + 1)
        return any(other > watermark and self._at(other, key) is not None for other in later)

    def _at(self, start: int, key: str) -> Pane | None:
        return self.saved.pane(f"~p{start} {key}")

    def _feed_place(self, start: int, key: str, batch: Batch, rows: list[int]) -> None:
        if self._running.upto is not None and start < self._running.upto:
            self._running.forget()
        span = Span(start, start + 1)
        place = self._places.get(span)
        if place is None:
            place = self._places.add(span, fired=False)
            insort(self._starts, start)
        pane = self._at(start, key) if place.keys else None
        fresh = pane is None
        if pane is None:
            pane = self.saved.add(f"~p{start} {key}", key, *span)
        self._places.grow(place, int(fresh), len(rows))
        self.feed(pane, batch, rows)

    # -- closing -------------------------------------------------------------------------------

    def advance(self, watermark: float, reason: Reason) -> bool:
        due = self._sharing.due(self._starts, self.closed, watermark)
        for window in sorted(due, key=lambda span: (span.end, span.start)):
            if self.emitter.made >= OUTPUTS or not self._put_out(window, reason):
                return False
            self.closed = window.end - 1
        return self._free(watermark)

    def _put_out(self, window: Span, reason: Reason) -> bool:
        """Merge the panes of a window, key by key; False when there is more."""
        start, end, last = self.saved.state.get(PART, (None, None, ""))
        after = last if (start, end) == window else None  # the place from before is another one's
        for key, held in self._merges(window, after):
            if self.emitter.made >= OUTPUTS:
                self.saved.note(PART, (*window, last))
                return False
            self._emit_key(key, window, held, reason)
            last = key
        self._turn = None
        self.saved.note(PART, None)
        return True

    def _emit_key(self, key: str, window: Span, held: Merged, reason: Reason) -> None:
        whole = Pane("", key, *window, self.plan)
        whole.count, whole.first, whole.last, whole.held = held
        if self.emitter.shape.keeps:
            found = [self._at(start, key) for start in between(self._starts, *window)]
            chunks = [chunk for pane in found if pane is not None for chunk in pane.chunks]
            whole.chunks = tuple(chunks)
        self.emitter.emit(whole, Timing.ON_TIME, reason, final=True)

    def _merges(self, window: Span, after: str | None) -> Iterator[tuple[str, Merged]]:
        """Keys of a window in order, those beyond ``after``, with what it holds of each."""
        opened = self._sharing.opened_by(window)
        if opened is None and self.saved.count > MANY:
            self._running.forget()
            yield from self._merges_of_many(window, after)
            return
        running = self._running
        running.move(*window, self._panes_at, self._starts)
        if self._turn is None or self._turn[0] != window:
            opening = None if opened is None else [key for key, _ in self._panes_at(opened)]
            self._turn = window, sorted(running.keys() if opening is None else opening)
        for key in self._turn[1]:
            held = running.of(key, window.start) if after is None or key > after else None
            if held is not None:
                yield key, held

    def _merges_of_many(self, window: Span, after: str | None) -> Iterator[tuple[str, Merged]]:
        """The same from the state alone: a walk over all panes of the window side by side."""
        walks = [self._names(start, after) for start in between(self._starts, *window)]
        for key, idents in groupby(merge(*walks), key=itemgetter(0)):
            held: Merged | None = None
            for _, ident in idents:
                one = merged(self.saved.there(ident))
                held = one if held is None else self._running.join(held, one)
            if held is not None:
                yield key, held

    def _names(self, start: int, after: str | None = None) -> Iterator[tuple[str, str]]:
        """Keys and names of the panes of one start."""
        prefix = f"~p{start} "
        first = prefix if after is None else f"{prefix}{after}\x00"
        return ((i[len(prefix) :], i) for i in self.saved.idents(first, f"{prefix[:-1]}!"))

    def _panes_at(self, start: int) -> Iterator[tuple[str, Pane]]:
        return ((key, self.saved.there(ident)) for key, ident in self._names(start))

    def _free(self, watermark: float) -> bool:
        """Forget panes that no window will need; False when there are more."""
        dropped = 0
        while self._starts and self._sharing.free_at(self._starts[0]) <= watermark:
            span = Span(self._starts[0], self._starts[0] + 1)
            for _, ident in self._names(span.start):
                if dropped >= DROPS:
                    return False
                self.saved.drop(self.saved.there(ident))
                dropped += 1
            self._places.close(span)
            del self._starts[0]
        return True

    def close_all(self, reason: Reason) -> bool:
        """Put out each window that has records, and forget them."""
        return self.advance(math.inf, reason)

    def forget(self, pane: Pane) -> None:
        self.saved.drop(pane)
        span = Span(pane.start, pane.start + 1)
        place = self._places.open[span]
        self._places.grow(place, -1, -pane.count)
        if not place.keys:
            self._places.close(span)
            self._starts.remove(pane.start)
            self._running.forget()

    def finish(self) -> None:
        self._places.flush()

    # -- looking -------------------------------------------------------------------------------

    def in_order(self) -> Iterator[str]:
        for start in list(self._starts):
            yield from (ident for _, ident in self._names(start))

    @property
    def windows(self) -> int:
        """Windows are made as they close; those that have a pane by now are open."""
        return self._sharing.count(self._starts, self.closed)

    def overview(self, most: int) -> list[Shown]:
        found = []
        for window in self._sharing.next(self._starts, self.closed, most):
            starts = between(self._starts, *window)
            places = [self._places.open[Span(start, start + 1)] for start in starts]
            keys = max((place.keys for place in places), default=0)
            found.append(Shown(*window, keys, sum(place.records for place in places)))
        return found

    def next_due(self) -> int | None:
        due = self.hold()
        if not self._starts:
            return due
        free = self._sharing.free_at(self._starts[0])
        return free if due is None else min(due, free)

    def hold(self) -> int | None:
        return self._sharing.earliest(self._starts, self.closed)
