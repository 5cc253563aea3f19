"""Points in time as a flow test writes them.

A text is an ISO 8601 time with its offset (``2024-01-01T00:00:00Z``) or, with a sign, a distance
from the test's first clock (``+10 s``, ``-5 min``); a whole number is µs since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

from flowengine.definition.source import show
from flowengine.errors import PropertyError
from flowengine.units import parse_duration

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RULE = (
    "must be a time such as '2024-01-01T00:00:00Z', a distance such as '+10 s', or whole µs since "
    "the epoch"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in µs since the epoch or, when ``relative``, since the test's first clock."""

    microseconds: int
    relative: bool = False

    def at(self, start: int) -> int:
        """µs since the epoch, for a test that starts at ``start``."""
        return start + self.microseconds if self.relative else self.microseconds


def parse_moment(value: Any) -> Moment:
    """Read a time; raises ValueError with the rule it breaks."""
    if isinstance(value, Moment):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Moment(value)
    if isinstance(value, str) and value:
        return _distance(value) if value[0] in "+-" else _absolute(value)
    raise ValueError(f"{_RULE}; got {show(value)}")


def _distance(text: str) -> Moment:
    try:
        distance = parse_duration(text[1:].strip())
    except PropertyError as error:
        raise ValueError(f"{_RULE}; got {show(text)}") from error
    return Moment(-distance if text[0] == "-" else distance, relative=True)


def _absolute(text: str) -> Moment:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{_RULE}; got {show(text)}") from error
    if time.tzinfo is None:
        raise ValueError(f"must name its offset, as in '{text}Z'; got {show(text)}")
    return Moment((time - _EPOCH) // timedelta(microseconds=1))


def resolved(moment: Moment | None, start: int) -> int | None:
    """µs since the epoch, or None where no time was given."""
    return None if moment is None else moment.at(start)


def iso(microseconds: int) -> str:
    """µs since the epoch as people read them."""
    try:
        return (_EPOCH + timedelta(microseconds=microseconds)).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return str(microseconds)


Instant = Annotated[Moment, BeforeValidator(parse_moment)]
