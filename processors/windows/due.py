"""DueIndex: at which time to look at what, in order; only the first entries are in memory.

Each entry is a name in the state, ``~d<time> <tag>`` with the time as 16 hexadecimal digits, so
that their order is that of time. A heap holds the first ones; what is later than all in it lies in
the state alone until the heap is empty.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import islice
from typing import Final

from processors.windows.state import Saved

PREFIX: Final = "~d"
HEAD: Final = 5_000
_ZERO: Final = 1 << 63  # negative times sort before positive ones

Entry = tuple[int, str]


class DueIndex:
    """Entries of time and tag; the tag says what is due."""

    def __init__(self, saved: Saved) -> None:
        self._saved = saved
        self.rebuild()

    def rebuild(self) -> None:
        """Forget what is in memory: the state is another one."""
        self._heap: list[Entry] = []
        self._living: set[Entry] = set()
        self._whole = False  # whether the heap has all entries; else those up to the horizon
        self._horizon: Entry | None = None

    def add(self, time: int, tag: str) -> None:
        """One more entry."""
        self._saved.put(_name(time, tag), 1)
        entry = (time, tag)
        if self._whole or (self._horizon is not None and entry <= self._horizon):
            heapq.heappush(self._heap, entry)
            self._living.add(entry)
            if len(self._heap) > 4 * HEAD:
                self._trim()

    def _trim(self) -> None:
        first = sorted(self._living)
        self._whole = self._whole and len(first) <= HEAD
        self._heap = first[:HEAD]
        self._living = set(self._heap)
        self._horizon = self._heap[-1] if self._heap else None

    def remove(self, time: int, tag: str) -> None:
        """Take an entry out."""
        self._saved.remove(_name(time, tag))
        self._living.discard((time, tag))

    def top(self) -> Entry | None:
        """The earliest entry."""
        while True:
            while self._heap:
                if self._heap[0] in self._living:
                    return self._heap[0]
                heapq.heappop(self._heap)
            if self._whole:
                return None
            self._fill()

    def _fill(self) -> None:
        names = list(islice(self._saved.idents(PREFIX), HEAD))
        self._heap = [_entry(name) for name in names]
        self._living = set(self._heap)
        self._whole = len(names) < HEAD
        self._horizon = self._heap[-1] if self._heap else None

    def near(self, most: int) -> list[Entry]:
        """Some of the first entries in memory, in order; for people, so nothing is loaded."""
        return heapq.nsmallest(most, (entry for entry in self._heap if entry in self._living))

    def __iter__(self) -> Iterator[Entry]:
        """All entries in order, those in the state too; it may change meanwhile."""
        return map(_entry, self._saved.idents(PREFIX))


def _name(time: int, tag: str) -> str:
    return f"{PREFIX}{time + _ZERO:016x} {tag}"


def _entry(name: str) -> Entry:
    time, _, tag = name[len(PREFIX) :].partition(" ")
    return int(time, 16) - _ZERO, tag
