"""The engine: start, completion, restart, stop, services and deploys (E18, E19, E28)."""

import asyncio
from contextlib import asynccontextmanager
from typing import Annotated, Any

import pytest

from flowengine.clock import FakeClock
from flowengine.definition.builder import Flow
from flowengine.engine import Engine, Removed
from flowengine.errors import DefinitionError, EnvironmentFault, YieldError
from flowengine.processor import ControllerService, Processor, ProcessorProperties, Service
from flowengine.repository import SqliteRepository
from tests.processors_for_tests import (
    SECOND,
    Gate,
    Numbers,
    Pass,
    Remove,
    chain,
    collector,
    elapse,
    elapse_until,
    ended,
    numbers,
    processor,
    running,
    settled,
)


async def completed(flow, repository=None, **options) -> Engine:
    """Run a flow to its end."""
    engine = Engine(flow, repository, clock=FakeClock(), **options)
    async with engine.opened():
        await ended(engine)
    return engine


# -- completion --------------------------------------------------------------------------------


async def test_until_complete_ends_when_nothing_is_left_and_the_ledger_balances():
    sink, got = collector()
    engine = await completed(chain((Numbers, {}, {"count": 1000}), Pass, sink))
    assert engine.completed
    assert len(got) == 1000
    ledger = engine.assembly.core.ledger
    assert ledger.line(0) == "1000 in = 1000 out + 0 failed + 0 expired + 0 dropped + 0 queued"


async def test_until_complete_waits_for_what_is_penalized():
    seen = []

    def trigger(context, session):
        for flowfile in session.get_batch():
            seen.append(context.clock.monotonic())
            session.keep(session.penalize(flowfile)) if len(seen) == 1 else session.remove(flowfile)

    await completed(chain((Numbers, {}, {"count": 1}), processor(trigger, relationships=())))
    assert seen[1] - seen[0] == 30 * SECOND


async def test_a_flow_without_sources_is_complete_when_its_queues_are_empty(tmp_path):
    sink, got = collector()
    flow = chain((Numbers, {}, {"count": 5}), sink)
    async with running(flow, SqliteRepository(tmp_path), stopped=("p1",)):
        pass
    engine = Engine(flow, SqliteRepository(tmp_path), clock=FakeClock(), stopped=("p0",))
    async with engine.opened():
        engine.assembly.nodes["p0"].completed = True
        await ended(engine)
    assert len(got) == 5


async def test_a_completed_run_starts_anew_and_an_interrupted_one_goes_on(tmp_path):
    sink, got = collector()
    flow = chain((Numbers, {}, {"count": 20}), sink)
    for _ in range(2):
        await completed(flow, SqliteRepository(tmp_path))
    assert numbers(got) == [*range(20), *range(20)]
    got.clear()
    async with running(flow, SqliteRepository(tmp_path), stopped=("p1",)) as engine:
        assert engine.assembly.queued == 20
    await completed(flow, SqliteRepository(tmp_path))
    assert numbers(got) == list(range(20))


async def test_a_disabled_source_does_not_keep_a_run_from_being_complete(tmp_path):
    sink, got = collector()
    flow = Flow("disabled")
    flow.add("source", Numbers, count=4)
    flow.add("off", processor(lambda c, s: None, source=True), {"disabled": True})
    flow.add("sink", sink)
    flow.connect("source", "success", "sink").connect("off", "success", "sink")
    for _ in range(2):
        await completed(flow.load(), SqliteRepository(tmp_path))
    assert numbers(got) == [0, 1, 2, 3] * 2


async def test_a_run_that_waits_for_a_timer_is_not_complete():
    def trigger(context, session):
        session.remove(session.get_batch())
        session.set_clock_timer(None if context.clock.monotonic() else context.clock.wall() + 5)

    flow = chain((Numbers, {}, {"count": 1}), processor(trigger, relationships=()))
    async with running(flow) as engine:
        assert engine.assembly.queued == 0
        assert not engine.completed
        await elapse(engine, SECOND)
        assert engine.completed


# -- single processors -------------------------------------------------------------------------


async def test_processors_start_and_stop_one_by_one():
    sink, got = collector()
    flow = chain((Numbers, {}, {"count": 1000, "batch": 10}), Pass, sink)
    async with running(flow, stopped=("p1",)) as engine:
        assert (engine.node("p1").status, engine.assembly.queued) == ("stopped", 1000)
        engine.start("p1")
        await settled(engine)
        assert (engine.node("p1").status, len(got)) == ("running", 1000)
        engine.stop("p1")
        engine.stop("p1")
        await settled(engine)
        assert engine.node("p1").status == "stopped"


