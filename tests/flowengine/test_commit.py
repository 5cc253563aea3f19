"""Commit: all or nothing; what a processor forgets or doubles is its bug, and nothing is lost."""

from dataclasses import replace

import pytest

from flowengine.connection import Connection
from flowengine.content import INLINE_LIMIT
from flowengine.definition.flat import RetryPolicy
from flowengine.errors import ProcessorBug
from flowengine.testing import ProcessorRunner
from tests.processors_for_tests import processor

LARGE = b"x" * (INLINE_LIMIT + 1)
Fork = processor(lambda c, s: None, relationships=("success", "failure"), name="Made")


@pytest.fixture
def runner():
    with ProcessorRunner(Fork) as made:
        yield made


def refused(runner: ProcessorRunner, session) -> str:
    """The message, after checking that the queue is as before."""
    with pytest.raises(ProcessorBug) as caught:
        session.commit()
    session.rollback()
    assert runner.queue.in_flight == 0
    assert runner.queue.count == 2
    return str(caught.value)


def two(runner: ProcessorRunner):
    runner.enqueue(b"a")
    runner.enqueue(b"b")
    return runner.session()


RULE = (
    "processor 'processor' (Made) must transfer, keep or remove each FlowFile of a session once; "
)


def test_a_flowfile_left_behind_is_a_bug(runner):
    session = two(runner)
    session.remove(session.get_batch()[0])
    assert refused(runner, session) == f"{RULE}got 1 left behind. The session was rolled back"


def test_a_flowfile_handed_on_twice_is_a_bug(runner):
    session = two(runner)
    both = session.get_batch()
    session.transfer(both, "success")
    session.remove(both[0])
    assert refused(runner, session) == f"{RULE}got 1 handed on twice. The session was rolled back"


def test_one_that_was_made_and_forgotten_is_a_bug(runner):
    session = two(runner)
    session.create(b"forgotten")
    assert refused(runner, session) == f"{RULE}got 1 left behind. The session was rolled back"


def test_a_relationship_that_does_not_exist_is_named_with_those_that_do(runner):
    session = two(runner)
    session.transfer(session.get_batch(), "sucess")
    assert refused(runner, session) == (
        "processor 'processor' (Made) must transfer to one of its relationships "
        "(failure, success); got 'sucess'"
    )


def test_only_what_was_polled_can_be_kept(runner):
    session = two(runner)
    session.remove(session.get_batch())
    session.keep(session.create(b"new"))
    assert refused(runner, session) == (
        "processor 'processor' (Made) must keep only FlowFiles that it polled; got one that it "
        "made. The session was rolled back"
    )


def test_state_that_cannot_be_stored_is_refused_before_anything_changes(runner):
    session = two(runner)
    session.remove(session.get_batch())
    session.state["seen"] = {1, 2}
    assert refused(runner, session) == (
        "processor 'processor' (Made) state 'seen' must be text, a number, bytes, a tuple or a "
        "mapping of such, or None; got a set. The session was rolled back"
    )
    assert dict(runner.state) == {}


def test_several_connections_get_the_first_and_clones_of_it(runner):
    other = Connection("other", runner.repository)
    runner.node.outputs["success"].append(other)
    session = two(runner)
    session.transfer(session.get_batch(), "success")
    session.commit()
    first, second = runner.transferred("success"), other.peek(10)
    assert [f.content for f in first] == [f.content for f in second] == [b"a", b"b"]
    assert not {f.id for f in first} & {f.id for f in second}
    assert runner.core.ledger.totals["in"] == 2
    assert runner.node.statistics.window(0).flowfiles_out == 4


def test_what_is_auto_terminated_counts_as_out_or_failed(runner):
    runner.node.outputs.clear()
    relationships = dict(runner.flat.relationships)
    relationships["failure"].failure = True
    session = two(runner)
    first, second = session.get_batch()
    session.transfer(first, "success")
    session.transfer(second, "failure")
    session.commit()
    totals = runner.core.ledger.totals
    assert (totals["out"], totals["failed"]) == (1, 1)


