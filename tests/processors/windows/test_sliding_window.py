"""SlidingWindow: overlapping windows of windows.md §1.4."""

# ruff: noqa: N802 - cases are named as in windows.md

import math

import pytest

from flowengine.testing import check_processor
from processors.windows import SlidingWindow
from tests.processors.windows.feeding import Feed, Pane


def hopping(bound: int = 0, **properties) -> Feed:
    """Windows of 10 ms every 5 ms."""
    return Feed(SlidingWindow, bound, size="10 ms", slide="5 ms", **properties)


def per_event(bound: int = 0, **properties) -> Feed:
    """For each record what happened in the 10 ms up to it."""
    return Feed(SlidingWindow, bound, size="10 ms", **properties)


def test_it_keeps_the_contract_of_a_processor():
    check_processor(SlidingWindow)


def test_W33_final_results_of_hopping_windows_after_the_bound():
    with hopping(bound=5, key_fields=["k"], folds={"n": "count"}) as feed:
        for time, key in enumerate("ABCD"):
            feed.give(time, k=key)
        feed.give(9, k="A")
        first = [f.attributes["window.key"] for f in feed.out()]
        assert first == []
        feed.give(15, k="A")
        found = {
            f.attributes["window.key"]: f.attributes["window.count"]
            for f in feed.out()
            if f.attributes["window.end"] == "1970-01-01T00:00:00.01Z"
        }
        assert found == {"A": "2", "B": "1", "C": "1", "D": "1"}


def test_W39_a_record_may_be_late_for_one_window_and_not_for_the_next():
    with hopping(bound=90) as feed:
        feed.give(100).panes()
        feed.give(0, 1, 2, 3, 4, 5, 6)
        assert [t for [t] in feed.times("late")] == [0, 1, 2, 3, 4]
        assert feed.panes() == []
        feed.give(105)
        assert feed.panes() == [Pane(5, 15, [5, 6])]


def test_W85_each_record_has_a_window_that_ends_with_it():
    with per_event() as feed:
        feed.give(11, 21)
        assert feed.reach(22).panes() == [Pane(1, 11.001, [11]), Pane(11, 21.001, [11, 21])]


def test_W85_the_bound_is_inclusive_and_no_further():
    with per_event() as feed:
        feed.give(11, 22).reach(23)
        assert [pane.times for pane in feed.panes()] == [[11], [22]]


def test_W85_the_order_of_arrival_does_not_matter():
    with per_event(bound=50) as feed:
        feed.give(21, 11, 15).reach(100)
        assert [pane.times for pane in feed.panes()] == [[11], [11, 15], [11, 15, 21]]


def test_W89_a_very_late_record_creates_nothing():
    with per_event() as feed:
        feed.give(1000).reach(1001).panes()
        feed.give(5)
        assert feed.panes() == []
        assert feed.times("late") == [[5]]
        feed.reach(2000)
        assert feed.open == 0


def test_overlapping_windows_share_what_they_keep():
    folds = {"mean": {"mean": "v"}}
    with Feed(SlidingWindow, size="10 min", slide="1 sec", folds=folds) as feed:
        feed.batch(*({"t": t, "v": t} for t in range(0, 60_000, 100)))
        assert feed.open == 60
        feed.reach(0.999)
        assert feed.contents() == []
        feed.reach(1000)
        assert feed.contents()[-1] == {"mean": 450.0}


def test_windows_across_a_silence_come_out_once_each():
    with hopping() as feed:
        feed.batch({"t": 3}, {"t": 1003})
        assert feed.reach(math.inf).panes() == [
            Pane(-5, 5, [3]),
            Pane(0, 10, [3]),
            Pane(995, 1005, [1003]),
            Pane(1000, 1010, [1003]),
        ]
        assert feed.open == 0


def test_with_allowed_lateness_each_window_comes_out_again():
    with hopping(allowed_lateness="20 ms") as feed:
        feed.give(7, 11).panes()
        feed.give(6)
        assert feed.panes() == [Pane(0, 10, [6, 7], "late", 1, False)]


def test_a_rolled_back_firing_of_shared_panes_fires_again():
    with hopping() as feed:
        feed.record({"t": 7})
        feed.runner.node.watermark = 10_000
        session = feed.runner.session()
        feed.runner.node.processor.on_trigger(feed.runner.context, session)
        session.rollback()
        assert feed.reach(11).panes() == [Pane(0, 10, [7])]


@pytest.mark.parametrize("restarts", [False, True])
def test_a_window_is_put_out_once_whatever_restarts(restarts):
    with hopping() as feed:
        feed.give(7, 11).panes()
        if restarts:
            feed.restart()
        feed.reach(25)
        assert feed.panes() == [Pane(5, 15, [7, 11]), Pane(10, 20, [11])]
