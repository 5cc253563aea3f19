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
from flowengine.bulletins import BulletinBoard
from flowengine.changeover import forget_losses, refuse_losses
from flowengine.clock import Clock, SystemClock
from flowengine.context import Surroundings
from flowengine.definition.flat import FlatService, LoadedFlow
from flowengine.errors import DefinitionError
from flowengine.io_loop import IoLoop
from flowengine.keeping import ProcessorKeeper, ServiceKeeper, ended
from flowengine.node import Node
from flowengine.repository import MemoryRepository, Recovered, Repository

MEMORY_BUDGET = 512 << 20
WORKERS = 16
DRAIN = 5_000_000


class Removed(StrEnum):
    """What to do with FlowFiles of connections that a new definition no longer has (E18)."""

    REFUSE = "refuse"
    DROP = "drop"


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
        self.keepers: dict[str, ProcessorKeeper] = {}
        self.services: dict[str, ServiceKeeper] = {}
        self.deploying = asyncio.Lock()
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="worker")
        directory = data_dir or self.repository.content_directory.parent
        self._around = Surroundings(flow.name, directory, self.clock, self.io, self._threads)
        self._stopped_at_start = frozenset(stopped)
        self._stop = asyncio.Event()
        self._abort = asyncio.Event()
        self._changed = asyncio.Event()
        self._until: Callable[[], bool] | None = None
        self._ending = False
        self._group: asyncio.TaskGroup | None = None

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
        for flat in self.flow.services.values():
            self.add_service_keeper(flat)
        for node in assembly.nodes.values():
            self.add_keeper(node)

    def add_keeper(self, node: Node) -> ProcessorKeeper:
        """A keeper for a processor, not employed yet."""
        keeper = ProcessorKeeper(
            node, self.assembly.scheduler, self.services, self._changed, self._abort
        )
        self.keepers[node.id] = keeper
        return keeper

    def add_service_keeper(self, flat: FlatService) -> ServiceKeeper:
        """A keeper for a controller service, not employed yet."""
        keeper = ServiceKeeper(flat, self._around, self.board)
        self.services[flat.id] = keeper
        return keeper

    def _resolve_removed(self, recovered: Recovered, removed: Removed) -> int:
        if removed is Removed.REFUSE:
            refuse_losses(recovered, self.flow)
        return forget_losses(recovered, self.flow, self.repository)

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
            self._group = group
            group.create_task(self.repository.run(), name="repository")
            group.create_task(self.assembly.scheduler.run(), name="scheduler")
            for service in self.flow.services.values():
                self.employ_service(service)
            for name in self._start_order():
                self.employ(self.assembly.nodes[name])
            with _frozen():
                await self._until_stop()
                async with self.deploying:
                    await self._wind_down(drain_timeout)
            self.repository.stop()

    def _start_order(self) -> list[str]:
        """Sinks first."""
        from flowengine.graph import start_order

        return list(start_order(self.flow))

    def employ(self, node: Node, *, wanted: bool = True) -> None:
        """Give a processor its keeper, which starts it when that is wanted."""
        keeper = self.keepers[node.id]
        if wanted and not node.flat.disabled and node.id not in self._stopped_at_start:
            keeper.start()
        assert self._group is not None
        keeper.task = self._group.create_task(keeper.serve(), name=node.id)

    def employ_service(self, flat: FlatService) -> None:
        """Give a controller service its keeper, which enables it."""
        assert self._group is not None
        keeper = self.services[flat.id]
        keeper.task = self._group.create_task(keeper.serve(), name=flat.id)

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
        wanted = [n for n in sources if not n.completed and self.keepers[n.id].wanted.is_set()]
        return not wanted and (not sources or any(node.completed for node in sources))

    @property
    def service_problems(self) -> dict[str, str]:
        """Controller service → why it is not enabled."""
        return {name: keeper.problem for name, keeper in self.services.items() if keeper.problem}

    @property
    def stopping(self) -> bool:
        """Whether a stop was asked for."""
        return self._stop.is_set()

    def _notice(self, node: Node) -> None:
        """After each trigger, cheaply: may somebody be waiting for this?"""
        if self.assembly.watermarks.timed:
            self.assembly.ring(node)
        watched = self._ending or self._until is not None or self.deploying.locked()
        if watched or node.completed or not node.running:
            self._changed.set()

    async def next_trigger(self, timeout: int) -> None:
        """Return when a trigger has ended, while a deploy waits, or after so many µs."""
        self._changed.clear()
        await self.clock.wait(self._changed, timeout)

    async def _until_stop(self) -> None:
        while not self._stop.is_set():
            self._changed.clear()
            if self._until is not None and self._until():
                return
            await self._changed.wait()

    def _complete_now(self) -> bool:
        busy = any(node.active for node in self.assembly.nodes.values())
        return not busy and self.completed

    async def _wind_down(self, drain_timeout: int) -> None:
        """Sources first, drain downstream with a deadline, then everything, then roll back."""
        self._stop.set()
        self._ending = True
        keepers = list(self.keepers.values())
        self._dismiss(keeper for keeper in keepers if keeper.node.is_source)
        await self._drain(self.clock.monotonic() + drain_timeout)
        self._dismiss(keepers)
        await ended(keepers)
        for service in self.services.values():
            service.retire()
        self.assembly.scheduler.stop()

    def _dismiss(self, keepers: Iterable[ProcessorKeeper]) -> None:
        for keeper in keepers:
            keeper.halt()
            keeper.retire()

    async def _drain(self, deadline: int) -> None:
        while self.assembly.queued and not self._abort.is_set():
            self._changed.clear()
            left = deadline - self.clock.monotonic()
            if left <= 0:
                return
            await self.clock.wait(self._changed, left)

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
        keeper = self.keepers[name]
        if node.completed:
            keeper.halt()
        if triggers is not None and node.running:
            raise DefinitionError(f"processor {name!r} must be stopped to run once; got running")
        if not node.running:
            node.triggers_left = triggers
            node.completed = False
        keeper.start()

    def stop(self, name: str) -> None:
        """Stop one processor; its queues stay. No effect when it is stopped."""
        node = self.node(name)
        node.triggers_left = None
        self.keepers[name].stop()

    def node(self, name: str) -> Node:
        """The node of a processor id. Raises DefinitionError for an unknown one."""
        try:
            return self.assembly.nodes[name]
        except KeyError:
            raise DefinitionError(
                f"flow {self.flow.name!r} must have the processor; got {name!r}"
            ) from None
