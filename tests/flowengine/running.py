"""Small flows and a way to run them inside a test, for what looks at running flows."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from flowengine.control import address, serving
from flowengine.control.desk import Desk
from flowengine.definition.builder import Flow
from flowengine.definition.flat import LoadedFlow
from flowengine.engine import Engine
from flowengine.processor import (
    InputRequirement,
    Processor,
    ProcessorProperties,
    Relationship,
)
from flowengine.repository import MemoryRepository, SqliteRepository
from flowengine.units import Secret


class Count(Processor):
    """Make numbered FlowFiles, then complete."""

    input = InputRequirement.FORBIDDEN
    success = Relationship("The FlowFiles.")

    class Properties(ProcessorProperties):
        count: int = 3
        size: int = 0
        secret: Secret | None = None

    def on_trigger(self, context, session):
        done = session.state.get("done", 0)
        if done >= self.properties.count:
            context.complete()
            return
        for number in range(done, min(done + 100, self.properties.count)):
            content = f"record {number}".encode().ljust(self.properties.size, b".")
            made = session.create(content, {"number": str(number), "odd": str(number % 2)})
            session.transfer(made, "success")
            session.state["done"] = number + 1


class Discard(Processor):
    """Remove what comes; takes another label while it runs."""

    class Properties(ProcessorProperties):
        label: str = "none"
        maximum: int | None = None

    def reconfigure(self, properties):
        self.properties = properties
        return properties.maximum is None

    def on_trigger(self, context, session):
        flowfiles = session.get_batch()
        session.adjust_counter("discarded", len(flowfiles))
        session.remove(flowfiles)


class Hold(Processor):
    """Hold the engine's loop until a test lets go: stands for a call that blocks."""

    entered = threading.Event()
    release = threading.Event()

    def on_trigger(self, context, session):
        flowfiles = session.get_batch()
        self.entered.set()
        assert self.release.wait(30)
        session.remove(flowfiles)


def small_flow(
    sink: type[Processor] = Discard, secret: str | None = None, **properties: Any
) -> LoadedFlow:
    """count → sink."""
    flow = Flow("small")
    if secret is not None:
        properties["secret"] = flow.parameter("password", sensitive=True, env="PASSWORD")
    flow.add("count", Count, **properties)
    flow.add("sink", sink)
    flow.connect("count", "success", "sink")
    return flow.load({"password": Secret(secret)} if secret is not None else None)


@asynccontextmanager
async def running(
    directory: Path | None,
    flow: LoadedFlow,
    stopped: tuple[str, ...] = (),
) -> AsyncIterator[Engine]:
    """An engine that runs while the block lasts, and is then stopped without draining."""
    repository = MemoryRepository() if directory is None else SqliteRepository(directory)
    engine = Engine(flow, repository, data_dir=directory, stopped=stopped)
    async with engine.opened(), asyncio.TaskGroup() as group:
        run = group.create_task(engine.run(drain_timeout=0))
        try:
            yield engine
        finally:
            engine.request_stop()
            engine.request_stop()
            await run


@asynccontextmanager
async def served(
    directory: Path, flow: LoadedFlow, stopped: tuple[str, ...] = ()
) -> AsyncIterator[tuple[Engine, Desk, httpx.AsyncClient]]:
    """A running engine, its desk, and a client of its control API."""
    async with (
        running(directory, flow, stopped) as engine,
        serving(engine, directory) as desk,
        client_of(directory) as client,
    ):
        yield engine, desk, client


def client_of(directory: Path) -> httpx.AsyncClient:
    """A client over the Unix socket."""
    transport = httpx.AsyncHTTPTransport(uds=str(address.socket_path(directory)))
    return httpx.AsyncClient(transport=transport, base_url="http://runner", timeout=30)


async def until(engine: Engine, condition: Callable[[], bool]) -> None:
    """Return when a condition of the engine holds; the test's timeout is the limit."""
    changed = asyncio.Event()
    ended = engine.assembly.scheduler.on_trigger_end

    def look(node: Any) -> None:
        ended(node)
        changed.set()

    engine.assembly.scheduler.on_trigger_end = look
    while not condition():
        changed.clear()
        await changed.wait()
