"""What PublishKafka knows about its topics: how many partitions, and whether they are copied."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final

from flowengine.errors import EnvironmentFault, YieldError
from processors.kafka.client_log import Log
from processors.kafka.outbox import Problem
from processors.kafka.producer import DeliverySettings, Guarantee, ProducerSlot

if TYPE_CHECKING:
    from aiokafka import AIOKafkaProducer

    from processors.kafka.connection import KafkaConnection

PATIENCE: Final = 2.0  # seconds for a topic to appear that the broker may be making
IMPATIENCE: Final = 0.3  # when it is created otherwise
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,249}")


class TopicBook:
    """Looks topics up, creates them where that is wanted, and warns once of one without copies."""

    def __init__(
        self,
        connection: KafkaConnection,
        settings: DeliverySettings,
        slot: ProducerSlot,
        log: Log,
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._slot = slot
        self._log = log
        self._seen: set[str] = set()
        self._warned = False

    async def partition_count(self, producer: AIOKafkaProducer, topic: str) -> int | Problem:
        """How many partitions a topic has, or why it cannot be written to.

        Raises YieldError when the cluster does not answer.
        """
        known = producer.client.cluster.partitions_for_topic(topic)
        if known and topic in self._seen:
            return len(known)
        if not _NAME.fullmatch(topic) or topic in (".", ".."):
            rule = "topic must be 1 to 249 letters, digits, '.', '_' or '-'"
            return Problem("InvalidTopicError", f"{rule}; got {topic!r:.80}", permanent=True)
        count = await self._look_up(producer, topic)
        if topic in producer.client.cluster.unauthorized_topics:
            rule = f"topic {topic!r} must be one that this user may write to; got no permission"
            return Problem("TopicAuthorizationFailedError", rule)
        if count is None and self._settings.topic_partitions:
            await self._create(topic, self._settings.topic_partitions)
            count = await self._look_up(producer, topic, again=True)
        if count is None:
            return _missing(topic)
        self._seen.add(topic)
        self._warn_of_single_copy(producer, topic)
        return count

    async def _look_up(
        self, producer: AIOKafkaProducer, topic: str, *, again: bool = False
    ) -> int | None:
        """How many partitions a topic has; None when a reachable cluster does not know it."""
        from aiokafka.errors import KafkaError

        patience = IMPATIENCE if self._settings.topic_partitions and not again else PATIENCE
        try:
            async with asyncio.timeout(patience):
                return len(await producer.partitions_for(topic))
        except (TimeoutError, KafkaError):
            producer.client._topics.discard(topic)  # or it would be asked for ever after
        try:
            async with asyncio.timeout(self._settings.seconds):
                await producer.client.fetch_all_metadata()
        except (TimeoutError, KafkaError) as error:
            raise YieldError(self._slot.unreachable(error)) from None
        return None

    async def _create(self, topic: str, partitions: int) -> None:
        from processors.kafka.admin import create_topic

        options = self._connection.client_options("admin")
        bootstrap = options.pop("bootstrap_servers")
        options.pop("request_timeout_ms", None)
        try:
            await create_topic(bootstrap, topic, partitions, **options)
        except EnvironmentFault as error:  # somebody else may have been quicker
            self._log.info(str(error))

    def _warn_of_single_copy(self, producer: AIOKafkaProducer, topic: str) -> None:
        """Once per run; where there is one broker only, more copies are nobody's mistake."""
        if self._warned or self._settings.guarantee is not Guarantee.REPLICATED:
            return
        partitions = producer.client.cluster._partitions.get(topic, {})
        if not any(len(partition.replicas) == 1 for partition in partitions.values()):
            return
        self._warned = True
        if len(producer.client.cluster.brokers()) == 1:
            self._log.info(
                f"topic {topic!r} has one replica in a cluster of one broker; the delivery "
                "guarantee 'replicated' is what 'single node' is there"
            )
            return
        self._log.warning(
            f"topic {topic!r} must have two replicas or more for the delivery guarantee "
            "'replicated' to outlive its broker; got 1"
        )


def _missing(topic: str) -> Problem:
    return Problem(
        "UnknownTopicOrPartitionError",
        f"topic {topic!r} must exist; got none, and the broker does not create it; run "
        f"`flowengine kafka topics --create {topic}`, or set 'topic_partitions'",
    )
