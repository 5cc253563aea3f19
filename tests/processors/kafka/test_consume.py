"""ConsumeKafka against a real broker: NiFi's scenarios 53-59, positions, groups, back pressure."""

import threading
import time
from contextlib import ExitStack
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaProducer
from pydantic import ValidationError

from flowengine.connection import Limits
from flowengine.testing import check_processor
from processors.kafka import admin
from processors.kafka.consume import ConsumeKafka
from tests.kafka_fixtures import in_own_loop
from tests.processors.kafka.running import connection_to, consumer, trigger_until

NAMED = {"connection": "kafka", "group_id": "g", "auto_offset_reset": "earliest"}


def numbers(count, first=0):
    return [(b"k%d" % (n % 7), b"%d" % n) for n in range(first, first + count)]


def values(runner, relationship="success"):
    return [runner.content(flowfile) for flowfile in runner.transferred(relationship)]


def read(runner, count):
    """Trigger until so many FlowFiles are there, and return their contents."""
    trigger_until(runner, lambda: runner.outputs["success"].count >= count)
    return values(runner)


def send(kafka, topic, **message):
    async def sending():
        producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
        await producer.start()
        try:
            await producer.send_and_wait(topic, **message)
        finally:
            await producer.stop()

    in_own_loop(sending())


