"""Filters between times (whole microseconds since the epoch, UTC) and their written form."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flowengine.expressions.values import shown

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
UNITS: Final = {"s": 1_000_000, "ms": 1_000, "us": 1}

# Those that mean the same on every system; others depend on its C library and locale.
DIRECTIVES: Final = "aAbBdfGHIjmMpSuUVwWyYzZ%"


def format_time(value: Any, format: str = "iso", zone: str = "UTC", unit: str = "us") -> str:
    """A time by ``strftime`` directives, or as ISO 8601; it counts ``s``, ``ms`` or ``us``."""
    check_format_time(format, zone, unit)
    moment = _moment(value, UNITS[unit]).astimezone(time_zone(zone))
    if format != "iso":
        return moment.strftime(format)
    return moment.isoformat().replace("+00:00", "Z")


def parse_time(text: str, format: str = "iso", zone: str = "UTC") -> int:
    """Microseconds since the epoch; ``zone`` holds for texts that name none."""
    check_format_time(format, zone)
    try:
        if format == "iso":
            moment = datetime.fromisoformat(text.strip())
        else:
            moment = datetime.strptime(text, format)
    except ValueError:
        raise ValueError(f"must be given a time like {format!r}; got {shown(text)}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=time_zone(zone))
    return (moment - EPOCH) // timedelta(microseconds=1)


def check_format_time(format: str = "iso", zone: str = "UTC", unit: str = "us") -> None:
    """Raise ValueError for an unknown directive, zone or unit."""
    time_zone(zone)
    if unit not in UNITS:
        raise ValueError(f"must count in 's', 'ms' or 'us'; got {unit!r}")
    if format != "iso":
        _check_directives(format)


@lru_cache(maxsize=64)
def time_zone(name: str) -> tzinfo:
    """A time zone of the IANA database by its name."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"must name a time zone such as 'Europe/Berlin'; got {name!r}") from None


@lru_cache(maxsize=64)
def _check_directives(format: str) -> None:
    found = re.findall(r"%(.?)", format)
    if not found:
        raise ValueError(f"must be 'iso' or have directives such as '%Y-%m-%d'; got {format!r}")
    for letter in found:
        if not letter or letter not in DIRECTIVES:
            raise ValueError(f"must use known time directives; got '%{letter}' in {format!r}")


def _moment(value: Any, unit: int) -> datetime:
    try:
        return EPOCH + timedelta(microseconds=int(value) * unit)
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f"must be given a time as a whole number; got {shown(value)}") from None
