"""One life of a flow on the fake clock: from its start to a stop or a kill.

The engine is the real one. A test alternates between letting it come to *rest* (nothing is ready,
no task is active, all is on disk) and moving the clock to the next time for which somebody waits.
"""

from __future__ import annotations

import asyncio
import gc
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from flowengine.clock import FakeClock
from flowengine.connection import Connection
from flowengine.definition.flat import LoadedFlow
from flowengine.engine import Engine
from flowengine.errors import EnvironmentFault
from flowengine.flowfile import FlowFile
from flowengine.flowtest.model import Given
from flowengine.flowtest.moments import resolved
from flowengine.flowtest.recorder import Recorder
from flowengine.node import Node
from flowengine.repository import MemoryRepository, SqliteRepository

CALM = 12  # turns of the loop without work: what starts a processor takes about eight
PATIENCE = 20.0  # s
QUICK = 2_000  # turns of the loop after which it is a thread or the disk that we wait for
MOST_TIMES = 200_000


class Life:
    """A running engine and the clock it runs on."""

    def __init__(self, engine: Engine, clock: FakeClock) -> None:
        self.engine = engine
        self.clock = clock

    @property
    def nodes(self) -> dict[str, Node]:
        """Processors by id."""
        return self.engine.assembly.nodes

    # -- time ----------------------------------------------------------------------------------

    async def rest(self) -> None:
        """Return when nothing can happen before the clock moves.

        Raises EnvironmentFault when that takes longer than 20 real seconds.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                await self._calm()
                while self.engine.repository.durable:
                    await self.engine.repository.flush()
                    if not self._busy():  # a cut shows what windows fired (E22)
                        return
                    await self._calm()
        except TimeoutError:
            raise EnvironmentFault(self._restless()) from None

    async def _calm(self) -> None:
        calm = turns = 0
        while calm < CALM:
            turns += 1
            await asyncio.sleep(0 if turns < QUICK else 0.001)
            calm = 0 if self._busy() else calm + 1

    def _busy(self) -> list[str]:
        """Processors that work, are ready to, or have not started yet."""
        return [node.id for node in self.nodes.values() if node.queued or node.active] + [
            node.id for node in self.nodes.values() if self._starts(node)
        ]

    def _starts(self, node: Node) -> bool:
        if node.running or node.flat.disabled or node.exhausted.is_set():
            return False
        return not self.engine.board.list(node.id)  # it said why it does not start

    def _restless(self) -> str:
        busy = ", ".join(map(repr, self._busy())) or "only the disk"
        return (
            f"flow {self.engine.flow.name!r} must come to rest within {PATIENCE:g} s of a step; "
            f"got {busy} still at work; replace what waits for the world, and a source that never "
            "ends"
        )

    async def advance(self, duration: int) -> None:
        """Move the clock by ``duration`` µs, stopping wherever somebody wants to be woken."""
        end = self.clock.monotonic() + duration
        for _ in range(MOST_TIMES):
            due = self.clock.next_due
            if due is None or due > end:
                break
            self.clock.advance(max(due - self.clock.monotonic(), 0))
            await self.rest()
        self.clock.advance(end - self.clock.monotonic())
        await self.rest()

    # -- giving --------------------------------------------------------------------------------

    def wake(self, source: str) -> None:
        """A replaced source has something to do again."""
        node = self.nodes[source]
        node.yield_until = 0
        self.engine.assembly.scheduler.wake(node)

    def put(self, connection: Connection, item: Given, start: int) -> None:
        """Put FlowFiles straight into a queue."""
        core, now, data = self.engine.assembly.core, self.clock.wall(), item.data
        ingest = resolved(item.ingest_time, start)
        event = resolved(item.event_time, start)
        made = [
            FlowFile(
                number,
                dict(item.attributes),
                data,
                len(data),
                now,
                now,
                now if ingest is None else ingest,
                event,
                event,
            )
            for number in core.ids.take_many(item.count)
        ]
        self.engine.repository.begin([], [])
        connection.put(made, len(data) * item.count)
        core.ledger.add("in", item.count)
        self.engine.repository.end()

    async def copy(self, to: Path) -> None:
        """What a kill would leave on the disk."""
        repository = self.engine.repository
        assert isinstance(repository, SqliteRepository)
        ignored = shutil.ignore_patterns("lock")
        await repository.between_cuts(
            lambda: shutil.copytree(repository.directory, to, ignore=ignored)
        )


@asynccontextmanager
async def living(
    flow: LoadedFlow, clock: FakeClock, recorder: Recorder, directory: Path, *, durable: bool
) -> AsyncIterator[Life]:
    """A flow that runs while the block lasts; it is stopped without draining."""
    repository = SqliteRepository(directory, clock) if durable else MemoryRepository()
    engine = Engine(flow, repository, clock=clock, data_dir=directory)
    gc.freeze()  # the engine collects garbage when it starts: of this life, not of all before it
    async with engine.opened(), asyncio.TaskGroup() as group:
        core = engine.assembly.core
        core.observers.append(recorder.observe)
        recorder.read = lambda flowfile: core.contents.read(flowfile.content)
        run = group.create_task(engine.run(drain_timeout=0))
        try:
            life = Life(engine, clock)
            await life.rest()
            yield life
        finally:
            engine.request_stop()
            engine.request_stop()
            await asyncio.wait([run])
