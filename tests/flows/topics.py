"""Write messages with a time, and read what flows publish, with its headers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from tests.kafka_fixtures import KafkaForTests, in_own_loop


class Given(NamedTuple):
    """A message to send; its timestamp is in ms, or left to Kafka."""

    value: bytes
    timestamp: int | None = None
    key: bytes | None = None
    partition: int | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()


def send(kafka: KafkaForTests, topic: str, messages: Iterable[Given]) -> None:
    """Send messages, each partition's in this order."""
    in_own_loop(_send(kafka.bootstrap, topic, messages))


async def _send(bootstrap: str, topic: str, messages: Iterable[Given]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for one in messages:
            await producer.send(
                topic,
                one.value,
                one.key,
                partition=one.partition,
                timestamp_ms=one.timestamp,
                headers=list(one.headers),
            )


class Published(NamedTuple):
    """A message that a flow has published."""

    key: str
    record: Any
    headers: dict[str, str]
    timestamp: int


class Results:
    """What a topic of one partition has, read from where the last look ended."""

    def __init__(self, kafka: KafkaForTests, topic: str) -> None:
        self.topic = topic
        self._kafka = kafka
        self.seen: list[Published] = []

    def look(self) -> list[Published]:
        """Everything that is there now."""
        in_own_loop(self._read_on())
        return self.seen

    async def _read_on(self) -> None:
        place = TopicPartition(self.topic, 0)
        async with AIOKafkaConsumer(bootstrap_servers=self._kafka.bootstrap) as consumer:
            consumer.assign([place])
            consumer.seek(place, len(self.seen))
            end = (await consumer.end_offsets([place]))[place]
            while len(self.seen) < end:
                self.seen.append(_published(await consumer.getone()))


def _published(message: Any) -> Published:
    headers = {name: value.decode() for name, value in message.headers}
    key = (message.key or b"").decode()
    return Published(key, orjson.loads(message.value), headers, message.timestamp)
