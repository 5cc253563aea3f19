"""The flows that are killed, and their sinks that log what they delivered."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from flowengine.context import ProcessContext
from flowengine.definition.builder import Flow
from flowengine.definition.flat import LoadedFlow
from flowengine.definition.load import Options, load_text
from flowengine.session import ProcessSession
from processors.kafka.publish import PublishKafka
from processors.put_file import PutFile
from tests.crash.points import Log

BATCH = 64  # FlowFiles per trigger of a sink
IDENTITY = "identity"  # attribute with the number of the input record
SHIPPED = Path(__file__).parents[2] / "flows"
ENDS = {"auto_terminate": ["failure"]}  # what ends there is missing in the sink


class Order(msgspec.Struct):
    """What a victim is told to do.

    count: input records; pause: seconds that a sink rests after each batch
    """

    flow: str
    directory: str
    count: int
    pause: float = 0.0
    bootstrap: str = ""
    topic: str = ""
    group: str = ""
    die_at: str = ""
    passage: int = 1
    member: str = ""
    until_complete: bool = False


class LoggingPutFile(PutFile):
    """PutFile that logs each file it wrote, and rests after each batch."""

    log: Log
    pause = 0.0

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        super().on_trigger(context, session)
        _log_delivered(self.log, session)
        threading.Event().wait(self.pause)


class LoggingPublishKafka(PublishKafka):
    """PublishKafka that logs each message that was acknowledged, and rests after each batch."""

    log: Log
    pause = 0.0

    async def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        await super().on_trigger(context, session)
        _log_delivered(self.log, session)
        await asyncio.sleep(self.pause)


def _log_delivered(log: Log, session: ProcessSession) -> None:
    done = session.work.outputs.get("success", [])
    if done:
        log.write(*[f"W {flowfile.attributes[IDENTITY]}" for flowfile in done])


def input_records(flow: Flow, order: Order, **properties: Any) -> str:
    """A source of records with the numbers 0 to count - 1."""
    properties |= {"schema": {"number": {"provider": "sequence", "start": 0}}}
    properties |= {"attributes": {IDENTITY: "number"}, "count": order.count}
    return flow.add("records", "GenerateRecords", **properties)


def five_hops(order: Order) -> Flow:
    """GenerateRecords → 3 × UpdateAttribute → a slow PutFile."""
    flow = Flow("five-hops")
    last = input_records(flow, order)
    for hop in ("one", "two", "three"):
        step = flow.add(hop, "UpdateAttribute", ENDS, attributes={hop: "passed"})
        flow.connect(last, "success", step)
        last = step
    flow.connect(last, "success", _put_file(flow, order))
    return flow


def producer(order: Order) -> Flow:
    """ReadDataLake → UpdateAttribute → PublishKafka."""
    flow = Flow("producer")
    lake = str(Path(order.directory) / "lake")
    flow.add("read", "ReadDataLake", ENDS, path=lake, attributes={IDENTITY: "number"})
    flow.add("mark", "UpdateAttribute", ENDS, attributes={"kafka.key": "{{ identity }}"})
    _kafka(flow, order)
    settings = {"scheduling": {"batch_size": BATCH}, "auto_terminate": ["success"]}
    settings["retry"] = {"failure": {"backoff": "yield"}}
    flow.add("publish", LoggingPublishKafka, settings, connection="kafka", topic=order.topic)
    flow.connect("read", "success", "mark").connect("mark", "success", "publish")
    return flow


def consumer(order: Order) -> Flow:
    """ConsumeKafka → EvaluateJsonPath → PutFile."""
    flow = Flow("consumer")
    _kafka(flow, order)
    flow.add(
        "consume",
        "ConsumeKafka",
        connection="kafka",
        topics=[order.topic],
        group_id=order.group,
        auto_offset_reset="earliest",
        heartbeat_interval="300 ms",
        session_timeout="6 sec",
        **({"static_member_id": order.member} if order.member else {}),
    )
    ends = {"auto_terminate": ["failure", "unmatched"]}
    flow.add("identify", "EvaluateJsonPath", ends, paths={IDENTITY: "$.number"})
    # Short queues: reading and acknowledging goes on for as long as the sink works.
    short = {"back_pressure": {"objects": 500}}
    flow.connect("consume", "success", "identify", **short)
    flow.connect("identify", "matched", _put_file(flow, order), **short)
    return flow


def _kafka(flow: Flow, order: Order) -> None:
    flow.service("kafka", "KafkaConnection", bootstrap_servers=order.bootstrap)


def _put_file(flow: Flow, order: Order) -> str:
    settings = {"scheduling": {"batch_size": BATCH}, "auto_terminate": ["success", "failure"]}
    sink = str(Path(order.directory) / "sink")
    return flow.add(
        "put",
        LoggingPutFile,
        settings,
        directory=sink,
        filename="{{ identity }}",
        conflict="replace",
    )


def large(order: Order) -> Flow:
    """GenerateRecords, each with a content that lies in a file of its own → PutFile."""
    flow = Flow("large")
    last = input_records(flow, order, content_size="1100 KB")
    flow.connect(last, "success", _put_file(flow, order))
    return flow


class Shipped:
    """A flow of flows/ with some settings of its processors changed."""

    def __init__(
        self, name: str, parameters: dict[str, str], **changes: dict[str, dict[str, Any]]
    ) -> None:
        self._parameters = parameters
        self._document = json.loads((SHIPPED / f"{name}.json").read_text())
        for processor, sections in changes.items():
            for section, values in sections.items():
                self._document["processors"][processor].setdefault(section, {}).update(values)

    def load(self) -> LoadedFlow:
        """Ready to run, without a finding."""
        options = Options(self._parameters)
        flow, findings = load_text(json.dumps(self._document), SHIPPED, options)
        assert flow is not None, findings
        return flow


def traffic_sensors(order: Order) -> Shipped:
    """The shipped flow with two members, which read a little at a time while there is a pause."""
    names = dict.fromkeys(("topic", "group", "output"), order.topic)
    rejects = str(Path(order.directory) / "rejects")
    pace = {"every": f"{int(order.pause * 1e6)} us"} if order.pause else {}
    quick = {"heartbeat_interval": "300 ms", "session_timeout": "6 sec"}
    static = {"static_member_id": order.member} if order.member else {}
    return Shipped(
        "traffic-sensors",
        {**names, "brokers": order.bootstrap, "rejects": rejects, "idle": "1 hour"},
        consume={
            "scheduling": {"concurrent_tasks": 2, **pace},
            "properties": {**quick, **static, **({"max_poll_records": 100} if pace else {})},
        },
    )


FLOWS: dict[str, Callable[[Order], Flow | Shipped]] = {
    "five-hops": five_hops,
    "producer": producer,
    "consumer": consumer,
    "large": large,
    "traffic-sensors": traffic_sensors,
}
