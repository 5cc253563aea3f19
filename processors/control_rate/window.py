"""Window: what passed within the last period, and when more may pass. Pure, on a given time.

Rules
-----
1. An amount counts for exactly one period after it passed. While less than the maximum counts, the
   next one passes whole, so one session of data may go over; a count never does.
2. Whoever goes over the maximum within a second (or a shorter period) waits longer: once the window
   has drained, for the period × (over / maximum). 29 kB where 20 kB/s are allowed: 1 s and 450 ms.
   More that is spread over a longer time has no such penalty.
3. Amounts are kept one by one up to ``FINE`` of them; beyond, those within 1/``FINE`` of the period
   count together from the last of them. That may delay by 1/``FINE`` of the period, once: what was
   delayed together passes together. It never lets more pass.

Source: NiFi's ``ControlRate`` for rules 1 and 2, there in steps of whole seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

FINE = 64
BURST = 1_000_000  # µs

Snapshot = tuple[int, tuple[tuple[int, int, int], ...]]


class Window:
    """One limit of one group at one time. Times are µs, amounts are bytes or a number.

    remaining: what may pass now; nothing when not positive
    moved:     the clock went back and what has passed was moved with it: store the snapshot
    """

    __slots__ = ("_burst", "_entries", "_maximum", "_now", "_period", "moved", "remaining")

    def __init__(
        self, period: int, maximum: int, now: int, snapshot: Sequence[Any] | None = None
    ) -> None:
        burst, entries = snapshot or (0, ())
        # After a clock that went back, what passed "later" than now passed just now at the latest.
        ahead = max(entries[-1][1] - now, 0) if entries else 0
        self.moved = ahead > 0
        self._entries: list[tuple[int, int, int]] = [
            (first - ahead, last - ahead, amount) for first, last, amount in entries
        ]
        self._burst: int = burst
        self._period, self._maximum, self._now = period, maximum, now
        self.remaining = 0
        if self.free_at <= now:
            self._forget()
            self.remaining = maximum - self._total

    @property
    def _total(self) -> int:
        return sum([amount for _, _, amount in self._entries])

    @property
    def free_at(self) -> int:
        """When the next amount may pass; not later than now when one may."""
        total, drained = self._total, 0
        for _, last, amount in self._entries:
            if total < self._maximum:
                break
            total -= amount
            drained = last + self._period
        over = self._burst - self._maximum
        return drained + (-(-self._period * over // self._maximum) if over > 0 else 0)

    @property
    def idle(self) -> bool:
        """Whether nothing counts any more."""
        if not self._entries:
            return True
        return max(self._entries[-1][1] + self._period, self.free_at) <= self._now

    def admit(self, amount: int) -> None:
        """Count what passes now. Only while something remains."""
        self.remaining -= amount
        if amount == 0:
            return
        self._append(amount)
        if self.remaining < 0:
            recent = self._now - min(self._period, BURST)
            burst = sum([amount for _, last, amount in self._entries if last > recent])
            self._burst = burst if burst > self._maximum else 0

    def snapshot(self) -> Snapshot:
        """An immutable value from which the window can be made again, at a later time."""
        return self._burst, tuple(self._entries)

    def _forget(self) -> None:
        start = self._now - self._period
        self._entries = [entry for entry in self._entries if entry[1] > start]
        self._burst = 0

    def _append(self, amount: int) -> None:
        now, entries = self._now, self._entries
        if entries:
            first, last, counted = entries[-1]
            crowded = len(entries) >= FINE and (now - first) * FINE < self._period
            if last == now or crowded:
                entries[-1] = (first, now, counted + amount)
                return
        entries.append((now, now, amount))
