"""Replicated delivery and reading on three brokers while the leader dies."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.processors.kafka.running import consumer, publisher, trigger_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def test_a_dead_leader_costs_no_message_no_order_and_no_duplicate(kafka_cluster):
    topic = kafka_cluster.create_topic(partitions=2, replication=3)
    leader = kafka_cluster.topic(topic).partitions[0].leader
    with publisher(kafka_cluster.bootstrap, topic, key="{{ k }}") as runner:
        runner.run()
        for number in range(3000):
            runner.enqueue(f"{number}", k=f"{number % 20}")
        runner.run()
        with ThreadPoolExecutor(1) as thread:
            killed = thread.submit(kafka_cluster.cluster.kill, leader)
            while runner.queued:
                runner.run()
            killed.result()
        for number in range(3000, 3100):
            runner.enqueue(f"{number}", k=f"{number % 20}")
        while runner.queued:
            runner.run()
        assert len(runner.transferred("success")) == 3100
        assert not [b for b in runner.bulletins if b.level == "warning"]
    kafka_cluster.heal()
    messages = kafka_cluster.read_all(topic)
    assert sorted(int(message.value) for message in messages) == list(range(3100))
    for partition in (0, 1):
        numbers = [int(m.value) for m in messages if m.partition == partition]
        assert numbers == sorted(numbers)


def test_a_reader_goes_on_when_its_leader_and_coordinator_die(kafka_cluster):
    topic, group = kafka_cluster.create_topic(partitions=3, replication=3), "cluster-readers"
    kafka_cluster.produce(topic, [(b"%d" % n, b"%d" % n) for n in range(100)])
    with consumer(kafka_cluster.bootstrap, topic, group) as runner:
        trigger_until(runner, lambda: runner.outputs["success"].count >= 100)
        kafka_cluster.cluster.kill(kafka_cluster.topic(topic).partitions[0].leader)
        kafka_cluster.produce(topic, [(b"%d" % n, b"%d" % n) for n in range(100, 200)])
        trigger_until(runner, lambda: runner.outputs["success"].count >= 200, patience=90)
        values = [int(runner.content(f)) for f in runner.transferred("success")]
    kafka_cluster.heal()
    assert sorted(values) == list(range(200))
