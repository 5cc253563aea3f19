"""How overlapping windows are made of panes that they share."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Protocol

from processors.windows.assign import Hopping, Span


class Sharing(Protocol):
    """Windows as runs of panes. ``starts`` are those of the panes that there are, in order.

    A window closes once the watermark reaches its end - 1; ``after`` is how far it had come.

    few: there are few starts, whatever the number of records
    """

    few: bool

    def panes(self, times: list[int]) -> list[int]:
        """Start of the pane of each time."""

    def due(self, starts: list[int], after: int | None, until: float) -> Iterable[Span]:
        """Windows with some pane, whose end - 1 lies in (after, until]."""

    def earliest(self, starts: list[int], after: int | None) -> int | None:
        """The first end - 1 after ``after`` of a window with some pane."""

    def next(self, starts: list[int], after: int | None, most: int) -> list[Span]:
        """The windows with some pane that close next after ``after``."""

    def count(self, starts: list[int], after: int | None) -> int:
        """How many windows with some pane have not closed."""

    def opened_by(self, window: Span) -> int | None:
        """The pane that a key must have to have this window; None: any pane in it."""

    def last(self, pane: int) -> Span | None:
        """The last window that a record of the pane opens; None when it is in none."""

    def free_at(self, pane: int) -> int:
        """Watermark from which no window needs the pane any more; grows with the pane."""


class HoppingPanes:
    """Panes as wide as the greatest common divisor of size and slide."""

    few = True

    def __init__(self, windows: Hopping) -> None:
        self._windows = windows

    def panes(self, times: list[int]) -> list[int]:
        width, offset = self._windows.width, self._windows.offset
        return [time - (time - offset) % width for time in times]

    def due(self, starts: list[int], after: int | None, until: float) -> Iterable[Span]:
        found: set[Span] = set()
        size, slide = self._windows.size, self._windows.slide
        for pane in starts:
            last = self._windows.last(pane)
            first = self._first(pane, after)
            if first + size - 1 > until:
                break
            for start in range(first, last + 1, slide):
                if start + size - 1 > until:
                    break
                found.add(Span(start, start + size))
        return found

    def _first(self, pane: int, after: int | None) -> int:
        """Start of the first window of a pane that ends after ``after``."""
        first = self._windows.first(pane)
        if after is None:
            return first
        missing = after - (first + self._windows.size - 1) + 1
        slide = self._windows.slide
        return first + max(-(-missing // slide), 0) * slide

    def earliest(self, starts: list[int], after: int | None) -> int | None:
        for pane in starts:
            first = self._first(pane, after)
            if first <= self._windows.last(pane):
                return first + self._windows.size - 1
        return None

    def next(self, starts: list[int], after: int | None, most: int) -> list[Span]:
        found: dict[Span, None] = {}
        size, slide = self._windows.size, self._windows.slide
        for pane in starts:
            for start in range(self._first(pane, after), self._windows.last(pane) + 1, slide):
                found[Span(start, start + size)] = None
                if len(found) >= most:
                    return list(found)
        return list(found)

    def count(self, starts: list[int], after: int | None) -> int:
        number, slide, upto = 0, self._windows.slide, -math.inf
        for pane in starts:  # windows of one pane are a run; those of the next begin later
            first, last = self._first(pane, after), self._windows.last(pane)
            fresh = max(first, upto + slide) if math.isfinite(upto) else first
            number += max(int(last - fresh) // slide + 1, 0)
            upto = max(upto, last)
        return number

    def opened_by(self, window: Span) -> int | None:
        return None

    def last(self, pane: int) -> Span | None:
        start = self._windows.last(pane)
        return Span(start, start + self._windows.size)

    def free_at(self, pane: int) -> int:
        return self._windows.last(pane) + self._windows.size - 1


class EventPanes:
    """A window for each record: what happened at most ``size`` before it, both ends inclusive."""

    few = False

    def __init__(self, size: int) -> None:
        self._size = size

    def panes(self, times: list[int]) -> list[int]:
        return times

    def due(self, starts: list[int], after: int | None, until: float) -> Iterable[Span]:
        low = 0 if after is None else bisect_right(starts, after)
        return [self._window(t) for t in starts[low : bisect_right(starts, until)]]

    def _window(self, time: int) -> Span:
        return Span(time - self._size, time + 1)

    def earliest(self, starts: list[int], after: int | None) -> int | None:
        place = 0 if after is None else bisect_right(starts, after)
        return starts[place] if place < len(starts) else None

    def next(self, starts: list[int], after: int | None, most: int) -> list[Span]:
        low = 0 if after is None else bisect_right(starts, after)
        return [self._window(start) for start in starts[low : low + most]]

    def count(self, starts: list[int], after: int | None) -> int:
        return len(starts) - (0 if after is None else bisect_right(starts, after))

    def opened_by(self, window: Span) -> int | None:
        return window.end - 1

    def last(self, pane: int) -> Span | None:
        return self._window(pane)

    def free_at(self, pane: int) -> int:
        return pane + self._size


def between(starts: list[int], first: int, end: int) -> list[int]:
    """The starts from ``first`` (in) to ``end`` (not in)."""
    return starts[bisect_left(starts, first) : bisect_left(starts, end)]
