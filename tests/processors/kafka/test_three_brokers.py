"""What the tutorial shows: three copies of each message, and one broker that dies."""

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.conn import create_conn
from aiokafka.protocol.metadata import MetadataRequest

from tests.kafka_fixtures import in_own_loop, java_partition

pytestmark = pytest.mark.slow


def test_topics_get_three_copies_without_being_asked(kafka_cluster):
    (partition,) = kafka_cluster.topic(kafka_cluster.create_topic()).partitions
    assert len(partition.replicas) == len(partition.in_sync) == 3


def test_a_topic_that_was_just_made_is_known_to_every_broker(kafka_cluster):
    addresses = kafka_cluster.bootstrap.split(",")
    for _ in range(10):
        topic = kafka_cluster.create_topic(partitions=6)
        for address in addresses:
            found = in_own_loop(told_by(address, topic))
            assert [each["error_code"] for each in found["partitions"]] == [0] * 6


async def told_by(address, topic):
    """What one broker says of a topic."""
    host, _, port = address.partition(":")
    connection = await create_conn(host, int(port))
    try:
        answer = await connection.send(MetadataRequest([topic], allow_auto_topic_creation=False))
    finally:
        connection.close()
    return answer.to_object()["topics"][0]


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
