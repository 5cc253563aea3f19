"""What all engines get: records of users in the order of time, and how many results there are."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any, Final

import orjson

COUNT: Final = int(os.environ.get("BENCH_RECORDS", "60000"))
FEW: Final = COUNT // 6  # for Quix Streams, which needs as long for them
USERS: Final = 100
# In ms, divisible by ten seconds. Not long ago: a broker deletes what is older than a week.
BEGIN: Final = (int(time.time()) - 7200) // 10 * 10_000
SIZE: Final = 10_000  # ms of a window
SLIDE: Final = 1000
GAP: Final = 1000
TURN: Final = 5000  # records after which the next users come, so that sessions end
STEPS: Final = ("sum", "session", "mean")
END: Final = {"user": "end", "value": 0, "at": BEGIN + 3_600_000}


def records(steps: str, count: int = COUNT) -> Iterator[dict[str, Any]]:
    """A record per millisecond of event time; the last one closes all windows of the others."""
    for number in range(count):
        user = number * 7919 % USERS
        if steps == "session":
            user = number // TURN * USERS // 2 + number % (USERS // 2)
        yield {"user": f"user {user}", "value": number % 1000, "at": BEGIN + number}
    yield END


def truth(steps: str, count: int = COUNT) -> dict[tuple[str, int], float]:
    """User and end of a window (begin of a session) in ms → result."""
    found: dict[tuple[str, int], list[int]] = {}
    begun: dict[str, int] = {}
    for record in records(steps, count):
        user, at = record["user"], record["at"]
        if record is END:
            break
        if steps == "session":
            windows = [begun.setdefault(user, at)]
        elif steps == "mean":
            first = at // SLIDE * SLIDE + SLIDE
            windows = list(range(first, first + SIZE, SLIDE))
        else:
            windows = [at // SIZE * SIZE + SIZE]
        for window in windows:
            found.setdefault((user, window), []).append(record["value"])
    if steps == "session":
        return {key: len(values) for key, values in found.items()}
    if steps == "mean":
        return {key: sum(values) / len(values) for key, values in found.items()}
    return {key: sum(values) for key, values in found.items()}


def encoded(record: dict[str, Any]) -> tuple[bytes, bytes, int]:
    """Key, value and timestamp of a message."""
    return record["user"].encode(), orjson.dumps(record), record["at"]
