"""ProcessContext: what a processor may ask of the engine beside its session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from flowengine.bulletins import ComponentLog
from flowengine.clock import Clock
from flowengine.errors import DefinitionError
from flowengine.io_loop import IoLoop

if TYPE_CHECKING:
    from flowengine.node import Node
    from flowengine.watermarks import Watermarks

T = TypeVar("T")


class Surroundings:
    """What all processors of one runner share."""

    def __init__(
        self,
        flow_name: str,
        data_dir: Path,
        clock: Clock,
        io: IoLoop,
        threads: ThreadPoolExecutor,
        services: Mapping[str, object] | None = None,
    ) -> None:
        self.flow_name = flow_name
        self.data_dir = data_dir
        self.clock = clock
        self.io = io
        self.threads = threads
        self.services: dict[str, object] = dict(services or {})
        self.watermarks: Watermarks | None = None
        self.counters: Mapping[str, int] = {}
        self.call: Callable[..., Any] = lambda function, *args: function(*args)


class ProcessContext:
    """A processor's view of itself and of its surroundings."""

    def __init__(self, node: Node, around: Surroundings, log: ComponentLog) -> None:
        self._node = node
        self._around = around
        self.log = log
        self.clock = around.clock
        self.flow_name = around.flow_name
        self.data_dir = around.data_dir
        self.id = node.id
        self.name = node.flat.name
        self.type = node.flat.type
        self.concurrent_tasks = node.flat.scheduling.concurrent_tasks
        self.batch_size = node.batch_size
        self.penalty = node.flat.penalty_us

    @property
    def stopping(self) -> bool:
        """Whether the processor was asked to stop: end a long wait soon."""
        return not self._node.running

    @property
    def blocked(self) -> bool:
        """Whether a connection downstream is full: a source should pause its reading."""
        return self._node.blocked()

    @property
    def active(self) -> bool:
        """Whether a trigger is under way on a thread or as a task."""
        return self._node.active > 0

    @property
    def counters(self) -> Mapping[str, int]:
        """The flow's counters; a session changes them."""
        return self._around.counters

    @property
    def state(self) -> Mapping[str, Any]:
        """This processor's durable state as of the last commit; change it through the session."""
        return self._node.state

    @property
    def progress(self) -> Mapping[str, int]:
        """Of a source: the event time that each partition has reached, as of the last commit."""
        return self._node.progress

    def service(self, name: str) -> Any:
        """The enabled controller service of this name."""
        try:
            return self._around.services[name]
        except KeyError:
            raise DefinitionError(
                f"processor {self.id!r} service must be one that the flow defines; got {name!r}"
            ) from None

    @property
    def watermark(self) -> float:
        """Low watermark here in µs of event time; -inf when nothing is certain (E20)."""
        if self._around.watermarks is None:
            return self._node.watermark
        return float(self._around.call(self._around.watermarks.low, self._node))

    def yield_(self, duration: int | None = None) -> None:
        """Do not trigger this processor for ``duration`` µs, by default its yield duration."""
        self._node.yield_for(duration if duration is not None else self._node.flat.yield_us)

    def complete(self) -> None:
        """A bounded source has handed on everything; takes effect with this session's commit."""
        self._node.completing = True

    def report(self, **figures: Any) -> None:
        """Figures for the status, such as assignment and lag; the last report is shown."""
        self._node.reported.update(figures)

    async def io(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the I/O loop, where clients with heartbeats live (E24)."""
        return await self._around.io.run(work)

    async def thread(self, function: Callable[..., T], *args: Any) -> T:
        """Run a blocking function on a worker thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._around.threads, function, *args)
