"""Small processors and flows for the tests of the engine, and ways to let virtual time pass."""

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from flowengine.clock import FakeClock
from flowengine.connection import Connection, Limits
from flowengine.content import FileContent
from flowengine.definition.builder import Flow
from flowengine.definition.flat import LoadedFlow
from flowengine.engine import Engine, Removed
from flowengine.flowfile import FlowFile
from flowengine.piece import Piece
from flowengine.processor import InputRequirement, Processor, ProcessorProperties, Relationship
from flowengine.repository import MemoryRepository, Repository
from flowengine.session import ProcessSession

SECOND = 1_000_000
_made = itertools.count()


class Numbers(Processor):
    """Make numbered FlowFiles in batches, then complete; goes on after a restart."""

    input = InputRequirement.FORBIDDEN
    success = Relationship("The FlowFiles.")

    class Properties(ProcessorProperties):
        count: int = 10
        batch: int = 100

    def on_trigger(self, context, session):
        done = session.state.get("done", 0)
        many = min(self.properties.batch, self.properties.count - done)
        for number in range(done, done + many):
            made = session.create(str(number).encode(), {"number": str(number)})
            session.transfer(made, self.success)
        session.state["done"] = done + many
        if done + many >= self.properties.count:
            context.complete()


class Pass(Processor):
    """Hand on what comes."""

    success = Relationship("What came.")

    def on_trigger(self, context, session):
        session.transfer(session.get_batch(), self.success)


class Remove(Processor):
    """Take out what comes."""

    def on_trigger(self, context, session):
        session.remove(session.get_batch())


def processor(
    trigger: Callable[..., Any],
    *,
    source: bool = False,
    relationships: tuple[str, ...] = ("success",),
    name: str = "",
    **members: Any,
) -> type[Processor]:
    """A processor class whose ``on_trigger(context, session)`` is the function.

    name: of the type; a flow takes each only once, so by default it is a new one
    """
    made = {name: Relationship(name, name=name) for name in relationships}
    requirement = InputRequirement.FORBIDDEN if source else InputRequirement.REQUIRED
    body: dict[str, Any] = {"input": requirement, **made, **members}
    if asyncio.iscoroutinefunction(trigger):

        async def on_trigger(self, context, session):
            await trigger(context, session)
    else:

        def on_trigger(self, context, session):  # type: ignore[misc]
            trigger(context, session)

    return type(name or f"Made{next(_made)}", (Processor,), {**body, "on_trigger": on_trigger})


def counted(trigger, **options):
    """A processor class and the list that gets an entry per trigger."""
    triggers: list[float] = []

    def count(context, session):
        triggers.append(context.clock.monotonic() / SECOND)
        return trigger(context, session)

    return processor(count, **options), triggers


def one_each(context, session):
    session.transfer(session.create(b"x"), "success")


def take_all(context, session):
    session.remove(session.get_batch())


def collector() -> tuple[type[Processor], list[FlowFile]]:
    """A sink and the list of what it has removed."""
    got: list[FlowFile] = []

    def trigger(context, session):
        flowfiles = session.get_batch()
        session.remove(flowfiles)
        got.extend(flowfiles)

    return processor(trigger, relationships=()), got


def numbers(flowfiles: list[FlowFile]) -> list[int]:
    """The numbers that :class:`Numbers` gave them."""
    return [int(flowfile.attributes["number"]) for flowfile in flowfiles]


def chain(*steps: type[Processor] | tuple, **settings: Any) -> LoadedFlow:
    """A line of processors ``p0 → p1 → …``; a step is a class or ``(class, settings, properties)``.

    settings: of every connection
    """
    flow = Flow("test")
    for index, step in enumerate(steps):
        cls, options, properties = step if isinstance(step, tuple) else (step, {}, {})
        flow.add(f"p{index}", cls, options, **properties)
        if index:
            flow.connect(f"p{index - 1}", "success", f"p{index}", **settings)
    return flow.load()


def polled(pieces: Iterable[Piece]) -> list[FlowFile]:
    """The FlowFiles of pieces that a poll has taken."""
    return [flowfile for piece in pieces for flowfile in piece.flowfiles or ()]


def only(session: ProcessSession) -> FlowFile:
    """The next FlowFile; there is one."""
    [flowfile] = session.get_batch(1)
    return flowfile


def file_of(flowfile: FlowFile) -> FileContent:
    """Its content, which is in a file."""
    assert isinstance(flowfile.content, FileContent)
    return flowfile.content


def flowfile(number: int, size: int = 1, **fields: Any) -> FlowFile:
    """A FlowFile with an id of its own."""
    attributes = fields.pop("attributes", {})
    entry = fields.pop("entry_time", 0)
    return FlowFile(number, attributes, b"x" * size, size, entry, entry, entry, **fields)


def queue(journal: Any = None, **options: Any) -> Connection:
    """A connection without bounds unless some are given."""
    limits = Limits(
        options.pop("objects", 0), options.pop("bytes", 0), options.pop("expiration", 0)
    )
    return Connection("queue", journal or MemoryRepository(), limits, **options)


@asynccontextmanager
async def running(
    flow: LoadedFlow,
    repository: Repository | None = None,
    *,
    clock: FakeClock | None = None,
    removed: Removed = Removed.REFUSE,
    stopped: tuple[str, ...] = (),
    **options: Any,
) -> AsyncIterator[Engine]:
    """An engine on a fake clock that runs while the block lasts, then is stopped at once."""
    engine = Engine(flow, repository, clock=clock or FakeClock(), stopped=stopped, **options)
    async with engine.opened(removed), asyncio.TaskGroup() as group:
        run = group.create_task(engine.run(drain_timeout=0))
        try:
            await settled(engine)
            yield engine
        finally:
            engine.request_stop()
            engine.request_stop()
            await elapse_until(engine, run.done)


async def settled(engine: Engine) -> None:
    """Let the engine do all that it can do now."""
    quiet = 0
    while quiet < 30:
        await asyncio.sleep(0)
        busy = engine.assembly.scheduler._ready or _on_threads(engine)
        quiet = 0 if busy else quiet + 1


def _on_threads(engine: Engine) -> bool:
    return any(node.active and not node.is_async for node in engine.assembly.nodes.values())


async def elapse(engine: Engine, microseconds: int) -> None:
    """Let virtual time pass, and the engine do what is due."""
    assert isinstance(engine.clock, FakeClock)
    engine.clock.advance(microseconds)
    await settled(engine)


async def elapse_until(engine: Engine, condition: Callable[[], bool], step: int = SECOND) -> None:
    """Let virtual time pass until something holds, for at most 1 000 steps."""
    for _ in range(1000):
        if condition():
            return
        await elapse(engine, step)
    raise AssertionError("the condition must hold after 1 000 steps")


async def ended(engine: Engine, **options: Any) -> None:
    """Run to completion on the fake clock."""
    async with asyncio.TaskGroup() as group:
        run = group.create_task(engine.run(until_complete=True, **options))
        await elapse_until(engine, run.done)


class Gate:
    """Lets a test hold a thread inside a processor and let it go."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.release = threading.Event()

    def wait(self) -> None:
        """Called by the processor."""
        self.entered.set()
        assert self.release.wait(30)
