"""three-times: a delayed delivery, read an hour later, in three different minutes."""

import asyncio
import random
from typing import NamedTuple

import orjson
import pytest

from flowengine.clock import SystemClock
from flowengine.definition.load import load_flow
from flowengine.engine import Engine
from flowengine.repository import SqliteRepository
from tests.flows.batch import batch
from tests.flows.running import FLOWS
from tests.flows.topics import Given, send
from tests.flows.traffic import MINUTE, iso, long_ago
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
HOUR = 60 * MINUTE
COUNT = "SELECT time // $minute * $minute, count(*) FROM cars GROUP BY ALL"


class Car(NamedTuple):
    """When it passed and when Kafka received it, in ms."""

    event: int
    ingest: int


class Later(SystemClock):
    """The clock of a consumer that is an hour behind."""

    def wall(self):
        return super().wall() + HOUR * 1000


async def read_later(flow, folder, done):
    """Run a flow an hour from now until something is true."""
    engine = Engine(flow, SqliteRepository(folder), clock=Later(), data_dir=folder)
    async with engine.opened(), asyncio.TaskGroup() as tasks:
        run = tasks.create_task(engine.run())
        await asyncio.to_thread(until, done, "the counts")
        engine.request_stop()
        await run


def deliver(kafka, topic):
    """Cars of ten minutes of three hours ago, all sent now; what Kafka noted of each."""
    pick, begin = random.Random(3), long_ago(180)
    passed = sorted(begin + pick.randrange(10 * MINUTE) for _ in range(500))
    passed.sort(key=lambda moment: moment + pick.randrange(MINUTE))
    values = [orjson.dumps({"sensor": "A1", "at": iso(moment)}) for moment in passed]
    send(kafka, topic, [Given(value) for value in values])
    received = [message.timestamp for message in kafka.read_all(topic)]
    return [Car(*times) for times in zip(passed, received, strict=True)]


def counts(cars, time):
    """Start of the minute → cars, as a batch."""
    rows = batch(COUNT.replace("time", time), {"cars": cars}, minute=MINUTE)
    return {iso(start): count for start, count in rows}


def found(folder):
    """The same as the flow has written it."""
    return {file.stem: orjson.loads(file.read_bytes())["cars"] for file in folder.glob("*.json")}


async def test_one_delivery_has_three_answers(kafka, tmp_path):
    topic = kafka.create_topic(message_timestamp_type="LogAppendTime")
    cars = deliver(kafka, topic)
    output = tmp_path / "counts"
    given = {"topic": topic, "group": topic, "output": str(output), "window": "1 min"}
    given |= {"brokers": kafka.bootstrap, "quiet": "1 sec"}
    flow = load_flow(FLOWS / "three-times.json", given)
    expected = {time: counts(cars, time) for time in ("event", "ingest")}
    began = Later().wall() // 1000

    def complete():
        return all(found(output / time) == expected[time] for time in expected)

    await read_later(flow, tmp_path / "data", complete)
    assert complete()
    assert not (output / "late").exists()
    minutes = [iso(began // MINUTE * MINUTE + n * MINUTE) for n in range(2)]
    processing = found(output / "processing")
    assert processing.keys() <= set(minutes)
    assert not processing.keys() & expected["ingest"].keys()
    assert not expected["ingest"].keys() & expected["event"].keys()
