"""Cars for traffic-sensors: made up, sent out of order, and counted by DuckDB as a batch."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from tests.flows.batch import batch
from tests.flows.topics import Given, Published, Results, send
from tests.kafka_fixtures import KafkaForTests

MINUTE = 60_000  # all times are ms
BOUND = 30_000  # how far out of order cars may be
SENSORS = 12

# A car is in the window [start, start + size) for each start = k * slide. Speeds are eighths, so
# sums of them are exact and the mean is rounded once, in whatever order one adds.
BATCH = """
SELECT sensor, start, count(*)::INT AS cars, sum(speed) / count(*) AS mean_speed
FROM (SELECT *, unnest(range(moment // $slide * $slide - $size + $slide,
                             moment // $slide * $slide + 1, $slide)) AS start FROM cars)
GROUP BY sensor, start
"""


class Car(NamedTuple):
    """A car that passed a sensor at a moment."""

    moment: int
    sensor: str
    speed: float


class Window(NamedTuple):
    """What names one result for ever: window, key and pane (E22)."""

    sensor: str
    start: str
    pane: str


def iso(moment: int) -> str:
    """A time in ms as the flows write it."""
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat().replace("+00:00", "Z")


def long_ago(minutes: int) -> int:
    """A whole minute, so many before now: not yet too old for the broker to keep."""
    return (int(time.time()) // 60 - minutes) * MINUTE


class Traffic:
    """A topic of cars by sensor, and the three topics that the flow writes."""

    def __init__(
        self, kafka: KafkaForTests, seed: int, partitions: int = 3, minutes: int = 60
    ) -> None:
        self.kafka = kafka
        self.partitions = partitions
        self.begin = long_ago(minutes)
        self.topic = kafka.create_topic(kafka.unique("cars"), partitions)
        names = {name: f"{self.topic}.{name}" for name in ("count", "speed", "late")}
        for name in names.values():
            kafka.create_topic(name)
        self.results = {name: Results(kafka, topic) for name, topic in names.items()}
        self.cars: list[Car] = []
        self._random = random.Random(seed)
        self._minutes = 0

    @property
    def parameters(self) -> dict[str, str]:
        """The flow's parameters; a partition without cars is waited for."""
        names = dict.fromkeys(("topic", "group", "output"), self.topic)
        return {**names, "brokers": self.kafka.bootstrap, "idle": "1 hour"}

    def produce(self, count: int, minutes: int = 20) -> None:
        """Send cars of the next minutes as they arrive: up to the bound out of order."""
        pick, begin = self._random, self.begin + self._minutes * MINUTE
        self._minutes += minutes
        rows = [
            Car(
                begin + pick.randrange(minutes * MINUTE),
                f"A{pick.randrange(SENSORS)}",
                pick.randrange(8 * 90) / 8,
            )
            for _ in range(count)
        ]
        rows.sort(key=lambda car: car.moment + pick.randrange(BOUND))
        self.send(rows)
        self.cars += rows

    @contextmanager
    def flowing(self, count: int = 400, every: float = 0.25) -> Iterator[None]:
        """Cars of one more minute ``every`` so many seconds, until the block ends."""
        ended = threading.Event()

        def work() -> None:
            while not ended.wait(every):
                self.produce(count, minutes=1)

        with ThreadPoolExecutor(1) as threads:
            flowing = threads.submit(work)
            try:
                yield
            finally:
                ended.set()
                flowing.result()

    def send(self, cars: list[Car]) -> None:
        """Send these; a sensor's cars are in one partition, as with every key."""
        send(self.kafka, self.topic, (_message(car) for car in cars))

    def end(self) -> None:
        """Something of now in each partition, which is no car: all before it is over."""
        each = range(self.partitions)
        send(self.kafka, self.topic, (Given(b"no car", partition=number) for number in each))

    # -- results -------------------------------------------------------------------------------

    def truth(self, name: str) -> dict[Window, Any]:
        """What a batch over all cars finds: one pane for each window of a sensor."""
        slide = MINUTE if name == "count" else MINUTE // 2
        rows = batch(BATCH, {"cars": self.cars}, size=MINUTE, slide=slide)
        column = 2 if name == "count" else 3
        return {Window(row[0], iso(row[1]), "0"): row[column] for row in rows}

    def windows(self, name: str) -> dict[Window, Any]:
        """What was published; the same window twice must be the same (E22)."""
        found: dict[Window, Any] = {}
        for one in self.results[name].look():
            [value] = one.record.values()
            assert found.setdefault(_window(one), value) == value, one
        return found

    def is_complete(self, name: str) -> bool:
        """Whether as many windows were published as there are."""
        return len(self.windows(name)) >= len(self.truth(name))

    def late(self) -> list[tuple[str, float]]:
        """Late cars: what they missed, and their speed."""
        return sorted(
            (one.headers["missed"], one.record["speed"]) for one in self.results["late"].look()
        )


def _message(car: Car) -> Given:
    value = orjson.dumps({"sensor": car.sensor, "speed": car.speed})
    return Given(value, car.moment, car.sensor.encode())


def _window(one: Published) -> Window:
    return Window(one.key, one.headers["window.start"], one.headers["pane.index"])
