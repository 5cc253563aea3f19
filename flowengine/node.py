"""Node: one processor of a running flow, and Core: what all sessions of a runner share."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from flowengine.bulletins import BulletinBoard
from flowengine.clock import Clock
from flowengine.commit import Sent, Work
from flowengine.connection import Connection
from flowengine.content import ContentStore
from flowengine.definition.flat import Backoff, FlatProcessor, RetryPolicy
from flowengine.failures import Ration
from flowengine.flowfile import FlowFile, IdGenerator
from flowengine.ledger import Ledger
from flowengine.node_state import NodeState
from flowengine.processor import Processor
from flowengine.repository import Repository
from flowengine.statistics import RollingStatistics

T = TypeVar("T")
BATCH = 256
UNLIMITED = 1 << 30


class Node:
    """The state of one processor while its flow runs. Used on the engine's loop only.

    limit:     most FlowFiles per session; small while a culprit is being isolated (E5)
    alarm:     monotonic time of the timer that is set for it, or None
    vruntime:  nanoseconds charged so far; the scheduler serves the least
    completed: a bounded source that has handed on everything
    progressed: monotonic time at which each partition last moved time on
    reached:   of a source: greatest progress of the partitions that were taken out
    """

    def __init__(self, flat: FlatProcessor, processor: Processor, clock: Clock) -> None:
        self.flat = flat
        self.id = flat.id
        self.processor = processor
        self.clock = clock
        self.is_async = processor.is_async()
        self.is_source = processor.is_source()
        self.blocking = processor.blocking
        self.batch_size = flat.scheduling.batch_size or BATCH
        self.inputs: list[Connection] = []
        self.outputs: dict[str, list[Connection]] = {}
        self.downstream: list[Connection] = []
        self.state = NodeState()
        self.reported: dict[str, Any] = {}
        self.progress: dict[str, int] = {}
        self.progressed: dict[str, int] = {}
        self.joined = False
        self.reached = -math.inf
        self.hold: int | None = None
        self.event_timer: int | None = None
        self.clock_timer: int | None = None
        self.watermark_of: Callable[[Node], float] = lambda node: node.watermark
        self.watermark = -math.inf
        self.statistics = RollingStatistics()
        self.running = False
        self.draining = False
        self.active = 0
        self.limit = UNLIMITED
        self.failures = 0
        self.ration = Ration()
        self.vruntime = 0
        self.queued = False
        self.yield_until = 0
        self.alarm: int | None = None
        self.due: int | None = None
        self.completing = False
        self.completed = False
        self.triggers_left: int | None = None
        self.exhausted = asyncio.Event()
        self._turn = 0

    def inherit(self, before: Node) -> None:
        """Go on for another node of the same id: its durable state and its figures."""
        self.state, self.statistics = before.state, before.statistics
        self.progress, self.joined, self.hold = before.progress, before.joined, before.hold
        self.event_timer, self.clock_timer = before.event_timer, before.clock_timer
        self.watermark, self.reached = before.watermark, before.reached

    # -- what the scheduler asks ---------------------------------------------------------------

    def has_input(self) -> bool:
        """Whether something can be polled, or nothing is needed."""
        if self.is_source or not self.inputs:
            return not self.completed
        if any(connection.ready and not connection.paused for connection in self.inputs):
            return True
        return self.timer_due()

    @property
    def waits_for_time(self) -> bool:
        """Whether a timer is set: something is still to come out of its state (E28)."""
        return self.event_timer is not None or self.clock_timer is not None

    def timer_due(self) -> bool:
        """Whether a time the processor waits for has come (E20)."""
        if self.clock_timer is not None and self.clock_timer <= self.clock.wall():
            return True
        return self.event_timer is not None and self.event_timer <= self.watermark_of(self)

    def blocked(self) -> bool:
        """Back pressure: some connection downstream is full."""
        return any(connection.full for connection in self.downstream)

    def next_inputs(self) -> Iterator[Connection]:
        """Input connections, starting with another one each time."""
        inputs = self.inputs
        if len(inputs) > 1:
            self._turn = (self._turn + 1) % len(inputs)
            inputs = inputs[self._turn :] + inputs[: self._turn]
        return (connection for connection in inputs if not connection.paused)

    def yield_for(self, duration: int) -> None:
        """Do not trigger for this many µs; an earlier, longer yield stands."""
        self.yield_until = max(self.yield_until, self.clock.monotonic() + duration)

    def next_attempt(self, original: FlowFile, policy: RetryPolicy, now: int) -> FlowFile:
        """The FlowFile that goes back for one more try; with yield the processor waits (E9)."""
        step = self.flat.penalty_us if policy.backoff is Backoff.PENALIZE else self.flat.yield_us
        wait = min(policy.maximum_us, step << min(original.attempts, 40))
        attempts = original.attempts + 1
        if policy.backoff is Backoff.YIELD:
            self.yield_for(wait)
            return msgspec.structs.replace(original, attempts=attempts)
        return msgspec.structs.replace(original, attempts=attempts, penalty_until=now + wait)

    def unknown_relationship(self, name: str) -> str:
        """The message for a transfer to nowhere."""
        known = ", ".join(sorted(self.flat.relationships)) or "none"
        return (
            f"processor {self.id!r} ({self.flat.type}) must transfer to one of its relationships "
            f"({known}); got {name!r}"
        )

    def report_progress(self, changes: Mapping[str, int | None]) -> None:
        """Progress of event time per partition, never backwards (E20); None takes one out."""
        self.joined = True
        for partition, time in changes.items():
            if time is None:
                self.reached = max(self.reached, self.progress.pop(partition, -math.inf))
                self.progressed.pop(partition, None)
            elif time > self.progress.get(partition, -math.inf):
                self.progress[partition] = time
                self.progressed[partition] = self.clock.monotonic()

    # -- what people see -----------------------------------------------------------------------

    @property
    def status(self) -> str:
        """One word for the state."""
        if self.flat.disabled:
            return "disabled"
        if self.completed:
            return "completed"
        if self.running:
            return "running"
        return "stopping" if self.active else "stopped"


class Core:
    """What all sessions of one runner share."""

    def __init__(
        self,
        clock: Clock,
        repository: Repository,
        ids: IdGenerator,
        board: BulletinBoard,
    ) -> None:
        self.clock = clock
        self.repository = repository
        self.ids = ids
        self.board = board
        self.contents = ContentStore(repository.content_directory)
        self.ledger = Ledger()
        self.counters: dict[str, int] = {}
        self.faults: dict[str, str] = {}
        self.out_of_memory = False
        self.observers: list[Callable[[Node, Work, list[Sent]], None]] = []
        self._thread = threading.get_ident()
        self._loop: asyncio.AbstractEventLoop | None = None

    def bind(self) -> None:
        """Remember the loop that owns the connections."""
        self._thread = threading.get_ident()
        self._loop = asyncio.get_running_loop()

    @property
    def on_loop(self) -> bool:
        """Whether the caller holds the loop of a running engine."""
        return self._loop is not None and threading.get_ident() == self._thread

    def sources_wait(self, source: str = "") -> bool:
        """Whether no source may make anything: the disk, the memory or a damage forbids it.

        A source whose own fault is the only one may try again.
        """
        damaged = bool(self.faults) and list(self.faults) != [source]
        return self.repository.backlogged or self.out_of_memory or damaged

    def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call on the engine's loop: at once when there, else wait for it (E3)."""
        if threading.get_ident() == self._thread or self._loop is None:
            return function(*args)

        async def there() -> T:
            return function(*args)

        return asyncio.run_coroutine_threadsafe(there(), self._loop).result()

    def account(
        self, node: Node, work: Work, back: Mapping[int, FlowFile], sent: list[Sent]
    ) -> None:
        """Count one committed session, per batch. What went ``back`` was not taken."""
        bucket = node.statistics.bucket(self.clock.monotonic())
        if back:
            taken = [f.size for f in work.polled if f.id not in back]
            bucket.flowfiles_in += len(taken)
            bucket.bytes_in += sum(taken)
        else:  # the pieces know it: no look at each FlowFile
            bucket.flowfiles_in += len(work.polled)
            bucket.bytes_in += sum([piece.bytes for piece in work.pieces])
        bucket.bytes_read += work.bytes_read
        bucket.bytes_written += work.bytes_written
        copies = 0
        for group in sent:
            count = len(group.flowfiles)
            bucket.flowfiles_out += count * group.connections
            bucket.bytes_out += group.bytes * group.connections
            copies += count * max(group.connections - 1, 0)
            if not group.connections:
                failure = node.flat.relationships[group.relationship].failure
                self.ledger.add("failed" if failure else "out", count)
        self._count_in_ledger(work, copies)
        for observe in self.observers:
            observe(node, work, sent)

    def _count_in_ledger(self, work: Work, copies: int) -> None:
        made = len(work.created) + copies
        self.ledger.add("in", made)
        self.ledger.add("out", len(work.removed))
        self.repository.set_totals("ledger", self.ledger.totals)
        if work.counters:
            self._count(work.counters)

    def _count(self, changes: Mapping[str, int]) -> None:
        for name, delta in changes.items():
            self.counters[name] = self.counters.get(name, 0) + delta
        self.repository.set_totals("counters", self.counters)
