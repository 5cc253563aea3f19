"""The questions of the Kafka lens by name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from flowengine.inspection import InspectionError, Refusal
from processors.kafka.lens import groups, topics
from processors.kafka.lens.client import ANSWER, REQUEST_MS, Fields, admin_options, connected
from processors.kafka.lens.diagnosis import unreachable
from processors.kafka.lens.records import composed, headers_of
from processors.kafka.lens.sightings import Sightings
from processors.kafka.lens.tail import tail

if TYPE_CHECKING:
    from processors.kafka.connection import KafkaConnection

QUESTIONS: Mapping[str, Callable[..., Awaitable[Fields]]] = {
    "cluster": topics.describe_cluster,
    "topics": topics.list_topics,
    "topic": topics.describe_topic,
    "create topic": topics.create_topic,
    "delete topic": topics.delete_topic,
    "groups": groups.list_groups,
    "group": groups.describe_group,
    "reset group": groups.reset_group,
    "delete group": groups.delete_group,
}


class KafkaLens:
    """Answers questions about the cluster that a KafkaConnection describes."""

    def __init__(self, connection: KafkaConnection, tasks: asyncio.TaskGroup) -> None:
        self._connection = connection
        self._sightings = Sightings(connection, tasks)

    def close(self) -> None:
        """Watch nothing any more."""
        self._sightings.close()

    async def answer(self, question: str, arguments: Mapping[str, Any]) -> Any:
        """The answer within ten seconds, or an InspectionError."""
        if question == "produce":
            return await produce(self._connection, **arguments)
        if question not in QUESTIONS:
            raise _no_question(question)
        async with connected(self._connection) as cluster:
            found = await QUESTIONS[question](cluster, **arguments)
        if question == "group":
            found["events"] = self._sightings.looked(str(arguments["name"]))
        return found

    def follow(
        self, question: str, arguments: Mapping[str, Any]
    ) -> AsyncGenerator[tuple[str, Mapping[str, Any]]]:
        """The live tail of a topic."""
        if question != "tail":
            raise _no_question(question)
        return tail(self._connection, arguments)


def _no_question(question: str) -> InspectionError:
    known = ", ".join([*QUESTIONS, "produce", "tail"])
    rule = f"question about a Kafka cluster must be one of {known}; got {question!r}"
    return InspectionError(Refusal.INVALID, rule)


async def produce(
    connection: KafkaConnection,
    topic: str,
    key: str | None = None,
    value: str | None = None,
    headers: Mapping[str, str] | None = None,
    partition: int | None = None,
    encoding: str = "text",
) -> Fields:
    """Write one record, confirmed by all copies in sync. A value of None is a tombstone."""
    data = composed(value, encoding, "value")
    name = composed(key, "hex" if encoding == "hex" else "text", "key")
    async with connected(connection) as cluster:
        _check_partition(await cluster.topic(topic), partition)
    producer = AIOKafkaProducer(**_producer_options(connection))
    try:
        async with asyncio.timeout(ANSWER):
            await producer.start()
            sent = await producer.send_and_wait(
                topic, data, name, partition, headers=headers_of(headers or {})
            )
    except MessageSizeTooLargeError as error:
        rule = f"record must be one that topic {topic!r} takes; got {error}"
        raise InspectionError(Refusal.INVALID, rule) from None
    except (KafkaError, OSError, TimeoutError) as error:
        raise await unreachable(connection, "write", error) from error
    finally:
        await producer.stop()
    return {
        "partition": sent.partition,
        "offset": sent.offset,
        "timestamp": sent.timestamp * 1000 if sent.timestamp else None,
    }


def _producer_options(connection: KafkaConnection) -> Fields:
    return {
        "request_timeout_ms": REQUEST_MS,
        **admin_options(connection),
        "enable_idempotence": True,
    }


def _check_partition(fields: Fields, partition: int | None) -> None:
    count = len(fields["partitions"])
    if partition is not None and not 0 <= partition < count:
        rule = f"partition of kafka topic {fields['topic']!r} must be 0 to {count - 1}"
        raise InspectionError(Refusal.INVALID, f"{rule}; got {partition}")


@asynccontextmanager
async def lens(connection: KafkaConnection) -> AsyncIterator[KafkaLens]:
    """The lens while somebody looks; what it watches ends with the block."""
    async with asyncio.TaskGroup() as tasks:
        opened = KafkaLens(connection, tasks)
        try:
            yield opened
        finally:
            opened.close()
