"""The only source of time. Tests use :class:`FakeClock`, so that no test sleeps.

All instants and durations are integer microseconds. ``wall`` counts since the Unix epoch and may
jump; ``monotonic`` never goes back and has no meaning beyond differences.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What the engine asks of time."""

    def wall(self) -> int:
        """Microseconds since the Unix epoch."""

    def monotonic(self) -> int:
        """Microseconds that never go back."""

    async def wait(self, event: asyncio.Event, timeout: int | None) -> None:
        """Return when ``event`` is set or after ``timeout`` microseconds, whichever is first."""


class SystemClock:
    """The machine's clocks."""

    def wall(self) -> int:
        return time.time_ns() // 1000

    def monotonic(self) -> int:
        return time.monotonic_ns() // 1000

    async def wait(self, event: asyncio.Event, timeout: int | None) -> None:
        if timeout is None:
            await event.wait()
            return
        handle = asyncio.get_running_loop().call_later(max(timeout, 0) / 1e6, event.set)
        try:
            await event.wait()
        finally:
            handle.cancel()


class FakeClock:
    """A clock that moves only when told; ``advance`` wakes whoever waited long enough."""

    def __init__(self, wall: int = 1_700_000_000_000_000) -> None:
        self._wall = wall
        self._monotonic = 0
        self._waiters: list[tuple[int, asyncio.Event]] = []

    def wall(self) -> int:
        return self._wall

    def monotonic(self) -> int:
        return self._monotonic

    def advance(self, microseconds: int) -> None:
        """Move both clocks forward and wake the waits that have ended."""
        self._wall += microseconds
        self._monotonic += microseconds
        for due, event in self._waiters:
            if due <= self._monotonic:
                event.set()

    def set_wall(self, wall: int) -> None:
        """Let the wall clock jump, as NTP does; the monotonic clock stays."""
        self._wall = wall

    async def wait(self, event: asyncio.Event, timeout: int | None) -> None:
        if timeout is not None and timeout <= 0:
            return
        waiter = None if timeout is None else (self._monotonic + timeout, event)
        if waiter is not None:
            self._waiters.append(waiter)
        try:
            await event.wait()
        finally:
            if waiter is not None:
                self._waiters.remove(waiter)