async def test_stop_and_start_in_one_breath_restarts():
    opened = []

    class Opens(Processor):
        success = Pass.success

        @asynccontextmanager
        async def on_scheduled(self, context):
            opened.append("open")
            yield
            opened.append("close")

        def on_trigger(self, context, session):
            session.remove(session.get_batch())

    async with running(chain(Numbers, (Opens, {"auto_terminate": ["success"]}, {}))) as engine:
        engine.stop("p1")
        engine.start("p1")
        await settled(engine)
        assert opened == ["open", "close", "open"]
        assert engine.node("p1").running


@pytest.mark.parametrize("triggers", [1, 3])
async def test_run_once_triggers_as_often_as_asked(triggers):
    step: Any = (Numbers, {}, {"count": 100, "batch": 5})
    async with running(chain(step, Remove), stopped=("p0", "p1")) as engine:
        engine.start("p0", triggers=triggers)
        await settled(engine)
        assert engine.assembly.queued == 5 * triggers
        assert engine.node("p0").status == "stopped"
        engine.start("p0")
        await settled(engine)
        assert engine.assembly.queued == 100


async def test_run_once_with_many_tasks_is_still_once():
    inside = []

    async def work(context, session):
        inside.append(len(session.get_batch(1)))
        session.remove(session.work.polled)

    step: Any = (processor(work, relationships=()), {"scheduling": {"concurrent_tasks": 4}}, {})
    async with running(chain(Numbers, step), stopped=("p1",)) as engine:
        engine.start("p1", triggers=1)
        await settled(engine)
    assert inside == [1]


async def test_run_once_does_not_wait_for_cron_and_stop_takes_it_back():
    step: Any = (Pass, {"scheduling": {"cron": "0 0 1 1 *"}, "auto_terminate": ["success"]}, {})
    async with running(chain(Numbers, step), stopped=("p0", "p1")) as engine:
        engine.start("p1", triggers=1)
        await settled(engine)
        engine.stop("p1")
        await settled(engine)
        assert engine.node("p1").triggers_left is None
        engine.start("p0")
        engine.start("p1", triggers=1)
        await settled(engine)
        assert engine.assembly.queued == 0


@pytest.mark.parametrize(("triggers", "status"), [(None, "completed"), (1, "stopped")])
async def test_a_completed_source_that_is_started_looks_again(triggers, status):
    def trigger(context, session):
        session.transfer(session.create(b"one"), "success")
        context.complete()

    async with running(chain(processor(trigger, source=True), Remove), stopped=("p1",)) as engine:
        assert (engine.node("p0").status, engine.assembly.queued) == ("completed", 1)
        engine.start("p0", triggers=triggers)
        await settled(engine)
        assert (engine.node("p0").status, engine.assembly.queued) == (status, 2)


async def test_what_cannot_be_started_says_why():
    later: Any = (Numbers, {"scheduling": {"cron": "0 0 1 1 *"}}, {})
    flow = chain(later, (Pass, {"disabled": True, "auto_terminate": ["success"]}, {}))
    async with running(flow) as engine:
        for name, message in [
            ("p1", "processor 'p1' must be enabled to start; got disabled"),
            ("p9", "flow 'test' must have the processor; got 'p9'"),
        ]:
            with pytest.raises(DefinitionError) as caught:
                engine.start(name)
            assert str(caught.value) == message
        with pytest.raises(DefinitionError) as caught:
            engine.start("p0", triggers=1)
        assert str(caught.value) == "processor 'p0' must be stopped to run once; got running"
        assert engine.node("p1").status == "disabled"


# -- opening -----------------------------------------------------------------------------------


def opening(*errors):
    """A sink whose ``on_scheduled`` fails once with each of the errors."""
    left = list(errors)

    class Opens(Processor):
        @asynccontextmanager
        async def on_scheduled(self, context):
            if left:
                raise left.pop(0)
            yield

        def on_trigger(self, context, session):
            session.remove(session.get_batch())

    return Opens


async def test_opening_that_fails_is_tried_again_and_stops_no_other():
    cls = opening(EnvironmentFault("broker is away"), KeyError("a bug"))
    async with running(chain(Numbers, cls)) as engine:
        assert engine.board.list("p1")[0].message == "broker is away"
        assert engine.assembly.queued == 10
        await elapse(engine, SECOND)
        assert engine.board.list("p1")[1].message.startswith(
            "processor 'p1' (Opens) must not raise; got KeyError: 'a bug'\nTraceback"
        )
        await elapse(engine, SECOND)
        assert engine.assembly.queued == 0


class Link(ControllerService):
    """Fails as often as the test wants."""

    failures: list = []
    log: list = []

    @asynccontextmanager
    async def on_enabled(self, context):
        if self.failures:
            raise self.failures.pop(0)
        self.log.append("enabled")
        yield
        self.log.append("disabled")


