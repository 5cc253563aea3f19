"""Which windows a time falls into: the cases of windows.md §1.4."""

# ruff: noqa: N802 - cases are named as in windows.md

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from processors.windows import SlidingWindow, TumblingWindow
from processors.windows.assign import Calendar, CalendarWindows, Hopping
from processors.windows.times import EARLIEST, LATEST, instant, time_reader
from tests.processors.windows.feeding import Feed

HOUR = 3_600_000_000


def tumbling(size: int, offset: int = 0) -> Hopping:
    return Hopping(size, size, offset)


def at(text: str) -> int:
    return instant(datetime.fromisoformat(text).astimezone(UTC))


def day(zone: str, text: str) -> tuple[int, int]:
    """The day in a zone that holds an instant."""
    return tuple(CalendarWindows(Calendar.DAY, zone).windows(at(text))[0])


@pytest.mark.parametrize(("time", "start"), [(0, 0), (4999, 0), (5000, 5000)])
def test_W01_a_window_holds_its_start_and_not_its_end(time, start):
    assert tumbling(5000).windows(time) == [(start, start + 5000)]


@pytest.mark.parametrize(("time", "start"), [(-1, -10), (-10, -10), (-11, -20)])
def test_W02_negative_times_fall_downwards(time, start):
    assert tumbling(10).windows(time) == [(start, start + 10)]


@pytest.mark.parametrize(("time", "start"), [(7, 7), (11, 7), (12, 12)])
def test_W03_an_offset_shifts_all_windows(time, start):
    assert tumbling(5, 2).windows(time) == [(start, start + 5)]


def test_W04_an_offset_counts_modulo_the_slide():
    assert tumbling(5, 12).windows(11) == tumbling(5, 2).windows(11) == [(7, 12)]


def test_W06_hopping_windows_overlap():
    assert Hopping(12, 5).windows(21) == [(10, 22), (15, 27), (20, 32)]


def test_W08_a_window_that_ended_does_not_hold_its_end():
    assert Hopping(10, 5).windows(15) == [(10, 20), (15, 25)]


@pytest.mark.parametrize(("time", "starts"), [(10, [7]), (14, [7, 14]), (17, [14])])
def test_W10_a_slide_that_does_not_divide_the_size(time, starts):
    assert Hopping(10, 7).windows(time) == [(start, start + 10) for start in starts]


def test_W11_hopping_windows_of_negative_times():
    assert Hopping(10, 5).windows(-3) == [(-10, 0), (-5, 5)]


def test_W12_gaps_are_refused_unless_allowed_and_then_nothing_vanishes():
    with pytest.raises(ValidationError, match="slide must be at most size unless allow_gaps"):
        SlidingWindow.Properties.model_validate({"size": "2 ms", "slide": "4 ms"})
    with Feed(SlidingWindow, size="2 ms", slide="4 ms", allow_gaps=True) as feed:
        feed.give(3, 4)
        assert feed.times("unmatched") == [[3]]
        assert feed.reach(100).panes() == [(4, 6, [4], "on_time", 0, True)]


@pytest.mark.parametrize("offset", [1_500_000, 4_000_000])
def test_W14_fractions_of_seconds_do_not_drift(offset):
    windows = Hopping(3_500_000, 2_500_000, offset)
    assert windows.windows(1_700_000) == [(-1_000_000, 2_500_000), (1_500_000, 5_000_000)]
    assert windows.windows(3_000_000) == [(1_500_000, 5_000_000)]


def test_W15_a_day_in_shanghai():
    bounds = (at("2023-12-31T16:00Z"), at("2024-01-01T16:00Z"))
    assert day("Asia/Shanghai", "2024-01-01T00:00Z") == bounds


def test_W16_the_day_on_which_new_york_goes_to_summer_time_has_23_hours():
    start, end = day("America/New_York", "2024-03-10T12:00Z")
    assert (start, end) == (at("2024-03-10T05:00Z"), at("2024-03-11T04:00Z"))
    assert end - start == 23 * HOUR


def test_the_day_on_which_new_york_goes_back_has_25_hours():
    start, end = day("America/New_York", "2024-11-03T12:00Z")
    assert end - start == 25 * HOUR


def test_W18_the_day_of_kathmandu_starts_at_a_quarter_past():
    start, _ = day("Asia/Kathmandu", "2024-01-01T00:00Z")
    assert start == at("2023-12-31T18:15Z")


