"""A running flow takes another definition: only what changed starts anew (E18)."""

import asyncio
from contextlib import asynccontextmanager, suppress
from itertools import pairwise

import pytest

from flowengine.definition.builder import Flow
from flowengine.errors import EnvironmentFault
from flowengine.processor import Processor, ProcessorProperties, Relationship
from flowengine.redeploy import Choice, NeedsRestart, QueuesRemain, difference, redeploy
from flowengine.repository import SqliteRepository
from tests.processors_for_tests import (
    Numbers,
    Pass,
    Remove,
    chain,
    collector,
    elapse_until,
    numbers,
    processor,
    running,
    settled,
)

STARTS: list[str] = []


class Tags(Processor):
    """Adds a tag; notes each of its starts."""

    success = Relationship("All.")

    class Properties(ProcessorProperties):
        tag: str = "a"

    @asynccontextmanager
    async def on_scheduled(self, context):
        STARTS.append(context.id)
        yield

    def on_trigger(self, context, session):
        seen = session.state.get("seen", 0)
        for flowfile in session.get_batch():
            seen += 1
            changed = session.put_attributes(flowfile, {"tag": self.properties.tag})
            session.transfer(changed, self.success)
        session.state["seen"] = seen


@pytest.fixture(autouse=True)
def _no_starts():
    STARTS.clear()


def tagging(sink=Remove, *, first="a", second="a", middle=(), settings=None, **limits):
    """numbers → one → (middle …) → two → sink; ``settings`` are those of ``two``"""
    flow = Flow("test")
    names = ["numbers", "one", *middle, "two", "sink"]
    flow.add("numbers", Numbers)
    flow.add("one", Tags, tag=first)
    for name in middle:
        flow.add(name, Pass)
    flow.add("two", Tags, settings or {}, tag=second)
    flow.add("sink", sink)
    for source, destination in pairwise(names):
        flow.connect(source, "success", destination, **limits)
    return flow.load()


# -- what restarts -----------------------------------------------------------------------------


async def test_only_the_changed_processor_starts_anew_and_keeps_its_state():
    sink, got = collector()
    async with running(tagging(sink)) as engine:
        assert sorted(STARTS) == ["one", "two"]
        STARTS.clear()
        kept, figures = engine.node("one"), engine.node("two").statistics
        assert await redeploy(engine, tagging(sink, second="b")) == ["two"]
        await settled(engine)
        assert STARTS == ["two"]
        assert engine.node("one") is kept
        assert engine.node("two").statistics is figures
        assert engine.node("two").state["seen"] == 10
        engine.node("numbers").state["done"] = 0
        engine.start("numbers")
        await settled(engine)
        assert [f.attributes["tag"] for f in got] == ["a"] * 10 + ["b"] * 10


async def test_a_comment_starts_nothing_and_shows():
    async with running(tagging()) as engine:
        STARTS.clear()
        assert await redeploy(engine, tagging(settings={"comments": "second"})) == []
        assert STARTS == []
        assert engine.node("two").flat.comments == "second"


async def test_a_processor_is_put_between_two_while_queues_keep_what_they_hold():
    sink, got = collector()
    async with running(tagging(sink), stopped=("one", "sink")) as engine:
        assert engine.assembly.connections["numbers-one"].count == 10
        assert await redeploy(engine, tagging(sink, middle=["new"])) == ["new"]
        engine.start("one")
        engine.start("sink")
        await settled(engine)
        assert numbers(got) == list(range(10))
        assert engine.node("new").statistics.ever(0).flowfiles_in == 10


async def test_limits_of_a_queue_change_in_place():
    async with running(tagging(), stopped=("one",)) as engine:
        queue = engine.assembly.connections["numbers-one"]
        assert not queue.full
        assert await redeploy(engine, tagging(back_pressure={"objects": 10})) == []
        assert engine.assembly.connections["numbers-one"] is queue
        assert queue.full


async def test_what_somebody_stopped_stays_stopped_when_it_is_changed():
    async with running(tagging()) as engine:
        engine.stop("two")
        await settled(engine)
        await redeploy(engine, tagging(second="b"))
        await settled(engine)
        assert engine.node("two").status == "stopped"
        assert engine.node("one").status == "running"


async def test_a_disabled_processor_stops_and_an_enabled_one_starts():
    async with running(tagging()) as engine:
        await redeploy(engine, tagging(settings={"disabled": True}))
        await settled(engine)
        assert engine.node("two").status == "disabled"
        await redeploy(engine, tagging())
        await settled(engine)
        assert engine.node("two").status == "running"


# -- queues that go ----------------------------------------------------------------------------


async def test_a_queue_with_flowfiles_needs_a_choice_and_the_old_flow_runs_on():
    sink, got = collector()
    async with running(tagging(sink, middle=["old"]), stopped=("old",)) as engine:
        with pytest.raises(QueuesRemain) as refused:
            await redeploy(engine, tagging(sink))
        assert refused.value.held == {"one-old": 10}
        assert str(refused.value) == (
            "flow 'test' must keep the connections that hold FlowFiles; got a definition without "
            "one-old (10). Choose to drain or to drop them"
        )
        engine.start("old")
        await settled(engine)
        assert len(got) == 10


