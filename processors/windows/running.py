"""Running: the merge of all panes in a window that moves on, in about two merges per pane.

Two stacks per key (Tangwongsan et al., "General incremental sliding-window aggregation", VLDB
2015): behind the middle the merges of each pane with all later ones, before it one merge that
grows. It lives in memory only and can be made anew from the panes at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from processors.windows.fold import Accumulator
from processors.windows.panes import Pane
from processors.windows.plan import FoldPlan
from processors.windows.sharing import between


class Merged(NamedTuple):
    """What some panes of one key hold together, without their kept records."""

    number: int
    first: int
    last: int
    held: tuple[Accumulator, ...]


Panes = Callable[[int], Iterable[tuple[str, Pane]]]  # the keys and panes of one start


class Running:
    """The merges for windows that are asked for in order."""

    def __init__(self, plan: FoldPlan) -> None:
        self._plan = plan
        self.forget()

    def forget(self) -> None:
        """A pane that was merged already has changed."""
        self._back: dict[str, list[tuple[int, Merged]]] = {}
        self._front: dict[str, Merged] = {}
        self._middle: int | None = None
        self.upto: int | None = None

    def move(self, start: int, end: int, panes: Panes, starts: list[int]) -> None:
        """Go on to the window from ``start`` to before ``end``."""
        if self._middle is None or self.upto is None or start >= self._middle or end < self.upto:
            self.forget()
            for place in reversed(between(starts, start, end)):
                for key, pane in panes(place):
                    stack = self._back.setdefault(key, [])
                    one = merged(pane)
                    stack.append((place, self.join(one, stack[-1][1]) if stack else one))
            self._middle = self.upto = end
            return
        for place in between(starts, self.upto, end):
            for key, pane in panes(place):
                grown, one = self._front.get(key), merged(pane)
                self._front[key] = one if grown is None else self.join(grown, one)
        self.upto = end

    def keys(self) -> list[str]:
        """Keys that may have something in the window."""
        return [*self._back, *(key for key in self._front if key not in self._back)]

    def of(self, key: str, start: int) -> Merged | None:
        """What the window holds of a key."""
        front, stack = self._front.get(key), self._back.get(key)
        while stack and stack[-1][0] < start:
            stack.pop()
        if not stack:
            self._back.pop(key, None)
            return front
        return stack[-1][1] if front is None else self.join(stack[-1][1], front)

    def join(self, one: Merged, other: Merged) -> Merged:
        """Both as one."""
        return Merged(
            one.number + other.number,
            min(one.first, other.first),
            max(one.last, other.last),
            self._plan.merge(one.held, other.held),
        )


def merged(pane: Pane) -> Merged:
    """What one pane holds."""
    first = pane.start if pane.first is None else pane.first
    return Merged(pane.count, first, first if pane.last is None else pane.last, pane.held)
