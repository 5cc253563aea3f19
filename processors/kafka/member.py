"""Member: one aiokafka consumer in the group, with what keeps it alive. Lives on the I/O loop.

Numbered rules
--------------
1. Positions are those of :mod:`processors.kafka.places`.
2. When nobody takes what was fetched, all partitions are paused and polling goes on, so the group
   keeps this member. aiokafka forgets the pause at each assignment; it is set again.
3. When partitions are revoked: withdraw, wait until what the flow has is durable, commit; all
   within one budget (``kafka.md`` §2.6).
4. A member that fails, or makes no progress although there is something to read (aiokafka#1154),
   is made anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeAlias

from flowengine.clock import Clock
from flowengine.errors import EnvironmentFault
from processors.kafka.client_log import Log, logging_to
from processors.kafka.handover import Fetched, Handover
from processors.kafka.membership import Membership, MemberState, Roll
from processors.kafka.places import Places
from processors.kafka.positions import state_key
from processors.kafka.watchdog import JoinAgain, Watchdog, missing_topic, partition_ends

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, TopicPartition

    from processors.kafka.connection import KafkaConnection

    Partitions: TypeAlias = frozenset[TopicPartition]

POLL: Final = 200  # ms that one poll waits for data
PAUSE_AFTER: Final = 1.0  # seconds without room until partitions are paused
COMMIT_EVERY: Final = 0.2
COMMIT_AGAIN: Final = 0.1
STATUS_EVERY: Final = 1.0
COME_BACK: Final = 2.0  # seconds until a member that failed joins again
LEAVE: Final = 10.0  # seconds that closing a client may take


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
        self._places = Places(number, membership, handover, clock, log)
        self._watchdog = Watchdog(membership.watchdog)
        self._consumer: AIOKafkaConsumer | None = None
        self._joined = False
        self._assigned: Partitions = frozenset()

    # -- life ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Take part in the group until the processor stops."""
        from aiokafka.errors import KafkaError

        # aiokafka tells of some broken states by `assert`: that, too, means this consumer is done.
        done_with = (KafkaError, OSError, EnvironmentFault, JoinAgain, AssertionError)
        with logging_to(self._log):
            while not self._handover.stopping:
                try:
                    await self._take_part()
                except* done_with as errors:
                    self._lament(errors)
                    await self._rest()

    async def _take_part(self) -> None:
        consumer = self._consumer = self._make()
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
            self._leave_behind()
            await _close(consumer)
            self._roll.left(self._number)

    def _make(self) -> AIOKafkaConsumer:
        from aiokafka import AIOKafkaConsumer
        from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

        # The assignor remembers its member's partitions in its class, so each needs its own.
        assignor = type("MemberAssignor", (StickyPartitionAssignor,), {})
        return AIOKafkaConsumer(
            **{
                "fetch_max_wait_ms": 200,
                "fetch_max_bytes": 16 << 20,
                "isolation_level": "read_committed",
                "metadata_max_age_ms": 30_000,
                **self._connection.client_options("consumer"),
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

    def _lament(self, errors: BaseExceptionGroup[BaseException]) -> None:
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

    def _leave_behind(self) -> None:
        self._consumer = None
        self._joined = False
        self._assigned = frozenset()
        self._places.let_go()
        self._places.paused = False
        self._handover.tell_read(self._number)

    # -- rebalancing ---------------------------------------------------------------------------

    async def revoked(self, partitions: Iterable[TopicPartition]) -> None:
        """Called by the client before the group divides the partitions anew."""
        if self._consumer is not None:
            await self._let_go(self._consumer, frozenset(partitions))

    async def _let_go(self, consumer: AIOKafkaConsumer, partitions: Partitions) -> None:
        """Stop, settle, commit, within the budget (rule 3)."""
        self._places.let_go()
        self._handover.tell_read(self._number)
        budget = self._membership.budget
        with suppress(TimeoutError):
            async with asyncio.timeout(budget):
                await self._handover.withdraw(self._number, budget / 2)
                while self._is_owed(partitions):
                    await self._handover.wait_for_news(self._number)
        with suppress(TimeoutError):
            async with asyncio.timeout(budget):
                await self._commit_finally(consumer, partitions)

    def _is_owed(self, partitions: Partitions) -> bool:
        """Whether the flow has records of these partitions that are not yet durable."""
        durable, stored = self._handover.durable, self._handover.stored
        keys = [state_key(*partition) for partition in partitions]
        return any((stored(key) or 0) > durable.get(key, 0) for key in keys)

    def assigned(self, partitions: Iterable[TopicPartition]) -> None:
        """Called by the client with the new division."""
        if self._consumer is None:
            return
        self._assigned = frozenset(partitions)
        self._joined = True
        self._places.assigned(self._consumer, self._assigned)
        self._watchdog.forget()
        keys = tuple(state_key(*each) for each in sorted(self._assigned))
        self._handover.offer(Fetched(self._number, self._clock.wall(), assigned=keys))
        self._tell({})

    # -- reading -------------------------------------------------------------------------------

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError

        most = self._membership.max_records
        while True:
            await self._places.resolve(consumer)
            await self._wait_for_room(consumer)
            try:
                records = await consumer.getmany(timeout_ms=POLL, max_records=most)
            except OffsetOutOfRangeError as error:
                await self._places.replace(consumer, error.args[0])
            except NoOffsetForPartitionError:
                continue  # the client looked before the position was chosen
            else:
                self._places.accept(records)

    async def _wait_for_room(self, consumer: AIOKafkaConsumer) -> None:
        """Wait until somebody takes what was fetched; stay in the group meanwhile (rule 2)."""
        handover, number = self._handover, self._number
        if await handover.wait_for_room(number, PAUSE_AFTER):
            return
        self._places.pause(consumer)
        self._tell({})
        while not await handover.wait_for_room(number, self._membership.keep_alive):
            await self._places.resolve(consumer)
            self._places.pause(consumer)
            self._places.accept(await consumer.getmany(timeout_ms=0))
        self._places.resume(consumer)
        self._tell({})

    # -- committing ----------------------------------------------------------------------------

    async def _commit_when_durable(self, consumer: AIOKafkaConsumer) -> None:
        """Lazily, many sessions in one commit, never before they are durable."""
        while True:
            await self._handover.wait_for_news(self._number)
            await self._commit(consumer, self._assigned)
            self._places.release(consumer)
            await asyncio.sleep(COMMIT_EVERY)

    async def _commit_finally(self, consumer: AIOKafkaConsumer, partitions: Partitions) -> None:
        """Commit; at the end of the processor again, when a rebalance was in the way."""
        while True:
            if await self._commit(consumer, partitions) or not self._handover.stopping:
                return
            await asyncio.sleep(COMMIT_AGAIN)

    async def _commit(self, consumer: AIOKafkaConsumer, partitions: Partitions) -> bool:
        """Commit what is durable. False when the group did not take it."""
        from aiokafka.errors import KafkaError

        places = self._places
        due = {each: offset for each in partitions if (offset := places.due(each)) is not None}
        if not due:
            return True
        try:
            await consumer.commit(due)
        except KafkaError as error:
            # The group is being divided anew; whoever gets the partitions commits these offsets.
            self._log.debug(f"kafka group {self._membership.group!r}: {error}")
            return False
        places.committed.update(due)
        return True

    # -- watching ------------------------------------------------------------------------------

    async def _watch(self, consumer: AIOKafkaConsumer) -> None:
        """Look at the ends of the partitions: for the status, and for rule 4."""
        warned: set[str] = set()
        places = self._places
        while True:
            await self._look_for_missing(consumer, warned)
            ends = await partition_ends(consumer, list(self._assigned))
            self._tell(ends)
            places.pass_over_markers(consumer)
            self._handover.tell_read(self._number, places.read_to(ends))
            excused = places.paused or not self._handover.is_empty(self._number)
            now = asyncio.get_running_loop().time()
            self._watchdog.check(now, places.expected, ends, excused=excused)
            await asyncio.sleep(STATUS_EVERY)

    async def _look_for_missing(self, consumer: AIOKafkaConsumer, warned: set[str]) -> None:
        """Say once that a topic is missing, and ask again each time until it is there."""
        topics = self._membership.topics if self._joined else ()
        missing = [topic for topic in topics if not consumer.partitions_for_topic(topic)]
        for topic in missing:
            if topic not in warned:
                warned.add(topic)
                self._log.warning(missing_topic(topic))
        if missing:  # by itself the client would look only every half minute
            await consumer._client.force_metadata_update()

    def _tell(self, ends: dict[TopicPartition, int]) -> None:
        if not self._joined:
            state = MemberState.JOINING
        elif not self._assigned:
            state = MemberState.IDLE
        else:
            state = MemberState.PAUSED if self._places.paused else MemberState.READING
        self._roll.tell(
            self._number,
            state,
            [state_key(*each) for each in sorted(self._assigned)],
            {state_key(*each): offset for each, offset in self._places.committed.items()},
            {state_key(*each): offset for each, offset in ends.items()},
        )


async def _close(consumer: AIOKafkaConsumer) -> None:
    """Leave the group; a client that cannot is cut off."""
    try:
        async with asyncio.timeout(LEAVE):
            await consumer.stop()
    except TimeoutError:
        await consumer._client.close()
