"""Delivery: how the messages of one trigger go out through a producer. Lives on the I/O loop.

Numbered rules
--------------
1. Messages go in batches per partition (``create_batch``/``send_batch``), one batch per partition
   in flight: so after the first failure of a partition nothing behind it was sent, and the rest
   for that partition fails with it (E9). What is a message's own fault holds nothing up.
2. After any failure the producer is replaced before anything else is sent.
3. What was not acknowledged in time is given up together with its producer, so that it cannot
   arrive after its second attempt.
4. A cluster that cannot be reached at all is the world not being ready: YieldError, nothing failed.

Rejected: ``send()`` per message, 54-72 k/s against 338-794 k/s for batches (``kafka.md`` §3.1).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from flowengine.units import format_duration
from processors.kafka.client_log import Log, logging_to
from processors.kafka.outbox import Outbox, Problem, Report
from processors.kafka.partitioner import Partitioner, Partitioning, by_value
from processors.kafka.producer import DeliverySettings, ProducerSlot, SendMode
from processors.kafka.topics import TopicBook

if TYPE_CHECKING:
    from aiokafka import AIOKafkaProducer

    from processors.kafka.connection import KafkaConnection

RECORD_OVERHEAD: Final = 100  # bytes, more than batch header and record framing need


@dataclass
class Lane:
    """Messages of one partition that are still to be sent: batches of indexes into the outbox."""

    topic: str
    partition: int
    batches: deque[list[int]] = field(default_factory=deque)

    @property
    def place(self) -> str:
        """Its name in messages."""
        return f"topic {self.topic!r} partition {self.partition}"

    def left(self) -> list[int]:
        """All indexes that were not sent."""
        return [index for batch in self.batches for index in batch]


Lanes: TypeAlias = dict[tuple[str, int], Lane]
Sent: TypeAlias = dict["asyncio.Future[Any]", tuple[Lane, list[int]]]


class Delivery:
    """Delivers one outbox at a time."""

    def __init__(
        self,
        connection: KafkaConnection,
        settings: DeliverySettings,
        log: Log,
        partitioner: Partitioner,
    ) -> None:
        self._settings = settings
        self._log = log
        self._partitioner = partitioner
        self._slot = ProducerSlot(connection, settings)
        self._topics = TopicBook(connection, settings, self._slot, log)
        self._most: dict[str, int] = {}

    async def deliver(self, outbox: Outbox, now: int) -> Report:
        """Send everything and say what became of each message; ``now`` in ms is their timestamp.

        Raises YieldError when the cluster cannot be reached.
        """
        report = Report.blank(len(outbox), now)
        with logging_to(self._log):
            producer = await self._slot.ready()
            lanes = await self._lanes(producer, outbox, report)
            try:
                await self._send(lanes, outbox, report)
            except BaseException:
                self._slot.broken = True
                raise
            return report

    async def close(self) -> None:
        """Give the producer back; what was handed to it without waiting is flushed first."""
        with logging_to(self._log):
            await self._slot.close()

    # -- choosing partitions -------------------------------------------------------------------

    async def _lanes(self, producer: AIOKafkaProducer, outbox: Outbox, report: Report) -> Lanes:
        """Find each message's partition; what cannot have one is a problem in the report."""
        by_topic: dict[str, list[int]] = {}
        for index, topic in enumerate(outbox.topics):
            by_topic.setdefault(topic, []).append(index)
        lanes: Lanes = {}
        for topic, indexes in by_topic.items():
            count = await self._topics.partition_count(producer, topic)
            if isinstance(count, Problem):
                report.problems.update(dict.fromkeys(indexes, count))
                continue
            self._choose(topic, indexes, count, outbox, report)
            self._refuse_too_large(indexes, outbox, report)
            self._sort_in(lanes, topic, indexes, report)
        return lanes

    def _choose(
        self, topic: str, indexes: list[int], count: int, outbox: Outbox, report: Report
    ) -> None:
        how = self._settings.partitioning
        if how is Partitioning.EXPRESSION:
            _choose_by_value(topic, indexes, count, outbox, report)
            return
        if how is Partitioning.ROUND_ROBIN:
            chosen = self._partitioner.in_turn(topic, len(indexes), count)
        else:
            chosen = self._partitioner.by_key([outbox.keys[i] for i in indexes], count)
        for index, partition in zip(indexes, chosen, strict=True):
            report.partitions[index] = partition

    def _refuse_too_large(self, indexes: list[int], outbox: Outbox, report: Report) -> None:
        limit = self._settings.max_request_size
        values = outbox.values
        suspects = [i for i in indexes if (value := values[i]) and len(value) > limit // 2]
        for index in suspects:
            size = _message_size(outbox, index)
            if size > limit:
                report.problems[index] = _too_large(size, limit)

    def _sort_in(self, lanes: Lanes, topic: str, indexes: list[int], report: Report) -> None:
        """One lane per partition, its messages in one list; those with a problem are left out."""
        partitions, problems = report.partitions, report.problems
        for index in indexes if not problems else [i for i in indexes if i not in problems]:
            partition = partitions[index]
            lane = lanes.get((topic, partition))
            if lane is None:
                lane = lanes[topic, partition] = Lane(topic, partition, deque([[]]))
            lane.batches[0].append(index)

    # -- sending -------------------------------------------------------------------------------

    async def _send(self, lanes: Lanes, outbox: Outbox, report: Report) -> None:
        if not lanes:
            return
        if self._settings.transactional_id is not None:
            await self._send_transaction(list(lanes.values()), outbox, report)
        elif self._settings.mode is SendMode.SYNCHRONOUS:
            await self._send_singly(lanes, outbox, report)
        else:
            await self._send_lanes(list(lanes.values()), outbox, report)

    async def _send_singly(self, lanes: Lanes, outbox: Outbox, report: Report) -> None:
        """Each message confirmed before the next one goes out, over all partitions."""
        behind: dict[tuple[str, int], Problem] = {}
        for index in sorted(index for lane in lanes.values() for index in lane.left()):
            place = (outbox.topics[index], report.partitions[index])
            if place in behind:
                report.problems[index] = behind[place]
                continue
            lane = Lane(*place, deque([[index]]))
            await self._send_lanes([lane], outbox, report)
            problem = report.problems.get(index)
            if problem is not None and not problem.permanent:
                behind[place] = _behind(problem, lane)

    async def _send_transaction(self, lanes: list[Lane], outbox: Outbox, report: Report) -> None:
        """All or nothing: one problem aborts the transaction, and no message was delivered."""
        from aiokafka.errors import KafkaError

        producer = await self._slot.ready()
        indexes = [index for lane in lanes for index in lane.left()]
        reason: Problem | None = None
        try:
            async with asyncio.timeout(self._settings.seconds):
                await producer.begin_transaction()
                await self._send_lanes(lanes, outbox, report)
                reason = next((report.problems[i] for i in indexes if i in report.problems), None)
                await (producer.abort_transaction if reason else producer.commit_transaction)()
        except (KafkaError, AssertionError, TimeoutError) as error:
            self._slot.broken = True
            reason = reason or self._problem(error, "kafka", len(indexes))
        if reason is not None:
            message = f"transaction must commit as a whole; got {reason.message}"
            report.problems.update(dict.fromkeys(indexes, Problem(reason.kind, message)))

    async def _send_lanes(self, lanes: list[Lane], outbox: Outbox, report: Report) -> None:
        """Round by round the next batch of every partition, all of a round at the same time."""
        while lanes:
            producer = await self._slot.ready()
            sent: Sent = {}
            for lane in lanes:
                indexes, builder = self._next_batch(producer, lane, outbox, report)
                future = await self._hand_over(producer, lane, builder, indexes, report)
                if future is not None:
                    sent[future] = (lane, indexes)
            if self._settings.mode is SendMode.FORGET:
                self._forget(sent)
            elif sent:
                await self._confirm(sent, report)
            if self._settings.transactional_id is not None and self._slot.broken:
                return  # the same producer must abort what it began
            lanes = [lane for lane in lanes if lane.batches]

    def _next_batch(
        self, producer: AIOKafkaProducer, lane: Lane, outbox: Outbox, report: Report
    ) -> tuple[list[int], Any]:
        """As many messages of the lane's first list as fit; the rest goes back to its front."""
        indexes = lane.batches.popleft()
        most = self._most.get(lane.topic, len(indexes))
        builder = producer.create_batch()
        append: Callable[..., Any] = builder.append
        keys, values, headers = outbox.keys, outbox.values, outbox.headers
        timestamp = report.timestamps[indexes[0]]
        count = 0
        for i in indexes[:most]:
            if not append(timestamp=timestamp, key=keys[i], value=values[i], headers=headers[i]):
                break
            count += 1
        builder.close()
        if count < len(indexes):
            lane.batches.appendleft(indexes[count:])
        return indexes[:count], builder

    async def _hand_over(
        self,
        producer: AIOKafkaProducer,
        lane: Lane,
        builder: Any,
        indexes: list[int],
        report: Report,
    ) -> asyncio.Future[Any] | None:
        from aiokafka.errors import KafkaError

        try:
            future: asyncio.Future[Any] = await producer.send_batch(
                builder, lane.topic, partition=lane.partition
            )
        except KafkaError as error:
            self._fail(lane, indexes, error, report)
            return None
        return future

    def _forget(self, sent: Sent) -> None:
        for future, (lane, indexes) in sent.items():
            future.add_done_callback(self._loss_report(lane, len(indexes)))

    def _loss_report(self, lane: Lane, count: int) -> Callable[[asyncio.Future[Any]], None]:
        """What to do when a batch that nobody waits for has ended: say so if it was lost."""

        def ended(future: asyncio.Future[Any]) -> None:
            error = None if future.cancelled() else future.exception()
            if error is not None:
                self._slot.broken = True
                self._log.warning(f"{lane.place} must take it; got {error}; {count} were lost")

        return ended

    # -- what came of it -----------------------------------------------------------------------

    async def _confirm(self, sent: Sent, report: Report) -> None:
        """Wait for the acknowledgements of one round."""
        try:
            done, late = await asyncio.wait(sent, timeout=self._settings.seconds)
        except asyncio.CancelledError:
            for future in sent:
                future.cancel()
            raise
        for future in done:
            lane, indexes = sent[future]
            error = future.exception()
            if error is None:
                _note(future.result(), indexes, report)
            else:
                self._fail(lane, indexes, error, report)
        for future in late:
            future.cancel()
            self._fail(*sent[future], TimeoutError(), report)
        if late:
            await self._slot.discard()

    def _fail(self, lane: Lane, indexes: list[int], error: BaseException, report: Report) -> None:
        """Give a batch up, or halve it where one message in it may be too large for the topic."""
        self._slot.broken = True
        if _is_too_large(error) and len(indexes) > 1:
            middle = (len(indexes) + 1) // 2
            self._most[lane.topic] = middle
            if self._settings.transactional_id is None:
                lane.batches.extendleft([indexes[middle:], indexes[:middle]])
                return
        problem = self._problem(error, lane.place, len(indexes))
        report.problems.update(dict.fromkeys(indexes, problem))
        if not problem.permanent:
            report.problems.update(dict.fromkeys(lane.left(), _behind(problem, lane)))
            lane.batches.clear()

    def _problem(self, error: BaseException, where: str, count: int) -> Problem:
        if isinstance(error, TimeoutError):
            allowed = format_duration(self._settings.timeout)
            message = f"{where} must acknowledge within {allowed}; got no answer"
            return Problem("TimeoutError", message)
        permanent = count == 1 and _is_too_large(error)
        return Problem(type(error).__name__, f"{where} must take it; got {error}", permanent)


def _choose_by_value(
    topic: str, indexes: list[int], count: int, outbox: Outbox, report: Report
) -> None:
    for index in indexes:
        text = outbox.places[index] or ""
        partition = by_value(text, count)
        if partition is None:
            message = f"partition must be 0 to {count - 1} in topic {topic!r}; got {text}"
            report.problems[index] = Problem("UnknownPartition", message, permanent=True)
        else:
            report.partitions[index] = partition


def _note(metadata: Any, indexes: list[int], report: Report) -> None:
    """Write where a batch went; ``metadata`` is None when nobody says (acks 0)."""
    if metadata is None:
        return
    first = metadata.offset
    if first >= 0:
        for number, index in enumerate(indexes):
            report.offsets[index] = first + number
    if metadata.timestamp is not None and metadata.timestamp >= 0:  # log append time
        for index in indexes:
            report.timestamps[index] = metadata.timestamp


def _behind(problem: Problem, lane: Lane) -> Problem:
    """The problem of what had to wait for it (E9)."""
    message = f"message must wait for the one before it in {lane.place}; got {problem.message}"
    return Problem(problem.kind, message)


def _is_too_large(error: BaseException) -> bool:
    from aiokafka.errors import MessageSizeTooLargeError, RecordListTooLargeError

    return isinstance(error, MessageSizeTooLargeError | RecordListTooLargeError)


def _message_size(outbox: Outbox, index: int) -> int:
    key, value = outbox.keys[index], outbox.values[index]
    headers = sum(len(name.encode()) + len(data) + 10 for name, data in outbox.headers[index])
    return len(key or b"") + len(value or b"") + headers + RECORD_OVERHEAD


def _too_large(size: int, limit: int) -> Problem:
    message = f"message must be at most {limit} B ('max_request_size'); got {size} B with its frame"
    return Problem("MessageSizeTooLargeError", message, permanent=True)
