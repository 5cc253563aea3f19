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

    def assign(self, times: list[int]) -> list[list[Span]]:
        """The windows of many times; times of the same windows get the same list."""


class Hopping:
    """Windows of one size, a new one every ``slide``; tumbling when both are the same.

    offset: shifts all of them; any sign, taken modulo the slide
    width:  of the panes of which all windows are made
    """

    def __init__(self, size: int, slide: int, offset: int = 0) -> None:
        self.size, self.slide, self.offset = size, slide, offset % slide
        self.width = math.gcd(size, slide)

    def windows(self, time: int) -> list[Span]:
        size, slide = self.size, self.slide
        starts = range(self.first(time), self.last(time) + 1, slide)
        return [Span(start, start + size) for start in starts]

    def first(self, time: int) -> int:
        """Start of the first window that holds a time."""
        last = self.last(time)
        return last - (last + self.size - 1 - time) // self.slide * self.slide

    def assign(self, times: list[int]) -> list[list[Span]]:
        """The windows of each time; times of the same windows get the same list."""
        width, offset = self.width, self.offset
        known: dict[int, list[Span]] = {}
        found = []
        for time in times:
            pane = time - (time - offset) % width
            spans = known.get(pane)
            if spans is None:
                spans = known[pane] = self.windows(pane)
            found.append(spans)
        return found

    def last(self, time: int) -> int:
        """Start of the last window that holds a time."""
        return time - (time - self.offset) % self.slide


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
        self._known = [Span(0, 0)]

    def windows(self, time: int) -> list[Span]:
        return self.assign([time])[0]

    def assign(self, times: list[int]) -> list[list[Span]]:
        """The window of each time; neighbours in time mostly share it."""
        known: dict[Span, list[Span]] = {}
        found = []
        for time in times:
            [span] = self._known
            if not span.start <= time < span.end:
                span = self._find(time)
                self._known = known.setdefault(span, [span])
            found.append(self._known)
        return found

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
