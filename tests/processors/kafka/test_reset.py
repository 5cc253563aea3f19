"""Going back on purpose moves positions and committed offsets alike (E13)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from flowengine.errors import DefinitionError, EnvironmentFault
from processors.kafka.admin import consumer, describe_group
from processors.kafka.connection import KafkaConnection
from processors.kafka.consume import ConsumeKafka


def reset(kafka: Any, topic: str, group: str, to: str | int) -> dict[str, int]:
    """Reset one ConsumeKafka; its state keys with their new offsets."""
    service = KafkaConnection(KafkaConnection.Properties(bootstrap_servers=kafka.bootstrap))
    properties = ConsumeKafka.Properties.model_validate(
        {"connection": "k", "topics": [topic], "group_id": group, "auto_offset_reset": "earliest"}
    )
    return dict(asyncio.run(ConsumeKafka.reset_positions(properties, {"k": service}, to)))


def committed(kafka: Any, group: str) -> dict[int, int | None]:
    found = asyncio.run(describe_group(kafka.bootstrap, group))
    return {position.partition: position.committed for position in found.positions}


def test_a_reset_moves_the_state_and_the_group(kafka: Any) -> None:
    topic, group = kafka.create_topic(partitions=1), kafka.unique("reset")
    kafka.produce(topic, [(None, b"a"), (None, b"b"), (None, b"c")])
    assert reset(kafka, topic, group, "latest") == {f"{topic}/0": 3}
    assert committed(kafka, group) == {0: 3}
    assert reset(kafka, topic, group, "earliest") == {f"{topic}/0": 0}
    assert committed(kafka, group) == {0: 0}


def test_a_time_before_everything_is_the_beginning_and_one_after_it_the_end(kafka: Any) -> None:
    topic, group = kafka.create_topic(partitions=1), kafka.unique("reset")
    kafka.produce(topic, [(None, b"a")])
    assert reset(kafka, topic, group, 1_000_000) == {f"{topic}/0": 0}
    assert reset(kafka, topic, group, 4_000_000_000_000_000) == {f"{topic}/0": 1}


def test_a_group_with_a_live_member_is_refused(kafka: Any) -> None:
    topic, group = kafka.create_topic(partitions=1), kafka.unique("reset")

    async def work() -> None:
        async with consumer(kafka.bootstrap, group_id=group, client_id="alive") as member:
            member.subscribe([topic])
            await member.getmany(timeout_ms=5000)
            await asyncio.to_thread(reset, kafka, topic, group, "earliest")

    with pytest.raises(EnvironmentFault, match="must have no live member for a reset; got alive"):
        asyncio.run(work())


def test_the_connection_must_be_one_of_the_flow() -> None:
    properties = ConsumeKafka.Properties.model_validate(
        {"connection": "k", "topics": ["t"], "group_id": "g", "auto_offset_reset": "earliest"}
    )
    with pytest.raises(DefinitionError, match="must name a KafkaConnection; got 'k'"):
        asyncio.run(ConsumeKafka.reset_positions(properties, {}, "earliest"))
