"""Consume Kafka topics as a member of a group. Source: NiFi ``ConsumeKafka``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from flowengine.context import ProcessContext
from flowengine.errors import DefinitionError
from flowengine.flowfile import FlowFile
from flowengine.inspection import Use
from flowengine.processor import (
    ControllerService,
    Example,
    InputRequirement,
    NifiNote,
    Processor,
    ProcessorProperties,
    Relationship,
    Service,
    Topics,
    When,
)
from flowengine.session import ProcessSession
from flowengine.units import Duration, parse_duration
from processors.kafka._core import KeyEncoding, Pattern, kafka_connection
from processors.kafka.bundles import Bundler, Format, HeaderFormat, Output
from processors.kafka.connection import KafkaConnection
from processors.kafka.handover import Batch, Fetched, Handover
from processors.kafka.member import Member
from processors.kafka.membership import Membership, Roll
from processors.kafka.positions import Reset, state_key
from processors.kafka.progress import Progress

PATIENCE: Final = 0.25  # seconds that a trigger waits for data
USUAL_SESSION: Final = parse_duration("45 sec")
USUAL_HEARTBEAT: Final = parse_duration("3 sec")
LOCAL_SESSION: Final = parse_duration("6 sec")
LOCAL_HEARTBEAT: Final = parse_duration("500 ms")


class EventTime(StrEnum):
    """Where the event time of FlowFiles comes from."""

    NONE = "none"
    KAFKA = "kafka timestamp"


def _split_names(value: Any) -> Any:
    """Names may also be written in one text, comma separated, as a parameter gives them."""
    if isinstance(value, str):
        return [name.strip() for name in value.split(",") if name.strip()]
    return value


_JOINED = When(output=("demarcator", "NDJSON"))


class ConsumeKafka(Processor):
    """Consume messages of Kafka topics, as one member of a consumer group per concurrent task.

    Positions are stored with the FlowFiles, so inside the flow no message counts twice; they are
    committed to Kafka once they are on disk. When a queue downstream is full, reading pauses and
    the members stay in their group.
    """

    tags = ("kafka", "consume", "get", "read", "subscribe", "messaging")
    provenance = "RECEIVE"
    input = InputRequirement.FORBIDDEN
    writes = {
        "kafka.topic": "Topic that it came from.",
        "kafka.partition": "Partition that it came from.",
        "kafka.offset": "Offset of the (first) message.",
        "kafka.max.offset": "With several messages in one FlowFile: offset of the last.",
        "kafka.count": "With several messages in one FlowFile: how many.",
        "kafka.timestamp": "Timestamp of the (first) message, in ms since the epoch.",
        "kafka.key": "Key of the message; with several only if they are separated by key.",
        "kafka.header.count": "Number of headers of the message.",
        "kafka.tombstone": "'true' for a message without a value.",
        "kafka.consumer": "Member of the group that received it.",
    }
    nifi = NifiNote(
        "ConsumeKafka",
        names={
            "connection": "Kafka Connection Service",
            "group_id": "Group ID",
            "topics": "Topics",
            "topic_pattern": "Topics",
            "auto_offset_reset": "auto.offset.reset",
            "output": "Processing Strategy",
            "demarcator": "Message Demarcator",
            "separate_by_key": "Separate By Key",
            "key_encoding": "Key Attribute Encoding",
            "header_pattern": "Header Name Pattern",
            "header_prefix": "Header Name Prefix",
            "header_format": "Header Format",
        },
        defaults={"auto_offset_reset": "latest; here it must be chosen"},
    )
    examples = (
        Example(
            "Users, from the first one on",
            properties={
                "connection": "kafka",
                "topics": ["users"],
                "group_id": "readers",
                "auto_offset_reset": "earliest",
            },
            description="Needs a KafkaConnection service named `kafka`.",
        ),
    )

    class Properties(ProcessorProperties):
        connection: Annotated[str, Service("KafkaConnection")] = Field(
            description="Service that says how to reach the cluster."
        )
        topics: Annotated[list[str], BeforeValidator(_split_names), Topics()] = Field(
            default_factory=list, description="Names of topics."
        )
        topic_pattern: Pattern | None = Field(
            None, description="Regular expression that the whole name of a topic matches."
        )
        group_id: str = Field(
            min_length=1, description="Consumer group, whose members share the partitions."
        )
        auto_offset_reset: Reset = Field(
            description="Where to begin when neither this flow nor the group has a position: "
            "earliest, latest, or none (an error)."
        )
        output: Output = Field(
            Output.EACH,
            description="One FlowFile per message, or one per fetch and partition, the messages "
            "joined by a demarcator or as lines of JSON.",
        )
        demarcator: Annotated[str | None, When(output="demarcator")] = Field(
            None, description="Text between messages, with output 'demarcator'; may be empty."
        )
        separate_by_key: Annotated[bool, _JOINED] = Field(
            False, description="Join only messages of the same key."
        )
        key_encoding: KeyEncoding = Field(
            KeyEncoding.UTF_8,
            description="How the key stands in kafka.key; 'hex' is right for keys of bytes.",
        )
        header_pattern: Pattern | None = Field(
            None,
            description="Regular expression; headers whose whole name matches become attributes, "
            "and only messages with equal ones are joined.",
        )
        header_prefix: str = Field("", description="Put before the names of those attributes.")
        header_format: HeaderFormat = Field(
            HeaderFormat.STRING, description="How header values stand in attributes."
        )
        max_poll_records: int = Field(
            1000, ge=1, le=100_000, description="Most messages that one trigger hands on."
        )
        session_timeout: Duration | None = Field(
            None,
            description="How long the group waits for a silent member; unset is 45 sec, 6 sec "
            "with the local broker.",
        )
        heartbeat_interval: Duration | None = Field(
            None,
            description="How often a member tells that it lives, which is also how fast others "
            "join; unset is 3 sec, 500 ms with the local broker.",
        )
        max_poll_interval: Duration = Field(
            parse_duration("5 min"),
            description="How long a member may take for a rebalance; a fifth of it, at most "
            "5 sec, is spent on committing before partitions are given away.",
        )
        static_member_id: str | None = Field(
            None,
            min_length=1,
            description="Prefix of static member ids: a member that comes back within the session "
            "timeout gets its partitions again without a rebalance. Unique per runner.",
        )
        event_time: EventTime = Field(
            EventTime.NONE, description="Whether the message's timestamp is its event time."
        )
        out_of_orderness: Duration = Field(
            parse_duration("0 sec"),
            description="How much older than the newest a message may still be, within a "
            "partition.",
        )
        idle_timeout: Duration | None = Field(
            None,
            description="After so long without a message a partition that was read to its end no "
            "longer holds back event time; unset never. One that went to another runner holds it "
            "back for so long, too, or for the session timeout.",
        )

        @model_validator(mode="after")
        def _fits_together(self) -> Self:
            if bool(self.topics) == (self.topic_pattern is not None):
                _refuse("must have either 'topics' or 'topic_pattern'")
            if (self.output is Output.DEMARCATOR) != (self.demarcator is not None):
                _refuse("'demarcator' must be set exactly with output 'demarcator'")
            if self.separate_by_key and self.output is Output.EACH:
                _refuse("'separate_by_key' must go with output 'demarcator' or 'NDJSON'")
            return self

    properties: Properties

    success = Relationship("Messages that were read.")
    parse_failure = Relationship("With output 'NDJSON': messages that are no JSON.", failure=True)

    @classmethod
    def relationships_for(cls, properties: Properties) -> Mapping[str, Relationship]:
        if properties.output is Output.NDJSON:
            return cls.relationships
        return {"success": cls.success}

    @staticmethod
    def uses(properties: Properties) -> list[Use]:
        """The topics that it reads."""
        who, service, pattern = properties.group_id, properties.connection, properties.topic_pattern
        if pattern is not None:
            return [Use(service=service, name=pattern, reads=True, role=who, pattern=True)]
        return [
            Use(service=service, name=topic, reads=True, role=who) for topic in properties.topics
        ]

    @classmethod
    async def reset_positions(
        cls, properties: Properties, services: Mapping[str, ControllerService], to: str | int
    ) -> Mapping[str, Any]:
        """Move the group's offsets to earliest, latest or a time in µs (``flowengine reset``)."""
        from processors.kafka.reset import reset_positions

        service = services.get(properties.connection)
        if not isinstance(service, KafkaConnection):
            raise DefinitionError(
                "processor ConsumeKafka: property 'connection' must name a KafkaConnection; got "
                f"{properties.connection!r}"
            )
        return await reset_positions(properties, service, to)

    def __init__(self, properties: Properties) -> None:
        super().__init__(properties)
        self._durable: dict[str, int] | None = None
        self._bundler = Bundler(
            Format(
                output=properties.output,
                demarcator=(properties.demarcator or "").encode(),
                separate_by_key=properties.separate_by_key,
                key_encoding=properties.key_encoding,
                header_pattern=properties.header_pattern,
                header_prefix=properties.header_prefix,
                header_format=properties.header_format,
                event_time=properties.event_time is EventTime.KAFKA,
            )
        )

    @asynccontextmanager
    async def on_scheduled(self, context: ProcessContext) -> AsyncIterator[None]:
        """The members live on the I/O loop until the processor stops."""
        connection = kafka_connection(context, self.properties.connection)
        if self._durable is None:  # what a start finds in the state came from the disk
            self._durable = dict(context.state)
        self._membership = self._make_membership(context, connection)
        roll = Roll(self._membership, context.report)
        handover = Handover(context.concurrent_tasks, lambda: context.state, self._durable)
        self._handover = handover
        self._progress = self._make_progress(context.concurrent_tasks)
        members = [
            Member(number, connection, self._membership, handover, roll, context.clock, context.log)
            for number in range(context.concurrent_tasks)
        ]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(context.io(_serve(handover, members)), name=f"{context.id} members")
            try:
                yield
            finally:
                handover.stop()

    def _make_membership(self, context: ProcessContext, connection: KafkaConnection) -> Membership:
        own, local = self.properties, connection.is_local
        session = own.session_timeout or (LOCAL_SESSION if local else USUAL_SESSION)
        heartbeat = own.heartbeat_interval or (LOCAL_HEARTBEAT if local else USUAL_HEARTBEAT)
        return Membership(
            group=own.group_id,
            client=context.id.replace("/", "."),  # of a group: no client id has a slash
            topics=tuple(own.topics),
            pattern=own.topic_pattern,
            reset=own.auto_offset_reset,
            max_records=own.max_poll_records,
            session_timeout=int(session),
            heartbeat_interval=int(heartbeat),
            max_poll_interval=own.max_poll_interval,
            static_id=own.static_member_id,
        )

    def _make_progress(self, members: int) -> Progress | None:
        own, group = self.properties, self._membership
        if own.event_time is EventTime.NONE:
            return None
        leave = own.idle_timeout if own.idle_timeout is not None else group.session_timeout
        names = [group.name(number) for number in range(members)]
        return Progress(names, own.out_of_orderness, own.idle_timeout, leave)

    async def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        handover = self._handover
        await handover.wait(PATIENCE)
        # Nothing may be awaited from here to the end: rule 1 of handover.
        fetched = handover.take()
        if self._progress is not None:
            if fetched is not None and fetched.assigned is not None:
                self._progress.assigned(fetched.member, fetched.assigned, session.now)
            self._progress.look(session, context.progress, handover.is_read)
        if fetched is not None:
            self._hand_on(session, fetched)

    def _hand_on(self, session: ProcessSession, fetched: Fetched) -> None:
        name = self._membership.name(fetched.member)
        good: list[FlowFile] = []
        bad: list[FlowFile] = []
        for batch in fetched.batches:
            batch = _unseen(batch, session)
            if not batch.records:
                continue
            made, unparsable = self._bundler.make(session, batch, name, fetched.received)
            good += made
            bad += unparsable
            session.adjust_counter(f"Records Received from {batch.topic}", len(batch.records))
        session.transfer(good, "success")
        session.transfer(bad, "parse failure")
        if fetched.positions:
            positions = fetched.positions_in(session.state)
            session.state.update(positions)
            session.on_durable(lambda: self._handover.acknowledge(positions))
        if self._progress is not None:
            self._progress.read(session, fetched.batches, fetched.received)


def _unseen(batch: Batch, session: ProcessSession) -> Batch:
    """Without what the flow already has: the last guard that nothing counts twice (E13)."""
    position = session.state.get(state_key(batch.topic, batch.partition), 0)
    if batch.records[0].offset >= position:
        return batch
    records = [record for record in batch.records if record.offset >= position]
    return Batch(batch.topic, batch.partition, records)


async def _serve(handover: Handover, members: list[Member]) -> None:
    """All members of one processor, until it stops."""
    handover.attach()
    async with asyncio.TaskGroup() as tasks:
        for member in members:
            tasks.create_task(member.run())


def _refuse(message: str) -> None:
    raise PydanticCustomError("consume", "{message}", {"message": message})
