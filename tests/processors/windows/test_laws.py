"""Any order of arrival and any batches give the windows that a plain computation gives."""

import json
import math
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from processors.windows import SessionWindow, SlidingWindow, TumblingWindow
from tests.processors.windows.feeding import Feed, milliseconds

BOUND = 20

RECORDS = st.lists(
    st.tuples(st.integers(-200, 400), st.sampled_from("ab"), st.integers(-5, 5)), max_size=25
)


@st.composite
def arrivals(draw) -> list[list[dict]]:
    """Records at most BOUND ms behind the greatest before them, in batches."""
    records, greatest, arriving = draw(RECORDS), -math.inf, []
    for time, key, value in sorted(records):
        time = max(time, greatest - BOUND)
        jittered = time + draw(st.integers(0, BOUND))
        arriving.append((jittered, {"t": time, "k": key, "v": value}))
        greatest = max(greatest, time)
    arriving.sort(key=lambda pair: pair[0])
    batches: list[list[dict]] = []
    for _, record in arriving:
        if not batches or draw(st.booleans()):
            batches.append([])
        batches[-1].append(record)
    return batches


def run(cls: type, batches: list[list[dict]], restarts: bool, **properties) -> dict:
    """Final panes: (start, end, key) → sorted values."""
    with Feed(cls, key_fields=["k"], **properties) as feed:
        greatest = -math.inf
        for batch in batches:
            feed.batch(*batch)
            if restarts:
                feed.restart()
            greatest = max(greatest, *(record["t"] for record in batch))
            feed.reach(greatest - BOUND, tick=1)
        assert feed.reach(math.inf).out("late") == []
        assert feed.open == 0
        found: dict = {}
        for flowfile in feed.out():
            names = ("window.start", "window.end")
            bounds = [milliseconds(flowfile.attributes[name]) for name in names]
            lines = feed.runner.content(flowfile).splitlines()
            place = (*bounds, flowfile.attributes["window.key"])
            assert place not in found, "each window comes out once"
            found[place] = sorted(json.loads(line)["v"] for line in lines)
        return found


def expected(batches: list[list[dict]], windows) -> dict:
    found: dict = defaultdict(list)
    for batch in batches:
        for record in batch:
            for start, end in windows(record["t"]):
                found[start, end, record["k"]].append(record["v"])
    return {place: sorted(values) for place, values in found.items()}


def hopping(size: int, slide: int):
    def windows(time: int):
        last = math.floor(time / slide) * slide
        return [(s, s + size) for s in range(last - size * 2, last + 1) if
                s % slide == 0 and s <= time < s + size]  # fmt: skip

    return windows


@given(arrivals(), st.booleans())
def test_tumbling_windows_equal_the_batch(batches, restarts):
    found = run(TumblingWindow, batches, restarts, size="30 ms")
    assert found == expected(batches, hopping(30, 30))


@given(arrivals(), st.booleans(), st.sampled_from([(30, 10), (30, 20), (7, 7), (50, 35)]))
def test_sliding_windows_equal_the_batch(batches, restarts, sizes):
    size, slide = sizes
    found = run(SlidingWindow, batches, restarts, size=f"{size} ms", slide=f"{slide} ms")
    assert found == expected(batches, hopping(size, slide))


@given(arrivals(), st.booleans())
def test_windows_with_panes_of_their_own_equal_those_that_share(batches, restarts):
    own = run_final(batches, allowed_lateness="1 ms")
    shared = run(SlidingWindow, batches, restarts, size="30 ms", slide="10 ms")
    assert own == shared


def run_final(batches: list[list[dict]], **properties) -> dict:
    return run(SlidingWindow, batches, False, size="30 ms", slide="10 ms", **properties)


@given(arrivals(), st.booleans())
def test_windows_per_event_equal_the_batch(batches, restarts):
    found = run(SlidingWindow, batches, restarts, size="10 ms")
    everything = [record for batch in batches for record in batch]
    wanted: dict = {}
    for one in everything:
        values = sorted(
            other["v"] for other in everything
            if other["k"] == one["k"] and one["t"] - 10 <= other["t"] <= one["t"]
        )  # fmt: skip
        wanted[one["t"] - 10, one["t"] + 0.001, one["k"]] = values
    assert found == wanted


@given(arrivals(), st.booleans())
def test_sessions_equal_the_batch(batches, restarts):
    found = run(SessionWindow, batches, restarts, gap="15 ms")
    wanted: dict = {}
    for key in "ab":
        records = sorted((r["t"], r["v"]) for batch in batches for r in batch if r["k"] == key)
        groups: list[list] = []
        for time, value in records:
            if not groups or time - groups[-1][-1][0] > 15:
                groups.append([])
            groups[-1].append((time, value))
        for group in groups:
            wanted[group[0][0], group[-1][0] + 15, key] = sorted(v for _, v in group)
    assert found == wanted