async def test_drop_counts_what_it_throws_away():
    async with running(tagging(middle=["old"]), stopped=("old",)) as engine:
        await redeploy(engine, tagging(), Choice.DROP)
        assert "old" not in engine.assembly.nodes
        assert sorted(engine.assembly.connections) == ["numbers-one", "one-two", "two-sink"]
        assert engine.assembly.core.ledger.totals["dropped"] == 10


async def test_drain_lets_the_removed_processors_empty_their_queues_first():
    sink, got = collector()
    go = asyncio.Event()

    async def wait(context, session):
        flowfiles = session.get_batch(1)
        await go.wait()
        session.transfer(flowfiles, "success")

    slow = processor(wait, name="Slow")
    async with running(_with(slow, sink)) as engine, asyncio.TaskGroup() as group:
        assert not got
        deploy = group.create_task(redeploy(engine, tagging(sink), Choice.DRAIN))
        await settled(engine)
        assert not deploy.done()
        go.set()
        await elapse_until(engine, deploy.done)
        assert numbers(got) == list(range(10))
        assert "slow" not in engine.assembly.nodes


def _with(slow, sink):
    """As ``tagging``, with a processor more between the two."""
    flow = Flow("test")
    flow.add("numbers", Numbers)
    flow.add("one", Tags, tag="a")
    flow.add("slow", slow)
    flow.add("two", Tags, tag="a")
    flow.add("sink", sink)
    names = ["numbers", "one", "slow", "two", "sink"]
    for source, destination in pairwise(names):
        flow.connect(source, "success", destination)
    return flow.load()


# -- what cannot be done in place --------------------------------------------------------------


async def test_other_prioritizers_and_other_types_need_a_start():
    other = processor(lambda context, session: None, relationships=(), name="Other")
    async with running(tagging()) as engine:
        with pytest.raises(NeedsRestart, match="'numbers-one' has other prioritizers"):
            await redeploy(engine, tagging(prioritizers=["newest first"]))
        with pytest.raises(NeedsRestart, match="processor 'sink' is of another type"):
            await redeploy(engine, tagging(other))
        assert engine.node("sink").status == "running"


async def test_a_trigger_that_does_not_end_refuses_the_deploy_and_the_old_flow_runs_on():
    go = asyncio.Event()

    class Stubborn(Tags):
        async def on_trigger(self, context, session):
            while not go.is_set():
                with suppress(asyncio.CancelledError):
                    await go.wait()
            session.transfer(session.get_batch(), self.success)

    flow, changed = (chain(Numbers, (Stubborn, {}, {"tag": tag}), Remove) for tag in "ab")
    async with running(flow) as engine, asyncio.TaskGroup() as group:
        deploy = group.create_task(_refused(engine, changed))
        await elapse_until(engine, deploy.done)
        assert deploy.result() == (
            "processor 'p1' (Stubborn) must end what it does to be deployed anew; got no end in "
            "30 s. Terminate it, or try again"
        )
        assert engine.flow is flow
        go.set()
        await elapse_until(engine, lambda: engine.node("p1").status == "running")


async def _refused(engine, flow):
    with pytest.raises(EnvironmentFault) as refused:
        await redeploy(engine, flow)
    return str(refused.value)


# -- after a crash -----------------------------------------------------------------------------


async def test_the_new_definition_is_on_disk_when_a_deploy_returns(tmp_path):
    new = tagging(second="b")
    repository = SqliteRepository(tmp_path)
    async with running(tagging(), repository) as engine:
        await redeploy(engine, new)
        stored = repository._reader.meta()["definition"]
        assert stored == new.text


def test_the_difference_names_what_a_deploy_touches():
    old, new = tagging(middle=["old"]), tagging(first="b", middle=["new"])
    found = difference(old, new)
    assert (found.added, found.removed, found.changed) == ({"new"}, {"old"}, {"one"})
    assert found.connections == {"one-old", "old-two"}


async def test_open_windows_and_positions_are_not_lost_without_a_choice():
    class Panes(Remove):
        event_time = True

        def on_trigger(self, context, session):
            super().on_trigger(context, session)
            session.set_clock_timer(session.now + 10**9)

    def windowed(window, source):
        flow = Flow("test")
        flow.add(source, Numbers)
        flow.add(window, Panes)
        return flow.connect(source, "success", window).load()

    async with running(windowed("old", "numbers")) as engine:
        with pytest.raises(QueuesRemain) as refused:
            await redeploy(engine, windowed("new", "counts"))
        assert str(refused.value) == (
            "flow 'test' must keep the processors whose state it needs; got a definition in which "
            "'numbers' is 'counts' now, without its position, 'old' is 'new' now, without its open "
            "windows. Take the old ids back, or choose to drop what is lost"
        )
        await redeploy(engine, windowed("new", "counts"), Choice.DROP)
        assert sorted(engine.assembly.nodes) == ["counts", "new"]
