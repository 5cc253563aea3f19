"""No queue, retry, penalty, merge, pause, restart or back pressure of ours makes a record late.

In each test the source goes on far ahead while some records wait somewhere. Times in ms.
"""

import pytest

from flowengine.errors import YieldError
from flowengine.processor import Processor, Relationship
from processors.windows import SessionWindow, TumblingWindow
from tests.processors.windows.byhand import ENDS, ByHand, Pass, Sink, one_window


class Penalizing(Processor):
    """Lets every other FlowFile wait for a penalty in its own queue."""

    success = Relationship("What passed.")

    def on_trigger(self, context, session):
        for number, flowfile in enumerate(session.get_batch()):
            if number % 2 == 0 and not flowfile.cursor:
                session.keep(session.penalize(flowfile).with_cursor(1))
            else:
                session.transfer(flowfile, "success")


class Failing(Processor):
    """Sends each FlowFile to failure once; a retry brings it back."""

    success = Relationship("What passed.")
    failure = Relationship("What is tried again.", failure=True)

    def on_trigger(self, context, session):
        for flowfile in session.get_batch():
            session.transfer(flowfile, "success" if flowfile.attempts else "failure")


class Merging(Processor):
    """Makes one FlowFile of all that wait; it happened when the first of them did."""

    success = Relationship("The merged one.")

    def on_trigger(self, context, session):
        flowfiles = session.get_batch()
        content = b"\n".join(session.read(f) for f in flowfiles)
        times = [f.event_time for f in flowfiles]
        made = session.create(content, event_time=min(times))
        session.transfer(made.with_event_time(min(times), max(times)), "success")
        session.remove(flowfiles)


class Holding(Processor):
    """Takes into its state, and hands on when a test lets it."""

    success = Relationship("What it held.")
    release = False

    def on_trigger(self, context, session):
        held = dict(session.state.get("held", {}))
        for flowfile in session.get_batch():
            held[session.read(flowfile).decode()] = flowfile.event_time
            session.remove(flowfile)
        if self.release:
            for content, time in held.items():
                session.transfer(session.create(content.encode(), event_time=time), "success")
            held = {}
        session.state["held"] = held
        session.hold_time(min(held.values(), default=None))
        session.set_clock_timer(session.now + 1_000_000 if held else None)


def passed(flow: ByHand) -> list[list[float]]:
    flow.emit("source", 1000).settle()
    assert flow.count("window-late") == 0
    return flow.windows()


def test_a_queue_that_nobody_empties():
    flow = ByHand(one_window(TumblingWindow, Pass, size="10 ms"))
    flow.emit("source", 1, 2).emit("source", 500)
    flow.settle("window")
    assert flow.watermark() == 0.999
    assert passed(flow) == [[1, 2], [500]]


def test_a_penalty():
    flow = ByHand(one_window(TumblingWindow, Penalizing, size="10 ms"))
    flow.emit("source", 1, 2, 500).settle()
    assert flow.count("source-step0") == 2
    assert flow.watermark() == 0.999
    flow.clock.advance(60_000_000)
    flow.settle()
    assert flow.count("source-step0") == 0
    flow.emit("source", 1000).settle()
    flow.clock.advance(60_000_000)
    flow.settle()
    assert flow.count("window-late") == 0
    assert [sorted(times) for times in flow.windows()] == [[1, 2], [500]]


def test_a_retry():
    flow = ByHand(one_window(TumblingWindow, Failing, size="10 ms"))
    flow.emit("source", 1, progress=2000).settle("step0")
    assert flow.count("source-step0") == 1
    assert flow.watermark() == 0.999
    flow.clock.advance(60_000_000)
    flow.settle()
    assert flow.count("window-late") == 0
    assert flow.windows() == [[1]]


def test_a_merge_of_old_and_new():
    flow = ByHand(one_window(TumblingWindow, Merging, size="10 ms"))
    flow.emit("source", 1, 500, 2).settle("step0")
    assert flow.watermark() == 0.999
    flow.settle()
    assert passed(flow) == [[1, 2], [500]]


def test_the_state_of_a_processor_above():
    flow = ByHand(one_window(TumblingWindow, Holding, size="10 ms"))
    flow.emit("source", 1, 2).emit("source", 500)
    flow.settle("step0")
    assert flow.watermark() == 0.999
    flow.assembly.nodes["step0"].processor.release = True
    flow.clock.advance(2_000_000)
    flow.settle("step0", "window")
    assert passed(flow) == [[1, 2], [500]]


def test_a_processor_that_a_person_paused():
    flow = ByHand(one_window(TumblingWindow, Pass, size="10 ms"))
    flow.emit("source", 1)
    flow.assembly.nodes["step0"].running = False
    flow.emit("source", 500).settle()
    assert flow.watermark() == 0.999
    flow.assembly.nodes["step0"].running = True
    assert passed(flow.settle()) == [[1], [500]]


def test_a_window_that_a_person_paused():
    flow = ByHand(one_window(TumblingWindow, Pass, size="10 ms"))
    flow.assembly.nodes["window"].running = False
    flow.emit("source", 1).emit("source", 500).settle()
    flow.assembly.nodes["window"].running = True
    flow.settle()
    assert passed(flow) == [[1], [500]]


def test_back_pressure_below_the_window():
    made = one_window(TumblingWindow, size="10 ms")
    flow = ByHand(made)
    flow.assembly.connections["window-seen"].limits = type(
        flow.assembly.connections["window-seen"].limits
    )(objects=1, bytes=0)
    flow.emit("source", *range(5, 100, 10)).settle()
    flow.emit("source", 95, 99).settle()
    found = flow.windows()
    while flow.settle() and flow.count("window-seen"):
        found += flow.windows()
    assert flow.count("window-late") == 0
    assert found[0] == [5]


def test_a_roll_back():
    flow = ByHand(one_window(TumblingWindow, Pass, size="10 ms"))
    flow.emit("source", 1, 2)
    node = flow.assembly.nodes["step0"]
    from flowengine.session import ProcessSession

    session = ProcessSession(node, flow.assembly.core)
    session.get_batch()
    flow.emit("source", 500)
    assert flow.watermark() == 0.999
    session.rollback()
    assert flow.watermark() == 0.999
    assert passed(flow.settle()) == [[1, 2], [500]]


@pytest.mark.parametrize("cls", [TumblingWindow, SessionWindow])
def test_a_window_above_a_window(cls):
    made = one_window(cls, **({"size": "10 ms"} if cls is TumblingWindow else {"gap": "10 ms"}))
    made.add("second", TumblingWindow, ENDS, size="10 ms")  # by the time of what came out
    made.connect("window", "window", "second", id="to-second")
    made.add("end", Sink)
    made.connect("second", "window", "end", id="to-end")
    flow = ByHand(made)
    for time in range(1, 400, 7 if cls is TumblingWindow else 25):
        flow.emit("source", time, progress=time).settle()
    late = flow.assembly.core.counters.get("records_late_total.second", 0)
    assert late == 0
    assert flow.count("to-end") > 0


def test_a_processor_that_is_not_ready():
    class NotReady(Pass):
        ready = False

        def on_trigger(self, context, session):
            if not type(self).ready:
                raise YieldError("the world is not ready")
            super().on_trigger(context, session)

    flow = ByHand(one_window(TumblingWindow, NotReady, size="10 ms"))
    flow.emit("source", 1)
    with pytest.raises(YieldError):
        flow.trigger("step0")
    flow.emit("source", 500)
    assert flow.watermark() == 0.999
