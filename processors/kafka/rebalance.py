"""The callbacks that aiokafka calls around a rebalance, as a class because it insists on one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from aiokafka import ConsumerRebalanceListener, TopicPartition


class Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Passes both calls on."""

    def __init__(
        self,
        revoked: Callable[[Iterable[TopicPartition]], Awaitable[None]],
        assigned: Callable[[Iterable[TopicPartition]], None],
    ) -> None:
        self._revoked = revoked
        self._assigned = assigned

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        await self._revoked(revoked)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._assigned(assigned)
