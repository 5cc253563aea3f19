"""What the Kafka lens answers. Times in µs, sizes in bytes; null is what nobody could tell."""

from __future__ import annotations

from pydantic import BaseModel


class Broker(BaseModel):
    """A broker of the cluster."""

    id: int
    host: str
    port: int
    rack: str | None = None
    controller: bool = False


class Cluster(BaseModel):
    """Cluster id, controller and brokers."""

    cluster_id: str | None
    controller: int | None
    brokers: list[Broker]


class TopicSummary(BaseModel):
    """A topic in the list; ``size`` is what the leaders' copies take on disk."""

    name: str
    internal: bool
    partitions: int
    replication: int
    under_replicated: int
    records: int | None
    size: int | None


class Topics(BaseModel):
    """Topics by name."""

    topics: list[TopicSummary]


class Partition(BaseModel):
    """A partition: who leads, who copies, the first offset and the end."""

    partition: int
    leader: int | None
    replicas: list[int]
    in_sync: list[int]
    first: int | None
    end: int | None
    size: int | None = None


class TopicSetting(BaseModel):
    """One setting of a topic."""

    name: str
    value: str | None
    default: bool
    read_only: bool = False
    sensitive: bool = False


class TopicUse(BaseModel):
    """A processor of a flow that reads or writes a topic."""

    flow: str
    processor: str
    type: str
    reads: bool
    writes: bool
    role: str = ""


class Topic(BaseModel):
    """Partitions, configuration, groups, and the processors of all flows that use it."""

    name: str
    internal: bool
    partitions: list[Partition]
    config: list[TopicSetting]
    groups: list[str]
    used_by: list[TopicUse]


class GroupSummary(BaseModel):
    """A consumer group in the list."""

    id: str
    state: str
    protocol: str
    members: int
    topics: list[str]
    lag: int | None


class Groups(BaseModel):
    """Consumer groups."""

    groups: list[GroupSummary]


class MemberPartition(BaseModel):
    """A partition that a member reads."""

    topic: str
    partition: int


class Member(BaseModel):
    """A member of a group; an idle one reads nothing."""

    id: str
    client_id: str
    host: str
    instance_id: str | None = None
    idle: bool
    partitions: list[MemberPartition]


class Position(BaseModel):
    """Where a group is in a partition."""

    topic: str
    partition: int
    committed: int | None
    first: int | None
    end: int | None
    lag: int | None
    member: str | None


class GroupEvent(BaseModel):
    """What happened to a group since somebody looks at it."""

    time: int
    kind: str
    text: str


class ConsumerGroup(BaseModel):
    """Members, positions, lag and events of a group."""

    id: str
    state: str
    coordinator: int | str | None
    protocol: str
    assignor: str
    members: list[Member]
    offsets: list[Position]
    events: list[GroupEvent]


class Moved(BaseModel):
    """A position that a reset moved."""

    partition: int
    before: int | None
    after: int | None


class MovedPositions(BaseModel):
    """All positions that a reset moved."""

    offsets: list[Moved]


class Written(BaseModel):
    """Where a record was written."""

    partition: int
    offset: int
    timestamp: int | None


class MadeTopic(BaseModel):
    """The topic that was made."""

    name: str
