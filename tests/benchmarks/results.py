"""Rows of results: how they are named, judged, shown and saved."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec
import orjson
from rich.console import Console
from rich.table import Table

NOT_RUN = "measured earlier; not run again. Its ratio is to the loop of that hour"
NIFI_LOOP = 4_400_000  # hops/s: the middle of 3.1 to 5.7 M


class Row(msgspec.Struct):
    """One result.

    ratio: what the goal speaks of, where it is a ratio within this run, else None
    goal:  least ratio or value, with ``most`` the greatest; None has no goal
    note:  what a reader should know, such as NiFi's figure beside it
    """

    name: str
    value: float
    unit: str
    ratio: float | None = None
    goal: float | None = None
    most: bool = False
    note: str = ""

    @property
    def ok(self) -> bool | None:
        """Whether the goal is reached; None without one."""
        if self.goal is None:
            return None
        judged = self.value if self.ratio is None else self.ratio
        return judged <= self.goal if self.most else judged >= self.goal


class Rate(msgspec.Struct):
    """How much per second, by the clock and by the processor time that this process used.

    On a quiet machine both agree for one thread; beside busy neighbours only the second is steady.
    """

    wall: float
    cpu: float


class Stopwatch:
    """Both kinds of time since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def rate(self, amount: float) -> Rate:
        """So much per second since then."""
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        return Rate(amount / wall, amount / cpu)


class Series:
    """The same measurement in several rounds. Ratios are taken round by round, then the median."""

    def __init__(self, rates: list[Rate]) -> None:
        self.rates = rates

    @property
    def value(self) -> float:
        """Median by the clock."""
        return statistics.median(rate.wall for rate in self.rates)

    def ratio(self, other: Series) -> float:
        """This to another, by the clock."""
        pairs = zip(self.rates, other.rates, strict=True)
        return statistics.median(own.wall / its.wall for own, its in pairs)

    def note(self, other: Series | None = None) -> str:
        """The range, and the ratio by processor time."""
        walls = [rate.wall for rate in self.rates]
        text = f"{short(min(walls))} to {short(max(walls))}"
        if other is None:
            return text
        pairs = zip(self.rates, other.rates, strict=True)
        ratio = statistics.median(own.cpu / its.cpu for own, its in pairs)
        return f"{text}; {ratio:.2f} by processor time"


def rounds(measures: Mapping[str, Callable[[], Rate]], repeats: int) -> dict[str, Series]:
    """Take turns: each round measures everything once, so that neighbours disturb all alike."""
    found: dict[str, list[Rate]] = {name: [] for name in measures}
    for _ in range(repeats):
        for name, measure in measures.items():
            gc.collect()
            found[name].append(measure())
    return {name: Series(rates) for name, rates in found.items()}


def short(value: float) -> str:
    """A number as people read it."""
    for limit, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g} {letter}"
    return f"{value:.3g}"


def show(rows: Iterable[Row]) -> None:
    """A table on the screen."""
    table = Table("what", "value", "unit", "ratio", "goal", "", "note")
    for row in rows:
        bound = "" if row.goal is None else f"{'≤' if row.most else '≥'} {short(row.goal)}"
        mark = {None: "", True: "[green]ok[/]", False: "[red]missed[/]"}[row.ok]
        ratio = "" if row.ratio is None else f"{row.ratio:.3g}"
        table.add_row(row.name, short(row.value), row.unit, ratio, bound, mark, row.note)
    Console().print(table)


def save(rows: Iterable[Row], path: Path) -> None:
    """``build/bench.json``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    listed = [
        {
            "name": row.name,
            "value": row.value,
            "unit": row.unit,
            "ratio": row.ratio,
            "goal": row.goal,
            "ok": row.ok,
            "note": row.note,
        }
        for row in rows
    ]
    path.write_bytes(orjson.dumps(listed, option=orjson.OPT_INDENT_2))
