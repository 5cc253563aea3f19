"""TumblingWindow: firing, triggers and late data of windows.md §1.4."""

# ruff: noqa: N802 - cases are named as in windows.md

import math

import pytest

from flowengine.testing import check_processor
from processors.windows import SlidingWindow, TumblingWindow
from tests.processors.windows.feeding import Feed, Pane

YEAR = 365 * 86_400_000


def ten(bound: int = 0, **properties) -> Feed:
    """Windows of 10 ms."""
    return Feed(TumblingWindow, bound, size="10 ms", **properties)


def test_it_keeps_the_contract_of_a_processor():
    check_processor(TumblingWindow)


def test_W22_the_record_at_the_end_closes_the_window_without_being_in_it():
    with ten() as feed:
        assert feed.give(1, 2, 3, 9).panes() == []
        assert feed.give(10).panes() == [Pane(0, 10, [1, 2, 3, 9])]
        assert feed.reach(100).panes() == [Pane(10, 20, [10])]


def test_W23_out_of_order_records_are_waited_for():
    with ten(bound=5) as feed:
        assert feed.give(1, 12, 14).panes() == []
        assert feed.give(15).panes() == [Pane(0, 10, [1])]


def test_W25_windows_come_out_in_order():
    with ten() as feed:
        feed.batch(*({"t": t} for t in (11, 1, 10, 2, 3)))
        assert feed.reach(25).panes() == [Pane(0, 10, [1, 2, 3]), Pane(10, 20, [10, 11])]


def test_W26_there_are_no_empty_windows():
    with ten() as feed:
        assert feed.give(1, 95).panes() == [Pane(0, 10, [1])]


def test_W27_time_never_goes_back():
    with ten() as feed:
        feed.give(100, 50)
        assert feed.times("late") == [[50]]
        assert feed.runner.node.watermark == 99_999
        assert feed.reach(200).panes() == [Pane(100, 110, [100])]


def test_W30_emit_on_update():
    with Feed(TumblingWindow, size="10 sec", emit="on update", folds={"n": "count"}) as feed:
        feed.batch(*({"t": t} for t in (100, 101, 102)))
        found = feed.out()
        assert [feed.runner.content(f) for f in found] == [b'{"n":1}', b'{"n":2}', b'{"n":3}']
        assert {f.attributes["final"] for f in found} == {"false"}
        [closing] = feed.reach(math.inf).out()
        assert closing.attributes["final"] == "true"
        assert closing.attributes["pane.index"] == "3"


def test_W31_early_every_2_and_discard():
    with ten(early_records=2, panes="discard") as feed:
        for time in (1, 2, 4, 14, 5):
            feed.record({"t": time})
        assert feed.panes() == [
            Pane(0, 10, [1, 2], "early", 0, False),
            Pane(0, 10, [4, 5], "early", 1, False),
        ]
        feed.record({"t": 18})
        assert feed.panes() == [Pane(10, 20, [14, 18], "early", 0, False)]
        assert feed.record({"t": 6}).reach(100).panes() == [
            Pane(0, 10, [6], "on_time", 2, True),
            Pane(10, 20, [], "on_time", 1, True),
        ]


def test_W34_results_carry_the_window_and_happen_at_its_end():
    with ten(key_fields=["k"]) as feed:
        [flowfile] = feed.give(1, 9, k="a").reach(10).out()
        assert flowfile.event_time == 9_999
        assert flowfile.attributes == {
            "window.start": "1970-01-01T00:00:00Z",
            "window.end": "1970-01-01T00:00:00.01Z",
            "window.count": "2",
            "window.key": "a",
            "pane.index": "0",
            "pane.timing": "on_time",
            "pane.reason": "watermark",
            "final": "true",
            "watermark": "1970-01-01T00:00:00.01Z",
            "mime.type": "application/x-ndjson",
        }


def test_W36_a_record_of_a_closed_window_is_late():
    with ten() as feed:
        assert feed.give(1, 10).panes() == [Pane(0, 10, [1])]
        [late] = feed.give(9).out("late")
        assert late.attributes["late.by.ms"] == "1"
        assert late.attributes["window.start"] == "1970-01-01T00:00:00Z"
        assert late.attributes["window.end"] == "1970-01-01T00:00:00.01Z"
        assert feed.panes() == []


