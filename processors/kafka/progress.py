"""Progress of event time per partition (E20, E21). Used on the engine's loop.

Numbered rules
--------------
1. Until a member of this processor has joined its group, the processor says of no time that it is
   certain: the member may get any partition. A member without a partition is left out.
2. A partition that was assigned and never read holds back time; so does one whose end is unknown
   or not yet read: what we pause, what waits behind a full queue and a broker that does not answer
   make nothing idle.
3. Idle is a partition that was read to its end and had no message for ``idle`` µs.
4. A partition that no member of this processor has any more is left out after ``leave`` µs, so one
   that goes to another member, or is back after a rebalance, has missed nothing.
5. What rules 1 to 4 want is compared with what the engine has; so a session that is rolled back
   changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

from flowengine.watermarks import NEVER
from processors.kafka.handover import Batch
from processors.kafka.positions import state_key

FUTURE: Final = 3_600_000_000  # µs beyond the time of receipt that a timestamp may lie (E23)


class Session(Protocol):
    """The part of a session that is used here."""

    @property
    def now(self) -> int:
        """Wall time in µs."""

    def report_progress(self, partition: str, event_time: int | None) -> None:
        """Say how far a partition is; None leaves it out."""


class Progress:
    """Which partitions hold back time, and how far each is.

    members: names of the processor's members
    bound:   how much older than the newest a message may be, in µs
    idle:    µs without a message until a partition is idle; None never
    leave:   µs for which a partition still holds that no member has any more
    """

    def __init__(self, members: Iterable[str], bound: int, idle: int | None, leave: int) -> None:
        self._joining = dict(enumerate(members))
        self._names = tuple(self._joining.values())
        self._bound, self._idle, self._leave = bound, idle, leave
        self._owners: dict[str, int] = {}
        self._seen: dict[str, int] = {}
        self._left_out: set[str] = set()
        self._told = False

    def assigned(self, member: int, partitions: Iterable[str], now: int) -> None:
        """A member has these partitions now, and no others."""
        self._joining.pop(member, None)
        mine = set(partitions)
        for key in [key for key, owner in self._owners.items() if owner == member]:
            if key not in mine:
                del self._owners[key]
                self._seen[key] = now
        for key in mine:
            self._owners[key] = member
            self._seen[key] = now
            self._left_out.discard(key)

    def read(self, session: Session, batches: Iterable[Batch], received: int) -> None:
        """Messages were handed on. What lies in the far future moves no time (E23)."""
        latest = (received + FUTURE) // 1000
        for batch in batches:
            key = state_key(batch.topic, batch.partition)
            times = [r.timestamp for r in batch.records if r.timestamp <= latest]
            if times:
                session.report_progress(key, max(times) * 1000 - self._bound - 1)
            self._seen[key] = session.now
            self._left_out.discard(key)

    def look(
        self, session: Session, known: Mapping[str, int], is_read: Callable[[int, str], bool]
    ) -> None:
        """Leave out and take in what the rules say.

        known:   what the engine has, partition → event time
        is_read: whether a member has handed on everything that a partition has
        """
        now = session.now
        wanted = {*self._joining.values(), *self._held(now, is_read)}
        for key in wanted - known.keys():
            session.report_progress(key, NEVER)
        for key in known.keys() - wanted:
            if key in self._owners or key in self._names or self._is_gone(key, now):
                session.report_progress(key, None)
        if not (known or wanted or self._told):  # all have joined, and there is no partition
            session.report_progress(self._names[0], None)
        self._told = True

    def _held(self, now: int, is_read: Callable[[int, str], bool]) -> Iterable[str]:
        """Partitions of our members that are not idle."""
        idle = self._idle
        if idle is None:
            return self._owners
        for key, member in self._owners.items():
            if key in self._left_out:
                continue
            if not is_read(member, key):
                self._seen[key] = now
            elif now - self._seen[key] >= idle:
                self._left_out.add(key)
        return self._owners.keys() - self._left_out

    def _is_gone(self, key: str, now: int) -> bool:
        """Whether nobody has had the partition for so long that it does not come back."""
        return now - self._seen.setdefault(key, now) >= self._leave
