"""The scheduler: three tiers of errors, and who is to blame (design §4, E5)."""

import asyncio

import pytest

from flowengine.definition.builder import Flow
from flowengine.errors import EnvironmentFault, RetryableError, YieldError
from tests.processors_for_tests import (
    SECOND,
    Numbers,
    Remove,
    chain,
    collector,
    counted,
    elapse,
    numbers,
    processor,
    running,
    settled,
)


def failing(error, until):
    """Fails until a time, then removes."""

    def trigger(context, session):
        flowfiles = session.get_batch()
        if context.clock.monotonic() < until * SECOND:
            raise error
        session.remove(flowfiles)

    return counted(trigger, relationships=())


async def test_a_retryable_error_penalizes_what_was_taken():
    cls, triggers = failing(RetryableError("busy"), 20)
    async with running(chain((Numbers, {}, {"count": 5}), cls)) as engine:
        queue = engine.assembly.connections["p0-p1"]
        assert [f.attempts for f in queue.peek(9)] == [1] * 5
        assert engine.board.list("p1")[0].message == "busy"
        for _ in range(31):
            await elapse(engine, SECOND)
        assert queue.count == 0
    assert triggers == [0, 30]


async def test_a_retryable_error_of_a_source_does_not_spin():
    def trigger(context, session):
        raise RetryableError("busy")

    cls, triggers = counted(trigger, source=True)
    async with running(chain(cls, Remove)) as engine:
        for _ in range(5):
            await elapse(engine, SECOND)
    assert triggers == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("error", "waits"),
    [(YieldError("later"), 1), (YieldError("later", 3 * SECOND), 3), (EnvironmentFault("gone"), 1)],
)
async def test_a_yield_error_keeps_the_queue_as_it_is_and_waits(error, waits):
    cls, triggers = failing(error, 7)
    async with running(chain((Numbers, {}, {"count": 5}), cls)) as engine:
        before = engine.assembly.connections["p0-p1"].peek(9)
        assert [f.attempts for f in before] == [0] * 5
        for _ in range(10):
            await elapse(engine, SECOND)
        assert engine.assembly.queued == 0
    assert triggers[:3] == [0, waits, 2 * waits]


def poisoned(bad, relationships=("success",)):
    """Raises when a bad number is in the batch."""

    def trigger(context, session):
        batch = session.get_batch()
        for flowfile in batch:
            if int(flowfile.attributes["number"]) in bad:
                raise ValueError(f"number {flowfile.attributes['number']}")
        session.transfer(batch, "success")

    return counted(trigger, relationships=relationships)


def poisoned_flow(cls, sink, count=1000):
    flow = Flow("poisoned")
    flow.add("source", Numbers, count=count, batch=count)
    flow.add("bad", cls)
    flow.add("sink", sink)
    flow.connect("source", "success", "bad").connect("bad", "success", "sink")
    return flow


@pytest.mark.parametrize("bad", [{0}, {130}, {999}, {3, 700}, {100, 101}])
async def test_halving_finds_exactly_the_culprits_and_the_rest_goes_on(bad):
    cls, triggers = poisoned(bad)
    sink, got = collector()
    async with running(poisoned_flow(cls, sink).load()) as engine:
        await elapse(engine, SECOND)
        left = numbers(engine.assembly.connections["source-bad"].peek(9))
        assert set(left) == bad
        message = engine.board.list("bad")[-1].message
    assert sorted(numbers(got)) == [n for n in range(1000) if n not in bad]
    assert len(triggers) <= len(bad) * 40, "logarithmic in the batch"
    assert f"must not raise; got ValueError: number {max(bad)}\nTraceback" in message


async def test_a_culprit_goes_to_failure_where_that_is_declared():
    cls, _ = poisoned({500}, relationships=("success", "failure"))
    sink, _ = collector()
    lost, failed = collector()
    flow = poisoned_flow(cls, sink)
    flow.add("lost", lost)
    async with running(flow.connect("bad", "failure", "lost").load()) as engine:
        await elapse(engine, SECOND)
        assert engine.assembly.queued == 0
    assert numbers(failed) == [500]
    assert failed[0].attributes["error.class"] == "ValueError"
    assert failed[0].attributes["error.message"] == "number 500"


async def test_a_culprit_taken_one_by_one_in_a_long_session_is_found_as_well():
    def trigger(context, session):
        while (flowfile := session.get()) is not None:
            if flowfile.attributes["number"] == "300":
                raise ValueError("here")
            session.transfer(flowfile, "success")

    cls, triggers = counted(trigger)
    sink, got = collector()
    async with running(poisoned_flow(cls, sink).load()) as engine:
        await elapse(engine, SECOND)
        assert numbers(engine.assembly.connections["source-bad"].peek(9)) == [300]
    assert len(got) == 999
    assert len(triggers) < 60


async def test_one_that_always_raises_ends_in_an_administrative_yield():
    cls, triggers = poisoned(set(range(1000)))
    sink, _ = collector()
    async with running(poisoned_flow(cls, sink).load()) as engine:
        for _ in range(100):
            await elapse(engine, SECOND)
    assert len(triggers) < 40


async def test_a_leak_is_isolated_like_any_other_error():
    def trigger(context, session):
        batch = session.get_batch()
        session.remove([f for f in batch if f.attributes["number"] != "7"])

    cls = processor(trigger, relationships=())
    async with running(chain((Numbers, {}, {"count": 300}), cls)) as engine:
        await elapse(engine, SECOND)
        assert numbers(engine.assembly.connections["p0-p1"].peek(9)) == [7]
        assert engine.board.list("p1")[-1].message.endswith(
            "once; got 1 left behind. The session was rolled back"
        )


async def test_the_right_one_is_blamed_when_another_task_has_given_back_before():
    first = asyncio.Event()

    async def work(context, session):
        flowfile = session.get()
        if flowfile is None:
            return
        if flowfile.attributes["number"] == "0":
            await first.wait()
            raise YieldError("later", 3600 * SECOND)
        await first.wait()
        await asyncio.sleep(0)
        raise ValueError("culprit")

    cls = processor(work, relationships=("failure",))
    sink, blamed = collector()
    flow = Flow("blame")
    flow.add("source", Numbers, count=2)
    flow.add("work", cls, {"scheduling": {"concurrent_tasks": 2}})
    flow.add("sink", sink)
    flow.connect("source", "success", "work").connect("work", "failure", "sink")
    async with running(flow.load()) as engine:
        first.set()
        await settled(engine)
    assert numbers(blamed) == [1]