class UsesLink(Processor):
    class Properties(ProcessorProperties):
        link: Annotated[str, Service("Link")]

    @asynccontextmanager
    async def on_scheduled(self, context):
        Link.log.append(f"opened with {type(context.service(self.properties.link)).__name__}")
        yield
        Link.log.append("closed")

    def on_trigger(self, context, session):
        session.remove(session.get_batch())


def linked():
    Link.log.clear()
    flow = Flow("linked")
    flow.service("link", Link)
    flow.add("source", Numbers)
    flow.add("uses", UsesLink, link="link")
    return flow.connect("source", "success", "uses").load()


async def test_a_service_opens_before_its_processors_and_closes_after_them():
    async with running(linked()) as engine:
        assert engine.assembly.queued == 0
    assert Link.log == ["enabled", "opened with Link", "closed", "disabled"]


async def test_a_service_that_fails_is_tried_again_while_the_flow_goes_on():
    Link.failures[:] = [EnvironmentFault("no route"), OSError("refused")]
    async with running(linked()) as engine:
        assert engine.service_problems == {"link": "no route"}
        assert engine.assembly.queued == 10
        await elapse(engine, 2 * SECOND)
        assert not engine.stopping
        assert engine.service_problems["link"].startswith(
            "service 'link' (Link) must not raise; got OSError: refused"
        )
        await elapse(engine, 2 * SECOND)
        assert (engine.service_problems, engine.assembly.queued) == ({}, 0)


async def test_a_stop_does_not_wait_for_a_service_that_never_comes():
    Link.failures[:] = [EnvironmentFault("no route")] * 1000
    async with running(linked()) as engine:
        pass
    assert engine.board.list("uses") == []
    assert Link.log == []
    Link.failures.clear()


# -- stopping ----------------------------------------------------------------------------------


async def stopped(engine: Engine, run: asyncio.Task, times: int = 1) -> int:
    """Stop, and the seconds of virtual time it took."""
    before = engine.clock.monotonic()
    for _ in range(times):
        engine.request_stop()
    await settled(engine)
    await elapse_until(engine, run.done)
    return (engine.clock.monotonic() - before) // SECOND


async def test_a_stop_halts_sources_first_and_lets_the_rest_drain():
    sink, got = collector()

    async def slow(context, session):
        session.transfer(session.get_batch(10), "success")
        event = asyncio.Event()
        await context.clock.wait(event, SECOND)

    flow = chain(
        (Numbers, {}, {"count": 10_000, "batch": 10}),
        processor(slow),
        sink,
        back_pressure={"objects": 30},
    )
    engine = Engine(flow, clock=FakeClock())
    async with engine.opened(), asyncio.TaskGroup() as group:
        run = group.create_task(engine.run(drain_timeout=60 * SECOND))
        await settled(engine)
        assert await stopped(engine, run) < 10
    assert engine.assembly.queued == 0
    assert numbers(got) == list(range(len(got)))
    assert 0 < len(got) < 100


async def test_a_drain_has_a_deadline_and_loses_nothing(tmp_path):
    def never(context, session):
        raise YieldError("not ready")

    flow = chain(Numbers, processor(never, relationships=()))
    engine = Engine(flow, SqliteRepository(tmp_path), clock=FakeClock())
    async with engine.opened(), asyncio.TaskGroup() as group:
        run = group.create_task(engine.run(drain_timeout=7 * SECOND))
        await settled(engine)
        assert await stopped(engine, run) >= 7  # what the last cut takes is real time
    async with running(flow, SqliteRepository(tmp_path), stopped=("p0",)) as again:
        assert again.assembly.queued == 10


async def test_a_second_stop_cancels_what_runs_and_rolls_it_back(tmp_path):
    async def hangs(context, session):
        session.remove(session.get_batch())
        await asyncio.Event().wait()

    flow = chain(Numbers, processor(hangs, relationships=()))
    engine = Engine(flow, SqliteRepository(tmp_path), clock=FakeClock())
    async with engine.opened(), asyncio.TaskGroup() as group:
        run = group.create_task(engine.run(drain_timeout=3600 * SECOND))
        await settled(engine)
        assert engine.assembly.connections["p0-p1"].in_flight == 10
        assert await stopped(engine, run, times=2) <= 1
        assert engine.assembly.connections["p0-p1"].in_flight == 0
        assert engine.assembly.queued == 10


async def test_a_thread_that_outlives_its_stop_takes_nothing_any_more():
    gate, seen = Gate(), []

    def work(context, session):
        seen.append(len(session.get_batch(2)))
        gate.wait()
        seen.append(len(session.get_batch(5)))

    flow = chain(Numbers, processor(work, relationships=(), blocking=True))
    engine = Engine(flow, clock=FakeClock())
    async with engine.opened(), asyncio.TaskGroup() as group:
        run = group.create_task(engine.run(drain_timeout=0))
        await asyncio.to_thread(gate.entered.wait, 30)
        engine.request_stop()
        engine.request_stop()
        await run
        gate.release.set()
        queue = engine.assembly.connections["p0-p1"]
        assert (queue.count, queue.in_flight) == (10, 0)
    engine._threads.shutdown(wait=True)
    assert seen == [2, 0]


