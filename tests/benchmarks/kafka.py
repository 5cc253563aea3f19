"""Kafka → (JSON path, route) → Kafka, against a bare aiokafka loop that does the same."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from flowengine.context import ProcessContext
from flowengine.definition.builder import Flow
from flowengine.definition.flat import LoadedFlow
from flowengine.engine import Engine
from flowengine.processor import Processor, Relationship
from flowengine.repository.sqlite import SqliteRepository
from flowengine.session import ProcessSession
from processors.kafka import messages
from processors.kafka.admin import create_topic, describe_topic
from processors.kafka.broker import Cluster
from tests.benchmarks.flows import running
from tests.benchmarks.results import NIFI_LOOP, NOT_RUN, Rate, Row, Series, Stopwatch, rounds

COUNT = 40_000
PARTITIONS = 3
REPEATS = 3
PENDING = 100  # batches that the bare loop sends before it waits for all and commits
PADDING = "x" * 220
_names = count(1)


def message(number: int) -> tuple[bytes, bytes]:
    """About 300 bytes of JSON; a third goes each way."""
    user = {"name": f"user {number}", "kind": "abc"[number % 3]}
    return str(number).encode(), orjson.dumps({"id": number, "user": user, "text": PADDING})


class RouteLines(Processor):
    """Parse each line of JSON and send it where its kind says, all of a kind together."""

    a = Relationship("Kind a.")
    other = Relationship("All others.")

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        for flowfile in session.get_batch():
            ways: dict[str, list[bytes]] = {"a": [], "other": []}
            for line in session.read(flowfile).splitlines():
                kind = orjson.loads(line)["user"]["kind"]
                ways["a" if kind == "a" else "other"].append(line)
            for way, lines in ways.items():
                if lines:
                    content = b"\n".join(lines)
                    session.transfer(session.create(content, parent=flowfile), way)
            session.remove(flowfile)


class Bench:
    """A broker with the input, and the ways to take it to the output."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap

    async def topics(self) -> tuple[str, str]:
        """Two new, empty topics for the output."""
        names = f"a-{next(_names)}", f"b-{next(_names)}"
        for name in names:
            await create_topic(self.bootstrap, name, PARTITIONS)
        return names

    async def fill(self) -> None:
        await create_topic(self.bootstrap, "in", PARTITIONS)
        await messages.produce(self.bootstrap, "in", map(message, range(COUNT)))

    async def arrived(self, topics: tuple[str, str]) -> int:
        found = [await describe_topic(self.bootstrap, name) for name in topics]
        return sum(part.end - part.begin for topic in found for part in topic.partitions)

    # -- the bare loop -------------------------------------------------------------------------

    @asynccontextmanager
    async def clients(self) -> AsyncIterator[tuple[AIOKafkaConsumer, AIOKafkaProducer]]:
        group = f"loop-{next(_names)}"
        consumer = AIOKafkaConsumer(
            "in",
            bootstrap_servers=self.bootstrap,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap, acks="all", enable_idempotence=True, linger_ms=5
        )
        await consumer.start()
        await producer.start()
        try:
            yield consumer, producer
        finally:
            await producer.stop()
            await consumer.stop()

    async def loop_batched(self) -> Rate:
        """getmany, parse, route, send_batch per partition; now and then wait and commit."""
        topics, done = await self.topics(), 0
        pending: list[Any] = []
        async with self.clients() as (consumer, producer):
            watch = None
            while done < COUNT:
                fetched = await consumer.getmany(timeout_ms=200, max_records=1000)
                watch = watch or Stopwatch()
                ways: dict[tuple[str, int], list[Any]] = {}
                for partition, records in fetched.items():
                    for record in records:
                        kind = orjson.loads(record.value)["user"]["kind"]
                        way = topics[0] if kind == "a" else topics[1]
                        ways.setdefault((way, partition.partition), []).append(record)
                    done += len(records)
                for target, found in ways.items():
                    pending += await self._send(producer, target, found)
                if len(pending) >= PENDING or done >= COUNT:
                    await asyncio.gather(*pending)
                    pending.clear()
                    await consumer.commit()
            return watch.rate(COUNT) if watch else Rate(0.0, 0.0)

    async def _send(
        self, producer: AIOKafkaProducer, target: tuple[str, int], records: list[Any]
    ) -> list[Any]:
        topic, partition = target
        futures = []
        batch = producer.create_batch()
        for record in records:
            if batch.append(key=record.key, value=record.value, timestamp=None) is None:
                futures.append(await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
                batch.append(key=record.key, value=record.value, timestamp=None)
        futures.append(await producer.send_batch(batch, topic, partition=partition))
        return futures

    # -- the engine ----------------------------------------------------------------------------

    def per_flowfile(self, topics: tuple[str, str]) -> LoadedFlow:
        """ConsumeKafka → EvaluateJsonPath → RouteOnAttribute → 2 × PublishKafka."""
        flow = self._flow({})
        ends = {"auto_terminate": ["failure", "unmatched"]}
        flow.add("path", "EvaluateJsonPath", ends, paths={"kind": "$.user.kind"})
        routes = {"a": "kind == 'a'", "other": "kind != 'a'"}
        flow.add("route", "RouteOnAttribute", ends, routes=routes)
        flow.connect("consume", "success", "path").connect("path", "matched", "route")
        return self._publish(flow, "route", topics, {})

    def batched(self, topics: tuple[str, str]) -> LoadedFlow:
        """The same with up to a thousand messages per FlowFile."""
        flow = self._flow({"output": "NDJSON"})
        flow.add("route", RouteLines)
        flow.connect("consume", "success", "route")
        return self._publish(flow, "route", topics, {"messages": "NDJSON"})

    def _flow(self, properties: dict[str, Any]) -> Flow:
        flow = Flow("bench")
        flow.service("kafka", "KafkaConnection", bootstrap_servers=self.bootstrap)
        flow.add(
            "consume",
            "ConsumeKafka",
            {"auto_terminate": ["parse failure"]} if properties else {},
            connection="kafka",
            topics=["in"],
            group_id=f"flow-{next(_names)}",
            auto_offset_reset="earliest",
            **properties,
        )
        return flow

    def _publish(
        self, flow: Flow, last: str, topics: tuple[str, str], properties: dict[str, Any]
    ) -> LoadedFlow:
        ends = {"auto_terminate": ["success", "failure"]}
        for way, topic in zip(("a", "other"), topics, strict=True):
            name = flow.add(
                f"publish-{way}",
                "PublishKafka",
                ends,
                connection="kafka",
                topic=topic,
                **properties,
            )
            flow.connect(last, way, name)
        return flow.load()

    async def run(self, make: Callable[[tuple[str, str]], LoadedFlow]) -> Rate:
        """Messages per second from the first that is consumed to the last that is acknowledged."""
        topics = await self.topics()
        with tempfile.TemporaryDirectory() as folder:
            engine = Engine(make(topics), SqliteRepository(Path(folder)))
            async with running(engine):
                rate = await _observe(engine)
            if await self.arrived(topics) < COUNT:
                raise AssertionError("every message must arrive")
            return rate


async def _observe(engine: Engine) -> Rate:
    """The rate from the commit of the first session to that which leaves nothing to do."""
    core, done = engine.assembly.core, asyncio.Event()
    watches: list[Stopwatch] = []
    rates: list[Rate] = []

    def look(*_: Any) -> None:
        if not watches:
            watches.append(Stopwatch())
        received = sum(n for name, n in core.counters.items() if "Received" in name)
        if received >= COUNT and not engine.assembly.queued and not rates:
            rates.append(watches[0].rate(COUNT))
            done.set()

    core.observers.append(look)
    await done.wait()
    return rates[0]


def in_loop(work: Callable[[], Coroutine[Any, Any, Rate]]) -> Rate:
    return asyncio.run(work())


def measure() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder, Cluster(Path(folder)) as cluster:
        bench = Bench(cluster.bootstrap)
        asyncio.run(bench.fill())
        measures = {
            "loop": partial(in_loop, bench.loop_batched),
            "batched": partial(in_loop, partial(bench.run, bench.batched)),
            "single": partial(in_loop, partial(bench.run, bench.per_flowfile)),
        }
        found = rounds(measures, REPEATS)
    loop = found["loop"]
    yield from _rows("bare aiokafka loop", loop, loop, None)
    yield from _rows("Kafka to Kafka, batched", found["batched"], loop, 0.6)
    yield from _rows("Kafka to Kafka, per FlowFile", found["single"], loop, 0.25)
    for name, rate in (("batched", 62_000), ("per FlowFile", 5_350)):
        title = f"Kafka to Kafka in NiFi 1.28.1, {name}"
        yield Row(title, rate, "messages/s", rate / NIFI_LOOP, note=NOT_RUN)


def _rows(name: str, series: Series, loop: Series, goal: float | None) -> Iterator[Row]:
    yield Row(name, series.value, "messages/s", series.ratio(loop), goal, note=series.note(loop))
    cost = 1e6 / sorted(rate.cpu for rate in series.rates)[len(series.rates) // 2]
    yield Row(f"{name}: CPU", cost, "µs/message", note="without the broker")
