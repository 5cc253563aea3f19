"""Engine: one running flow. It recovers, starts, watches and stops.

Every task is born in one TaskGroup of ``run``: the scheduler, the repository's flusher, one server
task per processor (its ``on_scheduled`` context lives there) and one per controller service. Start
order is sinks first; stop order is sources first, drain with a deadline, cancel, roll back.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum
from pathlib import Path

from flowengine.assembly import Assembly
from flowengine.bulletins import BulletinBoard, ComponentLog
from flowengine.clock import Clock, SystemClock
from flowengine.context import Surroundings
from flowengine.definition.flat import LoadedFlow, Strategy
from flowengine.errors import DefinitionError, described
from flowengine.io_loop import IoLoop
from flowengine.node import Node
from flowengine.processor import ServiceContext
from flowengine.repository import MemoryRepository, Recovered, Repository
from flowengine.scheduling import first_due
from flowengine.services import service_names

MEMORY_BUDGET = 512 << 20
WORKERS = 16
DRAIN = 5_000_000
CANCEL_AFTER = 5_000_000
SERVICE_RETRY = 2_000_000


class Removed(StrEnum):
    """What to do with FlowFiles of connections that a new definition no longer has (E18)."""

    REFUSE = "refuse"
    DROP = "drop"


def removed_connections(recovered: Recovered, flow: LoadedFlow) -> dict[str, int]:
    """Connections that hold FlowFiles and that a flow no longer has, with how many (E18)."""
    present = {connection.id for connection in flow.connections}
    held = recovered.connections
    return {name: count for name, count in held.items() if count and name not in present}


@contextmanager
def _frozen() -> Iterator[None]:
    """What there is when a flow starts lives as long as it does: collections leave it out."""
    if gc.get_freeze_count():
        yield  # whoever owns this process has done so
        return
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


class Engine:
    """Runs one loaded flow over one repository.

    ``async with engine.opened(): await engine.run()``. ``request_stop`` may be called at any time
    from the engine's loop, as may the operations in :mod:`flowengine.operations`.
    """

    assembly: Assembly

    def __init__(
        self,
        flow: LoadedFlow,
        repository: Repository | None = None,
        *,
        clock: Clock | None = None,
        data_dir: Path | None = None,
        memory_budget: int = MEMORY_BUDGET,
        stopped: Iterable[str] = (),
    ) -> None:
        self.flow = flow
        self.clock = clock or SystemClock()
        self.repository = repository or MemoryRepository()
        self.memory_budget = memory_budget
        self.board = BulletinBoard(self.clock)
        self.io = IoLoop()
        self.started_at = self.clock.wall()
        self.service_problems: dict[str, str] = {}
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="worker")
        directory = data_dir or self.repository.content_directory.parent
        self._around = Surroundings(flow.name, directory, self.clock, self.io, self._threads)
        self._stopped_at_start = frozenset(stopped)
        self._stop = asyncio.Event()
        self._abort = asyncio.Event()
        self._changed = asyncio.Event()
        self._processors_ended = asyncio.Event()
        self._enabled = {name: asyncio.Event() for name in flow.services}
        self._wanted = {name: asyncio.Event() for name in flow.processors}
        self._halted = {name: asyncio.Event() for name in flow.processors}
        self._until: Callable[[], bool] | None = None
        self._ending = False
        self._ended = asyncio.Event()

    # -- recovering ----------------------------------------------------------------------------

    @asynccontextmanager
    async def opened(self, removed: Removed = Removed.REFUSE) -> AsyncIterator[Engine]:
        """Build the flow over what the repository holds; gives everything back at the end."""
        recovered = self.repository.recover()
        try:
            dropped = self._resolve_removed(recovered, removed)
            self.assembly = Assembly(
                self.flow, self.repository, recovered, self._around, self.board
            )
        except BaseException:
            await self.repository.close(completed=recovered.completed)
            raise
        self.assembly.drop(dropped)
        self._connect()
        try:
            yield self
        finally:
            try:
                self.io.stop()
                self._threads.shutdown(wait=False, cancel_futures=True)
            finally:
                await self.repository.close(completed=self.completed)

    def _connect(self) -> None:
        assembly = self.assembly
        assembly.core.bind()
        assembly.scheduler.on_trigger_end = self._notice
        assembly.scheduler.on_relief = assembly.relieve
        self.repository.on_change = assembly.relieve
        self.repository.after_cut = self._after_cut

    def _resolve_removed(self, recovered: Recovered, removed: Removed) -> int:
        gone = removed_connections(recovered, self.flow)
        if not gone or removed is Removed.DROP:
            return self.repository.forget(gone)
        listed = ", ".join(f"{name} ({count})" for name, count in sorted(gone.items()))
        raise DefinitionError(
            f"flow {self.flow.name!r} must keep the connections that hold FlowFiles; got a "
            f"definition without {listed}. Choose --drain-removed to let the old definition finish "
            "them first, or --drop-removed to throw them away"
        )

    # -- running -------------------------------------------------------------------------------

    async def run(
        self,
        *,
        until_complete: bool = False,
        until: Callable[[], bool] | None = None,
        drain_timeout: int = DRAIN,
    ) -> None:
        """Run until stopped or, with ``until_complete``, until nothing is left to do.

        until:         another end, looked at after each trigger
        drain_timeout: how long in µs a stop lets queues empty themselves
        """
        self._until = self._complete_now if until_complete else until
        sys.setswitchinterval(0.0005)  # the writer must get the GIL back quickly
        async with asyncio.TaskGroup() as group:
            group.create_task(self.repository.run(), name="repository")
            group.create_task(self.assembly.scheduler.run(), name="scheduler")
            for service in self.flow.services:
                group.create_task(self._serve_service(service), name=service)
            servers = [
                group.create_task(self._serve(self.assembly.nodes[name]), name=name)
                for name in self._start_order()
            ]
            with _frozen():
                await self._until_stop()
                await self._wind_down(servers, drain_timeout)
            self.repository.stop()

    def _start_order(self) -> list[str]:
        """Sinks first; those that shall run are marked as wanted."""
        from flowengine.graph import start_order

        names = list(start_order(self.flow))
        for name in names:
            if not self.flow.processors[name].disabled and name not in self._stopped_at_start:
                self._wanted[name].set()
        return names

    async def _serve(self, node: Node) -> None:
        """Keep one processor scheduled while it is wanted."""
        context = self.assembly.scheduler.contexts[node.id]
        while True:
            await self._first(self._wanted[node.id], self._ended)
            if self._ending:
                return
            self._halted[node.id].clear()
            await self._await_services(node)
            if self._halted[node.id].is_set():
                continue
            try:
                async with node.processor.on_scheduled(context):
                    await self._schedule(node)
            except Exception as error:  # noqa: BLE001 - a broken processor stops no other
                context.log.error(described(f"processor {node.id!r} ({context.type})", error))
                await self.clock.wait(self._halted[node.id], node.flat.yield_us)

    async def _schedule(self, node: Node) -> None:
        if self._halted[node.id].is_set():
            return
        strategy = node.flat.scheduling.strategy
        if strategy is Strategy.ONCE and node.triggers_left is None:
            node.triggers_left = 1
        node.exhausted.clear()
        asked = node.triggers_left is not None  # a person who says "run once" means now
        node.due = None if asked else first_due(node.flat.scheduling, self.clock)
        node.running = True
        self.assembly.scheduler.wake(node)
        await self._first(self._halted[node.id], node.exhausted)
        if node.exhausted.is_set():
            self._wanted[node.id].clear()
            node.completed = node.is_source and strategy is Strategy.ONCE
        node.running = False
        await self._idle(node)

    async def _idle(self, node: Node) -> None:
        """Wait until no trigger of this processor is active; cancel what does not end."""
        deadline = self.clock.monotonic() + (0 if node.is_source else CANCEL_AFTER)
        while node.active:
            self._changed.clear()
            left = deadline - self.clock.monotonic()
            if left <= 0 or self._abort.is_set():
                self.assembly.scheduler.cancel(node)
                left = CANCEL_AFTER
            await self.clock.wait(self._changed, left)

    async def _await_services(self, node: Node) -> None:
        for name in service_names(node.flat.properties):
            await self._first(self._enabled[name], self._halted[node.id])

    async def _first(self, *events: asyncio.Event) -> None:
        """Return when one of the events is set."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(event.wait()) for event in events]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()

    async def _serve_service(self, name: str) -> None:
        """Enable one controller service; try again until the world is ready for it."""
        flat = self.flow.services[name]
        service = flat.cls(flat.properties)
        context = ServiceContext(name, self.io)
        log = ComponentLog(self.board, name)
        while not self._stop.is_set():
            try:
                async with service.on_enabled(context):
                    self._around.services[name] = service
                    self.service_problems.pop(name, None)
                    self._enabled[name].set()
                    await self._processors_ended.wait()
                    return
            except Exception as error:  # noqa: BLE001 - a broken service stops no other
                problem = described(f"service {name!r} ({flat.type})", error)
                self.service_problems[name] = problem
                log.error(problem)
                await self.clock.wait(self._stop, SERVICE_RETRY)

    # -- the end -------------------------------------------------------------------------------

    @property
    def completed(self) -> bool:
        """Whether all bounded sources are done and nothing is left in the flow (E28)."""
        waiting = any(node.waits_for_time for node in self.assembly.nodes.values())
        return self.sources_done and self.assembly.queued == 0 and not waiting

    @property
    def sources_done(self) -> bool:
        """Whether every source that shall run has handed on everything; one has, if there is any.

        What only sources hold back is done: without one, emptying the queues is all there is to do.
        """
        sources = [node for node in self.assembly.nodes.values() if node.is_source]
        wanted = [n for n in sources if not n.completed and self._wanted[n.id].is_set()]
        return not wanted and (not sources or any(node.completed for node in sources))

    @property
    def stopping(self) -> bool:
        """Whether a stop was asked for."""
        return self._stop.is_set()

    def _notice(self, node: Node) -> None:
        """After each trigger, cheaply: may somebody be waiting for this?"""
        if self.assembly.watermarks.timed:
            self.assembly.ring(node)
        if self._ending or self._until is not None or node.completed or not node.running:
            self._changed.set()

    async def _until_stop(self) -> None:
        while not self._stop.is_set():
            self._changed.clear()
            if self._until is not None and self._until():
                return
            await self._changed.wait()

    def _complete_now(self) -> bool:
        busy = any(node.active for node in self.assembly.nodes.values())
        return not busy and self.completed

    async def _wind_down(self, servers: list[asyncio.Task[None]], drain_timeout: int) -> None:
        """Sources first, drain downstream with a deadline, then everything, then roll back."""
        self._stop.set()
        self._ending = True
        nodes = self.assembly.nodes.values()
        for node in nodes:
            if node.is_source:
                self._halt(node)
        await self._drain(self.clock.monotonic() + drain_timeout)
        for node in nodes:
            self._halt(node)
        self._ended.set()
        if servers:
            await asyncio.wait(servers)
        self._processors_ended.set()
        self.assembly.scheduler.stop()

    async def _drain(self, deadline: int) -> None:
        while self.assembly.queued and not self._abort.is_set():
            self._changed.clear()
            left = deadline - self.clock.monotonic()
            if left <= 0:
                return
            await self.clock.wait(self._changed, left)

    def _halt(self, node: Node) -> None:
        node.running = False
        self._halted[node.id].set()

    def request_stop(self) -> None:
        """Stop gracefully; asked a second time, stop without draining. Loses nothing."""
        if self._stop.is_set():
            self._abort.set()
        self._stop.set()
        self._changed.set()

    def _after_cut(self) -> None:
        self.assembly.limit_memory(self.memory_budget)
        self.assembly.cut_taken()
        self._changed.set()

    # -- single processors ---------------------------------------------------------------------

    def start(self, name: str, *, triggers: int | None = None) -> None:
        """Start one processor, for ever or for some triggers; no effect when it runs.

        A source that is completed starts anew from its state: it looks whether there is more.
        """
        node = self.node(name)
        if node.flat.disabled:
            raise DefinitionError(f"processor {name!r} must be enabled to start; got disabled")
        if node.completed:
            self._halt(node)
        if triggers is not None and node.running:
            raise DefinitionError(f"processor {name!r} must be stopped to run once; got running")
        if not node.running:
            node.triggers_left = triggers
            node.completed = False
        self._wanted[name].set()

    def stop(self, name: str) -> None:
        """Stop one processor; its queues stay. No effect when it is stopped."""
        node = self.node(name)
        node.triggers_left = None
        self._wanted[name].clear()
        self._halt(node)
        self._changed.set()

    def node(self, name: str) -> Node:
        """The node of a processor id. Raises DefinitionError for an unknown one."""
        try:
            return self.assembly.nodes[name]
        except KeyError:
            raise DefinitionError(
                f"flow {self.flow.name!r} must have the processor; got {name!r}"
            ) from None
