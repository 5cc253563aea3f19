"""Looks after a member: where its partitions end, whether it makes progress, what is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from processors.kafka.positions import state_key

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, TopicPartition

REQUEST: Final = 5.0  # seconds that the broker may take to answer


class JoinAgain(Exception):
    """This consumer is of no use any more; the message says why."""


class Watchdog:
    """Finds a consumer that reads nothing although there is something (aiokafka#1154).

    patience: seconds
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._seen: dict[TopicPartition, tuple[int, float]] = {}

    def forget(self) -> None:
        """A new assignment: patience begins anew."""
        self._seen.clear()

    def check(
        self,
        now: float,
        positions: Mapping[TopicPartition, int],
        ends: Mapping[TopicPartition, int],
        *,
        excused: bool,
    ) -> None:
        """Raises JoinAgain. ``excused`` is a member that has no reason to read."""
        for partition, end in ends.items():
            position = positions.get(partition, end)
            before, since = self._seen.get(partition, (-1, now))
            if excused or position >= end or position != before:
                self._seen[partition] = (position, now)
            elif now - since > self._patience:
                raise JoinAgain(
                    f"no record of partition {state_key(*partition)!r} from offset {position} for "
                    f"{self._patience:g} s, although it ends at {end}"
                )


async def partition_ends(
    consumer: AIOKafkaConsumer, partitions: list[TopicPartition]
) -> dict[TopicPartition, int]:
    """The ends of the partitions, none while the broker does not say them."""
    from aiokafka.errors import KafkaError

    if not partitions:
        return {}
    with suppress(TimeoutError, KafkaError):
        async with asyncio.timeout(REQUEST):
            ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
            return ends
    return {}


def missing_topic(topic: str) -> str:
    """The warning for a topic that is not there."""
    return (
        f"topic {topic!r} must exist; got none, and the broker does not create it; run "
        f"`flowengine kafka topics --create {topic}`; it is read as soon as it exists"
    )
