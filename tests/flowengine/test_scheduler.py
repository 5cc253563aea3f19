"""The scheduler: who is next, what wakes it, and three tiers of errors (design §4, E3, E5, E25)."""

import asyncio
import math
import threading
from contextlib import asynccontextmanager
from typing import Any

import pytest

from flowengine.clock import FakeClock
from flowengine.content import INLINE_LIMIT
from flowengine.definition.builder import Flow
from flowengine.engine import Engine
from flowengine.errors import YieldError
from tests.processors_for_tests import (
    SECOND,
    Gate,
    Numbers,
    Pass,
    Remove,
    chain,
    collector,
    counted,
    elapse,
    ended,
    numbers,
    one_each,
    processor,
    running,
    settled,
    take_all,
)


class FakeTime:
    """Stands for the time module: processors say how long they take."""

    def __init__(self) -> None:
        self.now = 0

    def perf_counter_ns(self) -> int:
        return self.now


@pytest.fixture
def cpu(monkeypatch):
    fake = FakeTime()
    monkeypatch.setattr("flowengine.scheduler.time", fake)
    return fake


# -- who is next -------------------------------------------------------------------------------


async def test_a_light_branch_is_served_as_much_time_as_a_heavy_one(cpu):
    spent = {"light": 0, "heavy": 0}

    def working(name, nanoseconds):
        def trigger(context, session):
            cpu.now += nanoseconds
            spent[name] += nanoseconds
            session.transfer(session.create(b"x"), "success")
            if sum(spent.values()) > 2_000_000_000:
                context.complete()

        return processor(trigger, source=True)

    flow = Flow("fair")
    for name, cost in (("light", 100_000), ("heavy", 5_000_000)):
        flow.add(name, working(name, cost), {"auto_terminate": ["success"]})
    async with running(flow.load()) as engine:
        await settled(engine)
    assert math.isclose(spent["light"], spent["heavy"], rel_tol=0.05)


async def test_one_that_slept_may_not_catch_up(cpu):
    turns = []

    def working(name):
        def trigger(context, session):
            cpu.now += 1_000_000
            turns.append(name)
            session.adjust_counter(name)
            session.transfer(session.create(b"x"), "success")
            if len(turns) >= 300:
                context.complete()

        return processor(trigger, source=True)

    flow = Flow("sleeper")
    for name in ("awake", "late"):
        flow.add(name, working(name), {"auto_terminate": ["success"]})
    async with running(flow.load(), stopped=("late",)) as engine:
        assert turns.count("late") == 0
        turns.clear()
        engine.start("late")
        engine.assembly.nodes["awake"].completed = False
        engine.assembly.scheduler.wake(engine.assembly.nodes["awake"])
        await settled(engine)
    assert abs(turns.count("late") - turns.count("awake")) < 10


async def test_a_batch_is_followed_downstream_before_the_next_is_made():
    seen = []

    def make(context, session):
        made = session.state.get("made", 0) + 1
        session.state["made"] = made
        session.transfer(session.create(b"x", {"number": str(made)}), "success")
        seen.append(("made", made))
        if made == 50:
            context.complete()

    def end(context, session):
        for flowfile in session.get_batch():
            seen.append(("end", int(flowfile.attributes["number"])))
            session.remove(flowfile)

    flow = chain(processor(make, source=True), Pass, processor(end, relationships=()))
    async with running(flow):
        pass
    assert [n for what, n in seen if what == "end"] == list(range(1, 51))
    depth = [abs(seen.index(("made", n)) - seen.index(("end", n))) for n in range(1, 51)]
    assert sorted(depth)[25] <= 2


# -- what wakes --------------------------------------------------------------------------------


async def test_nobody_is_looked_at_while_nothing_happens():
    cls, triggers = counted(take_all, relationships=())
    async with running(chain((Numbers, {}, {"count": 5}), Pass, cls)) as engine:
        before = len(triggers)
        tickets = engine.assembly.scheduler._ticket
        visits = next(tickets)
        await elapse(engine, 3600 * SECOND)
        assert (len(triggers), next(tickets)) == (before, visits + 1), "nobody was put in line"
        assert engine.assembly.scheduler._timers == []


