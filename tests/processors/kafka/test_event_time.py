"""Event time of ConsumeKafka against a real broker: which partitions hold it back (E20, E21)."""

from aiokafka import AIOKafkaProducer

from flowengine.connection import Limits
from flowengine.watermarks import NEVER
from tests.crash.group import Intruder
from tests.kafka_fixtures import in_own_loop
from tests.processors.kafka.running import consumer, trigger_until
from tests.waiting import until

TIMED = {"event_time": "kafka timestamp", "idle_timeout": "1 min"}
MINUTE = 60_000_000


def send(kafka, topic, *messages):
    """Messages (partition, timestamp in ms)."""

    async def sending():
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
            for partition, timestamp in messages:
                await producer.send_and_wait(
                    topic, b"v", partition=partition, timestamp_ms=timestamp
                )

    in_own_loop(sending())


def read(runner, count):
    trigger_until(runner, lambda: runner.outputs["success"].count >= count)


def holding(runner, *partitions, after=0):
    runner.clock.advance(after)
    return runner.node.progress.keys() == set(partitions)


def members(runner):
    return [entry["state"] for entry in runner.node.reported.get("members", [])]


def test_event_time_is_the_kafka_timestamp_and_progress_follows_it(kafka):
    topic = kafka.create_topic()
    send(kafka, topic, (0, 2000), (0, 5000), (0, 4000))
    timed = {**TIMED, "out_of_orderness": "1 sec"}
    with consumer(kafka.bootstrap, topic, kafka.unique("g"), **timed) as runner:
        read(runner, 3)
        times = [flowfile.event_time for flowfile in runner.transferred("success")]
        assert times == [2_000_000, 5_000_000, 4_000_000]
        assert runner.node.progress == {f"{topic}/0": 3_999_999}


def test_a_partition_without_messages_holds_time_until_it_is_idle(kafka):
    topic = kafka.create_topic(partitions=2)
    send(kafka, topic, (0, 5000))
    with consumer(kafka.bootstrap, topic, kafka.unique("g"), **TIMED) as runner:
        read(runner, 1)
        assert runner.node.progress == {f"{topic}/0": 4_999_999, f"{topic}/1": NEVER}
        send(kafka, topic, (0, 6000))
        read(runner, 2)
        trigger_until(runner, lambda: holding(runner, after=MINUTE))
        send(kafka, topic, (1, 7000))
        read(runner, 3)
        assert runner.node.progress == {f"{topic}/1": 6_999_999}


def test_w71_a_partition_that_we_pause_is_not_idle(kafka):
    topic = kafka.create_topic(partitions=2)
    send(kafka, topic, *[(partition, 5000 + n) for n in range(6) for partition in (0, 1)])
    full = {"max_poll_records": 1, "limits": Limits(objects=1, bytes=0)}
    with consumer(kafka.bootstrap, topic, kafka.unique("g"), **TIMED, **full) as runner:
        read(runner, 1)
        until(lambda: members(runner) == ["paused"], "the pause")
        runner.clock.advance(10 * MINUTE)
        read(runner, 12)
        assert holding(runner, f"{topic}/0", f"{topic}/1")


def test_a_partition_that_goes_and_comes_back_has_held_time(kafka):
    topic, group = kafka.create_topic(partitions=2), kafka.unique("g")
    send(kafka, topic, (0, 5000), (1, 6000))
    both = f"{topic}/0", f"{topic}/1"
    with consumer(kafka.bootstrap, topic, group, **TIMED) as runner:
        read(runner, 2)
        with Intruder(kafka.bootstrap, topic, group):
            trigger_until(runner, lambda: len(runner.node.reported["assignment"]) == 1)
            assert holding(runner, *both)
        trigger_until(runner, lambda: len(runner.node.reported["assignment"]) == 2)
        assert holding(runner, *both)


def test_w74_a_partition_that_another_member_keeps_is_left_out(kafka):
    topic, group = kafka.create_topic(partitions=2), kafka.unique("g")
    send(kafka, topic, (0, 5000), (1, 6000))
    never_idle = {"event_time": "kafka timestamp"}
    with consumer(kafka.bootstrap, topic, group, **never_idle) as runner:
        read(runner, 2)
        with Intruder(kafka.bootstrap, topic, group):
            trigger_until(runner, lambda: len(runner.node.reported["assignment"]) == 1)
            [mine] = runner.node.reported["assignment"]
            assert holding(runner, f"{topic}/0", f"{topic}/1", after=5_999_999)
            runner.clock.advance(1)  # the session timeout
            trigger_until(runner, lambda: holding(runner, mine))


def test_a_member_too_many_holds_nothing_back(kafka):
    topic, group = kafka.create_topic(), kafka.unique("g")
    send(kafka, topic, (0, 5000))
    with consumer(kafka.bootstrap, topic, group, **TIMED, tasks=2) as runner:
        read(runner, 1)
        trigger_until(runner, lambda: sorted(members(runner)) == ["idle", "reading"])
        trigger_until(runner, lambda: runner.node.progress == {f"{topic}/0": 4_999_999})
