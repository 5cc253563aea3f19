"""One aiokafka producer: made when first needed, replaced when broken. Lives on the I/O loop.

An idempotent producer is replaced after any failed batch: aiokafka has counted a sequence number
that the broker never saw, and would get OutOfOrderSequenceNumber for ever (aiokafka#1017).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from flowengine.errors import EnvironmentFault, YieldError
from processors.kafka.partitioner import Partitioning

if TYPE_CHECKING:
    from aiokafka import AIOKafkaProducer

    from processors.kafka.connection import KafkaConnection

FLUSH_PATIENCE: Final = 10.0  # seconds


class SendMode(StrEnum):
    """When the next message may go out."""

    FORGET = "fire and forget"
    SYNCHRONOUS = "synchronous"
    ASYNCHRONOUS = "asynchronous"


class Guarantee(StrEnum):
    """Who must have a message before it counts as delivered."""

    BEST_EFFORT = "best effort"
    SINGLE_NODE = "single node"
    REPLICATED = "replicated"


ACKS: Final[dict[Guarantee, int | str]] = {
    Guarantee.BEST_EFFORT: 0,
    Guarantee.SINGLE_NODE: 1,
    Guarantee.REPLICATED: "all",
}


@dataclass(frozen=True)
class DeliverySettings:
    """What PublishKafka's properties say about delivery.

    timeout:          µs until a message that nobody acknowledged has failed
    transactional_id: None outside transactions
    topic_partitions: partitions of a topic that is created, None leaves it to the broker
    """

    mode: SendMode
    guarantee: Guarantee
    partitioning: Partitioning
    compression: str | None
    max_request_size: int
    timeout: int
    transactional_id: str | None = None
    topic_partitions: int | None = None

    @property
    def seconds(self) -> float:
        """The timeout as asyncio takes it."""
        return self.timeout / 1e6


class ProducerSlot:
    """The present producer of one delivery.

    broken: the next :meth:`ready` makes another one
    """

    def __init__(self, connection: KafkaConnection, settings: DeliverySettings) -> None:
        self._connection = connection
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self.broken = False

    async def ready(self) -> AIOKafkaProducer:
        """A producer that can send. Raises YieldError when the cluster cannot be reached."""
        if self._producer is not None and self._is_broken(self._producer):
            await self.discard()
        if self._producer is None:
            self._producer = await self._start()
        return self._producer

    def _is_broken(self, producer: AIOKafkaProducer) -> bool:
        ended: bool = producer._sender.sender_task.done()
        return self.broken or ended

    async def _start(self) -> AIOKafkaProducer:
        from aiokafka import AIOKafkaProducer
        from aiokafka.errors import KafkaError

        try:
            producer = AIOKafkaProducer(**self._options())
        except EnvironmentFault as error:
            raise YieldError(str(error)) from None
        try:
            async with asyncio.timeout(self._settings.seconds):
                await producer.start()
        except (KafkaError, OSError) as error:
            await _abandon(producer)
            raise YieldError(self.unreachable(error)) from None
        except BaseException:
            await _abandon(producer)
            raise
        return producer

    def _options(self) -> dict[str, Any]:
        own = self._settings
        options = {
            "max_batch_size": own.max_request_size,
            **self._connection.client_options("producer"),
            "acks": ACKS[own.guarantee],
            "compression_type": own.compression,
            "enable_idempotence": own.guarantee is Guarantee.REPLICATED,
            "max_request_size": own.max_request_size,
        }
        if own.transactional_id is not None:
            options["transactional_id"] = own.transactional_id
        return options

    def unreachable(self, error: BaseException) -> str:
        """The message for a cluster that does not answer."""
        got = "no answer" if isinstance(error, TimeoutError) else str(error)
        return (
            f"kafka cluster {self._connection.properties.bootstrap_servers!r} must be reachable; "
            f"got {got}; start it, or correct the connection's properties"
        )

    async def discard(self) -> None:
        """Give the producer up with everything that it has not sent."""
        producer, self._producer = self._producer, None
        self.broken = False
        if producer is not None:
            await _abandon(producer)

    async def close(self) -> None:
        """Flush what was handed over without waiting, then give the producer back."""
        if self._producer is not None and not self._is_broken(self._producer):
            with suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_PATIENCE):
                    await self._producer.flush()
        await self.discard()


async def _abandon(producer: AIOKafkaProducer) -> None:
    """Close a producer at once. ``stop()`` would wait for batches that may never be answered."""
    from aiokafka.errors import ProducerClosed

    producer._closed = True
    task = producer._sender.sender_task
    if task is not None:
        producer._message_accumulator.fail_all(ProducerClosed())
        task.cancel()
    await producer.client.close()
    if task is not None:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()
