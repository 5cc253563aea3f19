"""Which windows a time falls into. Half-open spans of integer µs, aligned to the epoch.

>>> Hopping(size=12, slide=5).windows(21)
[Span(start=10, end=22), Span(start=15, end=27), Span(start=20, end=32)]
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from processors.windows.times import EPOCH, instant


class Span(NamedTuple):
    """A window: from ``start`` (in it) to ``end`` (not in it), in µs."""

    start: int
    end: int


class Windower(Protocol):
    """A rule that puts times into windows."""

    def windows(self, time: int) -> list[Span]:
        """The windows that hold a time, earliest first; none where windows leave gaps."""


class Hopping:
    """Windows of one size, a new one every ``slide``; tumbling when both are the same.

    offset: shifts all of them; any sign, taken modulo the slide
    """

    def __init__(self, size: int, slide: int, offset: int = 0) -> None:
        self.size, self.slide, self.offset = size, slide, offset % slide
        self.width = math.gcd(size, slide)

    def windows(self, time: int) -> list[Span]:
        size, slide = self.size, self.slide
        last = time - (time - self.offset) % slide
        first = last - (last + size - 1 - time) // slide * slide
        return [Span(start, start + size) for start in range(first, last + 1, slide)]

    # panes: windows share their records in pieces of the greatest width that fits both

    def pane(self, time: int) -> int:
        """Start of the pane that holds a time."""
        return time - (time - self.offset) % self.width

    def containing(self, pane: int) -> range:
        """Starts of the windows that a pane is part of."""
        spans = self.windows(pane)
        if not spans:
            return range(0)
        return range(spans[0].start, spans[-1].start + 1, self.slide)


class Calendar(StrEnum):
    """Units of the calendar; their length differs with the time zone and the month."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class CalendarWindows:
    """Days, weeks (from Monday), months or years of a time zone; a day may have 23 or 25 hours."""

    def __init__(self, unit: Calendar, zone: str) -> None:
        self.unit, self.zone = unit, ZoneInfo(zone)
        self._known = Span(0, 0)

    def windows(self, time: int) -> list[Span]:
        known = self._known
        if not known.start <= time < known.end:  # neighbours in time share their window
            known = self._known = self._find(time)
        return [known]

    def _find(self, time: int) -> Span:
        day = (EPOCH + timedelta(microseconds=time)).astimezone(self.zone).date()
        first = _first(self.unit, day)
        start = self._midnight(first)
        if start > time:  # the clock was put forward over midnight
            first = _first(self.unit, first - timedelta(days=1))
            start = self._midnight(first)
        following = _next(self.unit, first)
        end = self._midnight(following)
        while end <= time:
            start, following = end, _next(self.unit, following)
            end = self._midnight(following)
        return Span(start, end)

    def _midnight(self, day: date) -> int:
        local = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        return instant(local.astimezone(UTC))


def _first(unit: Calendar, day: date) -> date:
    if unit is Calendar.DAY:
        return day
    if unit is Calendar.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if unit is Calendar.MONTH else day.replace(day=1, month=1)


def _next(unit: Calendar, first: date) -> date:
    if unit is Calendar.DAY:
        return first + timedelta(days=1)
    if unit is Calendar.WEEK:
        return first + timedelta(days=7)
    if unit is Calendar.MONTH:
        return (first + timedelta(days=31)).replace(day=1)
    return first.replace(year=first.year + 1)