def test_W37_allowed_lateness_lets_a_window_come_out_again():
    with ten(allowed_lateness="20 ms") as feed:
        feed.give(1)
        assert feed.give(10).panes() == [Pane(0, 10, [1], "on_time", 0, False)]
        assert feed.give(7).panes() == [Pane(0, 10, [1, 7], "late", 1, False)]
        feed.give(29).panes()
        assert feed.give(8).panes() == [Pane(0, 10, [1, 7, 8], "late", 2, False)]
        feed.give(30)
        assert feed.give(6).times("late") == [[6]]


def test_W42_a_record_behind_the_watermark_is_not_late_while_its_window_is_open():
    with ten() as feed:
        assert feed.give(1, 8, 5, 10).panes() == [Pane(0, 10, [1, 5, 8])]
        assert feed.out("late") == []


def test_W43_late_records_are_counted_and_said_once():
    with ten() as feed:
        feed.give(1, 100, 2, 3)
        assert feed.runner.counters["records_late_total.processor"] == 2
        [line] = [b.message for b in feed.runner.bulletins if b.level == "warning"]
        assert line == (
            "1 records came after their windows had closed, watermark "
            "1970-01-01T00:00:00.099999Z; they go to 'late'"
        )


def test_W44_state_is_freed_after_the_allowed_lateness():
    with ten(allowed_lateness="20 ms") as feed:
        feed.give(1, 29)
        assert feed.open == 2
        feed.give(30)
        assert feed.open == 2
        feed.reach(1000)
        assert feed.open == 0
        assert [n for n in feed.runner.state if n.startswith(("p", "c")) and n != "config"] == []


def test_W75_silence_closes_by_the_clock():
    with Feed(TumblingWindow, size="10 sec", close_after_idle="5 sec") as feed:
        now = feed.runner.clock.wall() // 1000
        start = now // 10_000 * 10_000 + 10_000
        feed.wait(start + 3_000 - now).record({"t": start + 3_000})
        assert feed.wait(11_999).out() == []
        [closed] = feed.wait(1).out()
        assert closed.attributes["pane.reason"] == "idle"
        assert closed.attributes["final"] == "true"


@pytest.mark.parametrize(("lateness", "panes", "late"), [(0, [], 1), (60, ["late"], 0)])
def test_W76_what_comes_after_an_idle_close_is_late(lateness, panes, late):
    properties = {"close_after_idle": "5 sec", "allowed_lateness": f"{lateness} sec"}
    with Feed(TumblingWindow, size="10 sec", **properties) as feed:
        now = feed.runner.clock.wall() // 1000
        start = now // 10_000 * 10_000
        feed.record({"t": start + 3_000}).wait(20_000 + lateness * 1000)
        assert [f.attributes["pane.timing"] for f in feed.out()] == ["on_time"]
        feed.record({"t": start + 4_000})
        assert [f.attributes["pane.timing"] for f in feed.out()] == panes
        assert len(feed.out("late")) == late


def test_silence_moves_time_no_further_than_the_windows_that_it_closes():
    with Feed(TumblingWindow, size="10 sec", close_after_idle="5 sec") as feed:
        feed.wait(60_000)  # long before the first record: there is nothing to close
        for time in (3_000, 12_000):  # both are of 1970
            feed.record({"t": time}).wait(5_000)
            assert feed.times() == [[time]]
        assert feed.record({"t": 4_000}).out() == []
        assert len(feed.out("late")) == 1


def test_W77_an_absurd_future_is_invalid_and_moves_nothing():
    with ten() as feed:
        now = feed.runner.clock.wall() // 1000
        feed.record({"t": now}).record({"t": now + 10 * YEAR})
        [invalid] = feed.out("invalid")
        assert invalid.attributes["error.message"] == (
            "event time must not be further ahead of the ingest time than `max_future_skew`; "
            "got 315360000 seconds ahead"
        )
        assert feed.panes() == []
        assert feed.open == 1