async def test_a_yielding_processor_that_is_woken_again_and_again_has_one_timer():
    def give_up(context, session):
        session.get_batch()
        raise YieldError("not ready", duration=3600 * SECOND)

    async with running(chain_to(give_up, 5000)) as engine:
        assert len(engine.assembly.scheduler._timers) <= 2


def chain_to(trigger, count):
    sink = processor(trigger, relationships=())
    return chain((Numbers, {}, {"count": count, "batch": 1}), sink)


async def test_every_is_a_fixed_delay_between_triggers():
    cls, triggers = counted(one_each, source=True)
    step: Any = (cls, {"scheduling": {"every": "10 sec"}}, {})
    async with running(chain(step, Remove)) as engine:
        for _ in range(35):
            await elapse(engine, SECOND)
    assert triggers == [0, 10, 20, 30]


async def test_cron_waits_for_its_time_at_the_start_too():
    cls, triggers = counted(one_each, source=True)
    step: Any = (cls, {"scheduling": {"cron": "*/5 * * * *"}}, {})
    clock = FakeClock(wall=1_700_000_100 * SECOND)  # five minutes are 1_700_000_100 + 200 s later
    async with running(chain(step, Remove), clock=clock) as engine:
        start = clock.wall()
        for _ in range(12):
            await elapse(engine, 60 * SECOND)
    assert [(start / SECOND + t) % 300 for t in triggers] == [0] * len(triggers)
    assert len(triggers) in (2, 3)


async def test_once_is_one_trigger_and_completes_a_source():
    cls, triggers = counted(one_each, source=True)
    async with running(chain((cls, {"scheduling": {"once": True}}, {}), Remove)) as engine:
        await elapse(engine, 60 * SECOND)
        assert engine.assembly.nodes["p0"].completed
    assert triggers == [0]


async def test_once_is_not_done_by_failing():
    def trigger(context, session):
        if context.clock.monotonic() < 5 * SECOND:
            raise YieldError("the world is not ready")
        session.transfer(session.create(b"x"), "success")

    sink, got = collector()
    step: Any = (processor(trigger, source=True), {"scheduling": {"once": True}}, {})
    async with running(chain(step, sink)) as engine:
        for _ in range(20):
            await elapse(engine, SECOND)
    assert len(got) == 1


# -- back pressure -----------------------------------------------------------------------------


async def test_back_pressure_stops_the_one_above_and_room_resumes_it():
    sink, got = collector()
    flow = chain((Numbers, {}, {"count": 1000, "batch": 10}), sink, back_pressure={"objects": 50})
    async with running(flow, stopped=("p1",)) as engine:
        assert engine.assembly.queued == 50
        await elapse(engine, 3600 * SECOND)
        assert engine.assembly.queued == 50
        engine.start("p1")
        await settled(engine)
    assert numbers(got) == list(range(1000))


async def test_a_session_may_overshoot_once():
    flow = chain((Numbers, {}, {"count": 1000, "batch": 70}), Remove, back_pressure={"objects": 50})
    async with running(flow, stopped=("p1",)) as engine:
        assert engine.assembly.queued == 70


# -- async, threads, concurrent tasks (E3, E24, E25) -------------------------------------------


async def test_as_many_async_tasks_run_as_concurrent_tasks_says():
    inside, most, go = [], [], asyncio.Event()

    async def work(context, session):
        inside.append(1)
        most.append(len(inside))
        session.remove(session.get_batch(1))
        await go.wait()
        inside.pop()

    step: Any = (processor(work, relationships=()), {"scheduling": {"concurrent_tasks": 3}}, {})
    async with running(chain((Numbers, {}, {"count": 9}), step)) as engine:
        assert most == [1, 2, 3]
        assert engine.assembly.nodes["p1"].active == 3
        go.set()
        await settled(engine)
        assert (engine.assembly.queued, max(most)) == (0, 3)


