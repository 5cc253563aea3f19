"""The only source of time. Tests use :class:`FakeClock`, so that no test sleeps.

All instants and durations are integer microseconds. ``wall`` counts since the Unix epoch and may
jump; ``monotonic`` never goes back and has no meaning beyond differences.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Protocol


class Clock(Protocol):
    """What the engine asks of time."""

    def wall(self) -> int:
        """Microseconds since the Unix epoch."""

    def monotonic(self) -> int:
        """Microseconds that never go back."""

    async def wait(self, event: asyncio.Event, timeout: int | None) -> None:
        """Return when ``event`` is set or after ``timeout`` µs, whichever is first.

        The end of the time does not set the event.
        """


class SystemClock:
    """The machine's clocks."""

    def wall(self) -> int:
        return time.time_ns() // 1000

    def monotonic(self) -> int:
        return time.monotonic_ns() // 1000

    async def wait(self, event: asyncio.Event, timeout: int | None) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(None if timeout is None else max(timeout, 0) / 1e6):
                await event.wait()


class FakeClock:
    """A clock that moves only when told; ``advance`` wakes whoever waited long enough."""

    def __init__(self, wall: int = 1_700_000_000_000_000) -> None:
        self._wall = wall
        self._monotonic = 0
        self._waiters: list[tuple[int, asyncio.Timeout]] = []

    def wall(self) -> int:
        return self._wall

    def monotonic(self) -> int:
        return self._monotonic

    def advance(self, microseconds: int) -> None:
        """Move both clocks forward and wake the waits that have ended."""
        self._wall += microseconds
        self._monotonic += microseconds
        ended = [waiter for waiter in self._waiters if waiter[0] <= self._monotonic]
        self._waiters = [waiter for waiter in self._waiters if waiter[0] > self._monotonic]
        for _, timeout in ended:
            timeout.reschedule(0)

    def set_wall(self, wall: int) -> None:
        """Let the wall clock jump, as NTP does; the monotonic clock stays."""
        self._wall = wall

    async def wait(self, event: asyncio.Event, timeout: int | None) -> None:
        if timeout is not None and timeout <= 0:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(None) as ending:
                if timeout is not None:
                    self._waiters.append((self._monotonic + timeout, ending))
                try:
                    await event.wait()
                finally:
                    self._waiters = [waiter for waiter in self._waiters if waiter[1] is not ending]

    @property
    def next_due(self) -> int | None:
        """Monotonic time of the earliest wait that time will end, or None."""
        return min((due for due, _ in self._waiters), default=None)
