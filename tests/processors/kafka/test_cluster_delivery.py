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


def test_one_replica_among_three_brokers_is_warned_of_once_per_run(kafka_cluster):
    topics = [kafka_cluster.create_topic(replication=1) for _ in range(2)]
    with publisher(kafka_cluster.bootstrap, "{{ to }}") as runner:
        for topic in topics:
            runner.enqueue("x", to=topic)
            runner.run()
        warnings = [b.message for b in runner.bulletins if b.level == "warning"]
    assert warnings == [
        f"topic {topics[0]!r} must have two replicas or more for the delivery guarantee "
        "'replicated' to outlive its broker; got 1"
    ]


def test_replicated_waits_for_copies_and_single_node_does_not(kafka_cluster):
    topic = kafka_cluster.create_topic(replication=2)
    partition = kafka_cluster.topic(topic).partitions[0]
    (follower,) = set(partition.replicas) - {partition.leader}
    options = {"send_mode": "synchronous", "delivery_timeout": "3 sec"}
    with (
        publisher(kafka_cluster.bootstrap, topic, **options) as careful,
        publisher(
            kafka_cluster.bootstrap, topic, delivery_guarantee="single node", **options
        ) as quick,
    ):
        for runner in (careful, quick):
            runner.enqueue("before")
            runner.run()
            assert runner.outputs["success"].count == 1
        kafka_cluster.cluster.kill(follower)
        quick.enqueue("x")
        quick.run()
        assert quick.outputs["success"].count == 2
        careful.enqueue("y")
        careful.run()
        assert careful.outputs["success"].count == 1
        assert careful.queued + careful.outputs["failure"].count == 1
    kafka_cluster.heal()