def test_W78_processing_time_closes_at_the_wall_time_without_a_record():
    with Feed(TumblingWindow, size="10 sec", time="processing", time_field="") as feed:
        now = feed.runner.clock.wall()
        left = (10_000_000 - now % 10_000_000) // 1000
        feed.record({"t": 1})
        assert feed.runner.node.clock_timer == now + left * 1000
        assert feed.wait(left - 1).out() == []
        assert feed.wait(1).times() == [[1]]
        assert feed.runner.node.clock_timer is None


def test_W80_ingest_time_is_that_of_the_source():
    with ten(time="ingest", time_field="") as feed:
        runner = feed.runner
        feed.record({"t": 1})
        runner.clock.advance(10_000)
        assert feed.record({"t": 2}).times() == [[1]]


@pytest.mark.parametrize(
    ("policy", "panes"),
    [
        ("keep", [Pane(0, 10, [1, 2, 3])]),
        ("emit", [Pane(0, 10, [1, 2]), Pane(0, 10, [3])]),
        ("discard", [Pane(0, 10, [3])]),
    ],
)
def test_W81_the_user_decides_what_a_stop_means(policy, panes):
    with ten(on_stop=policy) as feed:
        feed.give(1, 2)
        feed.runner.stop()
        feed.runner.start()
        assert feed.give(3, 10).panes() == panes


def test_W81_a_restart_after_a_crash_keeps_the_windows():
    with ten(on_stop="discard") as feed:
        feed.give(1, 2)
        feed.restart()
        assert feed.give(3, 10).panes() == [Pane(0, 10, [1, 2, 3])]


def test_W82_the_end_of_all_sources_closes_all_windows_in_order():
    with ten() as feed:
        feed.batch({"t": 35}, {"t": 1}, {"t": 12})
        assert feed.reach(math.inf).panes() == [
            Pane(0, 10, [1]),
            Pane(10, 20, [12]),
            Pane(30, 40, [35]),
        ]
        assert feed.open == 0
        assert feed.runner.node.event_timer is None


def test_W84_windows_of_three_records():
    with Feed(TumblingWindow, count=3, key_fields=["k"]) as feed:
        for time, key in enumerate("aaba"):
            feed.record({"t": time, "k": key})
        [full] = feed.out()
        assert full.attributes["window.key"] == "a"
        assert full.attributes["window.count"] == "3"
        [rest] = feed.reach(math.inf).out()
        assert rest.attributes["window.key"] == "b"


def test_W84_a_mean_that_slides_over_three_records():
    with Feed(SlidingWindow, count=3, count_slide=1, folds={"m": {"mean": "v"}}) as feed:
        for time, value in enumerate((100, 60, 200, 40, 120, 80)):
            feed.record({"t": time, "v": value})
        assert feed.contents() == [{"m": 120.0}, {"m": 100.0}, {"m": 120.0}, {"m": 80.0}]


def test_W88_a_condition_opens_a_new_pane_and_loses_nothing():
    folds = {"total": {"sum": "v"}}
    properties = {"early_when": "total|float > 1000", "panes": "discard", "folds": folds}
    with Feed(TumblingWindow, size="1 h", **properties) as feed:
        for time, value in enumerate((600, 500, 30)):
            feed.record({"t": time, "v": value})
        assert feed.contents() == [{"total": 1100}]
        assert feed.reach(math.inf).contents() == [{"total": 30}]


def test_early_panes_come_out_by_the_clock():
    with ten(early_every="1 sec") as feed:
        feed.record({"t": 1}).record({"t": 2})
        assert feed.wait(999).panes() == []
        assert feed.wait(1).panes() == [Pane(0, 10, [1, 2], "early", 0, False)]
        assert feed.wait(5000).panes() == []


def test_a_poisoned_record_leaves_its_neighbours_alone():
    with ten(folds={"total": {"sum": "v"}}) as feed:
        feed.batch({"t": 1, "v": 5}, {"t": 2, "v": "x"}, "{oops", {"t": 3, "v": 7}, "[1]")
        messages = {f.attributes["error.message"] for f in feed.out("invalid")}
        assert "field 'v' must be a number; got 'x'" in messages
        assert "record must be a JSON object; got [1]" in messages
        assert len(messages) == 3
        assert feed.reach(10).contents() == [{"total": 12}]


