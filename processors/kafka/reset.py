"""Going back or forward on purpose: ``flowengine reset --offsets`` for ConsumeKafka (E13).

The greater of stored and committed position wins when a member is assigned a partition, so a reset
moves both: the state keys that it returns, and the offsets that the group has committed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flowengine.errors import EnvironmentFault
from processors.kafka.admin import describe_group, list_groups
from processors.kafka.connection import KafkaConnection
from processors.kafka.positions import state_key

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, TopicPartition

    from processors.kafka.consume import ConsumeKafka

EARLIEST = "earliest"
LATEST = "latest"


async def reset_positions(
    properties: ConsumeKafka.Properties, connection: KafkaConnection, to: str | int
) -> dict[str, Any]:
    """State key → offset to read next, after the group's committed offsets were moved there.

    to: earliest, latest, or µs since the epoch
    Raises EnvironmentFault when the cluster cannot be reached or the group has live members.
    """
    from aiokafka import AIOKafkaConsumer
    from aiokafka.errors import KafkaError

    options = connection.client_options("consumer")
    await _refuse_live_group(properties.group_id, connection.client_options("admin"))
    consumer = AIOKafkaConsumer(**options, group_id=properties.group_id, enable_auto_commit=False)
    try:
        await consumer.start()
        return await _move(consumer, properties, to)
    except (KafkaError, OSError) as error:
        raise EnvironmentFault(
            f"kafka group {properties.group_id!r} must take new offsets; got "
            f"{type(error).__name__}: {error}. Check that the cluster answers, then try again"
        ) from error
    finally:
        await consumer.stop()


async def _refuse_live_group(group: str, options: dict[str, Any]) -> None:
    """Live members would commit over it, and Kafka refuses as well."""
    bootstrap = options.pop("bootstrap_servers")
    if group not in await list_groups(bootstrap, **options):
        return
    found = await describe_group(bootstrap, group, **options)
    if found.members:
        names = ", ".join(sorted(member.client_id for member in found.members))
        raise EnvironmentFault(
            f"kafka group {group!r} must have no live member for a reset; got {names}. Stop them "
            "first"
        )


async def _move(
    consumer: AIOKafkaConsumer, properties: ConsumeKafka.Properties, to: str | int
) -> dict[str, Any]:
    partitions = await _partitions(consumer, properties)
    offsets = await _offsets(consumer, partitions, to)
    if offsets:
        consumer.assign(partitions)
        await consumer.commit(offsets)
    return {state_key(*partition): offset for partition, offset in offsets.items()}


async def _partitions(
    consumer: AIOKafkaConsumer, properties: ConsumeKafka.Properties
) -> list[TopicPartition]:
    from aiokafka import TopicPartition

    topics = list(properties.topics)
    if properties.topic_pattern is not None:
        names = await consumer.topics()
        topics = [name for name in names if re.fullmatch(properties.topic_pattern, name)]
    found: list[TopicPartition] = []
    for topic in topics:
        await consumer._client.add_topic(topic)
        numbers = consumer.partitions_for_topic(topic) or set()
        found += [TopicPartition(topic, number) for number in sorted(numbers)]
    return found


async def _offsets(
    consumer: AIOKafkaConsumer, partitions: list[TopicPartition], to: str | int
) -> dict[TopicPartition, int]:
    if to == EARLIEST:
        return dict(await consumer.beginning_offsets(partitions))
    ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
    if to == LATEST or isinstance(to, str):
        return ends
    times = dict.fromkeys(partitions, to // 1000)
    found = await consumer.offsets_for_times(times)
    return {p: found[p].offset if found.get(p) else ends[p] for p in partitions}
