"""Sessions: one atomic unit of work that touches connections at its two ends only (E2-E4, E7)."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowengine.content import INLINE_LIMIT, FileContent
from flowengine.session import BATCH_BYTES, PART_OBJECTS, SessionState
from flowengine.testing import ProcessorRunner
from tests.processors_for_tests import Pass, processor

LARGE = b"x" * (INLINE_LIMIT + 1)
Fork = processor(lambda c, s: None, relationships=("success", "failure"))
Source = processor(lambda c, s: None, source=True)


@pytest.fixture
def runner():
    with ProcessorRunner(Fork) as made:
        yield made


def filled(runner: ProcessorRunner, count: int) -> list[int]:
    return [runner.enqueue(b"x", n=str(i)).id for i in range(count)]


# -- taking ------------------------------------------------------------------------------------


def test_get_takes_one_and_get_batch_up_to_the_batch_size(runner):
    ids = filled(runner, 300)
    session = runner.session()
    assert session.get().id == ids[0]
    assert [f.id for f in session.get_batch()] == ids[1:257]
    assert [f.id for f in session.get_batch(1000)] == ids[257:]
    assert session.get() is None


def test_a_batch_is_bounded_in_bytes_but_never_empty(runner):
    runner.enqueue(b"x" * BATCH_BYTES)
    runner.enqueue(b"yy")
    session = runner.session()
    assert [f.size for f in session.get_batch()] == [BATCH_BYTES]
    assert [f.size for f in session.get_batch()] == [2]


def test_while_a_culprit_is_looked_for_the_whole_session_is_small(runner):
    filled(runner, 10)
    runner.node.limit = 3
    session = runner.session()
    taken = []
    while (flowfile := session.get()) is not None:
        taken.append(flowfile)
    assert len(taken) == 3


def test_a_session_that_is_over_takes_nothing(runner):
    filled(runner, 3)
    session = runner.session()
    session.get()
    session.rollback()
    assert session.get_batch() == []
    session.rollback()
    assert (runner.queue.count, runner.queue.in_flight) == (3, 0)


def test_what_was_fetched_ahead_and_not_asked_for_stays_in_the_queue(runner):
    ids = filled(runner, 200)
    session = runner.session()
    session.prefetch()
    session.transfer(session.get_batch(3), "success")
    session.commit()
    assert [f.id for f in runner.queue.peek(1000)] == ids[3:]
    assert len(list(runner.queue._walk(newest=False))) <= 2


# -- making and changing -----------------------------------------------------------------------


def test_a_child_inherits_attributes_and_times_but_not_penalty_attempts_or_cursor(runner):
    runner.enqueue(b"x", a="1", b="2")
    session = runner.session()
    parent = session.penalize(session.get().with_cursor(4).with_event_time(5, 9))
    runner.clock.advance(10)
    child = session.create(b"new", {"b": "3"}, parent=parent)
    assert child.attributes == {"a": "1", "b": "3"}
    assert (child.event_time, child.event_last, child.size) == (5, 9, 3)
    assert child.lineage_start == parent.lineage_start
    assert (child.penalty_until, child.attempts, child.cursor) == (0, 0, 0)
    assert child.id != parent.id


def test_a_flowfile_without_a_parent_starts_a_lineage_now(runner):
    session = runner.session()
    made = session.create(b"", event_time=3)
    now = runner.clock.wall()
    assert (made.entry_time, made.lineage_start, made.ingest_time) == (now, now, now)
    assert session.create(ingest_time=7).ingest_time == 7


def test_a_clone_shares_the_content_under_a_new_id(runner):
    runner.enqueue(b"abc")
    session = runner.session()
    original = session.get()
    copy = session.clone(original)
    assert copy.content is original.content
    assert copy.id != original.id


def test_many_are_made_at_once_for_sources_in_a_hurry():
    with ProcessorRunner(Source) as runner:
        session = runner.session()
        made = session.create_many([b"a", b"bc"], [{"n": "0"}, {"n": "1"}], ingest=[1, 2])
        session.transfer(made, "success")
        session.commit()
        assert [(f.size, f.ingest_time) for f in runner.transferred("success")] == [(1, 1), (2, 2)]
        assert runner.core.ledger.totals["in"] == 2


def test_content_above_the_limit_goes_to_a_file_and_is_streamed(runner):
    session = runner.session()
    made = session.create(LARGE)
    assert isinstance(made.content, FileContent)
    with session.open(made) as stream:
        assert stream.read(2) == b"xx"
    again = session.write(made, b"small")
    assert session.read(again) == b"small"
    assert session.read(session.write(again, LARGE)) == LARGE


def test_a_writer_streams_a_new_content(runner):
    runner.enqueue(b"old", a="1")
    session = runner.session()
    with session.writer(session.get()) as out:
        for _ in range(3):
            out.write(LARGE)
    assert (out.flowfile.size, out.flowfile.attributes) == (3 * len(LARGE), {"a": "1"})
    session.transfer(out.flowfile, "success")
    session.commit()
    [got] = runner.transferred("success")
    assert runner.content(got) == LARGE * 3


def write_and_fail(session):
    with session.writer(session.get()) as out:
        out.write(LARGE)
        raise ValueError("boom")


def test_a_writer_that_fails_leaves_no_file(runner):
    runner.enqueue(b"old")
    session = runner.session()
    with pytest.raises(ValueError, match="boom"):
        write_and_fail(session)
    assert runner.core.contents.names() == set()


def test_there_is_room_for_a_thousand_children_or_sixteen_megabytes(runner):
    session = runner.session()
    for _ in range(PART_OBJECTS - 1):
        session.create()
    assert session.room
    session.create()
    assert not session.room
    other = runner.session()
    other.create(b"x" * (16 << 20))
    assert not other.room
    session.rollback()
    other.rollback()


# -- handing on --------------------------------------------------------------------------------


def test_fail_says_what_went_wrong_where_and_how_often(runner):
    runner.enqueue(b"x", a="1")
    session = runner.session()
    session.fail(session.get(), ValueError("bad"), error_line="7")
    session.commit()
    [got] = runner.transferred("failure")
    assert got.attributes == {
        "a": "1",
        "error.class": "ValueError",
        "error.message": "bad",
        "error.processor": "processor",
        "error.attempt": "1",
        "error.line": "7",
    }


def test_a_penalized_flowfile_waits_in_the_queue_it_is_put_into(runner):
    runner.enqueue(b"x")
    session = runner.session()
    session.transfer(session.penalize(session.get()), "failure")
    session.commit()
    output, now = runner.outputs["failure"], runner.clock.wall()
    assert not output.ready
    assert output.next_due() == now + runner.flat.penalty_us


# -- state -------------------------------------------------------------------------------------


def test_state_changes_are_seen_by_the_session_at_once_and_by_others_after_the_commit(runner):
    session = runner.session()
    session.state["a"], session.state["b"] = 1, 2
    del session.state["b"]
    assert dict(session.state) == {"a": 1}
    assert dict(runner.state) == {}
    session.commit()
    assert dict(runner.state) == {"a": 1}


def test_state_is_forgotten_with_a_roll_back(runner):
    session = runner.session()
    session.state["a"] = 1
    session.adjust_counter("seen", 5)
    session.rollback()
    assert (dict(runner.state), dict(runner.counters)) == ({}, {})


CHANGES = st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.integers()), max_size=12)


@given(CHANGES, CHANGES)
def test_state_behaves_as_a_dict(before, after):
    base = {key: value for key, value in before if value is not None}
    model, changes = dict(base), dict[str, Any]()
    state = SessionState(base, changes)
    for key, value in after:
        if value is None:
            assert (model.pop(key, None) is None) == (key not in state)
            state.pop(key, None)
        else:
            model[key] = state[key] = value
    assert dict(state) == model
    assert len(state) == len(model)


# -- laws --------------------------------------------------------------------------------------

FATES = st.sampled_from(["success", "failure", "remove", "keep", "cursor", "clone", "child"])


@settings(max_examples=60)
@given(st.lists(FATES, min_size=1, max_size=40), st.integers(0, 3))
def test_every_flowfile_is_somewhere_after_a_commit(fates, more):
    with ProcessorRunner(Fork) as runner:
        ids = filled(runner, len(fates) + more)
        session = runner.session()
        made = kept = 0
        for fate, flowfile in zip(fates, session.get_batch(len(fates)), strict=True):
            if fate in ("success", "failure"):
                session.transfer(flowfile, fate)
            elif fate == "remove":
                session.remove(flowfile)
            elif fate in ("keep", "cursor"):
                session.keep(flowfile if fate == "keep" else flowfile.with_cursor(1))
                kept += 1
            else:
                child = (
                    session.clone(flowfile) if fate == "clone" else session.create(parent=flowfile)
                )
                session.transfer([flowfile, child], "success")
                made += 1
        session.commit()
        left = [f.id for f in runner.queue.peek(1000)]
        assert (
            left
            == [i for i, fate in zip(ids, fates, strict=False) if fate in ("keep", "cursor")]
            + ids[len(fates) :]
        )
        out = len(runner.transferred("success")) + len(runner.transferred("failure"))
        assert out == len(fates) - fates.count("remove") - kept + made
        assert runner.queue.in_flight == 0


@settings(max_examples=40)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=6), st.integers(0, 120))
def test_a_roll_back_restores_exactly_whatever_was_done(batches, more):
    with ProcessorRunner(Fork) as runner:
        filled(runner, sum(batches) + more)
        before = runner.queue.peek(1000)
        session = runner.session()
        for size in batches:
            flowfiles = session.get_batch(size)
            session.transfer([session.penalize(f) for f in flowfiles[1:]], "failure")
            session.create(parent=flowfiles[0])
        session.rollback()
        assert runner.queue.peek(1000) == before
        assert runner.queue.statistics().in_flight == 0
        assert runner.transferred("failure") == []


def test_a_roll_back_removes_the_files_that_were_made(runner):
    session = runner.session()
    session.create(LARGE)
    assert len(runner.core.contents.names()) == 1
    session.rollback()
    assert runner.core.contents.names() == set()


def test_again_holds_exactly_what_the_failed_session_held():
    with ProcessorRunner(Pass) as runner:
        ids = filled(runner, 6)
        first, second = runner.session(), runner.session()
        first.get_batch(2)
        second.get_batch(2)
        first.rollback()
        again = second.again()
        assert [f.id for f in again.get_batch()] == ids[2:4]
        again.rollback()
        second.rollback()
        assert [f.id for f in runner.queue.peek(10)] == ids


def test_a_session_is_idle_when_nothing_came_of_it(runner):
    runner.enqueue(b"x")
    session = runner.session()
    session.keep(session.get())
    assert session.idle
    session.state["a"] = 1
    assert not session.idle
    session.commit()
