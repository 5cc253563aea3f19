"""What happened in a group while somebody looked: seen by differences between two looks.

Kafka keeps no history of rebalances. So a group that is looked at is asked once a second until
nobody has looked for a while, and what differs from the look before becomes an event.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from aiokafka.errors import KafkaError

from flowengine.inspection import InspectionError
from processors.kafka.lens.client import Fields, connected
from processors.kafka.lens.groups import described, members_of

if TYPE_CHECKING:
    from processors.kafka.connection import KafkaConnection

PERIOD: Final = 1.0  # s
PATIENCE: Final = 20.0  # s without anybody who looks
EVENTS: Final = 200  # kept for each group
GROUPS: Final = 50


class Sighting:
    """One group: how it was at the last look, and what happened since the first."""

    def __init__(self) -> None:
        self.events: deque[Fields] = deque(maxlen=EVENTS)
        self.looked = time.monotonic()
        self.watched = False
        self._state: str | None = None
        self._members: dict[str, Fields] = {}

    def see(self, fields: Fields) -> None:
        """Compare with the last look."""
        now = time.time_ns() // 1000
        members = {each["id"]: each for each in members_of(fields)}
        if self._state is not None:
            found = differences(self._state, self._members, fields["state"], members)
            self.events.extend({"time": now, "kind": kind, "text": text} for kind, text in found)
        self._state, self._members = fields["state"], members


def differences(
    state: str, members: Mapping[str, Fields], new_state: str, new_members: Mapping[str, Fields]
) -> list[tuple[str, str]]:
    """Kind and text of what happened between two looks."""
    found = [
        ("left", f"{_name(members[id])} left") for id in sorted(members.keys() - new_members)
    ] + [
        ("joined", f"{_name(new_members[id])} joined")
        for id in sorted(new_members.keys() - members)
    ]
    if state != new_state:
        found.append(("state", f"{state} → {new_state}"))
    if new_state == "Stable" and _assigned(members) != _assigned(new_members):
        shares = ", ".join(_share(each) for each in new_members.values()) or "no members"
        found.append(("rebalanced", shares))
    return found


def _name(member: Fields) -> str:
    return str(member["instance_id"] or member["client_id"])


def _assigned(members: Mapping[str, Fields]) -> dict[str, Any]:
    return {id: each["partitions"] for id, each in members.items()}


def _share(member: Fields) -> str:
    places = [f"{each['topic']}/{each['partition']}" for each in member["partitions"]]
    return f"{_name(member)}: {' '.join(places) or 'idle'}"


class Sightings:
    """Groups of one cluster that somebody looks at. Its watchers live in ``tasks``."""

    def __init__(self, connection: KafkaConnection, tasks: asyncio.TaskGroup) -> None:
        self._connection = connection
        self._tasks = tasks
        self._groups: OrderedDict[str, Sighting] = OrderedDict()
        self._closed = asyncio.Event()

    def close(self) -> None:
        """End all watchers soon."""
        self._closed.set()

    def looked(self, group: str) -> list[Fields]:
        """Somebody looks at a group: go on watching it. Returns what has happened, oldest first."""
        sighting = self._groups.setdefault(group, Sighting())
        self._groups.move_to_end(group)
        sighting.looked = time.monotonic()
        if not sighting.watched:
            sighting.watched = True
            self._tasks.create_task(self._watch(group, sighting), name=f"watch {group}")
        while len(self._groups) > GROUPS:
            self._groups.popitem(last=False)
        return list(sighting.events)

    async def _watch(self, group: str, sighting: Sighting) -> None:
        try:
            while self._wanted(group, sighting):
                try:
                    async with connected(self._connection) as cluster:
                        fields, _ = await described(cluster, group)
                    sighting.see(fields)
                except (InspectionError, KafkaError):
                    pass  # whoever looks is told so by the question itself
                await self._pause()
        finally:
            sighting.watched = False

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(PERIOD):
                await self._closed.wait()
        except TimeoutError:
            return

    def _wanted(self, group: str, sighting: Sighting) -> bool:
        recent = time.monotonic() - sighting.looked < PATIENCE
        return recent and not self._closed.is_set() and self._groups.get(group) is sighting
