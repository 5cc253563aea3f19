"""SessionWindow: the cases of windows.md §1.4, and the law of merging."""

# ruff: noqa: N802 - cases are named as in windows.md

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flowengine.testing import check_processor
from processors.windows import SessionWindow
from processors.windows.sessions import Activity, merge
from tests.processors.windows.feeding import Feed, Pane, milliseconds


def sessions(gap: int, bound: int = 0, **properties) -> Feed:
    return Feed(SessionWindow, bound, gap=f"{gap} ms", **properties)


def closed(feed: Feed) -> list[tuple]:
    """First, last, end and times of the sessions that come out when all is over."""
    found = []
    for flowfile in feed.reach(math.inf).out():
        names = ("window.first", "window.last", "window.end")
        bounds = [milliseconds(flowfile.attributes[name]) for name in names]
        found.append((*bounds, feed._times(flowfile)))
    return found


def given_at_once(feed: Feed, *times: int) -> list[tuple]:
    feed.batch(*({"t": t} for t in times))
    return closed(feed)


def test_it_keeps_the_contract_of_a_processor():
    check_processor(SessionWindow)


def test_W45_one_record_is_a_session():
    with sessions(10) as feed:
        assert given_at_once(feed, 2) == [(2, 2, 12, [2])]


def test_W46_a_record_at_exactly_the_gap_belongs_to_it():
    with sessions(10) as feed:
        assert given_at_once(feed, 2, 9, 19) == [(2, 19, 29, [2, 9, 19])]


def test_W46_unless_the_gap_is_strict():
    with sessions(10, gap_mode="strict") as feed:
        assert [times for *_, times in given_at_once(feed, 2, 9, 19)] == [[2, 9], [19]]


def test_W47_beyond_the_gap_are_two_sessions():
    with sessions(10) as feed:
        assert [times for *_, times in given_at_once(feed, 2, 19)] == [[2], [19]]


def test_W48_a_record_between_two_sessions_makes_them_one():
    with sessions(5) as feed:
        feed.batch(*({"t": t} for t in (10, 12, 20)))
        assert feed.open == 2
        feed.record({"t": 16})
        assert closed(feed) == [(10, 20, 25, [10, 12, 16, 20])]


def test_W51_a_session_grows_backwards_too():
    with sessions(10) as feed:
        feed.record({"t": 900}).record({"t": 890})
        assert closed(feed) == [(890, 900, 910, [890, 900])]
    with sessions(10) as feed:
        feed.record({"t": 900}).record({"t": 889})
        assert len(closed(feed)) == 2


def test_W52_a_record_within_changes_no_bound():
    with sessions(10) as feed:
        feed.record({"t": 0}).record({"t": 10}).record({"t": 5})
        assert closed(feed) == [(0, 10, 20, [0, 5, 10])]


def test_W54_the_same_time_twice_counts_twice():
    with sessions(10) as feed:
        assert given_at_once(feed, 3, 3) == [(3, 3, 13, [3, 3])]


def test_W56_a_session_closes_when_nothing_can_join_any_more():
    with sessions(10, key_fields=["k"]) as feed:
        feed.give(0, k="a").give(10, k="other")
        assert feed.panes() == []
        feed.give(10, k="a").give(20, k="other")
        assert feed.panes() == []
    with sessions(10, key_fields=["k"]) as feed:
        feed.give(0, k="a").give(11, k="other")
        assert [pane.times for pane in feed.panes()] == [[0]]
        feed.give(0, k="a")
        assert feed.times("late") == [[0]]


def test_W57_a_millisecond_of_grace_is_one_millisecond():
    with sessions(10, key_fields=["k"], allowed_lateness="1 ms") as feed:
        feed.give(0, k="a").give(11, k="other").give(0, k="a")
        assert feed.times("late") == []
        feed.give(12, k="other").give(0, k="a")
        assert feed.times("late") == [[0]]


def test_W32_early_and_late_panes_of_a_session():
    trigger = {"early_records": 2, "late_records": 3, "allowed_lateness": "1 sec"}
    with sessions(10, **trigger) as feed:
        feed.record({"t": 1}).record({"t": 2})
        assert feed.panes() == [Pane(1, 12, [1, 2], "early", 0, False)]
        assert feed.record({"t": 3}).panes() == []
        assert feed.record({"t": 4}).panes() == [Pane(1, 14, [1, 2, 3, 4], "early", 1, False)]
        feed.record({"t": 5})
        assert feed.reach(100).panes() == [Pane(1, 15, [1, 2, 3, 4, 5], "on_time", 2, False)]
        assert feed.record({"t": 1}).record({"t": 3}).panes() == []
        everything = [1, 1, 2, 3, 3, 4, 4, 5]
        assert feed.record({"t": 4}).panes() == [Pane(1, 15, everything, "late", 3, False)]


