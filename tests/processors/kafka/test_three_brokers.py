"""What the tutorial shows: three copies of each message, and one broker that dies."""

import pytest
from aiokafka import AIOKafkaProducer

from tests.kafka_fixtures import java_partition

pytestmark = pytest.mark.slow


def test_topics_get_three_copies_without_being_asked(kafka_cluster):
    (partition,) = kafka_cluster.topic(kafka_cluster.create_topic()).partitions
    assert len(partition.replicas) == len(partition.in_sync) == 3


async def test_no_message_is_lost_when_a_leader_is_killed(kafka_cluster):
    topic = kafka_cluster.create_topic()
    leader = kafka_cluster.topic(topic).partitions[0].leader
    async with AIOKafkaProducer(
        bootstrap_servers=kafka_cluster.bootstrap, enable_idempotence=True
    ) as producer:
        for number in range(50):
            await producer.send_and_wait(topic, b"%d" % number)
            if number == 20:
                kafka_cluster.cluster.kill(leader)
    kafka_cluster.heal()
    assert [int(message.value) for message in kafka_cluster.read_all(topic)] == list(range(50))


def test_java_agrees_with_known_partitions():
    assert java_partition([b"abc", b"user-2"], 4) == [3, 0]
