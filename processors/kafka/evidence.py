"""What the demo compares: the lake, the topic as another client reads it, and the files."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

import msgspec
import orjson

_NAME = re.compile(r"(?P<consumer>.+)\.p(?P<partition>\d+)\.o(?P<offset>\d+)\.json")


class Message(msgspec.Struct, frozen=True, order=True):
    """One message of the topic."""

    partition: int
    offset: int
    user: str


class Received(msgspec.Struct, frozen=True):
    """One file that a consumer wrote; the time is when."""

    partition: int
    offset: int
    consumer: str
    user: str
    time: str


def received(directory: Path) -> list[Received]:
    """What a group has written so far, by partition and offset."""
    found = []
    for path in sorted(directory.glob("*.json")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            continue
        written = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
        found.append(
            Received(
                int(match["partition"]),
                int(match["offset"]),
                match["consumer"],
                orjson.loads(path.read_bytes())["name"],
                written.strftime("%H:%M:%S.%f")[:-3],
            )
        )
    return found


def differences(
    wanted: set[str], messages: Iterable[Message], groups: Mapping[str, list[Received]]
) -> list[str]:
    """Everything in which lake, topic and groups do not agree; empty when all do."""
    inside = list(messages)
    problems = _unlike("topic", wanted, [message.user for message in inside])
    places = {(m.partition, m.offset): m.user for m in inside}
    for group, members in groups.items():
        problems += _unlike(f"group {group}", wanted, [member.user for member in members])
        for member in members:
            user = places.get((member.partition, member.offset))
            if user != member.user:
                problems.append(
                    f"group {group}: partition {member.partition} offset {member.offset} must be "
                    f"{user!r}; got {member.user!r}"
                )
    consumers = {member.consumer for member in groups.get("dashboard", [])}
    if len(consumers) != 2:
        problems.append(f"group dashboard must have two busy consumers; got {sorted(consumers)}")
    return problems


def _unlike(place: str, wanted: set[str], got: Iterable[str]) -> list[str]:
    counts = Counter(got)
    missing = sorted(wanted - counts.keys())
    doubled = sorted(name for name, count in counts.items() if count > 1)
    strange = sorted(counts.keys() - wanted)
    lists = (("lacks", missing), ("has twice", doubled), ("has a stranger", strange))
    return [f"{place} {verb} {', '.join(names)}" for verb, names in lists if names]


def read_topic(bootstrap: str, topic: str) -> tuple[str, list[Message]]:
    """The whole topic through a client that no processor uses, and that client's name."""
    if find_spec("confluent_kafka") is not None:
        return "confluent-kafka", sorted(_with_librdkafka(bootstrap, topic))
    return "a plain aiokafka consumer", sorted(asyncio.run(_with_aiokafka(bootstrap, topic)))


def _with_librdkafka(bootstrap: str, topic: str) -> list[Message]:
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "demo-proof"})
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        messages = []
        for number in partitions:
            first, end = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=10)
            consumer.assign([TopicPartition(topic, number, first)])
            while first < end:
                message = consumer.poll(10)
                if message is None or message.error():
                    break
                offset, value = message.offset(), message.value()
                if offset is None or value is None:
                    break
                messages.append(_message(number, offset, value))
                first = offset + 1
        return messages
    finally:
        consumer.close()


async def _with_aiokafka(bootstrap: str, topic: str) -> list[Message]:
    from aiokafka import AIOKafkaConsumer, TopicPartition

    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False) as consumer:
        numbers = consumer.partitions_for_topic(topic) or set()
        partitions = [TopicPartition(topic, number) for number in numbers]
        ends = await consumer.end_offsets(partitions)
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        messages: list[Message] = []
        while len(messages) < sum(ends.values()):
            for found in (await consumer.getmany(timeout_ms=1000)).values():
                messages += [_message(m.partition, m.offset, m.value) for m in found]
        return messages


def _message(partition: int, offset: int, value: bytes) -> Message:
    return Message(partition, offset, orjson.loads(value)["name"])
