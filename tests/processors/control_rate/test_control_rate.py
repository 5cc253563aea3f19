"""ControlRate: NiFi's scenarios (nifi.md §9) on a fake clock, and where we are more exact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flowengine.testing import FakeClock, ProcessorRunner, check_processor
from processors.control_rate import ControlRate

SECOND = 1_000_000
TICK = 1_100_000


def throttle(**properties) -> ProcessorRunner:
    """ControlRate with a period of one second unless said otherwise."""
    return ProcessorRunner(ControlRate, **{"time_duration": "1 sec", **properties})


def count(maximum: int, **more) -> ProcessorRunner:
    return throttle(criteria="flowfile count", maximum_rate=maximum, **more)


def passed(test: ProcessorRunner, relationship: str = "success") -> list[str]:
    """Contents that have gone to a relationship, in order."""
    return [test.content(f).decode() for f in test.transferred(relationship)]


def enqueue(test: ProcessorRunner, contents: str, **attributes: str) -> None:
    """One FlowFile per letter."""
    for letter in contents:
        test.enqueue(letter, attributes)


def run_until(test: ProcessorRunner, end: int) -> list[int]:
    """Trigger as the scheduler would until a monotonic time; when each FlowFile passed."""
    clock, times, wakes = test.clock, [], 0
    while clock.monotonic() < end:
        before = len(test.transferred("success"))
        test.run(100)
        times += [clock.monotonic()] * (len(test.transferred("success")) - before)
        dues = [due - clock.wall() for due in [test.queue.next_due()] if due is not None]
        yielded = test.node.yield_until - clock.monotonic()
        wait = max(1, min([*dues, *([yielded] if yielded > 0 else []), end - clock.monotonic()]))
        clock.advance(min(wait, end - clock.monotonic()))
        wakes += 1
        assert wakes < 10_000, "it must not spin"
    return times


def problems(**properties) -> list[str]:
    """The messages of what is wrong with the properties."""
    with pytest.raises(ValidationError) as caught:
        ControlRate.Properties.model_validate(properties)
    return [f"{'.'.join(map(str, e['loc']))} {e['msg']}" for e in caught.value.errors()]


def test_it_keeps_the_contract_of_a_processor():
    check_processor(ControlRate)


# NiFi's scenarios


def test_1_a_count_is_held_until_the_period_has_passed():
    with count(3) as test:
        enqueue(test, "abcd")
        test.run(4)
        assert passed(test) == ["a", "b", "c"]
        test.run(50)
        assert len(passed(test)) == 3
        test.clock.advance(TICK)
        test.run()
        assert passed(test) == ["a", "b", "c", "d"]
        assert test.queued == 0


def test_2_each_group_has_its_own_budget():
    with count(2, grouping_attribute="group") as test:
        for letter in "abc":
            test.enqueue(letter, group="one")
            test.enqueue(letter.upper(), group="two")
        test.run(50)
        assert passed(test) == ["a", "A", "b", "B"]
        test.clock.advance(TICK)
        test.run()
        assert passed(test)[4:] == ["c", "C"]


def test_3_a_held_group_does_not_stand_before_another():
    with count(3, time_duration="1 min", grouping_attribute="group") as test:
        enqueue(test, "abcde", group="1")
        enqueue(test, "x", group="2")
        test.run()
        assert passed(test) == ["a", "b", "c", "x"]


def test_4_a_data_rate_counts_bytes():
    with throttle(maximum_rate="20 b") as test:
        for _ in range(4):
            test.enqueue(b"0123456789")
        test.run(50)
        assert len(passed(test)) == 2
        test.clock.advance(TICK)
        test.run()
        assert len(passed(test)) == 4


def test_5_an_attribute_counts_its_value():
    with throttle(
        criteria="attribute value", maximum_rate=20, rate_controlled_attribute="n"
    ) as test:
        for _ in range(4):
            test.enqueue(n="10")
        test.run(50)
        assert len(test.transferred("success")) == 2
        test.clock.advance(TICK)
        test.run()
        assert len(test.transferred("success")) == 4


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (None, "none"),
        ("bad string", "'bad string'"),
        ("0", "'0'"),
        ("-1", "'-1'"),
        ("1.5", "'1.5'"),
        ("٣", "'٣'"),
        ("9" * 16, f"'{'9' * 16}'"),
    ],
)
def test_6_and_7_what_is_no_number_fails(value, got):
    with throttle(
        criteria="attribute value", maximum_rate=20, rate_controlled_attribute="n"
    ) as test:
        for _ in range(5):
            test.enqueue(b"", {} if value is None else {"n": value})
        test.run(5)
        failed = test.transferred("failure")
        assert len(failed) == 5
        assert failed[0].attributes["error.message"] == (
            f"attribute 'n' must be a whole number from 1 to 10^15 - 1; got {got}"
        )


@pytest.mark.parametrize(
    ("criteria", "first", "second"),
    [("data rate", "11 B", "33 B"), ("flowfile count", 1, 3)],
)
def test_10_and_11_a_greater_maximum_counts_at_once_and_keeps_the_window(criteria, first, second):
    with throttle(criteria=criteria, maximum_rate=first, time_duration="5 sec") as test:
        for _ in range(6):
            test.enqueue(b"test data 1")
        test.run(10)
        assert len(passed(test)) == 1
        test.clock.advance(SECOND)
        assert test.reconfigure(criteria=criteria, maximum_rate=second, time_duration="5 sec")
        test.run(10)
        assert len(passed(test)) == 3
        test.clock.advance(5 * SECOND)
        test.run(10)
        assert len(passed(test)) == 6


def test_13_the_combined_criteria_obey_both_maxima():
    with throttle(
        criteria="data rate or flowfile count", maximum_data_rate="44 B", maximum_flowfile_rate=1
    ) as test:
        for _ in range(4):
            test.enqueue(b"test data 1")
        test.run(10)
        assert len(passed(test)) == 1
        test.clock.advance(2 * SECOND)
        test.run(10)
        assert len(passed(test)) == 2
        test.clock.advance(TICK)
        test.run(10)
        assert len(passed(test)) == 3


def test_the_combined_criteria_charge_a_flowfile_once():
    """NiFi charges the bytes of a FlowFile that the count holds, again at each attempt."""
    with throttle(
        criteria="data rate or flowfile count", maximum_data_rate="100 B", maximum_flowfile_rate=1
    ) as test:
        for _ in range(4):
            test.enqueue(b"x" * 90)
        assert run_until(test, 4 * SECOND) == [0, SECOND, 2 * SECOND, 3 * SECOND]


def test_16_what_the_criteria_need_is_checked_and_the_rest_ignored():
    assert problems(maximum_rate="1") == [
        "maximum_rate must be a data size such as '1 MB' with criteria 'data rate'; got 1"
    ]
    assert problems() == [
        "maximum_rate must be a data size such as '1 MB' with criteria 'data rate'; got none"
    ]
    assert problems(criteria="flowfile count", maximum_rate="1 MB") == [
        "maximum_rate must be a whole number with criteria 'flowfile count'; got 1 MB"
    ]
    assert problems(criteria="attribute value", maximum_rate=1) == [
        "rate_controlled_attribute must name an attribute with criteria 'attribute value'; got none"
    ]
    both = "must be at least 1 with criteria 'data rate or flowfile count'; got none"
    assert problems(criteria="data rate or flowfile count") == [
        f"maximum_data_rate {both}",
        f"maximum_flowfile_rate {both}",
    ]
    irrelevant = {"rate_controlled_attribute": "n", "maximum_flowfile_rate": 3}
    ControlRate.Properties.model_validate({"maximum_rate": "1 MB", **irrelevant})


def test_a_period_below_a_millisecond_is_refused():
    assert problems(maximum_rate="1 MB", time_duration="10 us") == [
        "time_duration must be at least 1 ms; got 10 us"
    ]


# Exact in time


def test_one_a_minute_passes_at_0_60_and_120_seconds():
    with count(1, time_duration="1 min") as test:
        enqueue(test, "abcd")
        assert run_until(test, 180 * SECOND) == [0, 60 * SECOND, 120 * SECOND]


def test_one_a_minute_for_each_group_passes_at_0_and_60_seconds():
    with count(1, time_duration="1 min", grouping_attribute="g") as test:
        for letter in "ab":
            test.enqueue(letter, g="1")
            test.enqueue(letter.upper(), g="2")
        assert run_until(test, 120 * SECOND) == [0, 0, 60 * SECOND, 60 * SECOND]
        assert passed(test) == ["a", "A", "b", "B"]


def test_a_thousand_a_second_are_sixty_thousand_in_a_minute():
    with count(1000) as test:
        content = b"x" * 200
        for _ in range(61_000):
            test.enqueue(content)
        assert len(run_until(test, 60 * SECOND)) == 60_000


def test_going_over_a_data_rate_costs_its_share_of_the_period():
    with throttle(maximum_rate="100 b") as test:
        for size in (60, 90, 10):
            test.enqueue(b"x" * size)
        assert run_until(test, 3 * SECOND) == [0, 0, 1_500_000]


def test_a_wait_ends_exactly_when_the_next_may_pass():
    with count(1, time_duration="500 ms") as test:
        enqueue(test, "ab")
        test.run(2)
        assert test.node.yield_until == test.clock.monotonic() + 500_000


# Order, groups and routes


def test_held_flowfiles_keep_their_order_and_place():
    with throttle(maximum_rate="2 b") as test:
        enqueue(test, "abcdefgh")
        run_until(test, 4 * SECOND)
        assert passed(test) == list("abcdefgh")


def test_a_group_keeps_its_order_when_more_arrives_while_it_is_held():
    with count(2, grouping_attribute="g", time_duration="30 sec") as test:
        enqueue(test, "abcde", g="1")
        test.run()
        test.clock.advance(12 * SECOND)
        enqueue(test, "fgh", g="1")
        test.enqueue("x", g="2")
        test.run()
        assert passed(test) == ["a", "b", "x"]
        run_until(test, 130 * SECOND)
        assert passed(test) == ["a", "b", "x", *"cdefgh"]


def test_flowfiles_without_the_grouping_attribute_are_one_group():
    with count(1, grouping_attribute="g") as test:
        enqueue(test, "ab")
        test.enqueue("c", g="")
        test.run(5)
        assert passed(test) == ["a", "c"]


def test_what_exceeds_the_rate_may_go_another_way():
    with count(2, rate_exceeded_strategy="route to 'rate exceeded'") as test:
        enqueue(test, "abcd")
        test.run()
        assert (passed(test), passed(test, "rate exceeded")) == (["a", "b"], ["c", "d"])
        test.clock.advance(TICK)
        enqueue(test, "e")
        test.run()
        assert passed(test) == ["a", "b", "e"]


def test_rate_exceeded_exists_with_its_strategy_only():
    with count(2) as test:
        assert set(test.outputs) == {"success", "failure"}


# State


def test_a_restart_neither_renews_nor_loses_the_budget():
    with count(3, time_duration="1 min") as test:
        enqueue(test, "abcdef")
        test.run(2)
        test.restart()
        assert run_until(test, 60 * SECOND) == []
        assert run_until(test, 61 * SECOND) == [60 * SECOND] * 3


def test_a_session_that_is_rolled_back_has_charged_nothing():
    with count(1) as test:
        enqueue(test, "ab")
        test.start()
        session = test.session()
        test.node.processor.on_trigger(test.context, session)
        session.rollback()
        test.run()
        assert passed(test) == ["a"]


def test_a_clock_that_goes_back_delays_by_one_period_at_most():
    with count(1) as test:
        enqueue(test, "abc")
        test.run()
        test.clock.set_wall(test.clock.wall() - 3600 * SECOND)
        assert run_until(test, 3 * SECOND) == [SECOND, 2 * SECOND]


def test_another_period_or_grouping_starts_anew_but_needs_a_restart():
    with count(1, time_duration="1 min") as test:
        enqueue(test, "ab")
        test.run(2)
        assert not test.reconfigure(
            criteria="flowfile count", maximum_rate=1, time_duration="2 min"
        )
        test.restart()
        test.clock.advance(SECOND)
        test.run()
        assert passed(test) == ["a", "b"]


def test_only_the_maximum_changes_live():
    with count(1) as test:
        same = {"criteria": "flowfile count", "maximum_rate": 5, "time_duration": "1 sec"}
        assert test.reconfigure(**same)
        assert not test.reconfigure(**same, grouping_attribute="g")


def test_groups_that_are_idle_are_freed():
    with count(1, grouping_attribute="g") as test:
        for number in range(100):
            test.enqueue(g=str(number))
        test.run()
        assert len(test.state) == 101
        test.clock.advance(61 * SECOND)
        test.enqueue(g="new")
        test.run()
        assert set(test.state) == {"configuration", "count:new"}


# Laws


@given(
    st.lists(st.tuples(st.integers(0, 2 * SECOND), st.sampled_from(["a", "b"])), max_size=25),
    st.integers(1, 3),
    st.booleans(),
)
def test_nothing_is_lost_order_holds_and_no_period_sees_more_than_the_maximum(
    arrivals, maximum, grouped
):
    more = {"grouping_attribute": "g"} if grouped else {}
    with count(maximum, clock=FakeClock(), **more) as test:
        sent: dict[str, list[str]] = {"a": [], "b": []}
        times: list[int] = []
        for index, (wait, group) in enumerate(arrivals):
            test.enqueue(str(index), g=group)
            sent[group].append(str(index))
            times += run_until(test, test.clock.monotonic() + wait)
        times += run_until(test, test.clock.monotonic() + len(arrivals) * SECOND)
        for group, contents in sent.items():
            done = [f for f in test.transferred("success") if f.attributes["g"] == group]
            assert [test.content(f).decode() for f in done] == contents
        most = maximum * 2 if grouped else maximum
        for start in times:
            assert sum(1 for time in times if start <= time < start + SECOND) <= most
