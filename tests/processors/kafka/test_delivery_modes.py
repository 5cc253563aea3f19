"""Send mode and delivery guarantee: what each waits for, seen on the broker's own disk."""

from __future__ import annotations

from aiokafka.record.memory_records import MemoryRecords

from processors.kafka import admin
from tests.kafka_fixtures import in_own_loop
from tests.processors.kafka.running import publisher, trigger_until


def topic_with(kafka, **config):
    name = kafka.unique()
    settings = {key.replace("_", "."): value for key, value in config.items()}
    in_own_loop(admin.create_topic(kafka.bootstrap, name, config=settings))
    return name


def batches(kafka, topic):
    """How many batches the broker was sent, as they lie in its log."""
    folder = kafka.cluster.directory / "node-1" / "data" / f"{topic}-0"
    records, count = MemoryRecords((folder / f"{0:020}.log").read_bytes()), 0
    while records.has_next():
        records.next_batch()
        count += 1
    return count


def send(kafka, topic, count, **properties):
    with publisher(kafka.bootstrap, topic, **properties) as runner:
        for number in range(count):
            runner.enqueue(f"{number}")
        runner.run()
        assert runner.outputs["success"].count == count


def test_synchronous_has_each_message_confirmed_before_the_next(kafka):
    topic = kafka.create_topic()
    send(kafka, topic, 20, send_mode="synchronous")
    assert batches(kafka, topic) == 20


def test_asynchronous_sends_together_what_is_there(kafka):
    topic = kafka.create_topic()
    send(kafka, topic, 20)
    assert batches(kafka, topic) < 5


def test_what_fire_and_forget_loses_is_only_reported(kafka):
    topic = topic_with(kafka, max_message_bytes="1000")
    with publisher(kafka.bootstrap, topic, send_mode="fire and forget") as runner:
        runner.enqueue("x" * 5000)
        runner.run()
        assert runner.outputs["success"].count == 1
        trigger_until(runner, lambda: any("were lost" in b.message for b in runner.bulletins))
    assert kafka.read_all(topic) == []
