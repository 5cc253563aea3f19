"""Consumer groups through the lens: the chapter's experiment seen, lag, events, going back."""

from __future__ import annotations

import time

import pytest

from tests.waiting import until
from tests.web.lens import FLOW, Lens, Readers, services


@pytest.fixture
def lens(server, kafka):
    server.create(FLOW, services(kafka.bootstrap))
    return Lens(server)


@pytest.fixture
def readers(kafka):
    with Readers(kafka.bootstrap) as readers:
        yield readers


def shares(lens, group):
    """How many partitions each member reads; empty while the group is not stable."""
    found = lens.group(group)
    if found["state"] != "Stable":
        return {}
    return {one["client_id"]: len(one["partitions"]) for one in found["members"]}


def until_shares(lens, group, **wanted):
    until(lambda: shares(lens, group) == wanted, f"{group} to share {wanted}")


def test_the_chapters_experiment_can_be_seen(lens, kafka, readers):
    topic, group = kafka.create_topic(partitions=3), kafka.unique("group")
    kafka.produce(topic, [(b"%d" % n, b"x") for n in range(30)])
    readers.join("one", group, topic)
    until_shares(lens, group, one=3)
    readers.join("two", group, topic)
    until(lambda: sorted(shares(lens, group).values()) == [1, 2], "two members to read 2 + 1")
    readers.join("three", group, topic)
    until_shares(lens, group, one=1, two=1, three=1)
    readers.join("four", group, topic)
    until(lambda: sorted(shares(lens, group).values()) == [0, 1, 1, 1], "a fourth, idle member")
    idle = [one for one in lens.group(group)["members"] if one["idle"]]
    assert [one["partitions"] for one in idle] == [[]]
    second = kafka.unique("second")
    readers.join("alone", second, topic)
    until_shares(lens, second, alone=3)
    until(lambda: lens.group(second)["offsets"][0]["committed"], "the second group to commit")
    assert sum(one["committed"] or 0 for one in lens.group(second)["offsets"]) == 30


def test_lag_is_what_is_written_and_not_yet_committed(lens, kafka, readers):
    topic, group = kafka.create_topic(), kafka.unique("group")
    kafka.produce(topic, [(None, b"x")] * 5)
    readers.join("one", group, topic)
    until(lambda: lens.group(group)["offsets"][0]["committed"] == 5, "five to be committed")
    readers.leave("one")
    kafka.produce(topic, [(None, b"x")] * 3)
    (place,) = lens.group(group)["offsets"]
    assert place == {
        "topic": topic,
        "partition": 0,
        "committed": 5,
        "first": 0,
        "end": 8,
        "lag": 3,
        "member": None,
    }
    (brief,) = [one for one in lens.get("groups")["groups"] if one["id"] == group]
    assert (brief["state"], brief["members"], brief["topics"]) == ("Empty", 0, [topic])
    assert brief["lag"] == 3
    assert lens.get(f"topics/{topic}")["groups"] == [group]


def test_each_partition_names_the_member_that_reads_it(lens, kafka, readers):
    topic, group = kafka.create_topic(partitions=2), kafka.unique("group")
    readers.join("one", group, topic, group_instance_id="static-one")
    until_shares(lens, group, one=2)
    found = lens.group(group)
    (member,) = found["members"]
    assert (member["instance_id"], member["host"]) == ("static-one", "127.0.0.1")
    assert {one["member"] for one in found["offsets"]} == {member["id"]}
    assert (found["coordinator"], found["protocol"]) == (1, "consumer")
    assert found["assignor"] in ("roundrobin", "range")


