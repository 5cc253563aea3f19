"""Both processors in a running engine on the durable repository."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from flowengine.definition.builder import Flow
from flowengine.engine import Engine
from flowengine.processor import Processor, Relationship
from flowengine.repository import SqliteRepository
from tests.flowengine.running import until


class Collect(Processor):
    """Keep the contents of what arrives in a list of the class."""

    seen: list[bytes] = []
    success = Relationship("never used")

    def on_trigger(self, context, session):
        flowfiles = session.get_batch()
        self.seen += [session.read(flowfile) for flowfile in flowfiles]
        session.remove(flowfiles)


@pytest.fixture
def seen():
    Collect.seen.clear()
    return Collect.seen


def consuming_flow(bootstrap, topic, group):
    flow = Flow("consuming")
    flow.service("kafka", "KafkaConnection", bootstrap_servers=bootstrap)
    flow.add(
        "consume",
        "ConsumeKafka",
        connection="kafka",
        topics=[topic],
        group_id=group,
        auto_offset_reset="earliest",
        session_timeout="6 sec",
        heartbeat_interval="300 ms",
    )
    flow.add("collect", Collect, {"auto_terminate": ["success"]})
    flow.connect("consume", "success", "collect")
    return flow.load()


@asynccontextmanager
async def running(flow, directory):
    engine = Engine(flow, SqliteRepository(directory), data_dir=directory)
    async with engine.opened(), asyncio.TaskGroup() as group:
        run = group.create_task(engine.run(drain_timeout=1_000_000))
        try:
            yield engine
        finally:
            engine.request_stop()
            await run


async def test_a_stopped_flow_has_committed_everything_it_has(kafka, tmp_path, seen):
    topic, group = kafka.create_topic(partitions=3), kafka.unique("g")
    kafka.produce(topic, [(b"%d" % n, b"%d" % n) for n in range(500)])
    async with running(consuming_flow(kafka.bootstrap, topic, group), tmp_path / "a") as engine:
        await until(engine, lambda: len(seen) >= 500)
    assert sum(p.committed or 0 for p in kafka.group(group).positions) == 500
    kafka.produce(topic, [(b"%d" % n, b"%d" % n) for n in range(500, 600)])
    # Without the data directory it goes on from Kafka's committed offsets: none twice, none lost.
    async with running(consuming_flow(kafka.bootstrap, topic, group), tmp_path / "b") as engine:
        await until(engine, lambda: len(seen) >= 600)
    assert sorted(map(int, seen)) == list(range(600))


async def test_with_its_data_a_flow_does_not_need_kafkas_offsets(kafka, tmp_path, seen):
    topic = kafka.create_topic(partitions=3)
    kafka.produce(topic, [(b"%d" % n, b"%d" % n) for n in range(100)])
    async with running(
        consuming_flow(kafka.bootstrap, topic, kafka.unique("g")), tmp_path
    ) as engine:
        await until(engine, lambda: len(seen) >= 100)
    kafka.produce(topic, [(b"x", b"100")])
    async with running(
        consuming_flow(kafka.bootstrap, topic, kafka.unique("g")), tmp_path
    ) as engine:
        await until(engine, lambda: len(seen) >= 101)
    assert sorted(map(int, seen)) == list(range(101))


async def test_from_topic_to_topic_nothing_is_lost_and_keys_keep_their_order(kafka, tmp_path):
    source, target = kafka.create_topic(partitions=3), kafka.create_topic(partitions=4)
    kafka.produce(source, [(b"k%d" % (n % 50), b"%d" % n) for n in range(5000)])
    flow = Flow("through")
    flow.service("kafka", "KafkaConnection", bootstrap_servers=kafka.bootstrap)
    group = kafka.unique("g")
    flow.add(
        "consume",
        "ConsumeKafka",
        connection="kafka",
        topics=[source],
        group_id=group,
        auto_offset_reset="earliest",
    )
    flow.add(
        "publish",
        "PublishKafka",
        {"auto_terminate": ["success"], "retry": {"failure": {"backoff": "yield"}}},
        connection="kafka",
        topic=target,
    )
    flow.connect("consume", "success", "publish")
    async with running(flow.load(), tmp_path) as engine:
        counters = engine.assembly.core.counters
        await until(engine, lambda: counters.get("Messages Sent", 0) >= 5000)
    messages = kafka.read_all(target)
    assert sorted(int(message.value) for message in messages) == list(range(5000))
    for key in {message.key for message in messages}:
        numbers = [int(message.value) for message in messages if message.key == key]
        assert numbers == sorted(numbers)
