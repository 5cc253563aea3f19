"""Ask a Kafka cluster about its topics and consumer groups.

Small coroutines over aiokafka, used by ``flowengine kafka …``. Keyword arguments named ``options``
go to the aiokafka client as they are (``security_protocol`` and the like).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaConnectionError,
    KafkaError,
    NodeNotReadyError,
    NotCoordinatorForGroupError,
    for_code,
)
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.structs import OffsetAndMetadata

from flowengine.errors import EnvironmentFault

T = TypeVar("T")
REQUEST_TIMEOUT_MS = 10_000
PATIENCE, PAUSE = 50, 0.2  # how often to ask for a group's coordinator, and seconds between
PASSING = (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NodeNotReadyError,  # the broker that was asked has ended; the others soon know
    NotCoordinatorForGroupError,
)


@dataclass(frozen=True)
class Partition:
    """One partition: who leads it, who has copies, and its first and next offset."""

    number: int
    leader: int
    replicas: tuple[int, ...]
    in_sync: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class Topic:
    """A topic's name and partitions (without offsets: begin and end are 0)."""

    name: str
    internal: bool
    partitions: tuple[Partition, ...]

    @property
    def replication(self) -> int:
        """Copies of each partition."""
        return max((len(partition.replicas) for partition in self.partitions), default=0)


@dataclass(frozen=True)
class Member:
    """A consumer in a group; one without partitions is idle."""

    member_id: str
    client_id: str
    host: str
    partitions: tuple[tuple[str, int], ...]

    @property
    def idle(self) -> bool:
        return not self.partitions


@dataclass(frozen=True)
class Position:
    """How far a group is in a partition; ``committed`` is None before its first commit."""

    topic: str
    partition: int
    committed: int | None
    begin: int
    end: int

    @property
    def lag(self) -> int:
        """Messages still to read."""
        start = self.begin if self.committed is None else max(self.committed, self.begin)
        return max(0, self.end - start)


@dataclass(frozen=True)
class Group:
    """A consumer group with its members and positions."""

    name: str
    state: str
    assignor: str
    members: tuple[Member, ...]
    positions: tuple[Position, ...]

    @property
    def lag(self) -> int:
        """Messages still to read, over all partitions."""
        return sum(position.lag for position in self.positions)


@contextmanager
def translated(bootstrap: str) -> Iterator[None]:
    """Turn the client's errors into one that says what to do."""
    try:
        yield
    except KafkaConnectionError as error:
        raise EnvironmentFault(
            f"kafka at {bootstrap!r} must be reachable; got no connection; check the address, and "
            "that the broker runs (`flowengine kafka status`)"
        ) from error
    except TimeoutError as error:
        raise EnvironmentFault(
            f"kafka at {bootstrap!r} must answer in time; got no answer; a broker may just have "
            "ended; try again"
        ) from error
    except KafkaError as error:
        raise EnvironmentFault(
            f"kafka at {bootstrap!r} must accept the request; got {type(error).__name__}: {error}"
        ) from error


@asynccontextmanager
async def admin_client(bootstrap: str, **options: Any) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client that is connected inside the block."""
    client = AIOKafkaAdminClient(
        **{"request_timeout_ms": REQUEST_TIMEOUT_MS, **options, "bootstrap_servers": bootstrap}
    )
    with translated(bootstrap):
        try:
            await client.start()
            yield client
        finally:
            await client.close()


@asynccontextmanager
async def consumer(bootstrap: str, **options: Any) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer that never commits by itself, connected inside the block."""
    client = AIOKafkaConsumer(
        **{"request_timeout_ms": REQUEST_TIMEOUT_MS, **options, "bootstrap_servers": bootstrap},
        enable_auto_commit=False,
    )
    with translated(bootstrap):
        try:
            await client.start()
            yield client
        finally:
            await client.stop()


# -- topics --------------------------------------------------------------------------------------


async def list_topics(bootstrap: str, **options: Any) -> list[Topic]:
    """All topics by name, internal ones too."""
    async with admin_client(bootstrap, **options) as admin:
        found = await patiently(admin.describe_topics)
    return sorted((_topic(fields, {}) for fields in found), key=lambda topic: topic.name)


