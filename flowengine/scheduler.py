"""Scheduler: decides which processor is triggered next.

Numbered rules
--------------
1. Plain processors are *called*; async and blocking ones run as tasks of one TaskGroup, as many at
   a time as *concurrent tasks* says (design §4).
2. Virtual run time: the runnable processor that has used the least time is next; one that wakes
   starts at the present minimum, so nobody saves up. After a trigger its batch is followed
   downstream for up to ``FOLLOW`` (depth first), which keeps queues shallow and light branches
   quick: 6-8 ms at the median beside 19 saturated flows, against 1-2 s for first come first served
   (``performance.md`` §B).
3. The loop is given back after ``SLICE``.
4. Nothing polls: a processor is looked at again when input arrives, room appears, a time is due or
   the disk has caught up.
5. Three tiers of errors: RetryableError → roll back and penalize; YieldError → roll back and yield;
   anything else → isolate the culprit by halving its batch (E5).
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable
from itertools import count

from flowengine import culprits
from flowengine.clock import Clock
from flowengine.context import ProcessContext
from flowengine.definition.flat import Strategy
from flowengine.errors import (
    EnvironmentFault,
    MoveToThread,
    RepositoryError,
    RetryableError,
    StateConflict,
    YieldError,
)
from flowengine.node import UNLIMITED, Core, Node
from flowengine.processor import Processor
from flowengine.scheduling import next_due
from flowengine.session import ProcessSession

SLICE = 2_000_000  # ns
FOLLOW = 1_500_000  # ns
BORED = 10_000  # µs, when a trigger did nothing
BLOCKING = 250_000_000  # ns, E3
REPOSITORY_YIELD = 2_000_000  # µs
TASK_CHARGE = 50_000  # ns: a task waits elsewhere and does not hold the loop


class Scheduler:
    """Triggers the processors of one flow. ``run`` is its only task that lasts."""

    def __init__(self, core: Core, clock: Clock) -> None:
        self.core = core
        self.clock = clock
        self.contexts: dict[str, ProcessContext] = {}
        self.current: Node | None = None
        self.current_since = 0
        self.on_trigger_end: Callable[[Node], None] = lambda node: None
        self.on_relief: Callable[[], None] = lambda: None
        self._ready: list[tuple[int, int, Node]] = []
        self._timers: list[tuple[int, int, Node]] = []
        self._ticket = count()
        self._wake = asyncio.Event()
        self._floor = 0
        self._follow: Node | None = None
        self._group: asyncio.TaskGroup | None = None
        self._stopping = False
        self._tasks: dict[str, set[asyncio.Task[None]]] = {}

    # -- waking --------------------------------------------------------------------------------

    def wake(self, node: Node) -> None:
        """Something changed for this processor: look at it soon."""
        if node.queued or not node.running:
            return
        node.queued = True
        if node.vruntime < self._floor:
            node.vruntime = self._floor
        heapq.heappush(self._ready, (node.vruntime, next(self._ticket), node))
        if not self._wake.is_set():
            self._wake.set()

    def wake_follow(self, node: Node) -> None:
        """Input arrived from a trigger that runs now: follow it first."""
        self._follow = node
        self.wake(node)

    def wake_at(self, node: Node, due: int) -> None:
        """Look at this processor at a monotonic time; one that is looked at before may ask again,
        so an alarm that is set for earlier will do."""
        if node.alarm is not None and node.alarm <= due:
            return
        node.alarm = due
        heapq.heappush(self._timers, (due, next(self._ticket), node))
        self._wake.set()

    def stop(self) -> None:
        """Let ``run`` return when no task is active any more."""
        self._stopping = True
        self._wake.set()

    # -- the loop ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Trigger processors until ``stop``."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            while not self._stopping:
                await self._wait()
                self._slice()
                await asyncio.sleep(0)
        self._group = None

    async def _wait(self) -> None:
        self._fire_timers()
        if self._ready:
            return
        self._wake.clear()
        due = self._timers[0][0] - self.clock.monotonic() if self._timers else None
        if self._stopping:
            return
        await self.clock.wait(self._wake, due)
        self._fire_timers()

    def _fire_timers(self) -> None:
        now = self.clock.monotonic()
        while self._timers and self._timers[0][0] <= now:
            due, _, node = heapq.heappop(self._timers)
            if node.alarm == due:
                node.alarm = None
            self.wake(node)

    def _slice(self) -> None:
        end = time.perf_counter_ns() + SLICE
        while self._ready and not self._stopping:
            self._chain(end)
            if time.perf_counter_ns() >= end:
                return

    def _chain(self, end: int) -> None:
        """Trigger the next processor and follow its batch downstream."""
        stop = min(time.perf_counter_ns() + FOLLOW, end)
        node: Node | None = self._pop()
        while node is not None:
            self._follow = None
            self._visit(node)
            if time.perf_counter_ns() >= stop:
                return
            node = self._follow

    def _pop(self) -> Node:
        vruntime, _, node = heapq.heappop(self._ready)
        node.queued = False
        self._floor = max(self._floor, vruntime)
        return node

    # -- one processor -------------------------------------------------------------------------

    def _visit(self, node: Node) -> None:
        if not self._eligible(node):
            return
        if node.is_async or node.blocking:
            self._spawn(node)
            return
        self._trigger(node)
        self.wake(node)

    def _eligible(self, node: Node) -> bool:
        """Whether to trigger now; if only time stands in the way, a timer is set."""
        flat = node.flat
        if not node.running or node.active >= flat.scheduling.concurrent_tasks:
            return False
        if node.triggers_left is not None and node.active >= node.triggers_left:
            return False
        now = self.clock.monotonic()
        if node.yield_until > now:
            self.wake_at(node, node.yield_until)
            return False
        if node.due is not None and node.due > now:
            self.wake_at(node, node.due)
            return False
        if node.blocked() or (node.is_source and self.core.sources_wait(node.id)):
            return False
        if node.has_input() or self._await_time(node, now):
            return True
        self._absolve(node)  # what could not be read has been thrown away
        return False

    def _await_time(self, node: Node, now: int) -> bool:
        """Nothing to do now; True when a penalty has just ended, else a timer for the next time."""
        wall = self.clock.wall()
        dues = [due for c in node.inputs if (due := c.next_due()) is not None and not c.paused]
        if dues and min(dues) <= wall:
            for connection in node.inputs:
                connection.release(wall)
            return node.has_input()
        if node.clock_timer is not None:
            dues.append(node.clock_timer)
        if dues:
            self.wake_at(node, now + min(dues) - wall)
        return False

    def _trigger(self, node: Node) -> None:
        session = ProcessSession(node, self.core)
        started = time.perf_counter_ns()
        self.current, self.current_since = node, started
        try:
            node.processor.on_trigger(self.contexts[node.id], session)
            session.commit()
        except MoveToThread:
            node.blocking = True
            session.rollback()
        except Exception as error:  # noqa: BLE001 - rule 5
            self._failed(node, session, error)
        else:
            self._succeeded(node, session)
        self.current = None
        self._charge(node, time.perf_counter_ns() - started)
        self.on_trigger_end(node)

    def _charge(self, node: Node, took: int) -> None:
        node.vruntime += TASK_CHARGE if node.is_async or node.blocking else took
        bucket = node.statistics.bucket(self.clock.monotonic())
        bucket.tasks += 1
        bucket.nanoseconds += took
        if took > BLOCKING and not node.blocking and not node.is_async:
            node.blocking = True
            self.contexts[node.id].log.warning(
                f"processor {node.id!r} ({node.flat.type}) must give the engine back within "
                f"250 ms; got {took // 1_000_000} ms. It runs on a thread from now on; declare "
                "`blocking = True`, or use smaller batches"
            )

    def _spawn(self, node: Node) -> None:
        if self._group is None:
            raise AssertionError("tasks start while the scheduler runs")
        node.active += 1
        task = self._group.create_task(self._run_task(node), name=node.id)
        tasks = self._tasks.setdefault(node.id, set())
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        self.wake(node)  # another task, if concurrent tasks allow

    async def _run_task(self, node: Node) -> None:
        session = ProcessSession(node, self.core)
        started = time.perf_counter_ns()
        try:
            await self._await_trigger(node, session)
            if session.unsynced:
                await self.contexts[node.id].thread(session.sync)
            session.commit()
        except asyncio.CancelledError:
            session.rollback()
            raise
        except Exception as error:  # noqa: BLE001 - rule 5
            self._failed(node, session, error)
        else:
            self._succeeded(node, session)
        finally:
            node.active -= 1
            self._charge(node, time.perf_counter_ns() - started)
            self.wake(node)
            self.on_trigger_end(node)

    async def _await_trigger(self, node: Node, session: ProcessSession) -> None:
        context = self.contexts[node.id]
        if not node.is_async:
            session.prefetch()
            await context.thread(node.processor.on_trigger, context, session)
            return
        waiting = node.processor.on_trigger(context, session)
        if waiting is not None:
            await waiting

    def cancel(self, node: Node) -> None:
        """Cancel the tasks of one processor; each rolls its session back."""
        for task in list(self._tasks.get(node.id, ())):
            task.cancel()

    async def finish(self, node: Node) -> None:
        """A person stopped it: its last sessions, as many as it asks for."""
        if type(node.processor).on_stopped is Processor.on_stopped:
            return
        more = True
        while more:
            session = ProcessSession(node, self.core)
            try:
                more = node.processor.on_stopped(self.contexts[node.id], session)
                session.commit()
            except Exception as error:  # noqa: BLE001 - rule 5
                self._failed(node, session, error)
                return
            await asyncio.sleep(0)

    # -- after a trigger -----------------------------------------------------------------------

    def _succeeded(self, node: Node, session: ProcessSession) -> None:
        node.failures = 0
        self._absolve(node)
        if session.work.has_files:
            node.blocking = True  # content in files is not for the loop (E3)
        if node.limit < UNLIMITED and session.taken:
            node.limit = node.limit * 2 if node.limit < node.batch_size else UNLIMITED
        if node.completing:
            node.completed, node.completing = True, False
        elif session.idle and node.has_input() and node.yield_until <= self.clock.monotonic():
            node.yield_for(BORED)
        self._plan_next(node)
        self._count_trigger(node)

    def _absolve(self, node: Node) -> None:
        """Nothing of the repository fails this processor any more: sources may go on."""
        if self.core.faults.pop(node.id, None) is not None:
            self.on_relief()

    def _plan_next(self, node: Node) -> None:
        """When the schedule allows the next trigger."""
        node.due = next_due(node.flat.scheduling, self.clock)

    def _count_trigger(self, node: Node) -> None:
        """Stop after as many triggers as were asked for."""
        if node.triggers_left is None:
            return
        node.triggers_left -= 1
        if node.triggers_left <= 0:
            node.triggers_left = None
            node.running = False
            node.exhausted.set()

    def _failed(self, node: Node, session: ProcessSession, error: Exception) -> None:
        node.completing = False
        if isinstance(error, StateConflict):
            session.rollback()
            return
        log = self.contexts[node.id].log
        if isinstance(error, RepositoryError):
            self.core.faults[node.id] = str(error)
            log.error(str(error))
            node.yield_for(REPOSITORY_YIELD)
        elif isinstance(error, YieldError):
            log.warning(str(error))
            node.yield_for(error.duration or node.flat.yield_us)
        elif isinstance(error, EnvironmentFault):
            log.error(str(error))
            node.yield_for(node.flat.yield_us)
        elif isinstance(error, RetryableError):
            log.warning(str(error))
            culprits.penalize(node, session)
        else:
            culprits.isolate(node, session, error, log)
        session.rollback()
        self._plan_next(node)
        if node.flat.scheduling.strategy is not Strategy.ONCE:
            self._count_trigger(node)  # what shall be done once is not done by failing