# -- a different definition (E18) --------------------------------------------------------------


def renamed(sink):
    flow = Flow("test")
    flow.add("p0", Numbers)
    flow.add("other", sink)
    return flow.connect("p0", "success", "other").load()


async def test_a_removed_connection_that_holds_flowfiles_needs_a_choice(tmp_path):
    sink, got = collector()
    old = chain(Numbers, sink)
    async with running(old, SqliteRepository(tmp_path), stopped=("p1",)):
        pass
    with pytest.raises(DefinitionError) as caught:
        await completed(renamed(sink), SqliteRepository(tmp_path))
    assert str(caught.value) == (
        "flow 'test' must keep the connections that hold FlowFiles; got a definition without "
        "p0-p1 (10). Choose --drain-removed to let the old definition finish them first, or "
        "--drop-removed to throw them away"
    )
    async with running(old, SqliteRepository(tmp_path)) as engine:
        assert (len(got), engine.assembly.queued) == (10, 0)


async def test_dropped_ones_are_counted_in_the_ledger_of_the_next_cut(tmp_path):
    old = chain(Numbers, Remove)
    async with running(old, SqliteRepository(tmp_path), stopped=("p1",)):
        pass
    sink, _ = collector()
    options: Any = {"removed": Removed.DROP, "stopped": ("p0",)}
    for count in (10, 10):
        async with running(renamed(sink), SqliteRepository(tmp_path), **options) as engine:
            assert engine.assembly.core.ledger.totals["dropped"] == count
            assert engine.assembly.core.ledger.balance(engine.assembly.queued) == 0


async def test_emptying_a_queue_counts_and_frees_the_one_above():
    flow = chain((Numbers, {}, {"count": 100, "batch": 10}), Remove, back_pressure={"objects": 20})
    async with running(flow, stopped=("p1",)) as engine:
        assert engine.assembly.empty(engine.assembly.connections["p0-p1"]) == 20
        await settled(engine)
        assert engine.assembly.queued == 20
        assert engine.assembly.core.ledger.balance(20) == 0


async def test_a_bug_of_the_engine_gives_the_directory_back(tmp_path):
    flow = chain(Numbers, Remove)
    engine = Engine(flow, SqliteRepository(tmp_path), clock=FakeClock())
    with pytest.raises(RuntimeError, match="bug"):
        async with engine.opened():
            raise RuntimeError("bug")
    await completed(flow, SqliteRepository(tmp_path))


class Panes(Processor):
    """Keeps what comes until a time that never is, as a window does."""

    event_time = True

    def on_trigger(self, context, session):
        session.state["kept"] = len(session.get_batch())
        session.remove(session.work.polled)
        session.set_clock_timer(session.now + 1000 * SECOND)


def open_windows(window="window", source="p0"):
    flow = Flow("test")
    flow.add(source, Numbers, count=1000)
    flow.add(window, Panes)
    return flow.connect(source, "success", window).load()


async def half_run(tmp_path):
    async with running(open_windows(), SqliteRepository(tmp_path)) as engine:
        assert engine.node("window").waits_for_time


async def test_renamed_sources_and_windows_are_listed_and_need_a_choice(tmp_path):
    await half_run(tmp_path)
    new = open_windows("panes", "numbers")
    with pytest.raises(DefinitionError) as caught:
        await completed(new, SqliteRepository(tmp_path))
    assert str(caught.value) == (
        "flow 'test' must keep the processors whose state it needs; got a definition in which "
        "'p0' is 'numbers' now, without its position, 'window' is 'panes' now, without its open "
        "windows. Take the old ids back, or choose to drop what is lost: --drop-removed"
    )
    async with running(new, SqliteRepository(tmp_path), removed=Removed.DROP) as engine:
        assert engine.node("panes").state["kept"] > 0
    async with running(new, SqliteRepository(tmp_path)) as engine:
        assert engine.assembly.repository.open_state("window") == {}


async def test_what_only_looks_different_needs_no_choice(tmp_path):
    await half_run(tmp_path)
    flow = Flow("test")
    flow.add("p0", Numbers, {"comments": "the same"}, count=1000)
    flow.add("window", Panes)
    flow.add("more", Remove)
    flow.connect("p0", "success", "window").connect("p0", "success", "more")
    async with running(flow.load(), SqliteRepository(tmp_path)) as engine:
        assert engine.node("window").waits_for_time
