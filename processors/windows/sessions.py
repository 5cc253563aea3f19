"""Intervals of activity and how they merge: pure.

A record makes the interval from its time to its time + gap. Sessions are what remains when all that
meet are merged: the connected components, so the order of arrival cannot matter.

>>> merge([Activity(10, 12, 17), Activity(20, 20, 25), Activity(16, 16, 21)])
[Activity(first=10, last=20, end=25)]
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Activity(NamedTuple):
    """Records from ``first`` to ``last``; another one up to ``end`` belongs to them."""

    first: int
    last: int
    end: int

    def meets(self, other: Activity, *, strict: bool = False) -> bool:
        """Whether both are one: at exactly the gap too, unless ``strict``."""
        if strict:
            return self.first < other.end and other.first < self.end
        return self.first <= other.end and other.first <= self.end

    def joined(self, other: Activity) -> Activity:
        """Both as one."""
        return Activity(
            min(self.first, other.first), max(self.last, other.last), max(self.end, other.end)
        )


def merge(activities: Iterable[Activity], *, strict: bool = False) -> list[Activity]:
    """The sessions of all these, in order."""
    merged: list[Activity] = []
    for one in sorted(activities):
        if merged and merged[-1].meets(one, strict=strict):
            merged[-1] = merged[-1].joined(one)
        else:
            merged.append(one)
    return merged