async def describe_topic(bootstrap: str, name: str, **options: Any) -> Topic:
    """One topic with the offsets of its partitions."""
    async with admin_client(bootstrap, **options) as admin:
        # All are asked for: a question about one that is missing may create it.
        found = {each["topic"]: each for each in await patiently(admin.describe_topics)}
    if name not in found:
        raise EnvironmentFault(_no_topic(name, found))
    numbers = [fields["partition"] for fields in found[name]["partitions"]]
    bounds = await offset_bounds(bootstrap, [(name, number) for number in numbers], **options)
    return _topic(found[name], bounds)


async def partition_numbers(bootstrap: str, topic: str, **options: Any) -> list[int]:
    """The partitions of a topic, which must exist."""
    found = {each.name: each for each in await list_topics(bootstrap, **options)}
    if topic not in found:
        raise EnvironmentFault(_no_topic(topic, found))
    return [partition.number for partition in found[topic].partitions]


async def create_topic(
    bootstrap: str,
    name: str,
    partitions: int = 1,
    replication: int | None = None,
    config: Mapping[str, str] | None = None,
    **options: Any,
) -> None:
    """Make a topic; ``replication`` None takes the broker's default. ``config``: Kafka's names.

    Returns once every broker knows the topic and its leaders, so that whoever comes next finds it.
    """
    new = _new_topic(name, partitions, replication)
    new.topic_configs = dict(config or {})
    async with admin_client(bootstrap, **options) as admin:
        answer = await patiently(lambda: admin.create_topics([new]))
        ((_, code, message),) = answer.topic_errors
        if code:
            raise EnvironmentFault(
                f"kafka topic {name!r} must be one that can be created; got "
                f"{(message or for_code(code).__name__).rstrip('.')}"
            )
        await known_everywhere(admin, name, partitions)


async def known_everywhere(admin: AIOKafkaAdminClient, name: str, partitions: int) -> None:
    """Wait until every living broker has told the leader of each partition of a new topic."""
    missing: list[int] = []
    for _ in range(PATIENCE):
        cluster = await patiently(admin.describe_cluster)
        nodes = [broker["node_id"] for broker in cluster["brokers"]]
        knowing = await asyncio.gather(*[_knows(admin, node, name, partitions) for node in nodes])
        missing = [node for node, knows in zip(nodes, knowing, strict=True) if not knows]
        if not missing:
            return
        await asyncio.sleep(PAUSE)
    raise EnvironmentFault(
        f"kafka topic {name!r} is made, and every broker must know it; got none from broker "
        f"{', '.join(map(str, missing))}; look again with `flowengine kafka topics {name}`"
    )


async def _knows(admin: AIOKafkaAdminClient, node: int, name: str, partitions: int) -> bool:
    question = MetadataRequest([name], allow_auto_topic_creation=False)
    try:
        answer = await admin._client.send(node, question)
    except KafkaError:  # a broker that ends just now leaves the list of brokers soon
        return False
    (found,) = answer.to_object()["topics"]
    return bool(sum(each["leader"] >= 0 for each in found["partitions"]) == partitions)


def _new_topic(name: str, partitions: int, replication: int | None) -> NewTopic:
    """aiokafka refuses "the broker's default" in its constructor only."""
    topic = NewTopic(name, partitions, replication or 1)
    topic.replication_factor = -1 if replication is None else replication
    return topic


async def delete_topic(bootstrap: str, name: str, **options: Any) -> None:
    """Delete a topic with all its messages."""
    async with admin_client(bootstrap, **options) as admin:
        answer = await patiently(lambda: admin.delete_topics([name]))
        names = await patiently(admin.list_topics)
    ((_, code),) = answer.topic_error_codes
    if code == 3:
        raise EnvironmentFault(_no_topic(name, names))
    if code:
        raise EnvironmentFault(
            f"kafka topic {name!r} must be one that can be deleted; got {for_code(code).__name__}"
        )


