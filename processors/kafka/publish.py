"""Publish FlowFiles to Kafka topics. Source: NiFi ``PublishKafka``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from flowengine.context import ProcessContext
from flowengine.expressions import Expression
from flowengine.inspection import Use
from flowengine.node import BATCH
from flowengine.processor import (
    Example,
    NifiNote,
    Processor,
    ProcessorProperties,
    Relationship,
    Service,
    Topics,
    When,
)
from flowengine.session import ProcessSession
from flowengine.units import DataSize, Duration, parse_duration, parse_size
from processors.kafka._core import (
    KEY,
    MESSAGE_COUNT,
    TOMBSTONE,
    KeyEncoding,
    Pattern,
    kafka_connection,
)
from processors.kafka.composing import Composer, Composition
from processors.kafka.delivery import Delivery
from processors.kafka.partitioner import Partitioner, Partitioning
from processors.kafka.payload import Splitting
from processors.kafka.producer import DeliverySettings, Guarantee, SendMode
from processors.kafka.receipts import Receipts

MOST: Final = 1000  # FlowFiles per trigger, unless the schedule says otherwise


class Compression(StrEnum):
    """How batches are compressed."""

    NONE = "none"
    GZIP = "gzip"
    SNAPPY = "snappy"
    LZ4 = "lz4"
    ZSTD = "zstd"


class PublishKafka(Processor):
    """Publish each FlowFile's content as one Kafka message or as many.

    Messages of one partition keep their order, also over retries with back-off `yield`: after the
    first message that could not be delivered, the rest for its partition waits with it. What is a
    message's own fault (too large, no such partition) holds nothing up. With several concurrent
    tasks, order holds within each.
    """

    tags = ("kafka", "publish", "put", "send", "produce", "messaging")
    provenance = "SEND"
    reads = {
        KEY: "Key of the message, when the property 'key' is not set.",
        TOMBSTONE: "With 'true' and an empty content, the message has a null value.",
    }
    writes = {
        "kafka.topic": "Topic that it went to.",
        "kafka.partition": "Partition that it went to; not when its messages went to several.",
        "kafka.offset": "Offset of its (first) message; not when nobody says it: best effort, or "
        "fire and forget.",
        "kafka.max.offset": "Offset of its last message, when there are several in one partition.",
        "kafka.timestamp": "Timestamp of its first message, in ms since the epoch.",
        MESSAGE_COUNT: "Number of messages that it became.",
        "error.class": "On failure: class of the error.",
        "error.message": "On failure: what went wrong.",
    }
    nifi = NifiNote(
        "PublishKafka",
        names={
            "connection": "Kafka Connection Service",
            "topic": "Topic Name",
            "key": "Kafka Key",
            "delivery_guarantee": "acks",
            "compression": "compression.type",
            "max_request_size": "max.request.size",
            "partitioner": "partitioner.class",
            "partition": "partition",
            "transactional_id": "Transactional ID Prefix",
            "demarcator": "Message Demarcator",
            "header_pattern": "FlowFile Attribute Header Pattern",
            "key_encoding": "Kafka Key Attribute Encoding",
        },
        defaults={
            "transactional_id": "Transactions Enabled is true; here naming an id enables them",
            "partition": "a number is hashed as well; here it is that partition",
        },
    )
    examples = (
        Example(
            "User records keyed by name",
            properties={"connection": "kafka", "topic": "users", "key": "{{ name }}"},
            description="Needs a KafkaConnection service named `kafka`.",
        ),
    )

    class Properties(ProcessorProperties):
        connection: Annotated[str, Service("KafkaConnection")] = Field(
            description="Service that says how to reach the cluster."
        )
        topic: Annotated[Expression, Topics()] = Field(description="Topic of each message.")
        key: Expression | None = Field(
            None,
            description="Key of each message; empty is no key. Unset takes the attribute "
            "kafka.key, where there is one.",
        )
        key_encoding: KeyEncoding = Field(
            KeyEncoding.UTF_8, description="How the bytes of the key are written in its text."
        )
        partitioner: Partitioning = Field(
            Partitioning.DEFAULT,
            description="default: by the key's hash (murmur2, equal to Java clients); without a "
            "key one partition per batch at random. Or round robin, or by expression.",
        )
        partition: Annotated[Expression | None, When(partitioner="expression")] = Field(
            None,
            description="With the partitioner 'expression': a number is that partition, other "
            "text is hashed like a key.",
        )
        send_mode: SendMode = Field(
            SendMode.ASYNCHRONOUS,
            description="asynchronous: in batches, success when acknowledged. synchronous: each "
            "message is acknowledged before the next. fire and forget: success at once; what is "
            "lost is only reported.",
        )
        delivery_guarantee: Guarantee = Field(
            Guarantee.REPLICATED,
            description="best effort: sent (acks 0). single node: the leader has it (acks 1). "
            "replicated: all replicas in sync have it, once (acks all, idempotent).",
        )
        transactional_id: str | None = Field(
            None,
            min_length=1,
            description="Set it to publish each trigger's messages in one transaction. It must be "
            "unique in the cluster and stay the same over restarts.",
        )
        messages: Splitting = Field(
            Splitting.WHOLE, description="How many messages a content holds."
        )
        demarcator: Annotated[str | None, When(messages="demarcator")] = Field(
            None, min_length=1, description="Text between messages, with messages 'demarcator'."
        )
        header_pattern: Pattern | None = Field(
            None,
            description="Regular expression; attributes whose whole name matches are headers.",
        )
        compression: Compression = Field(
            Compression.NONE,
            description="Compression of batches. Of the client's codecs zstd and snappy are "
            "quick, lz4 and gzip slow.",
        )
        max_request_size: DataSize = Field(
            parse_size("1 MB"), description="Largest message; larger ones go to failure."
        )
        delivery_timeout: Duration = Field(
            parse_duration("2 min"),
            description="How long to try before a message goes to failure.",
        )
        topic_partitions: int | None = Field(
            None,
            ge=1,
            description="Create a missing topic with so many partitions; unset leaves it to the "
            "broker.",
        )

        @model_validator(mode="after")
        def _fits_together(self) -> Self:
            if (self.partitioner is Partitioning.EXPRESSION) != (self.partition is not None):
                _refuse("'partition' must be set exactly with the partitioner 'expression'")
            if (self.messages is Splitting.DEMARCATOR) != (self.demarcator is not None):
                _refuse("'demarcator' must be set exactly with messages 'demarcator'")
            if self.transactional_id is not None:
                if self.delivery_guarantee is not Guarantee.REPLICATED:
                    _refuse("transactions must have the delivery guarantee 'replicated'")
                if self.send_mode is not SendMode.ASYNCHRONOUS:
                    _refuse("transactions must have the send mode 'asynchronous'")
            return self

    properties: Properties

    success = Relationship("FlowFiles whose messages were all delivered.")
    failure = Relationship("FlowFiles of which a message was not delivered.", failure=True)

    @staticmethod
    def uses(properties: Properties) -> list[Use]:
        """The topic that it writes, where that does not depend on the FlowFile."""
        topic = properties.topic
        if not topic.is_literal:
            return []
        return [Use(service=properties.connection, name=topic.text, writes=True)]

    def __init__(self, properties: Properties) -> None:
        super().__init__(properties)
        self._free: list[Delivery] = []
        self._composer = Composer(
            Composition(
                topic=properties.topic,
                key=properties.key,
                key_encoding=properties.key_encoding,
                partition=properties.partition,
                messages=properties.messages,
                demarcator=(properties.demarcator or "").encode(),
                header_pattern=properties.header_pattern,
                limit=properties.max_request_size,
            )
        )

    @asynccontextmanager
    async def on_scheduled(self, context: ProcessContext) -> AsyncIterator[None]:
        """One producer per concurrent task, each connected when it is first needed."""
        connection = kafka_connection(context, self.properties.connection)
        partitioner = Partitioner()
        deliveries = [
            Delivery(connection, self._settings(task), context.log, partitioner)
            for task in range(context.concurrent_tasks)
        ]
        self._free = list(deliveries)
        try:
            yield
        finally:
            for delivery in deliveries:
                await context.io(delivery.close())

    def _settings(self, task: int) -> DeliverySettings:
        own = self.properties
        identity = own.transactional_id
        return DeliverySettings(
            mode=own.send_mode,
            guarantee=own.delivery_guarantee,
            partitioning=own.partitioner,
            compression=None if own.compression is Compression.NONE else own.compression.value,
            max_request_size=own.max_request_size,
            timeout=own.delivery_timeout,
            transactional_id=f"{identity}-{task}" if identity else None,
            topic_partitions=own.topic_partitions,
        )

    async def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        usual = context.batch_size == BATCH
        flowfiles = session.get_batch(MOST if usual else None)
        if not flowfiles:
            return
        receipts = Receipts(flowfiles)
        delivery = self._free.pop()
        try:
            for outbox in self._composer.outboxes(session, flowfiles, receipts):
                now = context.clock.wall() // 1000
                report = await context.io(delivery.deliver(outbox, now))
                receipts.take(outbox, report)
        finally:
            self._free.append(delivery)
        receipts.settle(session)


def _refuse(message: str) -> None:
    raise PydanticCustomError("publish", "{message}", {"message": message})
