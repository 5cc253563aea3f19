"""PublishKafka against a real broker: NiFi's scenarios 45-52, order, delivery, transactions."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from aiokafka import AIOKafkaConsumer
from pydantic import ValidationError

from flowengine.definition.flat import Backoff, RetryPolicy
from flowengine.errors import YieldError
from flowengine.testing import check_processor
from processors.kafka.partitioner import partition_for_key
from processors.kafka.publish import PublishKafka
from tests.kafka_fixtures import in_own_loop
from tests.processors.kafka.running import publisher

NAMED = {"connection": "kafka", "topic": "t"}


def attributes(runner, relationship="success"):
    return [flowfile.attributes for flowfile in runner.transferred(relationship)]


def headers_of(kafka, topic):
    async def read():
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            return [dict((await consumer.getone()).headers)]
        finally:
            await consumer.stop()

    return in_own_loop(read())


def test_it_is_documented(kafka):
    from tests.processors.kafka.running import connection_to

    check_processor(PublishKafka, services={"kafka": connection_to(kafka.bootstrap)})


def test_a_flowfile_becomes_one_message_and_learns_where_it_went(kafka):
    topic = kafka.create_topic(partitions=3)
    with publisher(kafka.bootstrap, topic, key="{{ name }}") as runner:
        runner.enqueue("hello", name="ada")
        runner.run()
        [written] = attributes(runner)
    [message] = kafka.read_all(topic)
    assert (message.key, message.value) == (b"ada", b"hello")
    assert message.partition == partition_for_key(b"ada", 3)
    assert written == {
        "name": "ada",
        "kafka.topic": topic,
        "kafka.partition": str(message.partition),
        "kafka.offset": "0",
        "kafka.timestamp": str(runner.clock.wall() // 1000),
        "msg.count": "1",
    }


def test_matching_attributes_are_headers_and_the_content_is_unchanged(kafka):
    topic = kafka.create_topic()
    with publisher(kafka.bootstrap, topic, header_pattern="a.*", key="k") as runner:
        runner.enqueue("body", a1="ü", b1="no")
        runner.run()
    assert headers_of(kafka, topic) == [{"a1": "ü".encode()}]
    assert [(m.key, m.value) for m in kafka.read_all(topic)] == [(b"k", b"body")]


def test_a_demarcator_makes_many_messages_without_keys(kafka):
    topic = kafka.create_topic()
    with publisher(kafka.bootstrap, topic, messages="demarcator", demarcator="xx") as runner:
        runner.enqueue("1xx2xx3")
        runner.run()
        [written] = attributes(runner)
    assert [(m.key, m.value) for m in kafka.read_all(topic)] == [
        (None, b"%d" % n) for n in (1, 2, 3)
    ]
    assert (written["msg.count"], written["kafka.offset"]) == ("3", "0")
    assert written["kafka.max.offset"] == "2"


@pytest.mark.parametrize(
    ("how", "content"), [("JSON array", "[1, {},3]"), ("NDJSON", "1\n{}\n\n3\n")]
)
def test_an_array_or_lines_of_json_make_many_messages(kafka, how, content):
    topic = kafka.create_topic()
    with publisher(kafka.bootstrap, topic, messages=how) as runner:
        runner.enqueue(content)
        runner.run()
    assert [message.value for message in kafka.read_all(topic)] == [b"1", b"{}", b"3"]


def test_an_empty_content_with_a_demarcator_is_no_message_and_no_failure(kafka):
    topic = kafka.create_topic()
    with publisher(kafka.bootstrap, topic, messages="NDJSON") as runner:
        runner.enqueue("")
        runner.run()
        assert attributes(runner) == [{"msg.count": "0"}]
    assert kafka.read_all(topic) == []


def test_a_large_file_of_lines_goes_out_in_parts(kafka):
    topic = kafka.create_topic()
    with publisher(kafka.bootstrap, topic, messages="NDJSON") as runner:
        session = runner.session()
        made = session.create(b"\n".join(b'{"n": %d}' % n for n in range(600_000)))
        runner.repository.begin([], [])
        runner.queue.put([made], made.size, files=True)
        runner.repository.end()
        runner.run()
        [written] = attributes(runner)
    assert written["msg.count"] == "600000"
    assert kafka.topic(topic).partitions[0].end == 600_000


def test_the_expression_keeps_a_flowfile_in_one_partition(kafka):
    topic = kafka.create_topic(partitions=3)
    options = {"partitioner": "expression", "partition": "{{ p }}"}
    with publisher(
        kafka.bootstrap, topic, messages="demarcator", demarcator=",", **options
    ) as runner:
        runner.enqueue("a,b,c", p="2")
        runner.enqueue("d", p="3")
        runner.run()
        [failed] = attributes(runner, "failure")
    assert {message.partition for message in kafka.read_all(topic)} == {2}
    assert failed["error.message"] == f"partition must be 0 to 2 in topic {topic!r}; got 3"


def test_round_robin_visits_every_partition(kafka):
    topic = kafka.create_topic(partitions=3)
    with publisher(kafka.bootstrap, topic, partitioner="round robin", key="same") as runner:
        for _ in range(6):
            runner.enqueue("x")
        runner.run()
    assert [m.partition for m in kafka.read_all(topic)] == [0, 0, 1, 1, 2, 2]


def test_a_too_large_message_fails_alone_and_names_the_limit(kafka):
    topic = kafka.create_topic()
    with publisher(kafka.bootstrap, topic, max_request_size="1 KB") as runner:
        for content in ("a", "b" * 2000, "c"):
            runner.enqueue(content)
        runner.run()
        [failed] = attributes(runner, "failure")
    assert [message.value for message in kafka.read_all(topic)] == [b"a", b"c"]
    assert failed["error.class"] == "MessageSizeTooLargeError"
    assert failed["error.message"] == (
        "message must be at most 1024 B ('max_request_size'); got 2100 B with its frame"
    )


def test_what_the_broker_finds_too_large_fails_alone(kafka):
    topic = kafka.create_topic()
    with publisher(kafka.bootstrap, topic, max_request_size="4 MB") as runner:
        for content in ("a", "b" * 1_040_000 + "b" * 9000, "c", "d"):
            runner.enqueue(content[:1_048_576])
        runner.run(3)
        [failed] = attributes(runner, "failure")
        assert len(attributes(runner)) == 3
    assert [len(message.value) for message in kafka.read_all(topic)] == [1, 1, 1]
    assert failed["error.class"] == "MessageSizeTooLargeError"


def test_best_effort_writes_no_offset(kafka):
    topic = kafka.create_topic()
    with publisher(kafka.bootstrap, topic, delivery_guarantee="best effort") as runner:
        runner.enqueue("x")
        runner.run()
        [written] = attributes(runner)
    assert "kafka.offset" not in written
    assert written["kafka.partition"] == "0"
    assert [message.value for message in kafka.read_all(topic)] == [b"x"]


def test_a_tombstone_has_a_key_and_no_value(kafka):
    topic = kafka.create_topic()
    with publisher(kafka.bootstrap, topic) as runner:
        runner.enqueue("", {"kafka.key": "k", "kafka.tombstone": "true"})
        runner.enqueue("", {"kafka.key": "k"})
        runner.run()
    assert [(m.key, m.value) for m in kafka.read_all(topic)] == [(b"k", None), (b"k", b"")]


def test_a_key_in_hexadecimal_is_decoded_and_a_wrong_one_fails(kafka):
    topic = kafka.create_topic()
    with publisher(kafka.bootstrap, topic, key_encoding="hex") as runner:
        runner.enqueue("x", {"kafka.key": "00ff"})
        runner.enqueue("x", {"kafka.key": "00fg"})
        runner.run()
        [failed] = attributes(runner, "failure")
    assert [message.key for message in kafka.read_all(topic)] == [b"\x00\xff"]
    assert failed["error.message"] == "key must be hexadecimal ('key_encoding'); got '00fg'"


def test_an_expression_without_a_value_fails_only_its_flowfile(kafka):
    topic = kafka.create_topic()
    with publisher(kafka.bootstrap, topic, key="{{ name }}") as runner:
        runner.enqueue("x", name="a")
        runner.enqueue("y")
        runner.run()
        assert len(attributes(runner)) == 1
        [failed] = attributes(runner, "failure")
    assert failed["error.class"] == "ExpressionError"
    assert [message.value for message in kafka.read_all(topic)] == [b"x"]


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_every_codec_can_be_read_back(kafka, codec):
    topic = kafka.create_topic()
    with publisher(kafka.bootstrap, topic, compression=codec) as runner:
        for number in range(20):
            runner.enqueue(f"{number} " + "same " * 50)
        runner.run()
    values = [message.value.split()[0] for message in kafka.read_all(topic)]
    assert values == [b"%d" % number for number in range(20)]


@pytest.mark.parametrize("mode", ["fire and forget", "synchronous", "asynchronous"])
def test_every_send_mode_delivers_in_order(kafka, mode):
    topic = kafka.create_topic(partitions=2)
    with publisher(kafka.bootstrap, topic, key="{{ k }}", send_mode=mode) as runner:
        for number in range(40):
            runner.enqueue(f"{number}", k=f"{number % 4}")
        runner.run()
        assert len(attributes(runner)) == 40
        known = ["kafka.offset" in written for written in attributes(runner)]
    assert known == [mode != "fire and forget"] * 40
    for key in (b"0", b"1", b"2", b"3"):
        numbers = [int(m.value) for m in kafka.read_all(topic) if m.key == key]
        assert numbers == sorted(numbers)
        assert len(numbers) == 10


def test_a_missing_topic_is_a_failure_that_says_what_to_do(kafka):
    topic = kafka.unique("missing")
    with publisher(kafka.bootstrap, topic) as runner:
        runner.enqueue("x")
        runner.run()
        [failed] = attributes(runner, "failure")
    assert failed["error.message"] == (
        f"topic {topic!r} must exist; got none, and the broker does not create it; run "
        f"`flowengine kafka topics --create {topic}`, or set 'topic_partitions'"
    )


def test_a_missing_topic_is_created_when_asked_for(kafka):
    topic = kafka.unique("made")
    with publisher(kafka.bootstrap, topic, topic_partitions=4) as runner:
        runner.enqueue("x")
        runner.run()
        assert len(attributes(runner)) == 1
    assert len(kafka.topic(topic).partitions) == 4


def test_a_name_that_no_topic_can_have_fails(kafka):
    with publisher(kafka.bootstrap, "a b") as runner:
        runner.enqueue("x")
        runner.run()
        [failed] = attributes(runner, "failure")
    assert failed["error.message"] == (
        "topic must be 1 to 249 letters, digits, '.', '_' or '-'; got 'a b'"
    )


def test_one_replica_is_no_warning_where_there_is_one_broker_only(kafka):
    topics = [kafka.create_topic(), kafka.create_topic()]
    with publisher(kafka.bootstrap, "{{ to }}") as runner:
        for topic in topics:
            runner.enqueue("x", to=topic)
            runner.run()
        said = [(b.level, b.message) for b in runner.bulletins if "replica" in b.message]
    assert said == [
        (
            "info",
            f"topic {topics[0]!r} has one replica in a cluster of one broker; the delivery "
            "guarantee 'replicated' is what 'single node' is there",
        )
    ]


def test_an_unreachable_cluster_leaves_the_flowfiles_queued():
    with publisher("127.0.0.1:1", "t") as runner:
        runner.enqueue("x")
        with pytest.raises(YieldError) as caught:
            runner.run()
        assert runner.queued == 1
    assert str(caught.value) == (
        "kafka cluster '127.0.0.1:1' must be reachable; got KafkaConnectionError: Unable to "
        "bootstrap from [('127.0.0.1', 1, <AddressFamily.AF_INET: 2>)]; start it, or correct the "
        "connection's properties"
    )


def test_one_trigger_is_one_transaction(kafka):
    topic = kafka.create_topic(partitions=2)
    name = kafka.unique("tx")
    with publisher(kafka.bootstrap, topic, transactional_id=name, key="{{ k }}") as runner:
        for number in range(6):
            runner.enqueue(f"{number}", k=f"{number}")
        runner.run()
        assert len(attributes(runner)) == 6
        runner.enqueue("7", k="7")
        runner.run()
    assert len(kafka.read_all(topic)) == 7
    ends = sum(partition.end for partition in kafka.topic(topic).partitions)
    assert ends == 7 + 3, "each transaction leaves one marker per partition that it wrote to"


def test_a_transaction_that_cannot_commit_delivers_nothing(kafka):
    topic, other = kafka.create_topic(), kafka.create_topic()
    name = kafka.unique("tx")
    options = {"transactional_id": name, "max_request_size": "4 MB"}
    with publisher(kafka.bootstrap, "{{ t }}", **options) as runner:
        runner.enqueue("small", t=other)
        runner.enqueue("x" * 1_048_570, t=topic)
        runner.run(2)
        failed = attributes(runner, "failure")
        runner.enqueue("after", t=other)
        runner.run()
        assert len(attributes(runner)) == 1
    assert [f["error.class"] for f in failed] == ["MessageSizeTooLargeError"] * 2
    assert failed[0]["error.message"].startswith("transaction must commit as a whole; got topic ")
    committed = in_own_loop(read_committed(kafka.bootstrap, other))
    assert committed == [b"after"]


async def read_committed(bootstrap, topic):
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await consumer.start()
    try:
        first = await asyncio.wait_for(consumer.getone(), 10)
        rest = await consumer.getmany(timeout_ms=300)
        return [first.value, *(r.value for records in rest.values() for r in records)]
    finally:
        await consumer.stop()


def test_after_the_first_failure_the_rest_of_the_partition_waits_and_keeps_its_order(kafka):
    topic = kafka.create_topic(partitions=2)
    retry = {"failure": RetryPolicy(backoff=Backoff.YIELD)}
    options = {"partitioner": "expression", "partition": "{{ p }}", "retry": retry}
    with publisher(kafka.bootstrap, topic, delivery_timeout="1 sec", **options) as runner:
        runner.enqueue("first", p="0")
        runner.run()
        kafka.cluster.nodes[0].process.send_signal(19)  # SIGSTOP: reachable, and no answer
        try:
            for number in range(10):
                runner.enqueue(f"{number}", p=f"{number % 2}")
            runner.run()
            assert runner.queued == 10
        finally:
            kafka.cluster.nodes[0].process.send_signal(18)
        runner.clock.advance(10_000_000)
        runner.run()
        assert runner.queued == 0
    messages = [(m.partition, m.value) for m in kafka.read_all(topic)]
    for partition in (0, 1):
        values = [int(v) for p, v in messages if p == partition and v != b"first"]
        unique = list(dict.fromkeys(values))
        assert unique == sorted(unique)
        assert len(unique) == 5


@pytest.mark.slow
def test_a_broker_that_was_killed_and_comes_back_gets_each_message_once(kafka):
    topic = kafka.create_topic()
    with publisher(kafka.bootstrap, topic) as runner, ThreadPoolExecutor(1) as thread:
        runner.enqueue("0")
        runner.run()
        for number in range(1, 50):
            runner.enqueue(f"{number}")
        kafka.cluster.kill(1)
        healed = thread.submit(kafka.heal)
        runner.run()
        healed.result()
        assert len(attributes(runner)) == 50
    assert [int(message.value) for message in kafka.read_all(topic)] == list(range(50))


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        (
            {"partition": "{{ p }}"},
            "'partition' must be set exactly with the partitioner 'expression'",
        ),
        ({"demarcator": ","}, "'demarcator' must be set exactly with messages 'demarcator'"),
        (
            {"transactional_id": "x", "delivery_guarantee": "single node"},
            "transactions must have the delivery guarantee 'replicated'",
        ),
        (
            {"transactional_id": "x", "send_mode": "synchronous"},
            "transactions must have the send mode 'asynchronous'",
        ),
        ({"header_pattern": "("}, "must be a regular expression; got '(': "),
    ],
)
def test_properties_that_do_not_fit_together_are_refused(properties, message):
    with pytest.raises(ValidationError) as caught:
        PublishKafka.Properties.model_validate({**NAMED, **properties})
    assert message in str(caught.value)
