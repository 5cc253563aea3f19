"""Times of records: which of the three clocks, and how an event time is read.

Everything is integer microseconds since the epoch; no float takes part where none was written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Final
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from flowengine.errors import PropertyError
from flowengine.units import format_duration, parse_duration

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
TICK: Final = timedelta(microseconds=1)
EARLIEST: Final = (
    datetime(2, 1, 1, tzinfo=UTC) - EPOCH
) // TICK  # room for windows of the calendar around it
LATEST: Final = (datetime(9998, 12, 31, tzinfo=UTC) - EPOCH) // TICK
FOREVER: Final = 1 << 62  # later than every time that a date can name

_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)


class Time(StrEnum):
    """Which of the three times of a record counts."""

    EVENT = "event"
    INGEST = "ingest"
    PROCESSING = "processing"


class Unit(StrEnum):
    """What a time given as a number counts."""

    SECONDS = "s"
    MILLISECONDS = "ms"
    MICROSECONDS = "us"
    NANOSECONDS = "ns"


_TICKS: Final = {
    Unit.SECONDS: Decimal(1_000_000),
    Unit.MILLISECONDS: Decimal(1000),
    Unit.MICROSECONDS: Decimal(1),
    Unit.NANOSECONDS: Decimal("0.001"),
}


def time_reader(unit: Unit, pattern: str, zone: str) -> Callable[[Any], int]:
    """A function from a record's value to µs; it raises ValueError with the rule that was broken.

    unit:    of numbers, also of numbers written as text
    pattern: ``strptime`` format of texts; empty reads ISO 8601
    zone:    of texts that name no offset
    """
    ticks, whole, local = _TICKS[unit], int(_TICKS[unit]), ZoneInfo(zone)

    def read(value: Any) -> int:
        if type(value) is int:
            time = value * whole if whole else value // 1000
        elif isinstance(value, float):
            time = _from_decimal(Decimal(repr(value)) if math.isfinite(value) else None, ticks)
        elif isinstance(value, str):
            time = _from_text(value, pattern, local, ticks)
        else:
            raise ValueError(f"must be a number or text; got {_shown(value)}")
        if not EARLIEST <= time <= LATEST:
            raise ValueError(f"must lie in the years 2 to 9998; got {_shown(value)}")
        return time

    return read


def whole_times(values: list[Any], unit: Unit) -> list[int] | None:
    """All of them in µs, where they are integers in range, else None; as ``time_reader`` reads."""
    if set(map(type, values)) != {int}:
        return None
    ticks = int(_TICKS[unit])
    times = [value * ticks for value in values] if ticks else [value // 1000 for value in values]
    return times if min(times) >= EARLIEST and max(times) <= LATEST else None


def _shown(value: Any) -> str:
    return "none" if value is None else f"{value!r:.80}"


def _from_decimal(number: Decimal | None, ticks: Decimal) -> int:
    """Floor to a microsecond, so that negative times fall the same way as positive ones."""
    if number is None:
        raise ValueError("must be a finite number; got NaN or infinity")
    if number.adjusted() > 30:
        raise ValueError(f"must lie in the years 2 to 9998; got {number}")
    return math.floor(number * ticks)


def _from_text(text: str, pattern: str, local: ZoneInfo, ticks: Decimal) -> int:
    if not pattern and _NUMBER.fullmatch(text):
        try:
            return _from_decimal(Decimal(text), ticks)
        except InvalidOperation:
            raise ValueError(f"must be a time; got {text!r:.80}") from None
    try:
        parsed = datetime.strptime(text, pattern) if pattern else datetime.fromisoformat(text)
    except ValueError:
        rule = f"must be a time like {pattern!r}" if pattern else "must be an ISO 8601 time"
        raise ValueError(f"{rule}; got {text!r:.80}") from None
    try:
        return instant(parsed if parsed.tzinfo else parsed.replace(tzinfo=local))
    except OverflowError:
        raise ValueError(f"must lie in the years 2 to 9998; got {text!r:.80}") from None


def instant(moment: datetime) -> int:
    """An aware datetime in µs since the epoch, exactly."""
    return (moment - EPOCH) // TICK


@lru_cache(4096)
def iso(time: float) -> str:
    """Microseconds as ISO 8601 in UTC, with no more digits than needed; ``-inf`` and ``inf``."""
    if not math.isfinite(time):
        return str(time)
    bounded = min(max(int(time), EARLIEST - 86_400_000_000), LATEST + 86_400_000_000)
    text = (EPOCH + timedelta(microseconds=bounded)).replace(tzinfo=None).isoformat()
    return f"{text.rstrip('0')}Z" if "." in text else f"{text}Z"


def _offset(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = value.strip() if isinstance(value, str) else value
    try:
        if isinstance(text, str) and text.startswith("-"):
            return -parse_duration(text[1:].strip())
        return parse_duration(text)
    except PropertyError:
        rule = f"must be a duration such as '2 h' or '-8 h'; got {value!r:.80}"
        raise PydanticCustomError("offset", "{message}", {"message": rule}) from None


def _write_offset(offset: int) -> str:
    return f"{'-' if offset < 0 else ''}{format_duration(abs(offset))}"


def _zone(value: Any) -> str:
    try:
        return ZoneInfo(value).key
    except (LookupError, ValueError, TypeError, OSError):
        rule = f"must be a time zone such as 'Europe/Berlin'; got {value!r:.80}"
        raise PydanticCustomError("zone", "{message}", {"message": rule}) from None


if TYPE_CHECKING:
    Offset = int
    Zone = str
else:
    Offset = Annotated[
        int,
        BeforeValidator(_offset),
        PlainSerializer(_write_offset),
        WithJsonSchema({"type": "string", "format": "duration"}),
    ]
    Zone = Annotated[str, BeforeValidator(_zone)]
