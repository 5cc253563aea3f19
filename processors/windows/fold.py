"""Folds: many records to one value, by parts that can be merged.

A *narrow* fold keeps a small immutable accumulator per pane: windows that overlap share their panes
and merge them. A *wide* fold (collect, distinct, quantiles) needs the values themselves; it is
computed from the records that the window keeps. None of them depends on the order of arrival.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Final, Protocol

import orjson

from processors.windows.sums import Total, nearest

Accumulator = tuple[Any, ...]


def canonical(value: Any) -> str:
    """A JSON value as text, the same for equal values."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def is_number(value: Any) -> bool:
    """Whether a value can be added up; true and false cannot."""
    return type(value) is int or type(value) is float


class Narrow(Protocol):
    """A fold with a small accumulator. Values come without nulls; ``rule`` says what they are."""

    rule: str

    def accepts(self, value: Any) -> bool:
        """Whether a value may take part; a record with one that may not is invalid."""

    def start(self) -> Accumulator:
        """Of no values."""

    def add(self, held: Accumulator, values: list[Any], times: list[int]) -> Accumulator:
        """With values added that happened at ``times``."""

    def merge(self, one: Accumulator, other: Accumulator) -> Accumulator:
        """Of the values of both."""

    def result(self, held: Accumulator) -> Any:
        """A JSON value; None of no values."""


class _Anything:
    rule = ""

    def accepts(self, value: Any) -> bool:
        return True


class _Numbers:
    rule = "a number"

    def accepts(self, value: Any) -> bool:
        return is_number(value)


class Count(_Anything):
    """How many records, or how many that have the field."""

    def start(self) -> Accumulator:
        return (0,)

    def add(self, held: Accumulator, values: list[Any], times: list[int]) -> Accumulator:
        return (held[0] + len(values),)

    def merge(self, one: Accumulator, other: Accumulator) -> Accumulator:
        return (one[0] + other[0],)

    def result(self, held: Accumulator) -> Any:
        return held[0]


class Sum(_Numbers):
    """The sum, exact until it is rounded once at the end."""

    def start(self) -> Accumulator:
        return Total()

    def add(self, held: Accumulator, values: list[Any], times: list[int]) -> Accumulator:
        return Total(*held).plus(values)

    def merge(self, one: Accumulator, other: Accumulator) -> Accumulator:
        return Total(*one).merged(Total(*other))

    def result(self, held: Accumulator) -> Any:
        return Total(*held).value if held[2] else None


class Mean(Sum):
    """The arithmetic mean."""

    def result(self, held: Accumulator) -> Any:
        return Total(*held).mean


class Variance(_Numbers):
    """The sample variance (divided by n - 1) by exact sums of values and squares."""

    def start(self) -> Accumulator:
        return (0, "0", "0")

    def add(self, held: Accumulator, values: list[Any], times: list[int]) -> Accumulator:
        exact = [Fraction(value) for value in values]
        one = (len(exact), str(sum(exact)), str(sum([x * x for x in exact])))
        return self.merge(held, one)

    def merge(self, one: Accumulator, other: Accumulator) -> Accumulator:
        first = Fraction(one[1]) + Fraction(other[1])
        return (one[0] + other[0], str(first), str(Fraction(one[2]) + Fraction(other[2])))

    def result(self, held: Accumulator) -> Any:
        count, first, second = held[0], Fraction(held[1]), Fraction(held[2])
        return nearest((second - first * first / count) / (count - 1)) if count > 1 else None


class Deviation(Variance):
    """The sample standard deviation."""

    def result(self, held: Accumulator) -> Any:
        variance = super().result(held)
        return None if variance is None else math.sqrt(variance)


class _Extreme:
    """Numbers before texts, so that mixed values have an order too."""

    rule = "a number or text"

    def __init__(self, choose: Callable[..., Any]) -> None:
        self._choose = choose

    def accepts(self, value: Any) -> bool:
        return is_number(value) or isinstance(value, str)

    def start(self) -> Accumulator:
        return ()

    def add(self, held: Accumulator, values: list[Any], times: list[int]) -> Accumulator:
        return self.merge(held, (self._choose(values, key=_rank),))

    def merge(self, one: Accumulator, other: Accumulator) -> Accumulator:
        both = one + other
        return (self._choose(both, key=_rank),) if both else ()

    def result(self, held: Accumulator) -> Any:
        return held[0] if held else None


def _rank(value: Any) -> tuple[bool, Any, bool]:
    return (isinstance(value, str), value, isinstance(value, float))


class _Edge(_Anything):
    """First or last in time; of values at the same time the least or greatest by its text."""

    def __init__(self, choose: Callable[..., Any]) -> None:
        self._choose = choose

    def start(self) -> Accumulator:
        return ()

    def add(self, held: Accumulator, values: list[Any], times: list[int]) -> Accumulator:
        edge = self._choose(times)
        tied = [canonical(v) for v, time in zip(values, times, strict=True) if time == edge]
        return self.merge(held, (edge, self._choose(tied)))

    def merge(self, one: Accumulator, other: Accumulator) -> Accumulator:
        if not one or not other:
            return one or other
        chosen: Accumulator = self._choose(tuple(one), tuple(other))
        return chosen

    def result(self, held: Accumulator) -> Any:
        return orjson.loads(held[1]) if held else None


NARROW: Final[dict[str, Callable[[], Narrow]]] = {
    "count": Count,
    "sum": Sum,
    "mean": Mean,
    "variance": Variance,
    "stddev": Deviation,
    "min": lambda: _Extreme(min),
    "max": lambda: _Extreme(max),
    "first": lambda: _Edge(min),
    "last": lambda: _Edge(max),
}


def collect(values: Sequence[Any]) -> list[Any]:
    """All values, in the order of time and, within one time, of their texts."""
    return list(values)


def distinct(values: Sequence[Any]) -> int:
    """How many different values."""
    return len({canonical(value) for value in values})


def quantile(values: Sequence[Any], q: float) -> float | None:
    """The value below which a share ``q`` lies, interpolated (DuckDB's ``quantile_cont``)."""
    if not values:
        return None
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (ordered[high] - ordered[low]) * (place - low))


WIDE: Final[dict[str, Callable[..., Any]]] = {
    "collect": collect,
    "distinct": distinct,
    "median": lambda values: quantile(values, 0.5),
    "quantile": quantile,
}
NUMERIC_WIDE: Final = frozenset({"median", "quantile"})
