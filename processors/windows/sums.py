"""Sums that do not depend on the order in which they were added.

A float sum is kept as the few floats whose exact sum is the exact sum of all (Shewchuk, 1997), so
that any arrival order and any batching gives the same last digit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

_WIDEST = 1 << 63


def pack(number: int) -> int | str:
    """An integer as the state can hold it: as text beyond 64 bits."""
    return number if -_WIDEST <= number < _WIDEST else str(number)


class Total(NamedTuple):
    """The exact sum of integers and floats.

    whole: sum of the integers, as text beyond 64 bits
    parts: floats whose exact sum is that of all floats
    number: how many were added
    """

    whole: int | str = 0
    parts: tuple[float, ...] = ()
    number: int = 0

    def plus(self, values: list[int | float]) -> Total:
        """With these added."""
        floats = [v for v in values if type(v) is float]
        integers = [v for v in values if type(v) is int]
        whole = pack(int(self.whole) + sum(integers))
        parts = _parts([*self.parts, *floats]) if floats else self.parts
        return Total(whole, parts, self.number + len(values))

    def merged(self, other: Total) -> Total:
        """The sum of both."""
        whole = pack(int(self.whole) + int(other.whole))
        parts = self.parts + other.parts
        return Total(whole, _parts(parts) if parts else (), self.number + other.number)

    @property
    def value(self) -> int | float:
        """The sum: an integer when only integers were added, else the nearest float."""
        if not self.parts:
            return int(self.whole)
        return nearest(self.exact) if all(map(math.isfinite, self.parts)) else sum(self.parts)

    @property
    def exact(self) -> Fraction:
        """The sum without rounding; only for finite parts."""
        return sum(map(Fraction, self.parts), Fraction(int(self.whole)))

    @property
    def mean(self) -> float | None:
        """The mean, rounded once."""
        if not self.number:
            return None
        if all(map(math.isfinite, self.parts)):
            return nearest(self.exact / self.number)
        return sum(self.parts) / self.number


def nearest(number: Fraction) -> float:
    """The nearest float; infinity beyond the greatest."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _parts(values: Iterable[float]) -> tuple[float, ...]:
    left = list(values)
    parts: list[float] = []
    try:
        while rest := math.fsum(left):
            parts.append(rest)
            left.append(-rest)
    except (OverflowError, ValueError):  # beyond the greatest float, now or before
        return (math.copysign(math.inf, sum(left)),)
    return tuple(parts) or (0.0,)
