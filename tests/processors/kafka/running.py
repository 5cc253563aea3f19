"""Helpers of the tests that run Kafka processors against the broker."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from flowengine.clock import FakeClock
from flowengine.definition.flat import Scheduling
from flowengine.testing import ProcessorRunner
from processors.kafka.connection import KafkaConnection
from processors.kafka.consume import ConsumeKafka
from processors.kafka.publish import PublishKafka


def connection_to(bootstrap: str, **properties: Any) -> KafkaConnection:
    """A service that nobody enabled, which describes all the same."""
    model = KafkaConnection.Properties(bootstrap_servers=bootstrap, **properties)
    return KafkaConnection(model)


def present() -> FakeClock:
    """A clock that stands, at today: the broker deletes messages of another year."""
    return FakeClock(time.time_ns() // 1000)


def publisher(bootstrap: str, topic: str, **properties: Any) -> ProcessorRunner:
    """PublishKafka by hand."""
    return ProcessorRunner(
        PublishKafka,
        clock=present(),
        services={"kafka": properties.pop("service", None) or connection_to(bootstrap)},
        retry=properties.pop("retry", None),
        connection="kafka",
        topic=topic,
        **properties,
    )


def consumer(bootstrap: str, topics: str, group: str, **properties: Any) -> ProcessorRunner:
    """ConsumeKafka by hand, with the quick group settings of a local broker."""
    tasks = properties.pop("tasks", 1)
    return ProcessorRunner(
        ConsumeKafka,
        clock=properties.pop("clock", None) or present(),
        services={"kafka": properties.pop("service", None) or connection_to(bootstrap)},
        limits=properties.pop("limits", None),
        scheduling=Scheduling(concurrent_tasks=tasks),
        **{
            "connection": "kafka",
            **({} if "topic_pattern" in properties else {"topics": topics}),
            "group_id": group,
            "auto_offset_reset": "earliest",
            "session_timeout": "6 sec",
            "heartbeat_interval": "300 ms",
            "max_poll_interval": "5 sec",
            **properties,
        },
    )


def trigger_until(
    runner: ProcessorRunner, done: Callable[[], bool], patience: float = 30.0
) -> None:
    """Trigger until something is true; each trigger waits for data by itself."""
    deadline = time.monotonic() + patience
    while not done():
        assert time.monotonic() < deadline, f"not within {patience} s; {runner.bulletins}"
        runner.trigger()