@pytest.mark.parametrize(
    ("unit", "start", "end"),
    [
        ("week", "2024-02-26T00:00Z", "2024-03-04T00:00Z"),
        ("month", "2024-02-01T00:00Z", "2024-03-01T00:00Z"),
        ("year", "2024-01-01T00:00Z", "2025-01-01T00:00Z"),
    ],
)
def test_calendar_units_have_the_length_that_the_calendar_gives_them(unit, start, end):
    windows = CalendarWindows(Calendar(unit), "UTC").windows(at("2024-02-29T12:00Z"))
    assert windows == [(at(start), at(end))]


ZONES = ["UTC", "America/New_York", "America/Sao_Paulo", "Asia/Beirut", "Pacific/Apia",
         "America/Havana", "Australia/Lord_Howe", "Africa/Cairo"]  # fmt: skip


@given(
    time=st.integers(EARLIEST, LATEST) | st.integers(0, 2_000_000_000_000_000),
    zone=st.sampled_from(ZONES),
    unit=st.sampled_from(Calendar),
)
def test_every_time_lies_in_one_calendar_window_next_to_the_others(time, zone, unit):
    windows = CalendarWindows(unit, zone)
    [(start, end)] = windows.windows(time)
    assert start <= time < end
    if start > EARLIEST and end < LATEST:
        assert windows.windows(start) == windows.windows(end - 1) == [(start, end)]
        assert windows.windows(end)[0].start == end
        assert windows.windows(start - 1)[0].end == start


@given(
    st.integers(1, 10**6), st.integers(1, 10**6), st.integers(-(10**7), 10**7),
    st.integers(-(10**15), 10**15),
)  # fmt: skip
def test_hopping_windows_are_those_that_hold_the_time(size, slide, offset, time):
    size = min(size, slide * 50)
    windows = Hopping(size, slide, offset).windows(time)
    assert all(s.start <= time < s.end and (s.start - offset) % slide == 0 for s in windows)
    around = range(time - size - slide, time + slide)
    first = around.start + (offset - around.start) % slide
    assert len(windows) == sum(s <= time < s + size for s in range(first, around.stop, slide))


@pytest.mark.parametrize("value", [None, "soon", float("nan"), True, [], 10**30, "1e400", ""])
def test_W20_a_time_that_is_none_is_invalid_and_moves_nothing(value):
    with Feed(TumblingWindow, size="10 ms") as feed:
        feed.batch(json_line(value), {"t": 1})
        [flowfile] = feed.out("invalid")
        assert flowfile.attributes["error.message"]
        assert feed.runner.counters == {"records_invalid_total.processor": 1}
        assert feed.reach(9, tick=-999).times() == [[1]]


def json_line(value) -> str:
    return '{"t": NaN}' if value != value else f'{{"t": {_json(value)}}}'


def _json(value) -> str:
    import json

    return json.dumps(value)


def test_W20_the_message_says_what_was_expected():
    with Feed(TumblingWindow, size="10 ms") as feed:
        feed.record({"x": 1})
        [flowfile] = feed.out("invalid")
        assert flowfile.attributes["error.message"] == (
            "field 't' must be a number or text; got none"
        )


def test_W21_microseconds_are_read_in_their_unit():
    assert time_reader("us", "", "UTC")(9_999_999) == 9_999_999
    assert time_reader("s", "", "UTC")(9.999999) == 9_999_999
    assert tumbling(10_000_000).windows(9_999_999) == [(0, 10_000_000)]


def test_W21_a_unit_is_never_guessed():
    read = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
        microseconds=time_reader("ms", "", "UTC")(1_700_000_000)
    )
    assert read.year == 1970


@pytest.mark.parametrize(
    ("text", "pattern", "zone", "expected"),
    [
        ("2024-01-01T00:00:00Z", "", "UTC", "2024-01-01T00:00:00Z"),
        ("2024-01-01 00:00", "", "Asia/Kathmandu", "2023-12-31T18:15:00Z"),
        ("31.12.2023 18:15", "%d.%m.%Y %H:%M", "UTC", "2023-12-31T18:15:00Z"),
    ],
)
def test_texts_are_read_in_their_zone(text, pattern, zone, expected):
    assert time_reader("ms", pattern, zone)(text) == at(expected)


def test_a_zone_that_does_not_exist_is_refused():
    with pytest.raises(ValidationError, match="must be a time zone such as 'Europe/Berlin'"):
        TumblingWindow.Properties.model_validate({"size": "1 h", "time_zone": "Mars/Olympus"})
    assert ZoneInfo("UTC")
