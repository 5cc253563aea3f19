"""A cluster as the lens asks it: plain requests to the right broker, each within a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import IncompatibleBrokerVersion, KafkaError, for_code
from aiokafka.protocol.admin import ListGroupsRequest
from aiokafka.protocol.offset import OffsetRequest

from flowengine.errors import EnvironmentFault
from flowengine.inspection import InspectionError, Refusal
from processors.kafka.admin import patiently
from processors.kafka.lens.protocol import DescribeLogDirs, DescribeQuorum

if TYPE_CHECKING:
    from processors.kafka.connection import KafkaConnection

T = TypeVar("T")
Fields: TypeAlias = dict[str, Any]
Place: TypeAlias = tuple[str, int]  # topic and partition

CONNECT: Final = 4.0  # s to find the cluster
ANSWER: Final = 9.0  # s for a question, connecting included
REQUEST_MS: Final = 8000
TRIES: Final = 15  # for a coordinator, 0.2 s each: nearly all of a question's time is left
EARLIEST, LATEST = -2, -1


class Cluster:
    """A connected admin client with the questions that the lens has."""

    def __init__(self, admin: AIOKafkaAdminClient) -> None:
        self.admin = admin

    async def send(self, node: int, request: Any) -> Fields:
        """The answer of one broker."""
        answer: Fields = (await self.admin._client.send(node, request)).to_object()
        return answer

    async def brokers(self) -> Fields:
        """Cluster id and brokers; the controller where it may be asked, else None."""
        found: Fields = await patiently(self.admin.describe_cluster)
        return {**found, "controller_id": await self._controller(found)}

    async def _controller(self, found: Fields) -> int | None:
        client = self.admin._client
        try:
            answer = await patiently(lambda: self.send(client.get_random_node(), DescribeQuorum()))
        except (IncompatibleBrokerVersion, NotImplementedError):
            return int(found["controller_id"])  # a cluster with ZooKeeper says it itself
        if answer["error_code"] or not answer["topics"]:
            return None
        return int(answer["topics"][0]["partitions"][0]["leader_id"])

    async def topics(self) -> dict[str, Fields]:
        """Metadata of all topics by name. All are asked for: a question about one that is
        missing may create it."""
        asked = await patiently(self.admin.describe_topics)
        found = {fields["topic"]: fields for fields in asked}
        return dict(sorted(found.items()))

    async def topic(self, name: str) -> Fields:
        """Metadata of one topic. Raises InspectionError where there is none."""
        found = await self.topics()
        if name not in found:
            raise no_topic(name, found)
        return found[name]

    async def offsets(self, topics: Iterable[Fields], when: int) -> dict[Place, int]:
        """Offsets at a time in ms, or at EARLIEST or LATEST; without those that have none, or
        whose leader does not answer."""
        wanted: dict[int, dict[str, list[tuple[int, int]]]] = {}
        for fields in topics:
            for each in fields["partitions"]:
                if each["leader"] >= 0:
                    by_topic = wanted.setdefault(each["leader"], {})
                    by_topic.setdefault(fields["topic"], []).append((each["partition"], when))
        requests = [OffsetRequest(-1, 0, list(by_topic.items())) for by_topic in wanted.values()]
        answers = await asyncio.gather(*map(self._offsets, wanted, requests))
        return {
            (topic["topic"], each["partition"]): each["offset"]
            for topics_ in answers
            for topic in topics_
            for each in topic["partitions"]
            if not each["error_code"] and each["offset"] >= 0
        }

    async def _offsets(self, node: int, request: OffsetRequest) -> list[Fields]:
        try:
            answer = await self.send(node, request)
        except KafkaError:
            return []  # it has just ended; the others are shown all the same
        found: list[Fields] = answer["topics"]
        return found

    async def bounds(self, topics: Iterable[Fields]) -> dict[Place, tuple[int, int]]:
        """First and next offset of each partition."""
        known = list(topics)
        first, end = await asyncio.gather(
            self.offsets(known, EARLIEST), self.offsets(known, LATEST)
        )
        return {place: (first[place], end[place]) for place in first if place in end}

    async def sizes(self, brokers: Iterable[int]) -> dict[tuple[int, str, int], int]:
        """Bytes of each copy by broker, topic, partition; without brokers that do not tell."""
        nodes = list(brokers)
        answers = await asyncio.gather(*map(self._log_dirs, nodes))
        return {
            (node, topic["name"], each["partition"]): each["size"]
            for node, answer in zip(nodes, answers, strict=True)
            for result in answer
            for topic in result["topics"]
            for each in topic["partitions"]
            if not each["is_future"]
        }

    async def _log_dirs(self, node: int) -> list[Fields]:
        try:
            answer = await self.send(node, DescribeLogDirs())
        except (KafkaError, NotImplementedError):
            return []  # without the right to ask, or an old broker: sizes are left out
        results: list[Fields] = answer["results"]
        return results

    async def settings(self, topic: str) -> list[Fields]:
        """Configuration entries of a topic."""
        resource = ConfigResource(ConfigResourceType.TOPIC, topic)
        (answer,) = await patiently(lambda: self.admin.describe_configs([resource]))
        (found,) = answer.to_object()["resources"]
        raise_for(found["error_code"], f"configuration of topic {topic!r}")
        entries: list[Fields] = found["config_entries"]
        return entries

    async def at_coordinator(self, group: str, question: Callable[[int], Awaitable[T]]) -> T:
        """Ask a group's coordinator, again for a while: it may have to come first."""

        async def ask() -> T:
            return await question(await self.admin.find_coordinator(group))

        return await patiently(ask, TRIES)

    async def groups(self) -> list[str]:
        """Names of all groups whose coordinators answer."""
        nodes = [
            each["node_id"] for each in (await patiently(self.admin.describe_cluster))["brokers"]
        ]
        found = await asyncio.gather(*map(self._groups, nodes))
        return sorted({name for names in found for name in names})

    async def _groups(self, node: int) -> list[str]:
        try:
            answer = await self.send(node, ListGroupsRequest())
        except KafkaError:
            return []  # it has just ended; another broker takes its groups over
        return [each["group"] for each in answer["groups"]]


