"""flows/dead-letter.json: what cannot be read is put aside with its story, and comes back."""

import asyncio

import pytest

from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
OLD = b'{"order": 1, "customer": "Ada"}'
NEW = b'{"order": 2, "customer": {"name": "Bob"}}'
BROKEN = b"three, please"
FIX = "$.customer.name"


class Orders:
    """A topic of orders, its dead letters and where the flow puts things."""

    def __init__(self, stage):
        self.stage = stage
        self.topic = stage.kafka.create_topic(stage.kafka.unique("orders"), partitions=3)
        self.letters = stage.kafka.create_topic(f"{self.topic}.dead-letter", partitions=3)
        self.output, self.rejects = stage.folder / "orders", stage.folder / "rejects"

    def running(self, **parameters):
        groups = {"group": self.topic, "repair_group": f"{self.topic}-repair"}
        places = {"output": self.output, "rejects": self.rejects}
        return self.stage.running("dead-letter", topic=self.topic, **groups, **places, **parameters)

    def stored(self):
        return sorted(path.name for path in self.output.glob("*.json"))

    def rejected(self):
        return [path.read_bytes() for path in self.rejects.glob("*")]

    def dead(self):
        """(key, value, headers) of each dead letter."""
        return asyncio.run(self._read_headers())

    async def _read_headers(self):
        from aiokafka import AIOKafkaConsumer, TopicPartition

        places = [TopicPartition(self.letters, number) for number in range(3)]
        async with AIOKafkaConsumer(
            bootstrap_servers=self.stage.kafka.bootstrap, auto_offset_reset="earliest"
        ) as consumer:
            consumer.assign(places)
            count = sum((await consumer.end_offsets(places)).values())
            found = [await consumer.getone() for _ in range(count)]
        return [(m.key, m.value, {k: v.decode() for k, v in m.headers}) for m in found]


@pytest.fixture
def orders(stage):
    return Orders(stage)


def bury(orders):
    """Run the flow as it was before the fix, on one order of each kind; the source's offsets."""
    pairs = [(b"ada", OLD), (b"bob", NEW), (b"eve", BROKEN)]
    orders.stage.kafka.produce(orders.topic, pairs)
    with orders.running() as run:
        until(lambda: run.alive() and len(orders.dead()) == 2, "two dead letters")
        until(lambda: run.alive() and orders.stored(), "the good order")
        assert run.stop() == 0, run.said()


def test_failures_go_to_the_dead_letter_topic_with_connects_headers(orders):
    bury(orders)
    letters = {key: (value, headers) for key, value, headers in orders.dead()}
    assert orders.stored() == ["1-Ada.json"]
    assert {key: value for key, (value, _) in letters.items()} == {b"bob": NEW, b"eve": BROKEN}
    (source,) = [m for m in orders.stage.kafka.read_all(orders.topic) if m.key == b"bob"]
    assert letters[b"bob"][1] == {
        "__connect.errors.topic": orders.topic,
        "__connect.errors.partition": str(source.partition),
        "__connect.errors.offset": str(source.offset),
        "__connect.errors.connector.name": "dead-letter",
        "__connect.errors.task.id": "0",
        "__connect.errors.stage": "VALUE_CONVERTER",
        "__connect.errors.class.name": "EvaluateJsonPath",
        "__connect.errors.exception.class.name": "ValueError",
        "__connect.errors.exception.message": "path '$.customer' of 'customer' must lead to one "
        "text, number, true, false or null; got an object; set 'return_type' to json",
    }
    reason = letters[b"eve"][1]["__connect.errors.exception.class.name"]
    assert reason == "JSONDecodeError"


def test_dead_letters_stay_until_somebody_asks_for_them(orders):
    bury(orders)
    with orders.running() as run:
        orders.stage.group(orders.topic, 1)
        assert run.stop() == 0, run.said()
    assert orders.stored() == ["1-Ada.json"]
    assert len(orders.stage.kafka.read_all(orders.topic)) == 3


def test_after_the_fix_they_come_back_and_what_fails_again_is_for_a_person(orders):
    bury(orders)
    with orders.running(customer=FIX, repair=orders.letters.replace(".", r"\.")) as run:
        until(lambda: run.alive() and len(orders.stored()) == 2, "the repaired order")
        until(lambda: run.alive() and orders.rejected(), "the hopeless order")
        assert run.stop() == 0, run.said()
    assert orders.stored() == ["1-Ada.json", "2-Bob.json"]
    assert orders.rejected() == [BROKEN]
    assert len(orders.dead()) == 2
