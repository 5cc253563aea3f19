"""The waiting room of a connection: pieces in the order in which they will be polled.

A line keeps the order of positions or that of prioritizers; a :class:`PenaltyBox` keeps those whose
penalty has not ended, and :class:`Holds` the least event time of what is alive. None of them counts
or stores: that is the connection's business.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from operator import attrgetter
from typing import Protocol

from flowengine.piece import Piece
from flowengine.prioritizers import SortKey

_position = attrgetter("position")
FEW = 8


class Line(Protocol):
    """What a connection asks of either order."""

    def __len__(self) -> int:
        """Pieces in the line."""

    def __iter__(self) -> Iterator[Piece]:
        """All pieces, the next one first."""

    def first(self) -> Piece:
        """The next piece, not taken out."""

    def pop(self) -> Piece:
        """Take the next piece out."""

    def insert(self, pieces: Sequence[Piece]) -> None:
        """Put pieces at their places; they come in order of position."""

    def clear(self) -> None:
        """Take all out."""


class PositionLine:
    """First in, first out: by position. Both ends are cheap, the middle is not."""

    def __init__(self) -> None:
        self.pieces: deque[Piece] = deque()

    def __len__(self) -> int:
        return len(self.pieces)

    def __iter__(self) -> Iterator[Piece]:
        return iter(self.pieces)

    def first(self) -> Piece:
        return self.pieces[0]

    def pop(self) -> Piece:
        return self.pieces.popleft()

    def insert(self, pieces: Sequence[Piece]) -> None:
        """Nearly always at one end: a roll-back at the head, a recovery at the tail."""
        line = self.pieces
        if not line or line[-1].position < pieces[0].position:
            line.extend(pieces)
        elif line[0].position > pieces[-1].position:
            line.extendleft(reversed(pieces))
        elif len(pieces) <= FEW:
            for piece in reversed(pieces):
                line.insert(self._place(piece), piece)
        else:
            self.pieces = deque(sorted([*line, *pieces], key=_position))

    def _place(self, piece: Piece) -> int:
        for index, other in enumerate(self.pieces):
            if other.position > piece.position:
                return index
        return len(self.pieces)

    def clear(self) -> None:
        self.pieces.clear()


class SortedLine:
    """By prioritizers. Every piece holds one FlowFile, in memory when it is inserted."""

    def __init__(self, sort_key: SortKey) -> None:
        self._sort_key = sort_key
        self._heap: list[tuple[tuple[object, ...], int, Piece]] = []

    def __len__(self) -> int:
        return len(self._heap)

    def __iter__(self) -> Iterator[Piece]:
        return iter([piece for _, _, piece in sorted(self._heap, key=lambda entry: entry[:2])])

    def first(self) -> Piece:
        return self._heap[0][2]

    def pop(self) -> Piece:
        return heapq.heappop(self._heap)[2]

    def insert(self, pieces: Sequence[Piece]) -> None:
        for piece in pieces:
            flowfiles = piece.flowfiles or []
            key = self._sort_key(flowfiles[0], piece.position)
            heapq.heappush(self._heap, (key, piece.position, piece))

    def clear(self) -> None:
        self._heap.clear()


class PenaltyBox:
    """Pieces that may not be polled before a wall time, each of one FlowFile."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Piece]] = []
        self._ticket = count()

    def __len__(self) -> int:
        return len(self._heap)

    def __iter__(self) -> Iterator[Piece]:
        """The one that is free first comes first."""
        return iter([piece for _, _, piece in sorted(self._heap, key=lambda entry: entry[:2])])

    def park(self, until: int, piece: Piece) -> None:
        """Keep a piece until a wall time in µs."""
        heapq.heappush(self._heap, (until, next(self._ticket), piece))

    def next_due(self) -> int | None:
        """When the next penalty ends, or None."""
        return self._heap[0][0] if self._heap else None

    def release(self, now: int) -> list[Piece]:
        """Take out those whose penalty has ended, in order of position."""
        free = []
        while self._heap and self._heap[0][0] <= now:
            free.append(heapq.heappop(self._heap)[2])
        free.sort(key=_position)
        return free

    def clear(self) -> None:
        """Take all out."""
        self._heap.clear()


class Holds:
    """Least event time of the pieces that are alive; dead ones are forgotten now and then."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Piece]] = []
        self._ticket = count()
        self._limit = 64

    def __len__(self) -> int:
        return len(self._heap)

    def track(self, piece: Piece) -> None:
        """Let the event time of a piece hold the watermark back while the piece lives."""
        if piece.event_time is None:
            return
        heapq.heappush(self._heap, (piece.event_time, next(self._ticket), piece))
        if len(self._heap) > self._limit:
            self._heap = [entry for entry in self._heap if entry[2].alive]
            heapq.heapify(self._heap)
            self._limit = 64 + 2 * len(self._heap)

    def least(self) -> int | None:
        """The least event time, or None."""
        heap = self._heap
        while heap and not heap[0][2].alive:
            heapq.heappop(heap)
        return heap[0][0] if heap else None


def runs(marks: Iterable[object]) -> list[int]:
    """Lengths of the stretches of equal marks."""
    lengths: list[int] = []
    last: object = object()
    for mark in marks:
        if mark == last:
            lengths[-1] += 1
        else:
            lengths.append(1)
            last = mark
    return lengths
