"""Replicated delivery on three brokers, one of which is killed: nothing is lost."""

from contextlib import suppress

import orjson
import pytest

from flowengine.errors import EnvironmentFault
from tests.flows.running import Stage
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
COUNT = 20_000


@pytest.fixture
def stage(kafka_cluster, tmp_path):
    yield Stage(kafka_cluster, tmp_path)
    kafka_cluster.heal()


def partitions(stage, topic):
    """The partitions once the broker that is asked knows them all and each has a leader."""

    def look():
        with suppress(EnvironmentFault):
            found = stage.kafka.topic(topic).partitions
            return found if all(each.leader >= 0 for each in found) else None

    return until(look, f"a leader for each partition of {topic}")


def written(stage, topic):
    return sum(partition.end for partition in partitions(stage, topic))


def test_the_topic_has_three_copies_of_which_two_must_be_in_sync(stage):
    topic = stage.kafka.create_topic(partitions=3)
    for partition in partitions(stage, topic):
        assert len(partition.replicas) == len(partition.in_sync) == 3


def test_nothing_is_lost_when_a_leader_is_killed_under_load(stage):
    topic = stage.kafka.create_topic(partitions=3)
    leader = partitions(stage, topic)[0].leader
    with stage.running("send-modes", "--until-complete", topic=topic, count=COUNT) as run:
        until(lambda: run.alive() and written(stage, topic), "the first messages")
        stage.kafka.cluster.kill(leader)
        killed_at = written(stage, topic)
        assert run.wait() == 0, run.said()
    assert killed_at < COUNT
    stage.kafka.heal()
    read = {orjson.loads(message.value)["number"] for message in stage.kafka.read_all(topic)}
    assert len(read) == COUNT
