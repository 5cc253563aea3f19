"""Counting per batch over a rolling window (E28 counts for ever, this forgets after 5 minutes)."""

from __future__ import annotations

import msgspec

WINDOW = 300_000_000
BUCKETS = 60
_WIDTH = WINDOW // BUCKETS


class Totals(msgspec.Struct):
    """Sums over some time. Sizes are bytes, ``nanoseconds`` is time spent in triggers."""

    flowfiles_in: int = 0
    bytes_in: int = 0
    flowfiles_out: int = 0
    bytes_out: int = 0
    bytes_read: int = 0
    bytes_written: int = 0
    tasks: int = 0
    nanoseconds: int = 0

    def add(self, other: Totals) -> None:
        """Add another's sums to these."""
        self.flowfiles_in += other.flowfiles_in
        self.bytes_in += other.bytes_in
        self.flowfiles_out += other.flowfiles_out
        self.bytes_out += other.bytes_out
        self.bytes_read += other.bytes_read
        self.bytes_written += other.bytes_written
        self.tasks += other.tasks
        self.nanoseconds += other.nanoseconds


class RollingStatistics:
    """Totals for ever and over the last five minutes, in buckets of five seconds."""

    def __init__(self) -> None:
        self.total = Totals()
        self._buckets: dict[int, Totals] = {}

    def bucket(self, now: int) -> Totals:
        """The bucket that counts what happens at ``now`` (monotonic µs)."""
        index = now // _WIDTH
        found = self._buckets.get(index)
        if found is None:
            self._forget(index)
            found = self._buckets[index] = Totals()
        return found

    def window(self, now: int) -> Totals:
        """Sums over the last five minutes."""
        self._forget(now // _WIDTH)
        sums = Totals()
        for bucket in self._buckets.values():
            sums.add(bucket)
        return sums

    def _forget(self, index: int) -> None:
        for old in [i for i in self._buckets if i <= index - BUCKETS]:
            self.total.add(self._buckets.pop(old))

    def ever(self, now: int) -> Totals:
        """Sums since the start."""
        sums = self.window(now)
        sums.add(self.total)
        return sums
