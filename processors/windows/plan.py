"""FoldPlan: the folds of a window processor, read from its ``folds`` property.

``{"cars": "count", "mean_speed": {"mean": "speed"}, "p95": {"quantile": "speed", "q": 0.95}}``
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from processors.windows.fold import (
    NARROW,
    NUMERIC_WIDE,
    WIDE,
    Accumulator,
    Narrow,
    canonical,
)

MISSING = object()


class NarrowFold(NamedTuple):
    """One named result with its field; an empty field stands for the record itself."""

    name: str
    field: str
    fold: Narrow


class WideFold(NamedTuple):
    """One named result that is computed from the kept values of its field."""

    name: str
    field: str
    numeric: bool
    finish: Callable[[list[Any]], Any]


def lookup(record: Mapping[str, Any], field: str) -> Any:
    """A field of a record: by its whole name, else step by step along its dots; None if absent."""
    value = record.get(field, MISSING)
    if value is not MISSING or "." not in field:
        return None if value is MISSING else value
    here: Any = record
    for step in field.split("."):
        here = here.get(step) if isinstance(here, Mapping) else None
    return here


class FoldPlan:
    """All folds of one processor, over accumulators that lie side by side in a tuple."""

    def __init__(self, narrow: Iterable[NarrowFold], wide: Iterable[WideFold]) -> None:
        self.narrow, self.wide = tuple(narrow), tuple(wide)
        named = {part.field for part in self.narrow} | {part.field for part in self.wide}
        self.fields = frozenset(named - {""})

    def start(self) -> tuple[Accumulator, ...]:
        """The accumulators of no records."""
        return tuple(part.fold.start() for part in self.narrow)

    def add(
        self,
        held: tuple[Accumulator, ...],
        columns: Mapping[str, list[Any]],
        rows: list[int],
        times: list[int],
    ) -> tuple[Accumulator, ...]:
        """With these rows of a batch added."""
        chosen: dict[str, tuple[list[Any], list[int]]] = {"": (rows, times)}
        for field in {part.field for part in self.narrow if part.field}:
            column = columns[field]
            values = [column[row] for row in rows]
            if None in values:
                kept = [(v, t) for v, t in zip(values, times, strict=True) if v is not None]
                chosen[field] = ([v for v, _ in kept], [t for _, t in kept])
            else:
                chosen[field] = (values, times)
        result = []
        for part, now in zip(self.narrow, held, strict=True):
            values, when = chosen[part.field]
            result.append(part.fold.add(now, values, when) if values else now)
        return tuple(result)

    def merge(
        self, one: tuple[Accumulator, ...], other: tuple[Accumulator, ...]
    ) -> tuple[Accumulator, ...]:
        """Of the records of both."""
        return tuple(
            part.fold.merge(a, b) for part, a, b in zip(self.narrow, one, other, strict=True)
        )

    def results(
        self, held: tuple[Accumulator, ...], records: Callable[[], list[tuple[int, Any]]]
    ) -> dict[str, Any]:
        """Name → value. ``records`` gives the kept records with their times, when needed."""
        found = {p.name: p.fold.result(a) for p, a in zip(self.narrow, held, strict=True)}
        if self.wide:
            kept = records()
            for part in self.wide:
                values = [(time, lookup(record, part.field)) for time, record in kept]
                present = [(t, v) for t, v in values if v is not None]
                present.sort(key=lambda pair: (pair[0], canonical(pair[1])))
                found[part.name] = part.finish([value for _, value in present])
        return found

    def reject(self, columns: Mapping[str, list[Any]]) -> dict[int, str]:
        """Rows with a value that a fold cannot take → the rule they break."""
        bad: dict[int, str] = {}
        for part in self.narrow:
            if part.field and part.fold.rule:
                self._check(columns[part.field], part.field, part.fold, bad)
        for wide in self.wide:
            if wide.numeric:
                self._check(columns[wide.field], wide.field, NARROW["sum"](), bad)
        return bad

    def _check(self, column: list[Any], field: str, fold: Narrow, bad: dict[int, str]) -> None:
        if set(map(type, column)) <= {int, float, type(None)}:
            return
        for row, value in enumerate(column):
            if value is not None and not fold.accepts(value):
                bad[row] = f"field {field!r} must be {fold.rule}; got {value!r:.80}"


def fold_plan(specification: Mapping[str, Any]) -> FoldPlan:
    """Read the ``folds`` property. Raises ValueError with the rule that was broken."""
    narrow: list[NarrowFold] = []
    wide: list[WideFold] = []
    for name, value in specification.items():
        part = _read(name, value)
        if isinstance(part, WideFold):
            wide.append(part)
        elif isinstance(part, NarrowFold):
            narrow.append(part)
    return FoldPlan(narrow, wide)


def _read(name: str, value: Any) -> NarrowFold | WideFold:
    given: dict[str, Any] = {value: ""} if isinstance(value, str) else dict(value)
    share = given.pop("q", None)
    kinds = sorted({*NARROW, *WIDE})
    if len(given) != 1 or (kind := next(iter(given))) not in kinds:
        raise ValueError(f"{name!r} must name one of {', '.join(kinds)}; got {value!r:.80}")
    field = given[kind]
    if not isinstance(field, str) or not (field or kind == "count"):
        raise ValueError(f"{name!r} must name a field, as {{{kind!r}: 'speed'}}; got {value!r:.80}")
    if (kind == "quantile") != (share is not None):
        raise ValueError(f"{name!r} must have 'q' with 'quantile' only; got {value!r:.80}")
    if kind in NARROW:
        return NarrowFold(name, field, NARROW[kind]())
    finish = WIDE[kind]
    if share is None:
        return WideFold(name, field, kind in NUMERIC_WIDE, finish)
    if not isinstance(share, (int, float)) or not 0 <= share <= 1:
        raise ValueError(f"{name!r} must have a 'q' from 0 to 1; got {share!r:.80}")
    return WideFold(name, field, True, lambda values: finish(values, share))
