"""The live tail of a topic: what is written, filtered, not faster than a person can use it.

1. Nobody joins a group and nothing is committed: looking changes nothing.
2. At most RATE records a second are shown after a first burst; without a limit the others are
   counted and passed over, with one reading waits for its turn, so that nothing is missing.
3. Memory is bounded by what one fetch may hold.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from flowengine.inspection import InspectionError, Refusal
from processors.kafka.lens.client import REQUEST_MS, Cluster, Fields, admin_options, connected
from processors.kafka.lens.diagnosis import unreachable
from processors.kafka.lens.records import Filter, header_filters, shown

if TYPE_CHECKING:
    from processors.kafka.connection import KafkaConnection

RATE: Final = 200.0  # records a second
BURST: Final = 1000.0
PERIOD: Final = 1.0  # s between positions
WAIT_MS: Final = 250
TOGETHER: Final = 500  # records that are looked at before others have their turn
FETCH: Final = {"fetch_max_bytes": 4 << 20, "max_partition_fetch_bytes": 256 << 10}
START: Final = 9.0  # s to begin

Event: TypeAlias = tuple[str, Mapping[str, Any]]
Bounds: TypeAlias = dict[TopicPartition, tuple[int, int]]


class Bucket:
    """How many records may be shown now."""

    def __init__(self) -> None:
        self._tokens, self._at = BURST, time.monotonic()

    def take(self) -> bool:
        """Whether one more may be shown."""
        if self._wait() > 0:
            return False
        self._tokens -= 1
        return True

    async def turn(self) -> None:
        """Wait until one more may be shown."""
        await asyncio.sleep(self._wait())
        self._tokens -= 1

    def _wait(self) -> float:
        """Seconds until there is one."""
        now = time.monotonic()
        self._tokens = min(BURST, self._tokens + (now - self._at) * RATE)
        self._at = now
        return max(0.0, (1 - self._tokens) / RATE)


async def tail(connection: KafkaConnection, arguments: Mapping[str, Any]) -> AsyncGenerator[Event]:
    """Events ``opened``, ``record``, ``position``, ``note``, and ``end`` of a bounded read."""
    wanted = _filter(arguments)
    async with connected(connection) as cluster:
        bounds, start = await _start(cluster, arguments)
    consumer = AIOKafkaConsumer(**_options(connection))
    try:
        await _begin(connection, consumer, start)
        yield "opened", {}
        for partition, offset, note in _moved(arguments, start, bounds):
            yield "note", {"text": f"partition {partition} begins at {offset}: {note}"}
        reader = Reader(consumer, bounds, wanted, arguments)
        async for event in reader.events():
            yield event
    finally:
        await consumer.stop()


def _filter(arguments: Mapping[str, Any]) -> Filter:
    return Filter(
        key=arguments.get("key"),
        headers=header_filters(arguments.get("header") or ()),
        path=arguments.get("path"),
        equals=arguments.get("equals"),
    )


def _options(connection: KafkaConnection) -> Fields:
    options = admin_options(connection)
    return {
        "request_timeout_ms": REQUEST_MS,
        **options,
        **FETCH,
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
    }


# -- where to begin ------------------------------------------------------------------------------


async def _start(
    cluster: Cluster, arguments: Mapping[str, Any]
) -> tuple[Bounds, dict[TopicPartition, int]]:
    """First offset and end of each partition that is read, and where reading begins."""
    topic = str(arguments["topic"])
    fields = _chosen(await cluster.topic(topic), arguments.get("partition"))
    found = await cluster.bounds([fields])
    bounds = {TopicPartition(*place): span for place, span in found.items()}
    start = arguments.get("from", "end")
    if isinstance(start, int):
        at = await cluster.offsets([fields], -(-start // 1000))
        return bounds, {each: at.get((topic, each.partition), bounds[each][1]) for each in bounds}
    if str(start).startswith("offset:"):
        offset = int(str(start).removeprefix("offset:"))
        return bounds, {each: min(max(offset, a), e) for each, (a, e) in bounds.items()}
    side = 0 if start == "beginning" else 1
    return bounds, {each: span[side] for each, span in bounds.items()}


def _chosen(fields: Fields, partition: int | None) -> Fields:
    if partition is None:
        return fields
    chosen = [each for each in fields["partitions"] if each["partition"] == partition]
    if not chosen:
        raise InspectionError(
            Refusal.UNKNOWN,
            f"partition of kafka topic {fields['topic']!r} must be 0 to "
            f"{len(fields['partitions']) - 1}; got {partition}",
        )
    return {**fields, "partitions": chosen}


def _moved(
    arguments: Mapping[str, Any], start: Mapping[TopicPartition, int], bounds: Bounds
) -> list[tuple[int, int, str]]:
    """Partitions that do not begin at the offset that was asked for, and why."""
    text = str(arguments.get("from", "end"))
    if not text.startswith("offset:"):
        return []
    wanted = int(text.removeprefix("offset:"))
    return [
        (each.partition, offset, f"it holds {bounds[each][0]} to {bounds[each][1]}")
        for each, offset in sorted(start.items())
        if offset != wanted
    ]


async def _begin(
    connection: KafkaConnection, consumer: AIOKafkaConsumer, start: Mapping[TopicPartition, int]
) -> None:
    try:
        async with asyncio.timeout(START):
            await consumer.start()
    except (KafkaError, OSError, TimeoutError) as error:
        raise await unreachable(connection, "answer", error) from error
    consumer.assign(list(start))
    for partition, offset in start.items():
        consumer.seek(partition, offset)


# -- reading -------------------------------------------------------------------------------------


class Reader:
    """Reads on until a bounded read is done, or for ever."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        bounds: Bounds,
        wanted: Filter,
        arguments: Mapping[str, Any],
    ) -> None:
        self._consumer = consumer
        self._ends = {each: end for each, (_, end) in bounds.items()}
        self._filter = wanted
        self._left: int | None = arguments.get("limit")
        self._until_end = self._left is not None and arguments.get("from", "end") != "end"
        self._bucket = Bucket()
        self._passed = 0
        self._told = 0.0

    async def events(self) -> AsyncIterator[Event]:
        """What is shown. Errors of the cluster become notes: the client tries again by itself."""
        while not await self._done():
            try:
                batches = await self._consumer.getmany(timeout_ms=WAIT_MS, max_records=TOGETHER)
            except KafkaError as error:
                yield "note", {"text": f"the cluster answers {type(error).__name__}: {error}"}
                await asyncio.sleep(PERIOD)
                continue
            for records in batches.values():
                async for event in self._shown(records):
                    yield event
            for event in await self._news():
                yield event
            await asyncio.sleep(0)
        for event in await self._news(last=True):
            yield event
        yield "end", {}

    async def _shown(self, records: list[Any]) -> AsyncIterator[Event]:
        for record in records:
            if self._left == 0:
                return
            if not self._filter.fits(record):
                continue
            if self._left is not None:
                await self._bucket.turn()
                self._left -= 1
            elif not self._bucket.take():
                self._passed += 1
                continue
            yield "record", shown(record)

    async def _done(self) -> bool:
        if self._left == 0:
            return True
        if not self._until_end:
            return False
        places = [await self._consumer.position(each) >= end for each, end in self._ends.items()]
        return all(places)

    async def _news(self, *, last: bool = False) -> list[Event]:
        """Once a second: where each partition stands, and how much was passed over."""
        now = time.monotonic()
        if now - self._told < PERIOD and not last:
            return []
        self._told = now
        found: list[Event] = []
        if self._passed:
            text = f"{self._passed} records passed over: more than {RATE:g} a second"
            found.append(("note", {"text": text, "passed": self._passed}))
            self._passed = 0
        positions = {}
        for each, end in sorted(self._ends.items()):
            at = await self._consumer.position(each)
            highest = self._consumer.highwater(each) or 0
            positions[str(each.partition)] = {"at": at, "end": max(end, highest, at)}
        return [*found, ("position", positions)]