def test_a_rolled_back_trigger_leaves_no_trace():
    with ten() as feed:
        feed.record({"t": 1})
        feed.runner.enqueue('{"t": 2}')
        session = feed.runner.session()
        feed.runner.node.processor.on_trigger(feed.runner.context, session)
        session.rollback()
        feed.runner.run()
        assert feed.reach(10).panes() == [Pane(0, 10, [1, 2])]


def test_a_rolled_back_firing_fires_again():
    with ten() as feed:
        feed.record({"t": 1})
        feed.runner.node.watermark = 10_000
        session = feed.runner.session()
        feed.runner.node.processor.on_trigger(feed.runner.context, session)
        session.rollback()
        assert feed.reach(11).panes() == [Pane(0, 10, [1])]


def test_it_holds_time_back_for_what_its_state_may_still_put_out():
    with ten() as feed:
        feed.give(25, 7)
        assert feed.runner.node.hold == 29_999
        assert feed.runner.node.event_timer == 29_999
        feed.reach(100)
        assert feed.runner.node.hold is None


def test_many_keys_come_out_in_parts_so_that_back_pressure_can_hold_them():
    with ten(key_fields=["k"]) as feed:
        feed.batch(*({"t": 1, "k": n} for n in range(2500)))
        feed.runner.node.watermark = 20_000
        feed.runner.trigger()
        assert len(feed.out()) == 1000
        assert feed.open == 1500
        feed.restart().runner.run(10)
        assert len(feed.out()) == 1500
        assert feed.open == 0


def test_a_json_array_of_records_may_come_in_and_go_out():
    with ten(format="json array") as feed:
        feed.runner.enqueue('[{"t": 1},\n {"t": 2}]')
        feed.runner.run()
        assert feed.reach(10).contents() == [[{"t": 1}, {"t": 2}]]


def test_an_object_over_several_lines_is_one_record():
    with ten() as feed:
        feed.runner.enqueue('{\n "t": 1\n}')
        feed.runner.run()
        assert feed.reach(10).times() == [[1]]


def test_a_key_may_be_an_expression_over_fields_and_attributes():
    with ten(key="{{ site }}-{{ k | upper }}") as feed:
        feed.record({"t": 1, "k": "a"}, site="x").record({"t": 1}, site="x")
        [flowfile] = feed.reach(10).out()
        assert flowfile.attributes["window.key"] == "x-A"
        assert "'k'" in feed.out("invalid")[0].attributes["error.message"]


def test_event_time_is_that_of_the_flowfile_unless_a_field_is_named():
    with ten(time_field="") as feed:
        feed.runner.enqueue('{"t": 1}', event_time=15_000)
        feed.runner.enqueue('{"t": 2}')
        feed.runner.run(3)
        assert [pane.start for pane in feed.reach(100).panes()] == [10]
        [invalid] = feed.out("invalid")
        assert invalid.attributes["error.message"] == (
            "event time must be known; got none. Name a `time_field`, or let the source read it"
        )


def test_sources_without_event_time_are_followed_by_the_greatest_time_seen():
    with ten(out_of_order="5 ms") as feed:
        feed.record({"t": 1}).record({"t": 14})
        assert feed.panes() == []
        assert feed.record({"t": 15}).panes() == [Pane(0, 10, [1])]


def test_the_clock_may_go_back_and_windows_do_not():
    with Feed(TumblingWindow, size="1 sec", time="processing", time_field="") as feed:
        now = feed.runner.clock.wall()
        feed.record({"t": 1}).wait(1000)
        assert feed.times() == [[1]]
        feed.runner.clock.set_wall(now - 60_000_000)
        feed.record({"t": 2})
        assert feed.times("late") == []


def test_a_run_that_is_over_waits_for_no_early_pane():
    with ten(early_every="10 sec") as feed:
        feed.record({"t": 1}).reach(math.inf)
        assert feed.times() == [[1]]
        assert not feed.runner.node.waits_for_time
