"""users-producer and users-consumer: shared work, a second group, going on after a stop."""

import shutil
from collections import Counter

import orjson
import pytest

from flowengine.definition import Flow
from processors.kafka.evidence import received
from tests.flows.running import FLOWS
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
USERS = sorted(orjson.loads(p.read_bytes())["name"] for p in (FLOWS / "lake/users").glob("*.json"))


class Users:
    """A topic for the users, two groups that read it, and where they write."""

    def __init__(self, stage):
        self.stage = stage
        self.topic = stage.kafka.create_topic(stage.kafka.unique("users"), partitions=3)
        self.group, self.other = f"{self.topic}-dashboard", f"{self.topic}-warehouse"

    def produce(self):
        rejects = self.stage.folder / "rejects"
        self.stage.complete("users-producer", topic=self.topic, period="10 ms", rejects=rejects)

    def consuming(self, output="users", data="", **parameters):
        names = {"topic": self.topic, "group": self.group, "other_group": self.other}
        place = self.stage.folder / output
        return self.stage.running("users-consumer", data=data, output=place, **names, **parameters)

    def one_more(self, name):
        """One more member of the first group, a flow of its own."""
        flow = Flow(name)
        flow.service("kafka", "KafkaConnection", bootstrap_servers="local")
        own = {"topics": [self.topic], "group_id": self.group, "auto_offset_reset": "earliest"}
        flow.add(name, "ConsumeKafka", connection="kafka", **own)
        flow.add("log", "LogAttribute", {"auto_terminate": ["success"]})
        flow.connect(name, "success", "log")
        flow.save(self.stage.folder / f"{name}.json")
        return self.stage.running(self.stage.folder / f"{name}.json", data=f"data-{name}")

    def shares(self, members):
        """Partitions per member, the fewest first, once so many members share them all."""
        group = self.stage.group(self.group, members)
        return sorted(len(member.partitions) for member in group.members)

    def received(self, group, output="users"):
        return received(self.stage.folder / output / group)

    def names(self, group, *outputs):
        return sorted(each.user for output in outputs for each in self.received(group, output))


@pytest.fixture
def users(stage):
    return Users(stage)


def test_17_users_hash_to_partitions_of_6_6_and_5(users):
    users.produce()
    messages = users.stage.kafka.read_all(users.topic)
    assert Counter(message.partition for message in messages) == {0: 6, 1: 6, 2: 5}
    assert sorted(message.key.decode() for message in messages) == USERS


def test_two_members_share_three_partitions_and_each_user_arrives_once(users):
    with users.consuming(period="10 ms") as run:
        assert users.shares(2) == [1, 2]
        users.produce()
        until(lambda: run.alive() and len(users.received("dashboard")) == 17, "17 users")
        until(lambda: run.alive() and len(users.received("warehouse")) == 17, "17 users")
    found = users.received("dashboard")
    assert sorted(each.user for each in found) == USERS
    assert Counter(each.partition for each in found) == {0: 6, 1: 6, 2: 5}
    owners = {(each.partition, each.consumer) for each in found}
    assert len(owners) == 3  # each partition has one owner, so the counts of a member are exact
    assert sorted(Counter(consumer for _, consumer in owners).values()) == [1, 2]
    assert users.names("warehouse", "users") == USERS


def test_a_third_member_gets_a_partition_and_a_fourth_is_idle(users):
    with users.consuming():
        assert users.shares(2) == [1, 2]
        with users.one_more("third"):
            assert users.shares(3) == [1, 1, 1]
            with users.one_more("fourth") as fourth:
                assert users.shares(4) == [0, 1, 1, 1]
                until(lambda: states(fourth, "fourth") == ["idle"], "the fourth to be idle")


def states(run, processor):
    return [member["state"] for member in run.reported(processor).get("members", [])]


def test_a_second_group_reads_everything_while_the_first_is_held_up(users):
    users.produce()
    with users.consuming(period="1 min") as run:
        until(lambda: run.alive() and len(users.received("warehouse")) == 17, "17 users")
        until(lambda: lag(run, "everything/consume") == 0, "the second group's lag to be 0")
        until(lambda: users.received("dashboard"), "the first user of the throttled group")
        assert len(users.received("dashboard")) <= 2
        assert lag(run, "shared/first") + lag(run, "shared/second") >= 7
    assert users.names("warehouse", "users") == USERS


def lag(run, processor):
    """Sum over the partitions; -1 while nothing is reported."""
    lags = run.reported(processor).get("lag")
    return sum(lags.values()) if lags else -1


@pytest.mark.parametrize("deleted", [False, True], ids=["same-data", "data-deleted"])
def test_a_stopped_consumer_goes_on_where_it_left(users, deleted):
    users.produce()
    with users.consuming("before", period="300 ms") as run:
        until(lambda: run.alive() and len(users.received("dashboard", "before")) >= 4, "4 users")
        until(lambda: len(users.received("warehouse", "before")) == 17, "17 users")
        assert run.stop() == 0, run.said()
    assert len(users.received("dashboard", "before")) < 17
    if deleted:
        shutil.rmtree(run.data_dir)
    everything = ("before", "after")
    with users.consuming("after", period="10 ms") as run:
        until(lambda: run.alive() and len(users.names("dashboard", *everything)) >= 17, "the rest")
        assert run.stop() == 0, run.said()
    assert users.names("dashboard", *everything) == USERS
    assert users.names("warehouse", *everything) == USERS