def wait_for(condition, patience=30.0):
    """Wait for another thread, which has nothing to wait on."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


def committed(kafka, group):
    return {p.partition: p.committed for p in kafka.group(group).positions}


def topics_of(kafka):
    return {topic.name for topic in in_own_loop(admin.list_topics(kafka.bootstrap))}


def state_of(runner):
    return [entry["state"] for entry in runner.node.reported["members"]]


# -- FlowFiles ------------------------------------------------------------------------------------


def test_it_is_documented(kafka):
    check_processor(ConsumeKafka, services={"kafka": connection_to(kafka.bootstrap)})


def test_an_empty_topic_gives_nothing(kafka):
    topic = kafka.create_topic()
    with consumer(kafka.bootstrap, topic, kafka.unique("g")) as runner:
        trigger_until(
            runner,
            lambda: state_of(runner) == ["reading"] if "members" in runner.node.reported else False,
        )
        runner.trigger()
        assert values(runner) == []


def test_a_message_becomes_a_flowfile_that_says_where_it_came_from(kafka):
    topic = kafka.create_topic()
    headers = [("aaa", b"1"), ("bbb", b"2"), ("uuid", b"3")]
    send(kafka, topic, value=b"v", key=b"k", headers=headers, timestamp_ms=1_700_000_000_000)
    options = {"header_pattern": "b.*|uuid", "header_prefix": "h."}
    with consumer(kafka.bootstrap, topic, kafka.unique("g"), **options) as runner:
        assert read(runner, 1) == [b"v"]
        [flowfile] = runner.transferred("success")
    assert flowfile.attributes == {
        "kafka.topic": topic,
        "kafka.partition": "0",
        "kafka.offset": "0",
        "kafka.timestamp": "1700000000000",
        "kafka.key": "k",
        "kafka.header.count": "3",
        "kafka.consumer": "processor-1",
        "h.bbb": "2",
        "h.uuid": "3",
    }
    assert (flowfile.ingest_time, flowfile.event_time) == (runner.clock.wall(), None)


def test_header_and_key_bytes_can_be_read_as_hexadecimal(kafka):
    topic = kafka.create_topic()
    send(kafka, topic, value=b"v", key=b"\xff", headers=[("b", b"\x01\x02\xab\xff")])
    options = {"header_pattern": ".*", "header_format": "hex", "key_encoding": "hex"}
    with consumer(kafka.bootstrap, topic, kafka.unique("g"), **options) as runner:
        read(runner, 1)
        [flowfile] = runner.transferred("success")
    assert (flowfile.attributes["b"], flowfile.attributes["kafka.key"]) == ("0102abff", "ff")


def test_a_tombstone_is_empty_and_says_so(kafka):
    topic = kafka.create_topic()
    send(kafka, topic, value=None, key=b"k")
    with consumer(kafka.bootstrap, topic, kafka.unique("g"), key_encoding="do not add") as runner:
        assert read(runner, 1) == [b""]
        [flowfile] = runner.transferred("success")
    assert flowfile.attributes["kafka.tombstone"] == "true"
    assert "kafka.key" not in flowfile.attributes


def test_a_demarcator_joins_a_fetch_per_partition(kafka):
    topic = kafka.create_topic(partitions=2)
    kafka.produce(topic, [(None, letter.encode()) for letter in "ABCDEF"])
    ends = {p.number: p.end for p in kafka.topic(topic).partitions}
    options = {"output": "demarcator", "demarcator": "|"}
    with consumer(kafka.bootstrap, topic, kafka.unique("g"), **options) as runner:
        trigger_until(runner, lambda: sum(len(v.split(b"|")) for v in values(runner)) == 6)
        found = runner.transferred("success")
    for flowfile in found:
        written = flowfile.attributes
        count = int(written["kafka.count"])
        assert int(written["kafka.max.offset"]) - int(written["kafka.offset"]) + 1 == count
    assert sum(int(f.attributes["kafka.count"]) for f in found) == sum(ends.values())


def test_messages_can_be_joined_by_key(kafka):
    topic = kafka.create_topic()
    kafka.produce(topic, [(b"x", b"1"), (b"y", b"2"), (b"x", b"3")])
    options = {"output": "demarcator", "demarcator": "|", "separate_by_key": True}
    with consumer(kafka.bootstrap, topic, kafka.unique("g"), **options) as runner:
        read(runner, 2)
        found = {
            f.attributes["kafka.key"]: runner.content(f) for f in runner.transferred("success")
        }
    assert found == {"x": b"1|3", "y": b"2"}


@pytest.mark.parametrize("place", [0, 1, 2])
def test_lines_of_json_leave_out_what_cannot_be_parsed(kafka, place):
    topic = kafka.create_topic()
    messages = [b'{"n":\n 1}', b'{"n": 2}']
    messages.insert(place, b"oops {")
    kafka.produce(topic, [(None, message) for message in messages])
    with consumer(kafka.bootstrap, topic, kafka.unique("g"), output="NDJSON") as runner:
        assert read(runner, 1) == [b'{"n": 1}\n{"n": 2}\n']
        assert values(runner, "parse failure") == [b"oops {"]
        [good], [bad] = runner.transferred("success"), runner.transferred("parse failure")
    assert good.attributes["kafka.count"] == "2"
    assert bad.attributes["kafka.offset"] == str(place)


def test_a_large_message_lies_in_a_file(kafka):
    topic = kafka.create_topic()

    async def change():
        from aiokafka.admin import AIOKafkaAdminClient
        from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        configs = {"max.message.bytes": "3000000"}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs)])
        await admin.close()
        producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, max_request_size=3_000_000)
        await producer.start()
        await producer.send_and_wait(topic, b"x" * 2_000_000)
        await producer.stop()

    in_own_loop(change())
    with consumer(kafka.bootstrap, topic, kafka.unique("g")) as runner:
        trigger_until(runner, lambda: bool(runner.transferred("success")))
        [flowfile] = runner.transferred("success")
        assert flowfile.size == 2_000_000
        assert not isinstance(flowfile.content, bytes)


# -- positions ------------------------------------------------------------------------------------


def test_a_restart_reads_exactly_what_is_new(kafka):
    topic, group = kafka.create_topic(), kafka.unique("g")
    kafka.produce(topic, numbers(5))
    with consumer(kafka.bootstrap, topic, group) as runner:
        assert len(read(runner, 5)) == 5
        runner.restart()
        kafka.produce(topic, numbers(3, first=5))
        assert read(runner, 8) == [b"%d" % n for n in range(8)]
        assert runner.state == {f"{topic}/0": 8}


def test_offsets_are_committed_only_when_the_flow_is_durable(kafka):
    topic, group = kafka.create_topic(), kafka.unique("g")
    kafka.produce(topic, numbers(5))
    with consumer(kafka.bootstrap, topic, group) as runner:
        read(runner, 5)
        runner.trigger()
        assert committed(kafka, group) == {0: None}
        runner.clear()  # the memory repository: durable is what has left the flow
        wait_for(lambda: committed(kafka, group) == {0: 5})


def test_without_its_state_a_flow_goes_on_from_the_committed_offset(kafka):
    topic, group = kafka.create_topic(), kafka.unique("g")
    kafka.produce(topic, numbers(5))
    with consumer(kafka.bootstrap, topic, group) as runner:
        read(runner, 5)
        runner.clear()
    kafka.produce(topic, numbers(2, first=5))
    with consumer(kafka.bootstrap, topic, group) as runner:
        assert read(runner, 2) == [b"5", b"6"]


def test_the_first_latest_is_stored_and_committed_before_anything_is_read(kafka):
    topic, group = kafka.create_topic(), kafka.unique("g")
    kafka.produce(topic, numbers(5))
    with consumer(kafka.bootstrap, topic, group, auto_offset_reset="latest") as runner:
        trigger_until(runner, lambda: f"{topic}/0" in runner.state)
        assert runner.state == {f"{topic}/0": 5}
        assert values(runner) == []
        wait_for(lambda: committed(kafka, group) == {0: 5})
        kafka.produce(topic, numbers(1, first=5))
        assert read(runner, 1) == [b"5"]


def test_none_without_a_position_is_an_error_that_says_what_to_do(kafka):
    topic, group = kafka.create_topic(), kafka.unique("g")
    kafka.produce(topic, numbers(1))
    with consumer(kafka.bootstrap, topic, group, auto_offset_reset="none") as runner:
        trigger_until(runner, lambda: any(b.level == "error" for b in runner.bulletins))
        [message] = [b.message for b in runner.bulletins if b.level == "error"]
        assert values(runner) == []
    assert message == (
        f"partition '{topic}/0' must have a committed offset since 'auto_offset_reset' is 'none'; "
        "got none; set the group's offset, or choose 'earliest' or 'latest'"
    )


def test_a_topic_that_was_made_anew_is_read_from_its_beginning(kafka):
    topic, group = kafka.create_topic(), kafka.unique("g")
    kafka.produce(topic, numbers(9))
    with consumer(kafka.bootstrap, topic, group) as runner:
        read(runner, 9)
        runner.clear()
        runner.stop()
        kafka.delete_topic(topic)
        kafka.create_topic(topic)
        wait_for(lambda: topic in topics_of(kafka))  # soon after the broker said so
        kafka.produce(topic, numbers(2))
        runner.restart()
        assert read(runner, 2) == [b"0", b"1"]
        wait_for(lambda: runner.state[f"{topic}/0"] == 2)
        [message] = [b.message for b in runner.bulletins if "made anew" in b.message]
    assert message == (
        f"partition '{topic}/0' must have the offset to read; got offset 9 is beyond its end 2: "
        "the topic was made anew; reading from 0"
    )


def test_what_a_rolled_back_session_had_is_handed_on_again(kafka):
    topic = kafka.create_topic()
    kafka.produce(topic, numbers(4))
    with consumer(kafka.bootstrap, topic, kafka.unique("g"), max_poll_records=2) as runner:
        runner.start()
        session, trigger = runner.session(), cast(Any, runner.node.processor.on_trigger)
        while not session.state:
            runner.loop.run_until_complete(trigger(runner.context, session))
        session.rollback()
        assert read(runner, 4) == [b"0", b"1", b"2", b"3"]


def test_aborted_transactions_are_not_read_and_their_markers_are_passed(kafka):
    topic, group = kafka.create_topic(), kafka.unique("g")

    async def transactions():
        producer = AIOKafkaProducer(
            bootstrap_servers=kafka.bootstrap, transactional_id=kafka.unique("tx")
        )
        await producer.start()
        for value, commit in ((b"a", True), (b"b", False), (b"c", True)):
            await producer.begin_transaction()
            await (await producer.send(topic, value))
            await (producer.commit_transaction() if commit else producer.abort_transaction())
        await producer.stop()

    in_own_loop(transactions())
    with consumer(kafka.bootstrap, topic, group) as runner:
        assert read(runner, 2) == [b"a", b"c"]
        trigger_until(runner, lambda: runner.state == {f"{topic}/0": 6})


# -- back pressure --------------------------------------------------------------------------------


def test_a_full_queue_pauses_reading_and_keeps_the_member(kafka):
    topic, group = kafka.create_topic(partitions=3), kafka.unique("g")
    kafka.produce(topic, numbers(30))
    full = {"max_poll_records": 1, "limits": Limits(objects=1, bytes=0)}
    with consumer(kafka.bootstrap, topic, group, max_poll_interval="2 sec", **full) as runner:
        read(runner, 1)
        wait_for(lambda: state_of(runner) == ["paused"])
        threading.Event().wait(3.0)  # longer than the poll interval: a member that slept is out
        [member] = kafka.group(group).members
        assert len(member.partitions) == 3
        while len(seen := values(runner)) < 30:
            runner.trigger()
        assert sorted(map(int, seen)) == list(range(30))


def test_a_pause_survives_a_rebalance(kafka):
    topic, group = kafka.create_topic(partitions=2), kafka.unique("g")
    kafka.produce(topic, numbers(40))
    quick = {"max_poll_records": 1, "max_poll_interval": "2 sec"}
    with consumer(kafka.bootstrap, topic, group, **quick) as first:
        read(first, 1)
        wait_for(lambda: state_of(first) == ["paused"])
        with consumer(kafka.bootstrap, topic, group, **quick) as second:
            second.start()
            wait_for(lambda: len(kafka.group(group).members) == 2)
            wait_for(lambda: len(first.node.reported["members"][0]["partitions"]) == 1)
            wait_for(lambda: state_of(first) == state_of(second) == ["paused"])
            seen: list[bytes] = []
            while len(set(seen)) < 40:
                first.trigger()
                second.trigger()
                seen = values(first) + values(second)
    # The first message was read and not durable when the partitions were divided.
    assert len(seen) in (40, 41)


# -- groups ---------------------------------------------------------------------------------------


def test_several_tasks_are_several_members_and_the_fourth_is_idle(kafka):
    topic, group = kafka.create_topic(partitions=3), kafka.unique("g")
    kafka.produce(topic, numbers(60))
    with consumer(kafka.bootstrap, topic, group, tasks=4) as runner:
        runner.start()
        trigger_until(
            runner,
            lambda: (
                sorted(state_of(runner)) == ["idle", "reading", "reading", "reading"]
                if "members" in runner.node.reported
                else False
            ),
        )
        assert sorted(map(int, read(runner, 60))) == list(range(60))
        assert len(set(runner.node.reported["assignment"].values())) == 3
        assert len(kafka.group(group).members) == 4


def test_two_runners_share_the_partitions_two_to_one_and_nothing_is_read_twice(kafka):
    topic, group = kafka.create_topic(partitions=3), kafka.unique("g")
    with ExitStack() as stack:
        runners = [stack.enter_context(consumer(kafka.bootstrap, topic, group)) for _ in range(2)]
        for runner in runners:
            runner.start()
        wait_for(
            lambda: (
                sorted(
                    len(r.node.reported["members"][0]["partitions"])
                    for r in runners
                    if "members" in r.node.reported
                )
                == [1, 2]
            )
        )
        kafka.produce(topic, numbers(300))
        seen: list[int] = []
        while len(seen) < 300:
            for runner in runners:
                runner.trigger()
            seen = [int(value) for runner in runners for value in values(runner)]
        assert sorted(seen) == list(range(300))


def test_members_that_come_and_go_lose_nothing_and_repeat_nothing_within_a_flow(kafka):
    topic, group = kafka.create_topic(partitions=4), kafka.unique("g")
    kafka.produce(topic, numbers(2000))
    with consumer(kafka.bootstrap, topic, group, tasks=2, max_poll_records=20) as runner:
        read(runner, 100)
        for _ in range(2):
            with consumer(kafka.bootstrap, topic, group, auto_offset_reset="latest") as guest:
                guest.start()
                wait_for(lambda: len(kafka.group(group).members) == 3)
                for _ in range(5):
                    runner.trigger()
        trigger_until(runner, lambda: len({int(v) for v in values(runner)}) == 2000)
        assert len(values(runner)) == 2000


def test_a_static_member_comes_back_without_a_rebalance(kafka):
    topic, group = kafka.create_topic(partitions=2), kafka.unique("g")
    kafka.produce(topic, numbers(4))
    with consumer(kafka.bootstrap, topic, group, static_member_id="m") as runner:
        read(runner, 4)
        before = {m.member_id for m in kafka.group(group).members}
        runner.restart()
        assert {m.member_id for m in kafka.group(group).members} == before
        kafka.produce(topic, numbers(2, first=4))
        assert len(read(runner, 6)) == 6
        assert len(kafka.group(group).members) == 1


def test_lag_and_ends_are_reported(kafka):
    topic, group = kafka.create_topic(), kafka.unique("g")
    kafka.produce(topic, numbers(5))
    with consumer(kafka.bootstrap, topic, group) as runner:
        read(runner, 5)
        runner.clear()
        kafka.produce(topic, numbers(2))
        wait_for(lambda: runner.node.reported["lag"] == {f"{topic}/0": 2})
    assert runner.node.reported["members"][0]["state"] == "gone"


# -- topics ---------------------------------------------------------------------------------------


def test_a_pattern_matches_whole_names_and_finds_new_topics(kafka):
    prefix = kafka.unique("pat")
    kafka.create_topic(f"{prefix}-a")
    kafka.create_topic(f"{prefix}-a-not")
    for topic in (f"{prefix}-a", f"{prefix}-a-not"):
        kafka.produce(topic, [(None, topic.encode())])
    service = connection_to(kafka.bootstrap, client_properties={"metadata_max_age_ms": 300})
    options = {"topic_pattern": rf"{prefix}-[ab]", "service": service}
    with consumer(kafka.bootstrap, "", kafka.unique("g"), **options) as runner:
        assert read(runner, 1) == [f"{prefix}-a".encode()]
        kafka.create_topic(f"{prefix}-b")
        kafka.produce(f"{prefix}-b", [(None, b"new")])
        assert read(runner, 2)[1] == b"new"


def test_a_missing_topic_is_said_and_read_once_it_exists(kafka):
    topic = kafka.unique("late")
    service = connection_to(kafka.bootstrap, client_properties={"metadata_max_age_ms": 300})
    with consumer(kafka.bootstrap, topic, kafka.unique("g"), service=service) as runner:
        trigger_until(runner, lambda: any("must exist" in b.message for b in runner.bulletins))
        [message] = [b.message for b in runner.bulletins if "must exist" in b.message]
        kafka.create_topic(topic)
        wait_for(lambda: topic in topics_of(kafka))
        kafka.produce(topic, numbers(1))
        assert read(runner, 1) == [b"0"]
    assert message == (
        f"topic {topic!r} must exist; got none, and the broker does not create it; run "
        f"`flowengine kafka topics --create {topic}`; it is read as soon as it exists"
    )


# -- trouble --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_it_goes_on_by_itself_after_the_broker_was_killed(kafka):
    topic, group = kafka.create_topic(), kafka.unique("g")
    kafka.produce(topic, numbers(5))
    with consumer(kafka.bootstrap, topic, group) as runner:
        read(runner, 5)
        runner.clear()
        kafka.cluster.kill(1)
        runner.trigger()
        kafka.heal()
        kafka.produce(topic, numbers(5, first=5))
        assert read(runner, 5) == [b"%d" % n for n in range(5, 10)]


def test_an_unreachable_cluster_is_a_warning_and_no_failure():
    with consumer("127.0.0.1:1", "t", "g") as runner:
        trigger_until(runner, lambda: any(b.level == "warning" for b in runner.bulletins))
        [message] = [b.message for b in runner.bulletins if b.level == "warning"]
    assert message.startswith("kafka group 'g' must keep member 'processor-1'; got ")


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({}, "must have either 'topics' or 'topic_pattern'"),
        ({"topics": "a", "topic_pattern": "b"}, "must have either 'topics' or 'topic_pattern'"),
        (
            {"topics": "a", "output": "demarcator"},
            "'demarcator' must be set exactly with output 'demarcator'",
        ),
        (
            {"topics": "a", "separate_by_key": True},
            "'separate_by_key' must go with output 'demarcator' or 'NDJSON'",
        ),
    ],
)
def test_properties_that_do_not_fit_together_are_refused(properties, message):
    with pytest.raises(ValidationError) as caught:
        ConsumeKafka.Properties.model_validate({**NAMED, **properties})
    assert message in str(caught.value)


def test_topics_may_be_written_in_one_text():
    made = ConsumeKafka.Properties.model_validate({**NAMED, "topics": "a, b"})
    assert made.topics == ["a", "b"]
