"""traffic-sensors and user-sessions: the same windows as a batch over the same records."""

import asyncio
import random
import time
from collections import defaultdict
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
MINUTE = 60_000
BOUND = 30_000  # how far out of order cars may be; all times here are ms
GAP = 30 * MINUTE


def long_ago(minutes):
    """A whole minute, so many before now: not yet too old for the broker to keep."""
    return (int(time.time()) // 60 - minutes) * MINUTE


def iso(moment):
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat().replace("+00:00", "Z")


def by_arrival(rows, delays):
    """Rows (time, …) in the order in which they come in when each has its delay."""
    return [row for _, row in sorted(zip(delays, rows, strict=True), key=lambda p: p[0] + p[1][0])]


class Cars:
    """A topic of cars in one partition, and the three that the flow writes."""

    def __init__(self, stage, seed):
        self.stage = stage
        self.random = random.Random(seed)
        self.begin = long_ago(30)
        self.topic = stage.kafka.create_topic(stage.kafka.unique("cars"))
        for name in ("count", "speed", "late"):
            stage.kafka.create_topic(f"{self.topic}.{name}", partitions=1)

    def running(self):
        names = {"topic": self.topic, "group": self.topic, "output": self.topic}
        return self.stage.running(
            "traffic-sensors", rejects=self.stage.folder / "rejects", idle="1 hour", **names
        )

    def made_up(self, count):
        """Cars (time, sensor, speed) as they arrive: up to the bound out of order."""
        pick = self.random
        rows = [
            (self.begin + pick.randrange(10 * MINUTE), f"A{pick.randrange(5)}", pick.random() * 90)
            for _ in range(count)
        ]
        return by_arrival(rows, [pick.randrange(BOUND) for _ in rows])

    def produce(self, rows):
        """Send cars, their time as the message's timestamp."""
        asyncio.run(self._produce(rows))

    async def _produce(self, rows):
        async with AIOKafkaProducer(bootstrap_servers=self.stage.kafka.bootstrap) as producer:
            for moment, sensor, speed in rows:
                value = orjson.dumps({"sensor": sensor, "speed": speed})
                await producer.send(self.topic, value, timestamp_ms=moment)

    def windows(self, name):
        """(key, start, record) of each window that was published."""
        return [
            (key.decode(), headers["window.start"], *orjson.loads(value).values())
            for key, value, headers in asyncio.run(self._read(f"{self.topic}.{name}"))
        ]

    def late(self):
        found = asyncio.run(self._read(f"{self.topic}.late"))
        return sorted(
            (headers["missed"], orjson.loads(value)["speed"]) for _, value, headers in found
        )

    async def _read(self, topic):
        place = TopicPartition(topic, 0)
        async with AIOKafkaConsumer(
            bootstrap_servers=self.stage.kafka.bootstrap, auto_offset_reset="earliest"
        ) as consumer:
            consumer.assign([place])
            count = (await consumer.end_offsets([place]))[place]
            found = [await consumer.getone() for _ in range(count)]
        return [(m.key, m.value, {k: v.decode() for k, v in m.headers}) for m in found]


def speeds_by_window(rows, size, slide):
    """(sensor, start) → the speeds of the windows, as a batch over everything."""
    windows = defaultdict(list)
    for moment, sensor, speed in rows:
        last = moment // slide * slide
        for start in range(last, moment - size, -slide):
            windows[sensor, iso(start)].append(speed)
    return windows


def counts(rows):
    found = speeds_by_window(rows, MINUTE, MINUTE)
    return sorted((*window, len(speeds)) for window, speeds in found.items())


def means(rows):
    found = speeds_by_window(rows, MINUTE, MINUTE // 2)
    return sorted((*w, float(sum(map(Fraction, s)) / len(s))) for w, s in found.items())


def test_cars_out_of_order_make_the_windows_of_a_batch_and_late_ones_their_topic(stage):
    cars = Cars(stage, seed=7)
    rows = cars.made_up(3000)
    times = [moment for moment, _, _ in rows]
    assert any(later < earlier for earlier, later in pairwise(times))
    cars.produce(rows)
    stage.kafka.produce(cars.topic, [(None, b"no car")])  # it is of now, so all before is over
    with cars.running() as run:
        expected = counts(rows), means(rows)
        until(lambda: run.alive() and len(cars.windows("count")) >= len(expected[0]), "counts")
        until(lambda: run.alive() and len(cars.windows("speed")) >= len(expected[1]), "speeds")
        cars.produce([(cars.begin, "A0", 12.5)])
        until(lambda: run.alive() and len(cars.late()) == 2, "the late car")
        assert run.stop() in (0, 3), run.said()
    assert (sorted(cars.windows("count")), sorted(cars.windows("speed"))) == expected
    assert cars.late() == [("count", 12.5), ("speed", 12.5)]
    assert [path.read_bytes() for path in (stage.folder / "rejects").iterdir()] == [b"no car"]


def events_of(pick, token, begin):
    """Events (time, user, token, type) of one token in order; some never log out."""
    moment, found = begin + pick.randrange(60 * MINUTE), []
    for step in range(pick.randrange(1, 8)):
        found.append((moment, f"page {step}"))
        moment += pick.choice([1, 5, 9, 40]) * MINUTE + pick.randrange(MINUTE)
    if pick.random() < 0.7:
        found.append((moment, "logout"))
    return [(at, f"user {token % 6}", f"token {token}", kind) for at, kind in found]


def sessions(rows, column, end=None):
    """Steps of the sessions of a user or a token, as a batch over everything."""
    keys = defaultdict(list)
    for row in sorted(rows):
        keys[row[column]].append(row)
    found = []
    for key, mine in keys.items():
        for before, row in pairwise([None, *mine]):
            if before is None or row[0] - before[0] > GAP or before[3] == end:
                found.append((key, []))
            found[-1][1].append(row[3])
    return sorted(found)


def lines(rows):
    for at, user, token, kind in rows:
        yield None, orjson.dumps({"user": user, "token": token, "type": kind, "at": iso(at)})


def test_sessions_by_token_and_by_gap_are_those_of_a_batch(stage):
    pick, begin = random.Random(11), long_ago(600)
    delays, rows = [], []
    for token in range(60):
        mine = events_of(pick, token, begin + pick.randrange(4) * 20 * MINUTE)
        rows += mine
        delays += [pick.randrange(4 * MINUTE)] * len(mine)  # a device is late as a whole
    arrived = by_arrival(rows, delays)
    assert arrived != sorted(rows)
    topic = stage.kafka.create_topic(stage.kafka.unique("events"))
    result = stage.kafka.create_topic(f"{topic}.sessions")
    end = (begin + 590 * MINUTE, "nobody", "none", "end")  # closes everything before it
    stage.kafka.produce(topic, [*lines([*arrived, end]), (None, b"?")])
    by_token, by_user = sessions(rows, 2, end="logout"), sessions(rows, 1)
    output = stage.folder / "sessions"
    with stage.running("user-sessions", topic=topic, group=topic, output=output) as run:
        until(lambda: len(list(output.glob("by-token/*"))) >= len(by_token), "by token")
        until(lambda: run.alive() and len(stage.kafka.read_all(result)) >= len(by_user), "by user")
        assert run.stop() in (0, 3), run.said()
    stored = [orjson.loads(path.read_bytes()) for path in output.glob("by-token/*")]
    assert sorted((one["token"], one["steps"]) for one in stored) == by_token
    published = stage.kafka.read_all(result)
    assert sorted((m.key.decode(), orjson.loads(m.value)["steps"]) for m in published) == by_user
    assert len(list(output.glob("invalid/*"))) == 1
    assert not (output / "late").exists()
