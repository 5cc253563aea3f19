"""ProcessorRunner: one processor with queues around it, driven trigger by trigger.

It uses the engine's own connections, sessions and scheduler rules; only time and the disk are
replaced. Modelled on NiFi's ``TestRunner``.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from flowengine.bulletins import Bulletin, BulletinBoard, ComponentLog
from flowengine.clock import FakeClock
from flowengine.connection import Connection, Limits
from flowengine.context import ProcessContext, Surroundings
from flowengine.definition.flat import FlatProcessor, RetryPolicy, Scheduling
from flowengine.flowfile import FlowFile, IdGenerator
from flowengine.io_loop import IoLoop
from flowengine.node import Core, Node
from flowengine.processor import Processor
from flowengine.repository.memory import MemoryRepository
from flowengine.scheduler import Scheduler
from flowengine.session import ProcessSession

_UNBOUNDED = Limits(objects=0, bytes=0)


class ProcessorRunner:
    """Run one processor by hand.

    Example::

        runner = ProcessorRunner(RouteOnAttribute, routes={"eu": "country == 'NL'"})
        runner.enqueue(b"", country="NL")
        runner.run()
        assert len(runner.transferred("eu")) == 1

    Use it as a context manager, so that its threads end. ``clock`` is a
    FakeClock: ``runner.clock.advance(1_000_000)`` moves a second.
    """

    def __init__(
        self,
        cls: type[Processor],
        *,
        clock: FakeClock | None = None,
        services: Mapping[str, object] | None = None,
        retry: Mapping[str, RetryPolicy] | None = None,
        scheduling: Scheduling | None = None,
        limits: Limits | None = None,
        **properties: Any,
    ) -> None:
        self.clock = clock or FakeClock()
        self.loop = asyncio.new_event_loop()
        model = cls.Properties.model_validate(properties)
        self.cls = cls
        self.flat = FlatProcessor(
            id="processor",
            type=cls.__name__,
            cls=cls,
            name="processor",
            properties=model,
            relationships=cls.relationships_for(model),
            retry=dict(retry or {}),
            scheduling=scheduling or Scheduling(),
        )
        self.repository = MemoryRepository()
        self.board = BulletinBoard(self.clock)
        self.core = Core(self.clock, self.repository, IdGenerator(1), self.board)
        self.directory = Path(tempfile.mkdtemp(prefix="flowengine-test-"))
        self.around = Surroundings(
            "test", self.directory, self.clock, IoLoop(), ThreadPoolExecutor(2), services
        )
        self.around.counters = self.core.counters
        self._build(limits or _UNBOUNDED)

    def _build(self, limits: Limits) -> None:
        flat = self.flat
        self.node = Node(flat, self.cls(flat.properties), self.clock)
        self.queue = Connection("input", self.repository, _UNBOUNDED)
        if not self.node.is_source:
            self.node.inputs.append(self.queue)
        self.outputs: dict[str, Connection] = {}
        for name in flat.relationships:
            connection = Connection(name, self.repository, limits)
            self.outputs[name] = connection
            self.node.outputs[name] = [connection]
            self.node.downstream.append(connection)
        self.scheduler = Scheduler(self.core, self.clock)
        log = ComponentLog(self.board, flat.id, "debug")
        self.context = ProcessContext(self.node, self.around, log)
        self.scheduler.contexts[flat.id] = self.context
        self._scheduled: AbstractAsyncContextManager[None] | None = None

    def add_input(self, id: str, source: str = "") -> Connection:
        """One more input, from a processor named ``source``, for processors whose inputs differ."""
        connection = Connection(id, self.repository, _UNBOUNDED)
        connection.source = source
        self.node.inputs.append(connection)
        return connection

    # -- giving --------------------------------------------------------------------------------

    def enqueue(
        self,
        content: bytes | str = b"",
        attributes: Mapping[str, str] | None = None,
        *,
        queue: Connection | None = None,
        event_time: int | None = None,
        **more: str,
    ) -> FlowFile:
        """Put a FlowFile into the processor's queue, or into another one of its inputs."""
        data = content.encode() if isinstance(content, str) else content
        now = self.clock.wall()
        names = {**(attributes or {}), **more}
        flowfile = FlowFile(self.core.ids.take(), names, data, len(data), now, now, now)
        if event_time is not None:
            flowfile = flowfile.with_event_time(event_time)
        self.repository.begin([], [])
        (self.queue if queue is None else queue).put([flowfile], len(data))
        self.repository.end()
        return flowfile

    # -- running -------------------------------------------------------------------------------

    def start(self) -> None:
        """Enter ``on_scheduled``; ``run`` does it by itself."""
        if self._scheduled is None:
            self.node.running = True
            self._scheduled = self.node.processor.on_scheduled(self.context)
            self.loop.run_until_complete(self._scheduled.__aenter__())

    def stop(self) -> None:
        """Stop it as a person does: its last sessions, then leave ``on_scheduled``."""
        if self._scheduled is not None:
            self.node.running = False
            self.loop.run_until_complete(self.scheduler.finish(self.node))
        self._leave()

    def _leave(self) -> None:
        if self._scheduled is not None:
            self.node.running = False
            leaving, self._scheduled = self._scheduled, None
            self.loop.run_until_complete(leaving.__aexit__(None, None, None))

    def run(self, times: int = 1) -> None:
        """Trigger up to ``times`` times, as the scheduler would: not while yielded, blocked or
        without input. An unexpected exception of the processor is raised here."""
        self.start()
        for _ in range(times):
            if not self._eligible():
                return
            self.trigger()

    def _eligible(self) -> bool:
        for connection in self.node.inputs:
            connection.release(self.clock.wall())
        yielded = self.node.yield_until > self.clock.monotonic()
        return not yielded and not self.node.blocked() and self.node.has_input()

    def trigger(self) -> None:
        """One trigger and its commit, whatever the scheduler would think of it."""
        self.start()
        session = ProcessSession(self.node, self.core)
        try:
            waiting = self.node.processor.on_trigger(self.context, session)
            if waiting is not None:
                self.loop.run_until_complete(_finish(waiting))
            session.commit()
        except BaseException:
            session.rollback()
            raise
        if self.node.completing:
            self.node.completed = True

    def session(self) -> ProcessSession:
        """A session of the processor, for tests that drive it by hand."""
        return ProcessSession(self.node, self.core)

    def restart(self) -> None:
        """As after a crash: a new instance of the processor, with the old queue and state."""
        self._leave()
        state, old = self.node.state, self.node
        self.node = Node(self.flat, self.cls(self.flat.properties), self.clock)
        self.node.state = state
        self.node.inputs, self.node.outputs = old.inputs, old.outputs
        self.node.downstream = old.downstream
        self.node.watermark, self.node.hold = old.watermark, old.hold
        self.node.event_timer, self.node.clock_timer = old.event_timer, old.clock_timer
        log = ComponentLog(self.board, self.flat.id, "debug")
        self.context = ProcessContext(self.node, self.around, log)
        self.scheduler.contexts[self.flat.id] = self.context

    def reconfigure(self, **properties: Any) -> bool:
        """Give the running processor new properties, as a live edit does."""
        model = self.cls.Properties.model_validate(properties)
        self.flat = replace(self.flat, properties=model)
        self.node.flat = self.flat
        return self.node.processor.reconfigure(model)

    # -- looking -------------------------------------------------------------------------------

    def transferred(self, relationship: str) -> list[FlowFile]:
        """What went to a relationship since the last ``clear``, in order."""
        return self.outputs[relationship].peek(1 << 30)

    def content(self, flowfile: FlowFile) -> bytes:
        """The bytes of a FlowFile."""
        return self.core.contents.read(flowfile.content)

    def clear(self) -> None:
        """Forget what was transferred."""
        for connection in self.outputs.values():
            connection.settle(connection.drain())

    @property
    def queued(self) -> int:
        """FlowFiles still in the processor's queue."""
        return self.queue.count

    @property
    def state(self) -> Mapping[str, Any]:
        """The processor's durable state."""
        return self.node.state

    @property
    def counters(self) -> Mapping[str, int]:
        """The flow's counters."""
        return self.core.counters

    @property
    def bulletins(self) -> list[Bulletin]:
        """What the processor said, at any level."""
        return self.board.list()

    def close(self) -> None:
        """Give back threads and files."""
        self._leave()
        self.around.io.stop()
        self.around.threads.shutdown()
        self.loop.close()
        for directory in (self.directory, self.repository.content_directory):
            shutil.rmtree(directory, ignore_errors=True)

    def __enter__(self) -> ProcessorRunner:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


async def _finish(waiting: Any) -> None:
    await waiting
