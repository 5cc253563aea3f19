"""Retry per relationship: the unit is one input's lineage (E6, E9; NiFi §1.3, scenarios 31, 32)."""

import pytest

from flowengine.definition.flat import Backoff, RetryPolicy
from flowengine.testing import ProcessorRunner
from tests.processors_for_tests import SECOND, processor


def route(context, session):
    """Where each goes is its attribute ``to``."""
    for flowfile in session.get_batch():
        session.transfer(flowfile.with_attributes({"tried": "yes"}), flowfile.attributes["to"])


Route = processor(route, relationships=("success", "failure"))
THRICE = RetryPolicy(3)


def penalties(runner: ProcessorRunner) -> list[int]:
    now = runner.clock.wall()
    return [(f.penalty_until - now) // SECOND for f in runner.queue.peek(100)]


def test_success_retried_twice_leaves_at_the_third_run_as_if_nothing_had_been():
    with ProcessorRunner(Route, retry={"success": RetryPolicy(2)}) as runner:
        runner.enqueue(b"x", to="success")
        for attempt in (1, 2):
            runner.run()
            [waiting] = runner.queue.peek(1)
            assert (waiting.attempts, "tried" in waiting.attributes) == (attempt, False)
            runner.clock.advance(600 * SECOND)
        runner.run()
        [got] = runner.transferred("success")
        assert (got.attempts, got.penalty_until, runner.queued) == (0, 0, 0)


def test_what_a_source_made_is_never_retried():
    def trigger(context, session):
        session.transfer(session.create(b"x"), "success")

    source = processor(trigger, source=True)
    with ProcessorRunner(source, retry={"success": RetryPolicy(5)}) as runner:
        runner.run()
        assert len(runner.transferred("success")) == 1


def test_the_wait_doubles_up_to_its_maximum():
    policy = RetryPolicy(5, maximum_us=100 * SECOND)
    with ProcessorRunner(Route, retry={"failure": policy}) as runner:
        runner.enqueue(b"x", to="failure")
        waits = []
        for _ in range(4):
            runner.run()
            waits += penalties(runner)
            runner.clock.advance(600 * SECOND)
        assert waits == [30, 60, 100, 100]


def test_the_neighbours_of_a_retried_flowfile_are_untouched():
    with ProcessorRunner(Route, retry={"failure": THRICE}) as runner:
        for number in range(256):
            runner.enqueue(b"x", to="failure" if number == 100 else "success", n=str(number))
        runner.run()
        assert [f.attributes["n"] for f in runner.queue.peek(9)] == ["100"]
        rest = [int(f.attributes["n"]) for f in runner.transferred("success")]
        assert rest == [n for n in range(256) if n != 100]
        assert runner.transferred("failure") == []


def split(context, session):
    """Two children; the second one's relationship is in the parent's attribute."""
    for parent in session.get_batch():
        first, second = (session.create(parent=parent) for _ in range(2))
        grandchild = session.clone(second)
        session.transfer(first, "success")
        session.transfer(grandchild, parent.attributes["to"])
        session.remove([parent, second])


def test_one_retried_child_takes_back_the_whole_split():
    cls = processor(split, relationships=("success", "failure"))
    with ProcessorRunner(cls, retry={"failure": THRICE}) as runner:
        runner.enqueue(b"bad", to="failure")
        runner.enqueue(b"good", to="success")
        runner.run()
        assert [f.content for f in runner.queue.peek(5)] == [b"bad"]
        assert len(runner.transferred("success")) == 2
        assert runner.core.ledger.totals["in"] == 3
        assert runner.core.ledger.totals["out"] == 2


def test_yield_as_back_off_keeps_the_order_and_stops_the_processor():
    policy = RetryPolicy(9, Backoff.YIELD)
    with ProcessorRunner(Route, retry={"failure": policy}) as runner:
        for number, to in enumerate(["failure", "success", "failure", "success"]):
            runner.enqueue(b"x", to=to, n=str(number))
        runner.run()
        assert [f.attributes["n"] for f in runner.queue.peek(9)] == ["0", "2"]
        assert penalties(runner) == [-runner.clock.wall() // SECOND] * 2
        runner.enqueue(b"x", to="success", n="4")
        runner.run()
        assert runner.queued == 3
        runner.clock.advance(SECOND)
        runner.run()
        assert [f.attempts for f in runner.queue.peek(9)] == [2, 2]


def test_penalize_as_back_off_lets_the_others_pass():
    with ProcessorRunner(Route, retry={"failure": THRICE}) as runner:
        runner.enqueue(b"x", to="failure")
        runner.run()
        runner.enqueue(b"x", to="success")
        runner.run()
        assert (len(runner.transferred("success")), runner.queued) == (1, 1)


@pytest.mark.parametrize(("count", "runs"), [(0, 1), (1, 2), (3, 4)])
def test_when_the_count_is_used_up_the_relationship_is_taken(count, runs):
    with ProcessorRunner(Route, retry={"failure": RetryPolicy(count)}) as runner:
        runner.enqueue(b"x", to="failure")
        for number in range(runs):
            assert runner.transferred("failure") == [], number
            runner.run()
            runner.clock.advance(600 * SECOND)
        assert len(runner.transferred("failure")) == 1


def test_without_a_count_it_is_tried_for_ever():
    with ProcessorRunner(Route, retry={"failure": RetryPolicy()}) as runner:
        runner.enqueue(b"x", to="failure")
        for _ in range(50):
            runner.run()
            runner.clock.advance(600 * SECOND)
        assert [f.attempts for f in runner.queue.peek(1)] == [50]


def test_a_retried_attempt_is_not_counted_as_taken_or_made():
    with ProcessorRunner(Route, retry={"failure": THRICE}) as runner:
        runner.enqueue(b"x", to="failure")
        runner.run()
        seen = runner.node.statistics.window(runner.clock.monotonic())
        assert (seen.flowfiles_in, seen.bytes_in, seen.flowfiles_out) == (0, 0, 0)