def test_late_records_short_of_a_pane_come_out_when_the_state_is_freed():
    with sessions(10, late_records=3, allowed_lateness="1 sec") as feed:
        feed.record({"t": 1}).reach(100).panes()
        feed.record({"t": 2})
        assert feed.reach(5000).panes() == [Pane(1, 12, [1, 2], "late", 1, True)]
        assert feed.open == 0


def test_W62_a_token_makes_sessions_of_its_own():
    with sessions(10, session_key="sid") as feed:
        for time, sid in enumerate("xxyx"):
            feed.record({"t": time, "sid": sid})
        feed.record({"t": 4})
        counts = {
            f.attributes["window.key"]: f.attributes["window.count"]
            for f in feed.reach(math.inf).out()
        }
        assert counts == {"x": "3", "y": "1"}
        [invalid] = feed.out("invalid")
        assert invalid.attributes["error.message"] == (
            "field 'sid' must be given for the key; got none"
        )


def test_W63_an_end_mark_closes_at_once():
    with sessions(30, end_when="type == 'logout'") as feed:
        for time, kind in ((0, "login"), (3, "click"), (5, "logout")):
            feed.record({"t": time, "type": kind})
        [flowfile] = feed.out()
        assert feed._times(flowfile) == [0, 3, 5]
        assert flowfile.attributes["pane.reason"] == "end"
        feed.record({"t": 6, "type": "click"})
        assert [times for *_, times in closed(feed)] == [[6]]


def test_W63_a_start_mark_begins_a_new_session():
    with sessions(30, start_when="type == 'login'") as feed:
        for time, kind in ((0, "login"), (3, "click"), (5, "login")):
            feed.record({"t": time, "type": kind})
        assert feed.times() == [[0, 3]]
        assert [times for *_, times in closed(feed)] == [[5]]


def test_a_session_is_not_longer_than_its_maximum():
    with sessions(10, max_duration="20 ms") as feed:
        for time in (0, 8, 16, 24, 32):
            feed.record({"t": time})
        assert [times for *_, times in closed(feed)] == [[0, 8, 16], [24, 32]]


@pytest.mark.parametrize("gap", ["0 sec", "-1 sec", "soon", 5])
def test_W66_a_gap_that_is_none_names_the_property(gap):
    with pytest.raises(ValidationError, match="gap"):
        SessionWindow.Properties.model_validate({"gap": gap})


@pytest.mark.parametrize("gap", [0, -5, "soon", None])
def test_W66_a_gap_of_a_record_that_is_none_is_invalid(gap):
    with sessions(10, gap_expression="{{ wait }}") as feed:
        feed.record({"t": 1, "wait": gap})
        assert len(feed.out("invalid")) == 1
        assert feed.open == 0


def test_each_record_may_bring_its_own_gap():
    with sessions(10, gap_expression="{{ wait }}") as feed:
        feed.batch({"t": 0, "wait": 100}, {"t": 90, "wait": "1 ms"}, {"t": 102, "wait": 1})
        assert [times for *_, times in closed(feed)] == [[0, 90], [102]]


ACTIVITIES = st.lists(
    st.builds(lambda t, gap: Activity(t, t, t + gap), st.integers(-50, 50), st.integers(1, 9))
)


@given(ACTIVITIES, ACTIVITIES, ACTIVITIES, st.booleans())
def test_merging_is_associative_and_knows_no_order(one, two, three, strict):
    left = merge([*merge([*one, *two], strict=strict), *three], strict=strict)
    right = merge([*merge([*three, *two], strict=strict), *one], strict=strict)
    assert left == right == merge([*one, *two, *three], strict=strict)


def test_a_rolled_back_merge_leaves_both_sessions():
    with sessions(5) as feed:
        feed.batch({"t": 0}, {"t": 10})
        feed.runner.enqueue('{"t": 5}')
        session = feed.runner.session()
        feed.runner.node.processor.on_trigger(feed.runner.context, session)
        session.rollback()
        assert feed.open == 2
        feed.runner.run()
        assert closed(feed) == [(0, 10, 15, [0, 5, 10])]
