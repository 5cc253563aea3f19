"""A small flow to hurt, and how to wait for what happens to it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import ParamSpec

from flowengine.context import ProcessContext
from flowengine.definition.builder import Flow
from flowengine.engine import Engine
from flowengine.processor import Processor
from flowengine.repository.sqlite import SqliteRepository
from flowengine.session import ProcessSession

P = ParamSpec("P")
PATIENCE = 60.0  # seconds


class Take(Processor):
    """Read each FlowFile and remember its number."""

    taken: Counter[int] = Counter()

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        for flowfile in session.get_batch():
            session.read(flowfile)
            number = int(flowfile.attributes["record.number"])
            session.on_durable(partial(Take.taken.update, [number]))
            session.remove(flowfile)


def make_flow(count: int, size: str) -> Flow:
    """GenerateRecords → Take, with a queue that holds everything."""
    flow = Flow("hurt")
    flow.add("make", "GenerateRecords", count=count, content_size=size)
    flow.add("take", Take)
    return flow.connect("make", "success", "take", back_pressure={"objects": 0, "bytes": "0 B"})


class Patient:
    """A running engine; ``until`` looks whenever something happened."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._happened = asyncio.Event()
        repository, scheduler = engine.repository, engine.assembly.scheduler
        repository.on_change = self._also(repository.on_change)
        repository.after_cut = self._also(repository.after_cut)
        scheduler.on_trigger_end = self._also(scheduler.on_trigger_end)

    def _also(self, function: Callable[P, None]) -> Callable[P, None]:
        def both(*arguments: P.args, **named: P.kwargs) -> None:
            function(*arguments, **named)
            self._happened.set()

        return both

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return when the condition holds."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._happened.clear()
                await self._happened.wait()

    @property
    def problem(self) -> str | None:
        return self.engine.repository.problem

    @property
    def sources_wait(self) -> bool:
        return self.engine.assembly.core.sources_wait()

    @property
    def errors(self) -> list[str]:
        """Messages of the error bulletins, oldest first."""
        return [b.message for b in self.engine.board.list() if b.level == "error"]


@asynccontextmanager
async def running(
    directory: Path, flow: Flow, stopped: tuple[str, ...] = ()
) -> AsyncIterator[Patient]:
    """The flow on a directory, until the block ends; stopped without a drain."""
    engine = Engine(flow.load(), SqliteRepository(directory), stopped=stopped)
    async with engine.opened():
        patient = Patient(engine)
        async with asyncio.TaskGroup() as group:
            group.create_task(engine.run(drain_timeout=0))
            yield patient
            engine.request_stop()