def test_a_cursor_is_kept_at_the_old_place_and_cleared_on_the_way_out(runner):
    session = two(runner)
    first, second = session.get_batch()
    session.keep(first.with_cursor(7))
    session.transfer(second, "success")
    session.commit()
    [left] = runner.queue.peek(5)
    assert (left.id, left.cursor) == (first.id, 7)
    session = runner.session()
    session.transfer(session.get(), "success")
    session.commit()
    assert [f.cursor for f in runner.transferred("success")] == [0, 0]


def test_a_penalized_flowfile_takes_no_attempts_to_the_next_queue(runner):
    runner.enqueue(b"a")
    session = runner.session()
    session.keep(replace_attempts(session.get(), 2))
    session.commit()
    session = runner.session()
    session.transfer(session.penalize(session.get()), "failure")
    session.commit()
    [got] = runner.transferred("failure")
    assert (got.attempts, got.penalty_until > 0) == (0, True)


def replace_attempts(flowfile, attempts):
    flowfile = flowfile.replacing(flowfile.attributes)
    flowfile.attempts = attempts
    return flowfile


def test_only_what_left_the_queue_counts_as_taken(runner):
    session = two(runner)
    first, second = session.get_batch()
    session.keep(first)
    session.remove(second)
    session.commit()
    taken = runner.node.statistics.window(0)
    assert (taken.flowfiles_in, taken.bytes_in) == (1, 1)


def test_an_acknowledgement_that_fails_is_a_bulletin_and_stops_no_other(runner):
    called = []
    session = two(runner)
    session.remove(session.get_batch())
    session.on_durable(lambda: 1 / 0)
    session.on_durable(lambda: called.append(True))
    session.commit()
    assert called == [True]
    [bulletin] = runner.bulletins
    assert bulletin.message.startswith(
        "processor 'processor' (Made) on_durable must not raise; got ZeroDivisionError: division"
    )


# -- content files -----------------------------------------------------------------------------


def files(runner: ProcessorRunner) -> int:
    return len(runner.core.contents.names())


def with_file(runner: ProcessorRunner) -> None:
    """A FlowFile whose content is a file waits in the input queue."""
    session = runner.session()
    made = session.create(LARGE)
    session.transfer(made, "success")
    session.commit()
    pieces = runner.outputs["success"].poll(1, 1 << 30, 0)
    runner.queue.put([made], made.size, files=True)
    runner.outputs["success"].settle(pieces)


def test_a_file_lives_as_long_as_one_flowfile_refers_to_it(runner):
    with_file(runner)
    session = runner.session()
    original = session.get()
    session.transfer([original, session.clone(original)], "success")
    session.commit()
    assert files(runner) == 1
    for left in (1, 0):
        runner.node.inputs = [runner.outputs["success"]]
        session = runner.session()
        session.remove(session.get())
        session.commit()
        assert files(runner) == left


def test_a_file_goes_when_its_content_is_replaced(runner):
    with_file(runner)
    session = runner.session()
    session.transfer(session.write(session.get(), LARGE + b"y"), "success")
    session.commit()
    assert files(runner) == 1
    [got] = runner.transferred("success")
    assert runner.content(got) == LARGE + b"y"


def test_a_file_of_a_dropped_child_goes_with_the_retry(runner):
    runner.node.flat = replace(runner.flat, retry={"failure": RetryPolicy(3)})
    runner.enqueue(b"a")
    session = runner.session()
    flowfile = session.get()
    session.transfer(session.create(LARGE, parent=flowfile), "success")
    session.transfer(flowfile, "failure")
    session.commit()
    assert (files(runner), runner.queue.count, runner.transferred("success")) == (0, 1, [])


def test_a_kept_flowfile_with_a_new_file_is_marked_as_having_one(runner):
    runner.enqueue(b"a")
    session = runner.session()
    session.keep(session.write(session.get(), LARGE))
    session.commit()
    [piece] = runner.queue.poll(1, 1, runner.clock.wall())
    assert piece.files
    assert files(runner) == 1
