"""Windows over 100 users, from NDJSON and from Kafka to Kafka, beside Bytewax and Quix Streams."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from flowengine.definition.builder import Flow
from flowengine.engine import Engine
from flowengine.repository.sqlite import SqliteRepository
from processors.kafka.admin import create_topic, describe_topic
from processors.kafka.broker import Cluster
from tests.benchmarks import peers
from tests.benchmarks.flows import running
from tests.benchmarks.results import Rate, Row, Series, Stopwatch, rounds
from tests.benchmarks.windows_input import (
    COUNT,
    FEW,
    GAP,
    SIZE,
    SLIDE,
    STEPS,
    encoded,
    records,
    truth,
)

REPEATS: Final = {"sum": 2, "session": 1, "mean": 1}
PATIENCE: Final = 120
COMMIT: Final = 0.25  # s between the commits of the others; ours commits with each cut, as often
HERE: Final = Path(__file__).parent
QUIX: Final = Path(sys.prefix, "quix", "bin", "python")
TITLES: Final = {
    "sum": "tumbling sum, 100 keys",
    "session": "session by user",
    "mean": "sliding mean",
}
WINDOWS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "sum": ("TumblingWindow", {"size": "10 sec", "folds": {"value": {"sum": "value"}}}),
    "session": ("SessionWindow", {"gap": "1 sec", "folds": {"value": "count"}}),
    "mean": (
        "SlidingWindow",
        {"size": "10 sec", "slide": "1 sec", "folds": {"value": {"mean": "value"}}},
    ),
}
_names = count(1)


class Bench:
    """A broker with the records of each kind of steps, in one partition and in a file."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self.bootstrap, self.folder = bootstrap, folder

    async def fill(self) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=20)
        await producer.start()
        try:
            for steps in STEPS:
                await self._send(producer, steps, list(map(encoded, records(steps))))
                few = list(map(encoded, records(steps, FEW)))
                await self._send(producer, f"few-{steps}", few)
        finally:
            await producer.stop()
        await self._warm()

    async def _send(
        self, producer: AIOKafkaProducer, name: str, messages: list[tuple[bytes, bytes, int]]
    ) -> None:
        await create_topic(self.bootstrap, name, 1)
        sent = [
            await producer.send(name, value, key=key, timestamp_ms=time)
            for key, value, time in messages
        ]
        await asyncio.gather(*sent)
        lines = b"\n".join(value for _, value, _ in messages)
        (self.folder / f"{name}.ndjson").write_bytes(lines + b"\n")

    async def _warm(self) -> None:
        """The first group of a broker waits until the topic of all groups is there."""
        warm = AIOKafkaConsumer(
            "sum", bootstrap_servers=self.bootstrap, group_id="warm", auto_offset_reset="earliest"
        )
        await warm.start()
        try:
            await warm.getone()
            await warm.commit()
        finally:
            await warm.stop()

    # -- the engine ----------------------------------------------------------------------------

    def engine(self, steps: str, source: str) -> Rate:
        """Records per second, from the first that is read to the last result at the broker."""
        return asyncio.run(self._engine(steps, source))

    async def _engine(self, steps: str, source: str) -> Rate:
        output, expected = f"{steps}-{next(_names)}", truth(steps)
        await create_topic(self.bootstrap, output, 1)
        flow = self._flow(steps, source, output)
        engine = Engine(flow.load(), SqliteRepository(self.folder / output))
        async with running(engine):
            rate = await asyncio.wait_for(_observe(engine, len(expected)), PATIENCE)
        found = await self._answer(steps, output)
        if found != expected:
            raise AssertionError(f"{output} must hold the windows of a batch over all records")
        return rate

    def _flow(self, steps: str, source: str, output: str) -> Flow:
        flow = Flow("windows")
        flow.service("kafka", "KafkaConnection", bootstrap_servers=self.bootstrap)
        read = self._lake(flow, steps) if source == "NDJSON" else self._kafka(flow, steps, source)
        kind, properties = WINDOWS[steps]
        ends = {"auto_terminate": ["late", "invalid"]}
        common = {"key_fields": ["user"], "time_field": "at"}
        flow.add("window", kind, ends, **common, **properties)
        flow.add(
            "publish",
            "PublishKafka",
            {"auto_terminate": ["success", "failure"]},
            connection="kafka",
            topic=output,
            key="{{ window.key }}",
            header_pattern=r"window\.(start|end)",
        )
        return flow.connect(read, "success", "window").connect("window", "window", "publish")

    def _kafka(self, flow: Flow, steps: str, source: str) -> str:
        batched = source == "batched"
        return flow.add(
            "read",
            "ConsumeKafka",
            {"auto_terminate": ["parse failure"]} if batched else {},
            connection="kafka",
            topics=[steps],
            group_id=f"flow-{next(_names)}",
            auto_offset_reset="earliest",
            event_time="kafka timestamp",
            **({"output": "NDJSON"} if batched else {}),
        )

    def _lake(self, flow: Flow, steps: str) -> str:
        return flow.add(
            "read",
            "ReadDataLake",
            {"auto_terminate": ["failure"]},
            path=str(self.folder / f"{steps}.ndjson"),
            records_per_flowfile=1000,
            event_time="at",
            event_time_format="ms",
        )

    async def _answer(self, steps: str, topic: str) -> dict[tuple[str, int], float]:
        """Results of users by window, as :func:`truth` names them; the last record has its own."""
        found = {}
        for message in await self._messages(topic):
            headers = {name: value.decode() for name, value in message.headers}
            which = headers["window.start" if steps == "session" else "window.end"]
            key = message.key.decode()
            if key != "end":
                found[key, _milliseconds(which)] = orjson.loads(message.value)["value"]
        return found

    async def _messages(self, topic: str) -> list[Any]:
        described = await describe_topic(self.bootstrap, topic)
        count, found = sum(part.end for part in described.partitions), list[Any]()
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap)
        await consumer.start()
        try:
            partition = TopicPartition(topic, 0)
            consumer.assign([partition])
            await consumer.seek_to_beginning(partition)
            while len(found) < count:
                found += (await consumer.getmany(partition, timeout_ms=1000)).get(partition, [])
        finally:
            await consumer.stop()
        return found

    # -- the others ----------------------------------------------------------------------------

    def other(
        self, python: Path, script: str, steps: str, *, file: bool = False, few: bool = False
    ) -> Rate:
        """The same by another engine, timed by itself in its own process."""
        topic, many = (f"few-{steps}", FEW) if few else (steps, COUNT)
        output = f"{steps}-{next(_names)}"
        asyncio.run(create_topic(self.bootstrap, output, 1))
        order = {
            "brokers": self.bootstrap,
            "topic": topic,
            "output": output,
            "steps": steps,
            "count": many + 1,
            "size": SIZE,
            "slide": SLIDE,
            "gap": GAP,
            "commit_interval": COMMIT,
            "state": str(self.folder / output),
            "file": str(self.folder / f"{steps}.ndjson") if file else "",
        }
        command = [str(python), "-W", "ignore", str(HERE / script), orjson.dumps(order).decode()]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        if done.returncode:
            raise AssertionError(f"{script} must come to its end; got {done.stderr[-2000:]}")
        found = asyncio.run(describe_topic(self.bootstrap, output))
        got, least = sum(part.end for part in found.partitions), len(truth(steps, many))
        if got < least:
            raise AssertionError(f"{script} must give at least {least} results; got {got}")
        times = orjson.loads(done.stdout.splitlines()[-1])
        return Rate(many / times["wall"], many / times["cpu"])


