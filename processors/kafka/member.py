"""Member: one aiokafka consumer in the group, with what keeps it alive. Lives on the I/O loop.

Numbered rules
--------------
1. A partition is paused from the moment it is assigned until its position is known; so nothing is
   polled before the first ``latest`` is stored and committed (E13).
2. ``expected`` says which offset comes next. What was fetched before it, or for a partition that
   is not in it, is dropped: rebalances and seeks cannot let anything pass twice.
3. When nobody takes what was fetched, all partitions are paused and polling goes on, so the group
   keeps this member. aiokafka forgets the pause at each assignment; it is set again.
4. When partitions are revoked: withdraw, wait until what the flow has is durable, commit; all
   within one budget (``kafka.md`` §2.6).
5. A member that makes no progress although there is something to read is made anew (aiokafka#1154).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from flowengine.clock import Clock
from flowengine.errors import EnvironmentFault
from processors.kafka.client_log import Log, logging_to
from processors.kafka.handover import Batch, Fetched, Handover
from processors.kafka.membership import Membership, MemberState, Roll
from processors.kafka.positions import (
    NoPosition,
    Placement,
    first_position,
    known_position,
    lost_position,
    state_key,
)

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, TopicPartition

    from processors.kafka.connection import KafkaConnection

    Partitions: TypeAlias = frozenset[TopicPartition]

POLL: Final = 0.2  # seconds that one poll waits for data
PAUSE_AFTER: Final = 1.0  # seconds without room until partitions are paused
COMMIT_EVERY: Final = 0.2
STATUS_EVERY: Final = 1.0
REQUEST: Final = 5.0
COME_BACK: Final = 2.0  # seconds until a member that failed joins again


class JoinAgain(Exception):
    """This consumer is of no use any more; the message says why."""


class Member:
    """One member of the consumer group; joins again by itself after every trouble."""

    def __init__(
        self,
        number: int,
        connection: KafkaConnection,
        membership: Membership,
        handover: Handover,
        roll: Roll,
        clock: Clock,
        log: Log,
    ) -> None:
        self._number = number
        self._connection = connection
        self._membership = membership
        self._handover = handover
        self._roll = roll
        self._clock = clock
        self._log = log
        self._consumer: AIOKafkaConsumer | None = None
        self._joined = False
        self._paused = False
        self._assigned: Partitions = frozenset()
        self._unresolved: set[TopicPartition] = set()
        self._expected: dict[TopicPartition, int] = {}
        self._held: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}
        self._stuck_since: dict[TopicPartition, tuple[int, int]] = {}

    # -- life ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Take part in the group until the processor stops."""
        from aiokafka.errors import KafkaError

        with logging_to(self._log):
            while not self._handover.stopping:
                try:
                    await self._take_part()
                except* (KafkaError, OSError, EnvironmentFault, JoinAgain) as errors:
                    await self._lament(errors)
                    await self._rest()

    async def _take_part(self) -> None:
        consumer = self._make()
        self._consumer = consumer
        try:
            await consumer.start()
            self._subscribe(consumer)
            async with asyncio.TaskGroup() as tasks:
                work = [
                    tasks.create_task(self._read(consumer), name="read"),
                    tasks.create_task(self._commit_when_durable(consumer), name="commit"),
                    tasks.create_task(self._watch(consumer), name="watch"),
                ]
                await self._handover.stopped()
                for task in work:
                    task.cancel()
            await self._let_go(consumer, self._assigned)
        finally:
            self._consumer = None
            self._forget()
            await consumer.stop()
            self._roll.left(self._number)

    def _make(self) -> AIOKafkaConsumer:
        from aiokafka import AIOKafkaConsumer
        from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

        # The assignor remembers its member's partitions in its class, so each needs its own.
        assignor = type("MemberAssignor", (StickyPartitionAssignor,), {})
        options = self._connection.client_options("consumer")
        return AIOKafkaConsumer(
            **{
                "fetch_max_wait_ms": 200,
                "fetch_max_bytes": 16 << 20,
                "isolation_level": "read_committed",
                "metadata_max_age_ms": 30_000,
                **options,
                **self._membership.options(self._number),
            },
            partition_assignment_strategy=(assignor,),
            auto_offset_reset="none",
            enable_auto_commit=False,
        )

    def _subscribe(self, consumer: AIOKafkaConsumer) -> None:
        from processors.kafka.rebalance import Listener

        own = self._membership
        consumer.subscribe(
            topics=list(own.topics),
            pattern=rf"(?:{own.pattern})\Z" if own.pattern else None,
            listener=Listener(self.revoked, self.assigned),
        )

    async def _lament(self, errors: BaseExceptionGroup[BaseException]) -> None:
        error: BaseException = errors
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        self._log.warning(
            f"kafka group {self._membership.group!r} must keep member "
            f"{self._membership.name(self._number)!r}; got {type(error).__name__}: {error}; "
            "it joins again"
        )

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(COME_BACK):
                await self._handover.stopped()

    def _forget(self) -> None:
        self._joined = False
        self._assigned = frozenset()
        for table in (self._unresolved, self._expected, self._held, self._committed):
            table.clear()
        self._stuck_since.clear()

    # -- rebalancing ---------------------------------------------------------------------------

    async def revoked(self, partitions: Iterable[TopicPartition]) -> None:
        """Called by the client before the group divides the partitions anew."""
        if self._consumer is not None:
            await self._let_go(self._consumer, frozenset(partitions))

    async def _let_go(self, consumer: AIOKafkaConsumer, partitions: Partitions) -> None:
        """Stop, settle, commit, within the budget (rule 4)."""
        self._expected.clear()
        self._unresolved.clear()
        self._held.clear()
        budget = self._membership.budget
        with suppress(TimeoutError):
            async with asyncio.timeout(budget):
                await self._handover.withdraw(self._number, budget / 2)
                while self._is_owed(partitions):
                    await self._handover.wait_for_news(self._number)
        with suppress(TimeoutError):
            async with asyncio.timeout(budget):
                await self._commit(consumer, partitions)

    def _is_owed(self, partitions: Partitions) -> bool:
        """Whether the flow has records of these partitions that are not yet durable."""
        durable, stored = self._handover.durable, self._handover.stored
        keys = [state_key(*partition) for partition in partitions]
        return any((stored(key) or 0) > durable.get(key, 0) for key in keys)

    def assigned(self, partitions: Iterable[TopicPartition]) -> None:
        """Called by the client with the new division; rule 1 begins here."""
        consumer = self._consumer
        if consumer is None:
            return
        before, self._assigned = self._assigned, frozenset(partitions)
        self._joined = True
        for partition in self._assigned:
            consumer.pause(partition)
            consumer.seek(partition, self._handover.stored(state_key(*partition)) or 0)
        self._unresolved = set(self._assigned)
        self._committed.clear()
        self._stuck_since.clear()
        if lost := before - self._assigned:
            silent = tuple(state_key(*partition) for partition in lost)
            self._handover.offer(Fetched(self._number, self._clock.wall(), silent=silent))
        self._tell(consumer, {})

    # -- positions -----------------------------------------------------------------------------

    async def _resolve(self, consumer: AIOKafkaConsumer) -> None:
        """Find out where each new partition goes on, and let it be read from there."""
        partitions = sorted(self._unresolved)
        found = await asyncio.gather(*[consumer.committed(each) for each in partitions])
        committed = dict(zip(partitions, found, strict=True))
        stored = {each: self._handover.stored(state_key(*each)) for each in partitions}
        known = {each: known_position(stored[each], committed[each]) for each in partitions}
        bounds = await _bounds(consumer, [each for each in partitions if known[each] is None])
        for each in partitions:
            if each not in self._unresolved:
                continue  # revoked in the meantime
            if (offset := committed[each]) is not None:
                self._committed[each] = offset
            position = known[each]
            if position is not None:
                self._begin(consumer, each, Placement(position))
                continue
            self._choose(consumer, each, *bounds[each])

    def _choose(
        self, consumer: AIOKafkaConsumer, partition: TopicPartition, begin: int, end: int
    ) -> None:
        try:
            placement = first_position(state_key(*partition), begin, end, self._membership.reset)
        except NoPosition as error:
            self._unresolved.discard(partition)
            self._log.error(str(error))
        else:
            self._begin(consumer, partition, placement)

    def _begin(
        self, consumer: AIOKafkaConsumer, partition: TopicPartition, placement: Placement
    ) -> None:
        self._unresolved.discard(partition)
        consumer.seek(partition, placement.offset)
        if placement.remark:
            self._log.warning(placement.remark)
        if placement.store:
            self._hold(partition, placement.offset)
            return
        self._expected[partition] = placement.offset
        if not self._paused:
            consumer.resume(partition)

    def _hold(self, partition: TopicPartition, offset: int) -> None:
        """Have a chosen position stored and committed before anything is read."""
        self._held[partition] = offset
        positions = {state_key(*partition): offset}
        now = self._clock.wall()
        self._handover.offer(Fetched(self._number, now, positions=positions))

    async def _replace(self, consumer: AIOKafkaConsumer, wanted: dict[TopicPartition, int]) -> None:
        """The broker does not have these offsets: choose others, and say so."""
        bounds = await _bounds(consumer, list(wanted))
        for partition, offset in wanted.items():
            if self._expected.pop(partition, None) is None:
                continue
            consumer.pause(partition)
            key, reset = state_key(*partition), self._membership.reset
            try:
                placement = lost_position(key, offset, *bounds[partition], reset)
            except NoPosition as error:
                self._log.error(str(error))
            else:
                self._begin(consumer, partition, placement)

    # -- reading -------------------------------------------------------------------------------

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError

        while True:
            if self._unresolved:
                await self._resolve(consumer)
            await self._wait_for_room(consumer)
            try:
                records = await consumer.getmany(
                    timeout_ms=int(POLL * 1000), max_records=self._membership.max_records
                )
            except OffsetOutOfRangeError as error:
                await self._replace(consumer, error.args[0])
            except NoOffsetForPartitionError:
                continue  # the client looked before the position was chosen
            else:
                if records:
                    self._accept(records)

    async def _wait_for_room(self, consumer: AIOKafkaConsumer) -> None:
        """Wait until somebody takes what was fetched; stay in the group meanwhile (rule 3)."""
        handover, number = self._handover, self._number
        if await handover.wait_for_room(number, PAUSE_AFTER):
            return
        self._paused = True
        self._tell(consumer, {})
        consumer.pause(*consumer.assignment())
        while not await handover.wait_for_room(number, self._membership.keep_alive):
            if self._unresolved:
                await self._resolve(consumer)
            consumer.pause(*consumer.assignment())
            await consumer.getmany(timeout_ms=0)
        self._paused = False
        consumer.resume(*[each for each in self._expected if each in consumer.assignment()])
        self._tell(consumer, {})

    def _accept(self, records: dict[TopicPartition, list[Any]]) -> None:
        batches, positions = [], {}
        for partition, fetched in records.items():
            expected = self._expected.get(partition)
            if expected is None:
                continue
            if fetched[0].offset < expected:
                fetched = [record for record in fetched if record.offset >= expected]
            if fetched:
                batches.append(Batch(partition.topic, partition.partition, fetched))
                end = fetched[-1].offset + 1
                self._expected[partition] = positions[state_key(*partition)] = end
        if batches:
            now = self._clock.wall()
            self._handover.offer(Fetched(self._number, now, tuple(batches), positions))

    # -- committing ----------------------------------------------------------------------------

    async def _commit_when_durable(self, consumer: AIOKafkaConsumer) -> None:
        """Lazily, many sessions in one commit, never before they are durable."""
        while True:
            await self._handover.wait_for_news(self._number)
            await self._commit(consumer, self._assigned)
            for partition in [each for each in self._held if self._is_committed(each)]:
                del self._held[partition]
                self._expected[partition] = self._committed[partition]
                if not self._paused:
                    consumer.resume(partition)
            await asyncio.sleep(COMMIT_EVERY)

    def _is_committed(self, partition: TopicPartition) -> bool:
        return self._committed.get(partition) == self._held[partition]

    async def _commit(self, consumer: AIOKafkaConsumer, partitions: Partitions) -> None:
        from aiokafka.errors import IllegalStateError, KafkaError

        due = {each: offset for each in partitions if (offset := self._due(each)) is not None}
        if not due:
            return
        try:
            await consumer.commit(due)
        except (KafkaError, IllegalStateError) as error:
            # The group is being divided anew; whoever gets the partitions commits these offsets.
            self._log.debug(f"kafka group {self._membership.group!r}: {error}")
        else:
            self._committed.update(due)

    def _due(self, partition: TopicPartition) -> int | None:
        """The offset to commit; none when Kafka knows it, or one further on."""
        offset = self._handover.durable.get(state_key(*partition))
        if offset is None:
            return None
        if partition in self._held:
            return offset if offset == self._held[partition] else None
        return offset if offset > self._committed.get(partition, -1) else None

    # -- watching ------------------------------------------------------------------------------

    async def _watch(self, consumer: AIOKafkaConsumer) -> None:
        """Look at the ends of the partitions: for the status, and for rule 5."""
        missing: set[str] = set()
        while True:
            self._warn_of_missing(consumer, missing)
            ends = await _ends(consumer, list(self._assigned))
            self._tell(consumer, ends)
            self._pass_over_markers(consumer)
            self._check_progress(ends)
            await asyncio.sleep(STATUS_EVERY)

    def _warn_of_missing(self, consumer: AIOKafkaConsumer, warned: set[str]) -> None:
        for topic in self._membership.topics:
            if self._joined and topic not in warned and not consumer.partitions_for_topic(topic):
                warned.add(topic)
                self._log.warning(
                    f"topic {topic!r} must exist; got none, and the broker does not create it; run "
                    f"`flowengine kafka topics create {topic}`; it is read as soon as it exists"
                )

    def _pass_over_markers(self, consumer: AIOKafkaConsumer) -> None:
        """Store positions that moved without a record, as behind the end of a transaction."""
        if not self._handover.is_empty(self._number):
            return
        assignment = consumer._subscription.subscription.assignment
        moved = {}
        for partition, expected in self._expected.items():
            state = assignment and assignment.state_value(partition)
            if state and state.has_valid_position and state.position > expected:
                self._expected[partition] = moved[state_key(*partition)] = state.position
        if moved:
            self._handover.offer(Fetched(self._number, self._clock.wall(), positions=moved))

    def _check_progress(self, ends: dict[TopicPartition, int]) -> None:
        now = asyncio.get_running_loop().time()
        for partition, end in ends.items():
            expected = self._expected.get(partition, end)
            since, position = self._stuck_since.get(partition, (int(now), -1))
            waiting = self._paused or not self._handover.is_empty(self._number)
            if waiting or expected >= end or expected != position:
                self._stuck_since[partition] = (int(now), expected)
            elif now - since > self._membership.watchdog:
                raise JoinAgain(
                    f"no record of partition {state_key(*partition)!r} from offset {expected} for "
                    f"{self._membership.watchdog:g} s, although it ends at {end}"
                )

    def _tell(self, consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> None:
        if not self._joined:
            state = MemberState.JOINING
        elif not self._assigned:
            state = MemberState.IDLE
        else:
            state = MemberState.PAUSED if self._paused else MemberState.READING
        self._roll.tell(
            self._number,
            state,
            [state_key(*partition) for partition in sorted(self._assigned)],
            {state_key(*partition): offset for partition, offset in self._committed.items()},
            {state_key(*partition): offset for partition, offset in ends.items()},
        )


async def _bounds(
    consumer: AIOKafkaConsumer, partitions: list[TopicPartition]
) -> dict[TopicPartition, tuple[int, int]]:
    """First offset and end of each partition."""
    if not partitions:
        return {}
    begins = await consumer.beginning_offsets(partitions)
    ends = await consumer.end_offsets(partitions)
    return {each: (begins[each], ends[each]) for each in partitions}


async def _ends(
    consumer: AIOKafkaConsumer, partitions: list[TopicPartition]
) -> dict[TopicPartition, int]:
    """The ends of the partitions, none while the broker does not say them."""
    from aiokafka.errors import KafkaError

    if not partitions:
        return {}
    with suppress(TimeoutError, KafkaError):
        async with asyncio.timeout(REQUEST):
            ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
            return ends
    return {}
