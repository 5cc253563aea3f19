"""Pane: what a window, or a piece that windows share, holds for one key."""

from __future__ import annotations

from typing import Any

from processors.windows.fold import Accumulator
from processors.windows.plan import FoldPlan

Chunk = tuple[int, int]


class Pane:
    """Records of one key from ``start`` to ``end``, folded, and kept where that is needed.

    ident:   its name in the state
    count:   records in it; ``first`` and ``last`` are the least and greatest of their times
    held:    accumulators of the narrow folds
    chunks:  numbers and sizes of the kept records' chunks in the state
    index:   how often it was put out
    pending: records since it was last put out
    fired:   whether it was put out on time
    at:      the time under which an index knows it
    """

    __slots__ = (
        "at", "chunks", "count", "end", "fired", "first", "held", "ident", "index", "key", "last",
        "pending", "start",
    )  # fmt: skip

    def __init__(self, ident: str, key: str, start: int, end: int, plan: FoldPlan) -> None:
        self.ident, self.key, self.start, self.end = ident, key, start, end
        self.index = self.pending = 0
        self.fired = False
        self.at = end
        self.reset(plan)

    def reset(self, plan: FoldPlan) -> None:
        """Forget the records, as after a pane that discards."""
        self.count = 0
        self.first: int | None = None
        self.last: int | None = None
        self.held: tuple[Accumulator, ...] = plan.start()
        self.chunks: tuple[Chunk, ...] = ()

    def spread(self, first: int, last: int) -> None:
        """Hold records of these times too."""
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)

    def absorb(self, other: Pane, plan: FoldPlan) -> None:
        """Take over what another one of the same key holds; ``start`` and ``end`` stay."""
        self.held = plan.merge(self.held, other.held)
        self.chunks += other.chunks
        self.count += other.count
        self.pending += other.pending
        self.index = max(self.index, other.index)
        if other.first is not None and other.last is not None:
            self.spread(other.first, other.last)

    def snapshot(self) -> tuple[Any, ...]:
        """Itself as the state holds it: immutable."""
        return (
            self.key, self.start, self.end, self.count, self.first, self.last, self.held,
            self.chunks, self.index, self.pending, self.fired, self.at,
        )  # fmt: skip

    @classmethod
    def restored(cls, ident: str, saved: tuple[Any, ...], plan: FoldPlan) -> Pane:
        """From a snapshot."""
        self = cls(ident, saved[0], saved[1], saved[2], plan)
        self.count, self.first, self.last = saved[3], saved[4], saved[5]
        self.held = _frozen(saved[6])
        self.chunks = tuple((number, size) for number, size in saved[7])
        self.index, self.pending, self.fired, self.at = saved[8], saved[9], saved[10], saved[11]
        return self


def _frozen(value: Any) -> Any:
    """Lists as tuples again, all the way down: the store writes both the same."""
    return tuple(map(_frozen, value)) if isinstance(value, (list, tuple)) else value