async def test_a_blocking_processor_runs_on_a_thread_while_the_engine_goes_on():
    gate, threads, beside = Gate(), [], []

    def work(context, session):
        threads.append(threading.current_thread().name)
        session.remove(session.get_batch())
        gate.wait()

    def quick(context, session):
        beside.append(len(session.get_batch()))
        session.remove(session.work.polled)

    flow = Flow("beside")
    flow.add("source", Numbers, count=3)
    flow.add("slow", processor(work, relationships=(), blocking=True))
    flow.add("quick", processor(quick, relationships=()))
    flow.connect("source", "success", "slow").connect("source", "success", "quick")
    async with running_with_gate(flow.load(), gate) as engine:
        assert beside == [3]
        assert engine.assembly.nodes["slow"].active == 1
    assert threads[0].startswith("worker")


def running_with_gate(flow, gate):
    """As ``running``, but a thread is held until the block ends."""

    @asynccontextmanager
    async def opened():
        engine = Engine(flow, clock=FakeClock())
        async with engine.opened(), asyncio.TaskGroup() as group:
            run = group.create_task(engine.run())
            await asyncio.to_thread(gate.entered.wait, 30)
            for _ in range(200):
                await asyncio.sleep(0)
            try:
                yield engine
            finally:
                gate.release.set()
                await settled(engine)
                engine.request_stop()
                engine.request_stop()
                await run

    return opened()


async def test_a_session_on_a_thread_polls_and_commits_on_the_loop():
    polled, loop_thread = [], threading.current_thread()

    def work(context, session):
        assert threading.current_thread() is not loop_thread
        while (flowfile := session.get()) is not None:
            polled.append(flowfile)
            session.remove(flowfile)

    cls = processor(work, relationships=(), blocking=True)
    async with running(chain((Numbers, {}, {"count": 600}), cls)) as engine:
        queue = engine.assembly.connections["p0-p1"]
        assert queue.count == 0
    assert numbers(polled) == list(range(600))


async def test_one_that_holds_the_loop_moves_to_a_thread_and_a_bulletin_says_so(cpu):
    threads = []

    def work(context, session):
        threads.append(threading.current_thread().name)
        session.remove(session.get_batch(1))
        if len(threads) == 1:
            cpu.now += 300_000_000

    cls = processor(work, relationships=(), name="Slow")
    async with running(chain((Numbers, {}, {"count": 3}), cls)) as engine:
        [bulletin] = engine.board.list("p1")
    assert (threads[0], threads[1][:6], threads[2][:6]) == ("MainThread", "worker", "worker")
    assert bulletin.message == (
        "processor 'p1' (Slow) must give the engine back within 250 ms; got 300 ms. It runs on a "
        "thread from now on; declare `blocking = True`, or use smaller batches"
    )


async def test_content_in_files_moves_a_processor_to_a_thread():
    def large(context, session):
        session.transfer(session.create(b"x" * (INLINE_LIMIT + 1)), "success")
        context.complete()

    flow = chain(processor(large, source=True), Pass, Remove)
    async with running(flow) as engine:
        assert [node.blocking for node in engine.assembly.nodes.values()] == [True] * 3
        assert engine.assembly.queued == 0


async def test_it_ends_by_itself_when_all_is_done():
    sink, got = collector()
    engine = Engine(chain((Numbers, {}, {"count": 500}), Pass, sink), clock=FakeClock())
    async with engine.opened():
        await ended(engine)
    assert len(got) == 500


async def test_tasks_that_change_one_value_of_the_state_lose_no_update():
    async def count(context, session):
        taken = session.get_batch(1)
        seen = session.state.get("seen", 0)
        await asyncio.sleep(0)  # another task comes in between
        session.state["seen"] = seen + len(taken)
        session.remove(taken)

    step: Any = (
        processor(count, relationships=()),
        {"scheduling": {"concurrent_tasks": 4}},
        {},
    )
    async with running(chain((Numbers, {}, {"count": 50}), step)) as engine:
        await settled(engine)
        assert engine.assembly.queued == 0
        assert engine.node("p1").state["seen"] == 50
        assert engine.board.list() == []
