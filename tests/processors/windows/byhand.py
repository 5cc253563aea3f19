"""A whole flow with windows, driven by hand: no scheduler, no disk, a clock that jumps.

Times are milliseconds, as in windows.md §1.4.
"""

from __future__ import annotations

import json
from typing import Any

from flowengine.assembly import Assembly
from flowengine.bulletins import BulletinBoard
from flowengine.clock import FakeClock
from flowengine.context import ProcessContext, Surroundings
from flowengine.definition.builder import Flow
from flowengine.io_loop import IoLoop
from flowengine.processor import InputRequirement, Processor, Relationship
from flowengine.repository import MemoryRepository
from flowengine.session import ProcessSession
from flowengine.window_status import WindowsStatus, windows_status

FIELDS = {"time_field": "t"}
ENDS = {"auto_terminate": ["late", "invalid"]}


class Given(Processor):
    """A source that makes what a test says."""

    input = InputRequirement.FORBIDDEN
    success = Relationship("Everything.")

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        """Driven by hand."""


class Pass(Processor):
    """Hands on."""

    success = Relationship("Everything.")

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        session.transfer(session.get_batch(), "success")


class Sink(Processor):
    """Leaves everything where it is: a test looks at the queue."""

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        """Never triggered."""


class ByHand:
    """A flow whose processors are triggered one by one."""

    def __init__(self, flow: Flow, repository: Any = None) -> None:
        self.clock = FakeClock()
        self.repository = repository or MemoryRepository()
        around = Surroundings(
            "by-hand", self.repository.content_directory, self.clock, IoLoop(), None
        )
        recovered = self.repository.recover()
        board = BulletinBoard(self.clock)
        self.assembly = Assembly(flow.load(), self.repository, recovered, around, board)
        for node in self.assembly.nodes.values():
            node.running = True

    def emit(self, source: str, *times: float, partition: str = "p", progress: float | None = None):
        """Records of these times; the partition's progress is the greatest, less a tick."""
        node = self.assembly.nodes[source]
        session = ProcessSession(node, self.assembly.core)
        for time in times:
            made = session.create(json.dumps({"t": time}).encode(), event_time=int(time * 1000))
            session.transfer(made, "success")
        reached = max(times, default=None) if progress is None else progress
        if reached is not None:
            before = node.progress.get(partition, -(10**18))
            session.report_progress(partition, max(int(reached * 1000) - 1, before))
        session.commit()
        return self

    def leave(self, source: str, partition: str) -> None:
        """The partition is idle, done or another member's."""
        session = ProcessSession(self.assembly.nodes[source], self.assembly.core)
        session.report_progress(partition, None)
        session.commit()

    def join(self, source: str, partition: str) -> None:
        """A partition was assigned and has said nothing yet."""
        session = ProcessSession(self.assembly.nodes[source], self.assembly.core)
        session.report_progress(partition, -(10**18))
        session.commit()

    def trigger(self, name: str) -> bool:
        """One trigger if the scheduler would allow it."""
        node = self.assembly.nodes[name]
        for connection in node.inputs:
            connection.release(self.clock.wall())
        if not node.running or node.blocked() or not node.has_input():
            return False
        session = ProcessSession(node, self.assembly.core)
        node.processor.on_trigger(self.assembly.scheduler.contexts[name], session)
        session.commit()
        return True

    def settle(self, *names: str) -> ByHand:
        """Trigger these, or all but the ends, until nothing is left to do."""
        nodes = self.assembly.nodes
        inner = [n for n in nodes if not nodes[n].is_source and nodes[n].downstream]
        for _ in range(1000):
            if not sum(self.trigger(name) for name in names or inner):
                return self
        raise AssertionError("the flow must come to rest")

    def watermark(self, name: str = "window") -> float:
        """In ms."""
        return self.assembly.watermarks.low(self.assembly.nodes[name]) / 1000

    def status(self, name: str = "window") -> WindowsStatus:
        """What people see of a processor with windows."""
        node = self.assembly.nodes[name]
        own = node.processor.status(self.assembly.scheduler.contexts[name])["windows"]
        return windows_status(own, node, self.assembly.watermarks, self.assembly.nodes)

    def windows(self, queue: str = "window-seen") -> list[list[float]]:
        """Times of the records of each window that came out since the last look."""
        connection = self.assembly.connections[queue]
        pieces = connection.drain()
        found = [f for piece in pieces for f in connection.members(piece)]
        connection.settle(pieces)
        lines = [self.assembly.core.contents.read(f.content).splitlines() for f in found]
        return [[json.loads(line)["t"] for line in one] for one in lines]

    def count(self, queue: str) -> int:
        """FlowFiles in a queue."""
        return self.assembly.connections[queue].count


def one_window(cls: type, *above: type, **properties: Any) -> Flow:
    """source → (what is above) → window → seen, with late records in a queue of their own."""
    flow = Flow("by-hand")
    last = flow.add("source", Given)
    for number, kind in enumerate(above):
        retried = "failure" in kind.relationships  # type: ignore[attr-defined]
        step = flow.add(f"step{number}", kind, {"retry": {"failure": {}}} if retried else {})
        flow.connect(last, "success", step)
        last = step
    flow.add("window", cls, {"auto_terminate": ["invalid"]}, **FIELDS, **properties)
    flow.connect(last, "success", "window")
    flow.add("seen", Sink)
    flow.add("late", Sink)
    flow.connect("window", "window", "seen")
    flow.connect("window", "late", "late")
    return flow
