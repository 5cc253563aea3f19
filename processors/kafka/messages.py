"""Write and read single messages, for people at a terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from flowengine.errors import EnvironmentFault
from processors.kafka.admin import REQUEST_TIMEOUT_MS, consumer, partition_numbers, translated

Options = dict[str, Any]
POLL_MS = 500
SEND_TOGETHER = 1000


@dataclass(frozen=True)
class Message:
    """A message as it was read. ``timestamp`` is in milliseconds since the epoch."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int
    headers: tuple[tuple[str, bytes | None], ...] = ()


async def produce(
    bootstrap: str, topic: str, messages: Iterable[tuple[bytes | None, bytes]], **options: Any
) -> int:
    """Send messages (key, value), confirmed by all replicas in sync. Returns how many."""
    await partition_numbers(bootstrap, topic, **options)
    producer = AIOKafkaProducer(
        **{"request_timeout_ms": REQUEST_TIMEOUT_MS, **options, "bootstrap_servers": bootstrap},
        enable_idempotence=True,
    )
    with translated(bootstrap):
        try:
            await producer.start()
            return await _send_all(producer, topic, iter(messages))
        finally:
            await producer.stop()


async def _send_all(
    producer: AIOKafkaProducer, topic: str, messages: Iterator[tuple[bytes | None, bytes]]
) -> int:
    count = 0
    while some := list(islice(messages, SEND_TOGETHER)):
        confirmations = [await producer.send(topic, value, key=key) for key, value in some]
        await asyncio.gather(*confirmations)
        count += len(some)
    return count


@dataclass(frozen=True)
class ReadFrom:
    """Where to begin and end. ``start`` is "beginning", "end" or an offset.

    With ``group`` the partitions are shared with its other members, reading goes on at the
    committed offset, and what was yielded is committed.
    """

    start: str | int = "beginning"
    partition: int | None = None
    maximum: int | None = None
    until_end: bool = False
    group: str | None = None


async def consume(
    bootstrap: str, topic: str, where: ReadFrom | None = None, **options: Any
) -> AsyncIterator[Message]:
    """Read messages, in order within each partition."""
    where = where or ReadFrom()
    partitions = await _wanted_partitions(bootstrap, topic, where, options)
    group = _group_options(topic, where)
    async with consumer(bootstrap, **(options | group)) as client:
        if where.group:
            client.subscribe([topic])
        else:
            client.assign(partitions)
            await _seek(client, partitions, where.start)
        ends = await client.end_offsets(partitions) if where.until_end else None
        async for message in _limited(client, ends, where):
            yield message


def _group_options(topic: str, where: ReadFrom) -> Options:
    if where.group is None:
        return {"auto_offset_reset": "none"}  # an offset that is not there is an error, no jump
    reset = "latest" if where.start == "end" else "earliest"
    return {"group_id": where.group, "auto_offset_reset": reset, "heartbeat_interval_ms": 500}


async def _wanted_partitions(
    bootstrap: str, topic: str, where: ReadFrom, options: Options
) -> list[TopicPartition]:
    numbers = await partition_numbers(bootstrap, topic, **options)
    if where.partition is not None and where.partition not in numbers:
        raise EnvironmentFault(
            f"kafka partition of topic {topic!r} must be 0 to {len(numbers) - 1}; "
            f"got {where.partition}"
        )
    chosen = numbers if where.partition is None else [where.partition]
    return [TopicPartition(topic, number) for number in chosen]


async def _seek(
    client: AIOKafkaConsumer, partitions: list[TopicPartition], start: str | int
) -> None:
    if start == "end":
        await client.seek_to_end(*partitions)
    elif start == "beginning":
        await client.seek_to_beginning(*partitions)
    else:
        for partition in partitions:
            client.seek(partition, int(start))


async def _limited(
    client: AIOKafkaConsumer, ends: dict[TopicPartition, int] | None, where: ReadFrom
) -> AsyncIterator[Message]:
    left = where.maximum
    while left is None or left > 0:
        if ends is not None and await _all_read(client, ends):
            return
        batches = await client.getmany(timeout_ms=POLL_MS, max_records=left)
        for records in batches.values():
            for record in records:
                yield _message(record)
            left = None if left is None else left - len(records)
        if where.group and batches:
            await client.commit()


async def _all_read(client: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
    """Whether every partition that is ours stands at the end that was noted at the start."""
    ours = client.assignment()
    return bool(ours) and all([await client.position(each) >= ends[each] for each in ours])


def _message(record: Any) -> Message:
    place = (record.topic, record.partition, record.offset)
    headers = tuple(record.headers)
    return Message(*place, record.key, record.value, record.timestamp, headers)
