"""E22: what a window puts out is seen only after the cut that contains the firing."""

from __future__ import annotations

import asyncio
from pathlib import Path

from flowengine.context import ProcessContext
from flowengine.definition.builder import Flow
from flowengine.engine import Engine
from flowengine.processor import InputRequirement, Processor, Relationship
from flowengine.repository import SqliteRepository
from flowengine.session import ProcessSession


class Source(Processor):
    """Three FlowFiles at the event times 1, 2 and 3."""

    input = InputRequirement.FORBIDDEN
    success = Relationship("Everything.")

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        session.transfer([session.create(event_time=time) for time in (1, 2, 3)], "success")
        session.report_progress("p", 2)
        context.complete()


class Window(Processor):
    """Collects, and puts out one FlowFile when the watermark has passed 3."""

    event_time = True
    success = Relationship("The window.")

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        batch = session.get_batch()
        session.remove(batch)
        session.hold_time(3)
        session.set_event_timer(3)
        if context.watermark >= 3:
            session.transfer(session.create(event_time=3), "success")
            session.hold_time(None)
            session.set_event_timer(None)


class Sink(Processor):
    """Remembers whether what it gets is on disk."""

    seen: list[bool]

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        type(self).seen += [piece.stored for piece in session.work.pieces]
        session.remove(session.get_batch())
        type(self).seen += [piece.stored for piece in session.work.pieces]


def test_a_firing_is_seen_after_its_cut_and_completes_the_run(tmp_path: Path) -> None:
    Sink.seen = []
    flow = Flow("strong")
    names = [flow.add("source", Source), flow.add("window", Window), flow.add("sink", Sink)]
    flow.connect(names[0], "success", names[1])
    flow.connect(names[1], "success", names[2])

    async def work() -> None:
        engine = Engine(flow.load(), SqliteRepository(tmp_path))
        async with engine.opened():
            await asyncio.wait_for(engine.run(until_complete=True), 20)
            assert engine.completed

    asyncio.run(work())
    assert Sink.seen == [True]