async def offset_bounds(
    bootstrap: str, partitions: Iterable[tuple[str, int]], **options: Any
) -> dict[tuple[str, int], tuple[int, int]]:
    """The first and the next offset of each partition."""
    wanted = [TopicPartition(topic, number) for topic, number in partitions]
    if not wanted:
        return {}
    async with consumer(bootstrap, **options) as client:
        begin = await client.beginning_offsets(wanted)
        end = await client.end_offsets(wanted)
    return {(each.topic, each.partition): (begin[each], end[each]) for each in wanted}


def _topic(fields: dict[str, Any], bounds: dict[tuple[str, int], tuple[int, int]]) -> Topic:
    name = fields["topic"]
    partitions = [
        _partition(each, bounds.get((name, each["partition"]), (0, 0)))
        for each in fields["partitions"]
    ]
    partitions.sort(key=lambda partition: partition.number)
    return Topic(name, fields["is_internal"], tuple(partitions))


def _partition(fields: dict[str, Any], bounds: tuple[int, int]) -> Partition:
    replicas, in_sync = tuple(fields["replicas"]), tuple(sorted(fields["isr"]))
    return Partition(fields["partition"], fields["leader"], replicas, in_sync, *bounds)


def _no_topic(name: str, existing: Iterable[str]) -> str:
    names = ", ".join(sorted(each for each in existing if not each.startswith("__"))) or "none"
    return (
        f"kafka topic {name!r} must exist; got only {names}; "
        f"create it with `flowengine kafka topics --create {name} --partitions 3`"
    )


# -- groups --------------------------------------------------------------------------------------


async def list_groups(bootstrap: str, **options: Any) -> list[str]:
    """The names of all consumer groups."""
    async with admin_client(bootstrap, **options) as admin:
        return sorted({name for name, *_ in await patiently(admin.list_consumer_groups)})


async def describe_group(bootstrap: str, name: str, **options: Any) -> Group:
    """Members, committed offsets and lag of a group; nobody joins it for that."""
    async with admin_client(bootstrap, **options) as admin:
        fields, committed = await patiently(lambda: _ask_coordinator(admin, name))
    if fields["state"] == "Dead" and not committed:
        groups = ", ".join(await list_groups(bootstrap, **options)) or "none"
        raise EnvironmentFault(f"kafka group {name!r} must exist; got only {groups}")
    members = tuple(sorted(map(_member, fields["members"]), key=lambda each: each.client_id))
    offsets = {(each.topic, each.partition): at.offset for each, at in committed.items()}
    assigned = {partition for member in members for partition in member.partitions}
    bounds = await offset_bounds(bootstrap, sorted(assigned | offsets.keys()), **options)
    positions = tuple(Position(*each, offsets.get(each), *bounds[each]) for each in bounds)
    return Group(name, fields["state"], fields["protocol"], members, positions)


async def _ask_coordinator(
    admin: AIOKafkaAdminClient, name: str
) -> tuple[dict[str, Any], dict[TopicPartition, OffsetAndMetadata]]:
    (answer,) = await admin.describe_consumer_groups([name])
    fields = answer.to_object()["groups"][0]
    if fields["error_code"]:
        raise for_code(fields["error_code"])(f"group {name}")
    return fields, await admin.list_consumer_group_offsets(name)


async def patiently(question: Callable[[], Awaitable[T]], tries: int = PATIENCE) -> T:
    """Ask again for a while, where nothing can have happened yet.

    The first question about groups makes Kafka create their topic, and when a broker ends others
    take over.
    """
    for _ in range(tries - 1):
        try:
            return await question()
        except PASSING:
            await asyncio.sleep(PAUSE)
    return await question()


def _member(fields: dict[str, Any]) -> Member:
    partitions: tuple[tuple[str, int], ...] = ()
    if raw := fields["member_assignment"]:  # empty while the group rebalances
        assignment = ConsumerProtocolMemberAssignment.decode(raw)
        partitions = tuple(
            sorted(
                (topic, number) for topic, numbers in assignment.assignment for number in numbers
            )
        )
    host = fields["client_host"].lstrip("/")
    return Member(fields["member_id"], fields["client_id"], host, partitions)
