"""Counting over five minutes, and for ever."""

from hypothesis import given
from hypothesis import strategies as st

from flowengine.statistics import WINDOW, RollingStatistics

SECOND = 1_000_000


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 9)), max_size=40))
def test_nothing_counted_is_lost_and_old_buckets_leave_the_window(events):
    statistics, now, all_of_them = RollingStatistics(), 0, []
    for wait, count in events:
        now += wait * SECOND
        statistics.bucket(now).flowfiles_in += count
        all_of_them.append((now, count))
    assert statistics.ever(now).flowfiles_in == sum(count for _, count in all_of_them)
    recent = sum(count for time, count in all_of_them if time > now - WINDOW + 5 * SECOND)
    older = sum(count for time, count in all_of_them if time > now - WINDOW - 5 * SECOND)
    assert recent <= statistics.window(now).flowfiles_in <= older


def test_totals_add_every_figure():
    statistics = RollingStatistics()
    bucket = statistics.bucket(0)
    for field in type(bucket).__struct_fields__:
        setattr(bucket, field, 3)
    later = statistics.ever(10 * WINDOW)
    assert [getattr(later, field) for field in type(bucket).__struct_fields__] == [3] * 8
    assert statistics.window(10 * WINDOW).tasks == 0


def test_the_number_of_buckets_is_bounded():
    statistics = RollingStatistics()
    for second in range(0, 100_000, 5):
        statistics.bucket(second * SECOND).tasks += 1
    assert len(statistics._buckets) <= 61
