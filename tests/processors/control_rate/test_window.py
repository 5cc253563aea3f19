"""Window: the laws of one limit, in exact times."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.control_rate.window import FINE, Window

SECOND = 1_000_000
START = 1_700_000_000 * SECOND


def fill(window: Window, most: int) -> int:
    """Admit ones while something remains; how many passed."""
    passed = min(most, max(window.remaining, 0))
    if passed:
        window.admit(passed)
    return passed


def test_an_amount_counts_for_exactly_one_period():
    window = Window(60 * SECOND, 1, START)
    window.admit(1)
    stored = window.snapshot()
    assert window.free_at == START + 60 * SECOND
    assert Window(60 * SECOND, 1, START + 60 * SECOND - 1, stored).remaining == 0
    assert Window(60 * SECOND, 1, START + 60 * SECOND, stored).remaining == 1


def test_going_over_is_paid_for_after_the_window_has_drained():
    """29 kB in a second where 20 kB/s are allowed: 1 s, and 450 ms more."""
    window = Window(SECOND, 20_000, START)
    window.admit(29_000)
    assert window.free_at == START + 1_450_000


def test_reaching_the_maximum_exactly_costs_nothing_more():
    window = Window(SECOND, 20_000, START)
    window.admit(10_000)
    window.admit(10_000)
    assert window.free_at == START + SECOND


def test_going_over_in_more_than_a_second_has_no_penalty():
    first = Window(60 * SECOND, 100, START)
    first.admit(90)
    second = Window(60 * SECOND, 100, START + 30 * SECOND, first.snapshot())
    second.admit(20)
    assert second.free_at == START + 60 * SECOND


def test_a_penalty_lasts_though_the_window_has_drained():
    window = Window(SECOND, 10, START)
    window.admit(30)
    stored = window.snapshot()
    assert Window(SECOND, 10, START + 3 * SECOND - 1, stored).remaining == 0
    assert Window(SECOND, 10, START + 3 * SECOND, stored).remaining == 10


def test_a_greater_maximum_counts_what_has_passed():
    window = Window(SECOND, 11, START)
    window.admit(11)
    assert Window(SECOND, 33, START, window.snapshot()).remaining == 22


def test_a_smaller_maximum_waits_until_less_than_it_counts():
    stored = None
    for step in range(10):
        window = Window(100 * SECOND, 10, START + step * SECOND, stored)
        window.admit(1)
        stored = window.snapshot()
    assert Window(100 * SECOND, 3, START + 9 * SECOND, stored).free_at == START + 107 * SECOND


@pytest.mark.parametrize("back", [1, SECOND, 3600 * SECOND])
def test_a_clock_that_goes_back_blocks_for_one_period_at_most(back):
    window = Window(SECOND, 1, START)
    window.admit(1)
    later = Window(SECOND, 1, START - back, window.snapshot())
    assert later.free_at == START - back + SECOND


def test_a_window_in_which_nothing_counts_is_idle():
    window = Window(SECOND, 10, START)
    window.admit(15)
    stored = window.snapshot()
    assert not Window(SECOND, 10, START + 1_499_999, stored).idle
    assert Window(SECOND, 10, START + 1_500_000, stored).idle


def test_a_snapshot_that_was_decoded_to_lists_is_understood():
    window = Window(SECOND, 10, START)
    window.admit(4)
    burst, entries = window.snapshot()
    assert Window(SECOND, 10, START, [burst, [list(entry) for entry in entries]]).remaining == 6


@given(st.lists(st.integers(0, SECOND // 10), max_size=400), st.integers(1, 300))
def test_the_snapshot_stays_small(waits, maximum):
    now, stored = START, None
    for wait in waits:
        now += wait
        window = Window(10 * SECOND, maximum, now, stored)
        fill(window, 1)
        stored = window.snapshot()
        assert len(stored[1]) <= 2 * FINE + 1


@given(
    st.lists(st.tuples(st.integers(0, 3 * SECOND), st.integers(1, 30)), max_size=60),
    st.integers(1, 20),
)
def test_no_period_ever_sees_more_ones_than_the_maximum(arrivals, maximum):
    period, now, stored = 5 * SECOND, START, None
    passed: list[int] = []
    for wait, wanted in arrivals:
        now += wait
        window = Window(period, maximum, now, stored)
        passed += [now] * fill(window, wanted)
        stored = window.snapshot()
    for start in passed:
        assert sum(1 for time in passed if start <= time < start + period) <= maximum


@given(
    st.lists(st.tuples(st.integers(0, 3 * SECOND), st.integers(1, 50)), max_size=60),
    st.integers(1, 20),
)
def test_at_most_the_last_amount_goes_over_the_maximum(arrivals, maximum):
    period, now, stored = 5 * SECOND, START, None
    passed: list[tuple[int, int]] = []
    for wait, amount in arrivals:
        now += wait
        window = Window(period, maximum, now, stored)
        if window.remaining > 0:
            window.admit(amount)
            passed.append((now, amount))
        stored = window.snapshot()
    for end in range(len(passed)):
        before = [a for t, a in passed[:end] if passed[end][0] - period < t]
        assert sum(before) < maximum


@given(st.lists(st.integers(1, SECOND), min_size=1, max_size=40), st.integers(1, 9))
def test_what_is_free_at_a_time_is_free_then_and_not_before(waits, maximum):
    now, stored = START, None
    for wait in waits:
        window = Window(3 * SECOND, maximum, now, stored)
        fill(window, 2)
        stored = window.snapshot()
        if window.remaining <= 0:
            assert Window(3 * SECOND, maximum, window.free_at - 1, stored).remaining <= 0
            assert Window(3 * SECOND, maximum, window.free_at, stored).remaining > 0
        now += wait
