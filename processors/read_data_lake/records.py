"""What readers give: records, and what could not be read as one."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import orjson


class Record(msgspec.Struct, gc=False):
    """One record of a file.

    row:    number in its file, from 1, rows that a filter drops counted too
    line:   line on which it starts, from 1; 0 where a format has no lines
    fields: column → value
    raw:    as it stands in the file when that is JSON already, else None
    """

    row: int
    line: int
    fields: dict[str, Any]
    raw: bytes | None = None


class Broken(msgspec.Struct, gc=False):
    """What could not be read as a record; ``reason`` has the form ``<subject> must …; got …``."""

    row: int
    line: int
    reason: str
    raw: bytes = b""


class Place(msgspec.Struct, frozen=True, array_like=True):
    """How far a file has been read: rows and lines done, and bytes where one can seek there."""

    row: int = 0
    line: int = 0
    offset: int = 0


START: Final = Place()


class BrokenFile(Exception):
    """The rest of a file cannot be read. ``raw`` is what is left of it, where that is known."""

    def __init__(self, reason: str, raw: bytes = b"") -> None:
        super().__init__(reason)
        self.reason = reason
        self.raw = raw


def value_at(fields: Mapping[str, Any], name: str) -> Any:
    """The value of a column, or inside nested ones (``address.city``); None when missing."""
    if name in fields:
        return fields[name]
    value: Any = fields
    for part in name.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def to_text(value: Any) -> str:
    """A value as an attribute."""
    if isinstance(value, str):
        return value
    return to_json(value).decode().strip('"') if _is_scalar(value) else to_json(value).decode()


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, Mapping | list | tuple)


def to_json(value: Any) -> bytes:
    """A value as JSON: times in ISO 8601, decimals as text, bytes in base64."""
    return orjson.dumps(value, default=_default, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


def _default(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal | int):
        return str(value)
    return str(value)


class EventTime:
    """Reads the event time of a record.

    format: ``iso``, ``s``, ``ms``, ``us``, ``ns`` (since the epoch), or a pattern of strptime
    zone:   of times that do not name their own
    """

    def __init__(self, column: str, format: str, zone: str) -> None:
        self.column, self._format, self._zone = column, format, ZoneInfo(zone)
        self._unit = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}.get(format)

    def of(self, value: Any) -> int:
        """Microseconds since the epoch. Raises ValueError."""
        try:
            return self._read(value)
        except (ValueError, TypeError, OverflowError, ArithmeticError):
            raise ValueError(
                f"event time {self.column!r} must be a time in format {self._format!r}; "
                f"got {value!r:.80}"
            ) from None

    def _read(self, value: Any) -> int:
        if isinstance(value, datetime):
            return self._micros(value)
        if self._unit is not None and not isinstance(value, bool):
            number = Decimal(str(value))
            return int(number * self._unit) // 1000
        if not isinstance(value, str):
            raise TypeError
        parsed = self._format == "iso"
        return self._micros(
            datetime.fromisoformat(value) if parsed else datetime.strptime(value, self._format)
        )

    def _micros(self, value: datetime) -> int:
        aware = value if value.tzinfo is not None else value.replace(tzinfo=self._zone)
        return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
