"""Where reading a partition goes on: stored in the cut, committed in Kafka, or neither (E13)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reset(StrEnum):
    """Where to begin when neither the flow nor Kafka knows a position."""

    EARLIEST = "earliest"
    LATEST = "latest"
    NONE = "none"


@dataclass(frozen=True)
class Placement:
    """The offset to read next.

    store:  it must be stored and committed before the first poll, or a restart would choose anew
    remark: what a person should know about it
    """

    offset: int
    store: bool = False
    remark: str = ""


class NoPosition(Exception):
    """There is no position, and none may be chosen."""


def state_key(topic: str, partition: int) -> str:
    """Under which name a position is stored in the processor's state and shown to people."""
    return f"{topic}/{partition}"


def known_position(stored: int | None, committed: int | None) -> int | None:
    """The greater of the position stored with the flow and the one committed in Kafka."""
    if stored is None or committed is None:
        return committed if stored is None else stored
    return max(stored, committed)


def first_position(key: str, begin: int, end: int, reset: Reset) -> Placement:
    """Where to begin a partition that nobody has read. Raises NoPosition."""
    if reset is Reset.EARLIEST:
        return Placement(begin)
    if reset is Reset.LATEST:
        return Placement(end, store=True)
    raise NoPosition(
        f"partition {key!r} must have a committed offset since 'auto_offset_reset' is 'none'; got "
        "none; set the group's offset, or choose 'earliest' or 'latest'"
    )


def lost_position(key: str, wanted: int, begin: int, end: int, reset: Reset) -> Placement:
    """Where to go on when the broker does not have the wanted offset. Raises NoPosition."""
    if wanted < begin:
        what = f"offsets {wanted} to {begin - 1} were deleted before they were read"
    else:
        what = f"offset {wanted} is beyond its end {end}: the topic was made anew"
    if reset is Reset.NONE:
        raise NoPosition(
            f"partition {key!r} must have offset {wanted} since 'auto_offset_reset' is 'none'; "
            f"got {what}; set the group's offset, or choose 'earliest' or 'latest'"
        )
    offset = begin if reset is Reset.EARLIEST else end
    remark = f"partition {key!r} must have the offset to read; got {what}; reading from {offset}"
    return Placement(offset, store=True, remark=remark)
