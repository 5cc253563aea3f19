"""Places: which offset of each assigned partition comes next. Lives on the I/O loop.

Numbered rules
--------------
1. A partition is paused from the moment it is assigned until its position is known; so nothing is
   polled before the first ``latest`` is stored and committed (E13).
2. ``expected`` says which offset comes next. What was fetched before it, or for a partition that
   is not in it, is dropped: rebalances and seeks cannot let anything pass twice.
3. After each ``await`` a partition may be gone: look before telling the client anything about it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from flowengine.clock import Clock
from processors.kafka.client_log import Log
from processors.kafka.handover import Batch, Fetched, Handover
from processors.kafka.membership import Membership
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

NO_END: Final = 1 << 63  # no offset reaches an end that is not known


class Places:
    """Positions of one member's partitions.

    paused:    nothing may be resumed, because nobody takes what is fetched
    committed: what Kafka has, as far as this member knows
    """

    def __init__(
        self, number: int, membership: Membership, handover: Handover, clock: Clock, log: Log
    ) -> None:
        self._number = number
        self._membership = membership
        self._handover = handover
        self._clock = clock
        self._log = log
        self.paused = False
        self.expected: dict[TopicPartition, int] = {}
        self.committed: dict[TopicPartition, int] = {}
        self._unresolved: set[TopicPartition] = set()
        self._held: dict[TopicPartition, int] = {}

    # -- assignment ----------------------------------------------------------------------------

    def let_go(self) -> None:
        """From now on nothing that is fetched counts."""
        self.expected.clear()
        self._unresolved.clear()
        self._held.clear()

    def assigned(self, consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition]) -> None:
        """New partitions: paused, at any position, until :meth:`resolve` knows theirs."""
        self.let_go()
        self.committed.clear()
        for partition in partitions:
            consumer.pause(partition)
            consumer.seek(partition, self._handover.stored(state_key(*partition)) or 0)
            self._unresolved.add(partition)

    def pause(self, consumer: AIOKafkaConsumer) -> None:
        """Fetch nothing more. To be called again after each assignment."""
        self.paused = True
        consumer.pause(*consumer.assignment())

    def resume(self, consumer: AIOKafkaConsumer) -> None:
        """Fetch again where the position is known."""
        self.paused = False
        consumer.resume(*[each for each in self.expected if each in consumer.assignment()])

    # -- finding positions ---------------------------------------------------------------------

    async def resolve(self, consumer: AIOKafkaConsumer) -> None:
        """Find out where each new partition goes on, and let it be read from there."""
        if not self._unresolved:
            return
        partitions = sorted(self._unresolved)
        found = await asyncio.gather(*[consumer.committed(each) for each in partitions])
        committed = dict(zip(partitions, found, strict=True))
        known = {
            each: known_position(self._handover.stored(state_key(*each)), committed[each])
            for each in partitions
        }
        bounds = await _bounds(consumer, [each for each in partitions if known[each] is None])
        for each in partitions:
            if each not in self._unresolved:
                continue
            self._unresolved.discard(each)
            if (offset := committed[each]) is not None:
                self.committed[each] = offset
            position = known[each]
            if position is not None:
                self._begin(consumer, each, Placement(position))
            else:
                self._choose(consumer, each, *bounds[each])

    def _choose(
        self, consumer: AIOKafkaConsumer, partition: TopicPartition, begin: int, end: int
    ) -> None:
        reset = self._membership.reset
        try:
            placement = first_position(state_key(*partition), begin, end, reset)
        except NoPosition as error:
            self._log.error(str(error))
        else:
            self._begin(consumer, partition, placement)

    async def replace(self, consumer: AIOKafkaConsumer, wanted: dict[TopicPartition, int]) -> None:
        """The broker does not have these offsets: choose others, and say so."""
        bounds = await _bounds(consumer, list(wanted))
        for partition, offset in wanted.items():
            if self.expected.pop(partition, None) is None:
                continue
            key, reset = state_key(*partition), self._membership.reset
            try:
                placement = lost_position(key, offset, *bounds[partition], reset)
            except NoPosition as error:
                self._log.error(str(error))
                placement = Placement(offset)
                if partition in consumer.assignment():
                    consumer.pause(partition)
            else:
                self._begin(consumer, partition, placement)

    def _begin(
        self, consumer: AIOKafkaConsumer, partition: TopicPartition, placement: Placement
    ) -> None:
        if partition not in consumer.assignment():
            return
        consumer.seek(partition, placement.offset)
        if placement.remark:
            self._log.warning(placement.remark)
        if placement.store:
            consumer.pause(partition)
            self._hold(partition, placement.offset)
            return
        self.expected[partition] = placement.offset
        if not self.paused:
            consumer.resume(partition)

    def _hold(self, partition: TopicPartition, offset: int) -> None:
        """Have a chosen position stored and committed before anything is read."""
        self._held[partition] = offset
        self._offer(positions={state_key(*partition): offset})

    # -- committing ----------------------------------------------------------------------------

    def due(self, partition: TopicPartition) -> int | None:
        """The offset to commit; none when Kafka knows it, or one further on."""
        offset = self._handover.durable.get(state_key(*partition))
        if offset is None:
            return None
        if partition in self._held:
            return offset if offset == self._held[partition] else None
        return offset if offset > self.committed.get(partition, -1) else None

    def release(self, consumer: AIOKafkaConsumer) -> None:
        """Let be read what was chosen, stored and is now committed."""
        for partition, offset in list(self._held.items()):
            if self.committed.get(partition) == offset:
                del self._held[partition]
                self._begin(consumer, partition, Placement(offset))

    # -- moving on -----------------------------------------------------------------------------

    def accept(self, records: dict[TopicPartition, list[Any]]) -> None:
        """Offer what was fetched, as far as it is what comes next (rule 2)."""
        batches: list[Batch] = []
        positions: dict[str, int] = {}
        for partition, fetched in records.items():
            expected = self.expected.get(partition)
            if expected is None:
                continue
            if fetched[0].offset < expected:
                fetched = [record for record in fetched if record.offset >= expected]
            if fetched:
                batches.append(Batch(partition.topic, partition.partition, fetched))
                end = fetched[-1].offset + 1
                self.expected[partition] = positions[state_key(*partition)] = end
        if batches:
            self._offer(tuple(batches), positions)

    def pass_over_markers(self, consumer: AIOKafkaConsumer) -> None:
        """Store positions that moved without a record, as behind the end of a transaction."""
        subscription = consumer._subscription.subscription
        assignment = subscription and subscription.assignment
        if not assignment or not self._handover.is_empty(self._number):
            return
        moved: dict[str, int] = {}
        for partition, expected in self.expected.items():
            state = assignment.state_value(partition)
            if state and state.has_valid_position and state.position > expected:
                self.expected[partition] = moved[state_key(*partition)] = state.position
        if moved:
            self._offer(positions=moved)

    def read_to(self, ends: Mapping[TopicPartition, int]) -> list[str]:
        """Which partitions were fetched to these ends."""
        expected = self.expected
        return [state_key(*each) for each in expected if expected[each] >= ends.get(each, NO_END)]

    def _offer(
        self, batches: tuple[Batch, ...] = (), positions: dict[str, int] | None = None
    ) -> None:
        now = self._clock.wall()
        self._handover.offer(Fetched(self._number, now, batches, positions or {}))


async def _bounds(
    consumer: AIOKafkaConsumer, partitions: list[TopicPartition]
) -> dict[TopicPartition, tuple[int, int]]:
    """First offset and end of each partition."""
    if not partitions:
        return {}
    begins = await consumer.beginning_offsets(partitions)
    ends = await consumer.end_offsets(partitions)
    return {each: (begins[each], ends[each]) for each in partitions}
