"""A source and sinks that cost next to nothing, and how to run a flow of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import Field

from flowengine.context import ProcessContext
from flowengine.definition.flat import LoadedFlow
from flowengine.engine import Engine
from flowengine.processor import InputRequirement, Processor, ProcessorProperties, Relationship
from flowengine.repository import Repository
from flowengine.session import ProcessSession
from tests.benchmarks.loop import ATTRIBUTES, BATCH
from tests.benchmarks.results import Rate, Stopwatch


class Feed(Processor):
    """Make so many FlowFiles of so many bytes, as fast as possible."""

    input = InputRequirement.FORBIDDEN
    serial = True
    watch: Stopwatch | None = None

    class Properties(ProcessorProperties):
        count: int = Field(description="FlowFiles to make.")
        size: int = Field(200, description="Bytes of each.")

    properties: Properties
    success = Relationship("The FlowFiles.")

    def __init__(self, properties: Properties) -> None:
        super().__init__(properties)
        self._left = properties.count
        self._content = b"x" * properties.size

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        Feed.watch = Feed.watch or Stopwatch()
        number = min(BATCH, self._left)
        attributes = [ATTRIBUTES.copy() for _ in range(number)]
        session.transfer(
            session.create_many([self._content] * number, attributes, ingest=None), "success"
        )
        self._left -= number
        if not self._left:
            context.complete()


class Drop(Processor):
    """Count what arrives and throw it away."""

    count = 0
    rate = Rate(0.0, 0.0)

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        batch = session.get_batch()
        session.remove(batch)
        Drop.count += len(batch)
        if Feed.watch is not None:
            Drop.rate = Feed.watch.rate(Drop.count)


class Hold(Processor):
    """Leave everything in the queue: a sink that is too slow."""

    serial = True

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        context.yield_(3_600_000_000)


@asynccontextmanager
async def running(engine: Engine) -> AsyncIterator[Engine]:
    """An engine that runs until the block ends, and is then stopped without a drain."""
    async with engine.opened(), asyncio.TaskGroup() as group:
        group.create_task(engine.run(drain_timeout=0))
        yield engine
        engine.request_stop()


async def run_through(flow: LoadedFlow, repository: Repository) -> Rate:
    """Run a flow from Feed to Drop to its end; FlowFiles per second."""
    Feed.watch = None
    Drop.count = 0
    engine = Engine(flow, repository)
    async with engine.opened():
        await engine.run(until_complete=True)
    return Drop.rate