def test_what_happens_while_somebody_looks_is_on_the_time_line(lens, kafka, readers):
    topic, group = kafka.create_topic(partitions=2), kafka.unique("group")
    before = time.time_ns() // 1000
    readers.join("one", group, topic)
    until_shares(lens, group, one=2)

    def kinds(name):
        events = lens.group(group)["events"]
        return {one["kind"] for one in events if name in one["text"]}

    readers.join("two", group, topic)
    until(lambda: kinds("two") >= {"joined", "rebalanced"}, "the second member's arrival")
    readers.leave("one")
    until(lambda: "left" in kinds("one"), "the first member's departure")
    until(
        lambda: any(
            one["text"] == f"two: {topic}/0 {topic}/1" for one in lens.group(group)["events"]
        ),
        "all for two",
    )
    times = [one["time"] for one in lens.group(group)["events"]]
    assert times == sorted(times)
    assert before < times[0] <= times[-1] <= time.time_ns() // 1000


# -- going elsewhere -----------------------------------------------------------------------------


@pytest.fixture
def read(lens, kafka, readers):
    """A group that has read ten records of one topic and has no member any more."""
    topic, group = kafka.create_topic(), kafka.unique("group")
    kafka.produce(topic, [(None, b"%d" % n) for n in range(10)])
    readers.join("one", group, topic)
    until(lambda: lens.group(group)["offsets"][0]["committed"] == 10, "ten to be committed")
    readers.leave("one")
    return topic, group


def reset(lens, group, topic, to):
    answer = lens.ask("POST", f"groups/{group}/reset", json={"topic": topic, "to": to})
    assert answer.status_code == 200, answer.text
    return [(one["before"], one["after"]) for one in answer.json()["offsets"]]


def test_a_group_goes_back_and_forward(lens, read):
    topic, group = read
    assert reset(lens, group, topic, "earliest") == [(10, 0)]
    assert lens.group(group)["offsets"][0]["lag"] == 10
    assert reset(lens, group, topic, "latest") == [(0, 10)]
    assert reset(lens, group, topic, {"0": 4}) == [(10, 4)]
    assert lens.group(group)["offsets"][0]["committed"] == 4


def test_a_group_goes_to_the_first_record_of_a_time(lens, kafka, read):
    topic, group = read
    later = lens.write(topic, "later")["timestamp"]
    assert reset(lens, group, topic, later) == [(10, 10)]
    assert reset(lens, group, topic, 1) == [(10, 0)]
    assert reset(lens, group, topic, later + 3_600_000_000) == [(0, 11)]


def test_a_reset_is_refused_while_a_member_lives_and_changes_nothing(lens, readers, read):
    topic, group = read
    readers.join("still-here", group, topic)
    until_shares(lens, group, **{"still-here": 1})
    body = {"topic": topic, "to": "earliest"}
    assert lens.refused("POST", f"groups/{group}/reset", json=body) == (
        409,
        f"kafka group '{group}' must have no live member for this; got still-here. Stop them first",
    )
    assert lens.refused("DELETE", f"groups/{group}")[0] == 409
    assert lens.group(group)["offsets"][0]["committed"] == 10


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ({"0": 11}, "offset in partition 0 must be 0 to 10; got 11"),
        ({"1": 0}, "must be one of 0; got 1"),
        ("somewhere", "request must follow the description"),
        ({"x": 1}, "request must follow the description"),
        (-1, "request must follow the description"),
    ],
)
def test_a_reset_to_where_nothing_is_is_refused(lens, read, to, says):
    topic, group = read
    status, detail = lens.refused("POST", f"groups/{group}/reset", json={"topic": topic, "to": to})
    assert status == 422
    assert says in detail


def test_a_group_without_members_can_be_forgotten(lens, read):
    _, group = read
    assert lens.ask("DELETE", f"groups/{group}").status_code == 204
    assert group not in [one["id"] for one in lens.get("groups")["groups"]]
    for method in ("GET", "DELETE"):
        status, detail = lens.refused(method, f"groups/{group}")
        assert status == 404
        assert detail.startswith(f"kafka group '{group}' must exist; got only ")


def test_a_group_with_a_slash_in_its_name_is_found(lens, kafka, readers):
    topic, group = kafka.create_topic(), kafka.unique("team/group")
    readers.join("one", group, topic)
    until_shares(lens, group, one=1)
    assert lens.group(group)["id"] == group
