"""Keepers: the task of each processor and of each controller service of a running flow.

A keeper lives as long as its component is part of the flow; a deploy retires the keepers of what it
removes or replaces and employs new ones (:mod:`flowengine.redeploy`). The context manager of a
processor (``on_scheduled``) or service (``on_enabled``) is entered and left in its keeper's task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from flowengine.bulletins import BulletinBoard, ComponentLog
from flowengine.context import Surroundings
from flowengine.definition.flat import FlatService, Strategy
from flowengine.errors import described
from flowengine.node import Node
from flowengine.processor import ServiceContext
from flowengine.scheduler import Scheduler
from flowengine.scheduling import first_due
from flowengine.services import service_names

CANCEL_AFTER = 5_000_000
SERVICE_RETRY = 2_000_000


async def first_of(events: Iterable[asyncio.Event]) -> None:
    """Return when one of the events is set."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(event.wait()) for event in events]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()


async def ended(keepers: Iterable[ProcessorKeeper | ServiceKeeper]) -> None:
    """Return when all these keepers have left."""
    tasks = [keeper.task for keeper in keepers if keeper.task is not None]
    if tasks:
        await asyncio.wait(tasks)


class ServiceKeeper:
    """Keeps one controller service enabled until it is retired.

    problem: why it is not enabled; empty when it is
    """

    def __init__(self, flat: FlatService, around: Surroundings, board: BulletinBoard) -> None:
        self.flat = flat
        self.enabled = asyncio.Event()
        self.problem = ""
        self.task: asyncio.Task[None] | None = None
        self._around = around
        self._log = ComponentLog(board, flat.id)
        self._retired = asyncio.Event()

    def retire(self) -> None:
        """Let ``serve`` return; those who use the service must have ended."""
        self._retired.set()

    async def serve(self) -> None:
        """Enable the service; try again until the world is ready for it."""
        flat, around = self.flat, self._around
        service = flat.cls(flat.properties)
        context = ServiceContext(flat.id, around.io)
        while not self._retired.is_set():
            try:
                async with service.on_enabled(context):
                    around.services[flat.id] = service
                    self.problem = ""
                    self.enabled.set()
                    await self._retired.wait()
                    return
            except Exception as error:  # noqa: BLE001 - a broken service stops no other
                self.problem = described(f"service {flat.id!r} ({flat.type})", error)
                self._log.error(self.problem)
                await around.clock.wait(self._retired, SERVICE_RETRY)


class ProcessorKeeper:
    """Keeps one processor scheduled while it is wanted, until it is retired.

    changed: set by the engine when a trigger of interest has ended
    abort:   set when nobody waits for triggers any more
    """

    def __init__(
        self,
        node: Node,
        scheduler: Scheduler,
        services: Mapping[str, ServiceKeeper],
        changed: asyncio.Event,
        abort: asyncio.Event,
    ) -> None:
        self.node = node
        self.wanted = asyncio.Event()
        self.idle = asyncio.Event()
        self.idle.set()
        self.task: asyncio.Task[None] | None = None
        self._scheduler = scheduler
        self._clock = scheduler.clock
        self._services = services
        self._changed = changed
        self._abort = abort
        self._halted = asyncio.Event()
        self._retired = asyncio.Event()

    def start(self) -> None:
        """Schedule it as soon as its services are there."""
        self.wanted.set()

    def halt(self) -> None:
        """Trigger it no more, for now: what is active ends, what is wanted stays so."""
        self.node.running = False
        self._halted.set()

    def stop(self) -> None:
        """Stop it until somebody starts it; ``idle`` is set when nothing of it is active."""
        self.wanted.clear()
        self.halt()
        self._changed.set()

    def retire(self) -> None:
        """Let ``serve`` return when the processor is idle."""
        self._retired.set()

    async def serve(self) -> None:
        """Schedule the processor while it is wanted."""
        node = self.node
        context = self._scheduler.contexts[node.id]
        while True:
            await first_of((self.wanted, self._retired))
            if self._retired.is_set():
                return
            if not self.wanted.is_set():  # stopped between the two
                continue
            self._halted.clear()
            self.idle.clear()
            try:
                await self._await_services()
                if not self._halted.is_set():
                    async with node.processor.on_scheduled(context):
                        await self._schedule()
                        if self._halted.is_set() and not (
                            self.wanted.is_set() or self._retired.is_set()
                        ):
                            await self._scheduler.finish(node)
            except Exception as error:  # noqa: BLE001 - a broken processor stops no other
                context.log.error(described(f"processor {node.id!r} ({context.type})", error))
                await self._clock.wait(self._halted, node.flat.yield_us)
            finally:
                self.idle.set()

    async def _await_services(self) -> None:
        for name in service_names(self.node.flat.properties):
            await first_of((self._services[name].enabled, self._halted))

    async def _schedule(self) -> None:
        node = self.node
        if self._halted.is_set():
            return
        strategy = node.flat.scheduling.strategy
        if strategy is Strategy.ONCE and node.triggers_left is None:
            node.triggers_left = 1
        node.exhausted.clear()
        asked = node.triggers_left is not None  # a person who says "run once" means now
        node.due = None if asked else first_due(node.flat.scheduling, self._clock)
        node.running = True
        self._scheduler.wake(node)
        await first_of((self._halted, node.exhausted))
        if node.exhausted.is_set():
            self.wanted.clear()
            node.completed = node.is_source and strategy is Strategy.ONCE
        node.running = False
        await self._await_idle()

    async def _await_idle(self) -> None:
        """Wait until no trigger of this processor is active; cancel what does not end."""
        node, clock = self.node, self._clock
        deadline = clock.monotonic() + (0 if node.is_source else CANCEL_AFTER)
        while node.active:
            self._changed.clear()
            left = deadline - clock.monotonic()
            if left <= 0 or self._abort.is_set():
                self._scheduler.cancel(node)
                left = CANCEL_AFTER
            await clock.wait(self._changed, left)
