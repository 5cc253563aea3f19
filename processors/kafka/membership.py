"""How ConsumeKafka's members take part in their group, and what people see of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from processors.kafka.positions import Reset

LONGEST_BUDGET: Final = 5.0  # seconds: a rebalance waits for the slowest member


@dataclass(frozen=True)
class Membership:
    """What all members of one processor have in common. Durations are in µs.

    topics:    names, empty with a pattern
    client:    the members are called ``client-1``, ``client-2``, …
    static_id: prefix of the members' static ids, None for dynamic membership
    watchdog:  seconds without progress until a member is made anew
    """

    group: str
    client: str
    topics: tuple[str, ...]
    pattern: str | None
    reset: Reset
    max_records: int
    session_timeout: int
    heartbeat_interval: int
    max_poll_interval: int
    static_id: str | None = None
    watchdog: float = 30.0

    def name(self, number: int) -> str:
        """A member's name, its client id in Kafka."""
        return f"{self.client}-{number + 1}"

    def options(self, number: int) -> dict[str, Any]:
        """The part of an aiokafka consumer's arguments that concerns the group."""
        poll = self.max_poll_interval // 1000
        return {
            "client_id": self.name(number),
            "group_id": self.group,
            "group_instance_id": f"{self.static_id}-{number + 1}" if self.static_id else None,
            "session_timeout_ms": self.session_timeout // 1000,
            "heartbeat_interval_ms": self.heartbeat_interval // 1000,
            "max_poll_interval_ms": poll,
            "rebalance_timeout_ms": poll,  # as in Java: how long a revoke may take
        }

    @property
    def budget(self) -> float:
        """Seconds that letting partitions go may take (``kafka.md`` §2.6)."""
        return min(0.2 * self.max_poll_interval / 1e6, LONGEST_BUDGET)

    @property
    def keep_alive(self) -> float:
        """Seconds between polls of a paused member."""
        return min(self.max_poll_interval / 1e6 / 3, 10.0)


class MemberState(StrEnum):
    """What a member does now."""

    JOINING = "joining"
    IDLE = "idle"
    READING = "reading"
    PAUSED = "paused"
    GONE = "gone"


@dataclass
class Entry:
    """What is known of one member."""

    state: MemberState
    partitions: list[str]
    committed: dict[str, int]
    ends: dict[str, int]


class Roll:
    """The members and what each does; reports it whenever something changes."""

    def __init__(self, membership: Membership, report: Callable[..., None]) -> None:
        self._membership = membership
        self._report = report
        self._entries: dict[int, Entry] = {}

    def tell(
        self,
        number: int,
        state: MemberState,
        partitions: list[str],
        committed: dict[str, int],
        ends: dict[str, int],
    ) -> None:
        """A member says what it does. Ends that it does not say are those it said last."""
        before = self._entries.get(number)
        known = before.ends if before else {}
        kept = {key: ends.get(key, known.get(key, -1)) for key in partitions}
        seen = {key: end for key, end in kept.items() if end >= 0}
        self._entries[number] = Entry(state, partitions, committed, seen)
        self._publish()

    def left(self, number: int) -> None:
        """A member has left the group."""
        self._entries[number] = Entry(MemberState.GONE, [], {}, {})
        self._publish()

    def _publish(self) -> None:
        committed: dict[str, int] = {}
        ends: dict[str, int] = {}
        assignment: dict[str, str] = {}
        for number, entry in sorted(self._entries.items()):
            committed |= entry.committed
            ends |= entry.ends
            assignment |= dict.fromkeys(entry.partitions, self._membership.name(number))
        self._report(
            group=self._membership.group,
            members=[
                {
                    "member": self._membership.name(number),
                    "state": entry.state.value,
                    "partitions": entry.partitions,
                }
                for number, entry in sorted(self._entries.items())
            ],
            assignment=assignment,
            committed=committed,
            end=ends,
            lag={key: end - committed.get(key, 0) for key, end in ends.items()},
        )