def raise_for(code: int, what: str) -> None:
    """Raise what a broker's error code means."""
    if code:
        raise for_code(code)(what)


def no_topic(name: str, existing: Mapping[str, Any]) -> InspectionError:
    """The refusal for a topic that is not there."""
    shown = [each for each in existing if not each.startswith("__")][:20]
    return InspectionError(
        Refusal.UNKNOWN,
        f"kafka topic {name!r} must exist; got only {', '.join(shown) or 'none'}",
    )


def admin_options(connection: KafkaConnection) -> Fields:
    """Options of an admin client. Raises InspectionError for what is wrong before any network."""
    try:
        return {"request_timeout_ms": REQUEST_MS, **connection.client_options("admin")}
    except EnvironmentFault as error:
        raise InspectionError(
            Refusal.UNREACHABLE, f"kafka must pass the step 'configuration'; got {error}"
        ) from error


@asynccontextmanager
async def connected(connection: KafkaConnection) -> AsyncIterator[Cluster]:
    """The cluster inside the block, which ends in time with an InspectionError if need be."""
    step = "find the cluster"
    try:
        async with asyncio.timeout(ANSWER):
            admin = AIOKafkaAdminClient(**admin_options(connection))
            try:
                async with asyncio.timeout(CONNECT):
                    await admin.start()
                step = "answer"
                yield Cluster(admin)
            finally:
                await admin.close()
    except (KafkaError, OSError, TimeoutError) as error:
        from processors.kafka.lens.diagnosis import unreachable

        raise await unreachable(connection, step, error) from error