def _milliseconds(iso: str) -> int:
    from datetime import datetime

    return round(datetime.fromisoformat(iso).timestamp() * 1000)


async def _observe(engine: Engine, expected: int) -> Rate:
    """The rate from the commit of the first session that read to that of the last result."""
    done = asyncio.get_running_loop().create_future()
    watches: list[Stopwatch] = []
    published = 0

    def look(node: Any, work: Any, sent: list[Any]) -> None:
        nonlocal published
        if node.id == "read" and not watches:
            watches.append(Stopwatch())
        if node.id == "publish":
            published += sum(len(one.flowfiles) for one in sent if one.relationship == "success")
        if published >= expected and not done.done():
            done.set_result(watches[0].rate(COUNT))

    engine.assembly.core.observers.append(look)
    rate: Rate = await done
    return rate


def _measures(bench: Bench, steps: str) -> dict[str, Callable[[], Rate]]:
    found: dict[str, Callable[[], Rate]] = {
        "batched": partial(bench.engine, steps, "batched"),
        "single": partial(bench.engine, steps, "per FlowFile"),
    }
    if peers.installed():
        python = Path(sys.executable)
        found["Bytewax"] = partial(bench.other, python, "windows_bytewax.py", steps)
    if QUIX.exists():
        found["Quix"] = partial(bench.other, QUIX, "windows_quix.py", steps, few=True)
    return found


def _from_kafka(bench: Bench, steps: str) -> Iterator[Row]:
    found = rounds(_measures(bench, steps), REPEATS[steps])
    title = f"{TITLES[steps]}, Kafka to Kafka"
    goals = {("batched", "Quix"): 2.0, ("batched", "Bytewax"): 1.5, ("single", "Quix"): 1.0}
    for name in ("Bytewax", "Quix"):
        if name in found:
            yield _row(f"{name}, {title}", found[name])
    for way, text in (("batched", "batched"), ("single", "per FlowFile")):
        yield _row(f"flowengine, {title}, {text}", found[way])
        for name in ("Bytewax", "Quix"):
            if name in found and (way, name) in goals:
                ratio, goal = found[way].ratio(found[name]), goals[way, name]
                note = found[way].note(found[name])
                name = f"{title}, {text} to {name}"
                yield Row(name, found[way].value, "records/s", ratio, goal, note=note)


def _row(name: str, series: Series) -> Row:
    cost = 1e6 / sorted(rate.cpu for rate in series.rates)[len(series.rates) // 2]
    note = f"{series.note()}; {cost:.1f} µs of processor time each"
    return Row(name, series.value, "records/s", note=note)


def _from_file(bench: Bench) -> Iterator[Row]:
    measures: dict[str, Callable[[], Rate]] = {"ours": partial(bench.engine, "sum", "NDJSON")}
    if peers.installed():
        python = Path(sys.executable)
        measures["Bytewax"] = partial(bench.other, python, "windows_bytewax.py", "sum", file=True)
    found = rounds(measures, REPEATS["sum"])
    title = f"{TITLES['sum']}, NDJSON to Kafka"
    yield _row(f"flowengine, {title}", found["ours"])
    if "Bytewax" in found:
        yield _row(f"Bytewax, {title}", found["Bytewax"])


def measure() -> Iterator[Row]:
    """Rows for each kind of steps."""
    with tempfile.TemporaryDirectory() as place, Cluster(Path(place, "kafka")) as cluster:
        bench = Bench(cluster.bootstrap, Path(place))
        asyncio.run(bench.fill())
        yield from _from_file(bench)
        for steps in STEPS:
            yield from _from_kafka(bench, steps)
