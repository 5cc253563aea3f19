"""W67-W74: the watermark over several inputs and partitions (E20, E21). Times in ms."""

import math

import pytest

from processors.windows import TumblingWindow
from tests.processors.windows.byhand import ByHand, Pass, one_window


@pytest.fixture
def flow() -> ByHand:
    return ByHand(one_window(TumblingWindow, Pass, size="10 ms"))


def progress(flow: ByHand, **partitions: float) -> float:
    for name, time in partitions.items():
        flow.emit("source", partition=name, progress=time)
    return flow.watermark()


def test_w67_the_least_of_three_inputs_counts_and_none_moves_back(flow):
    assert progress(flow, a=25, b=10, c=17) == 9.999
    assert progress(flow, a=12, b=8, c=15) == 9.999
    assert flow.assembly.nodes["source"].progress == {"a": 24_999, "b": 9_999, "c": 16_999}
    assert progress(flow, b=20) == 16.999


def test_w67_three_sources_are_like_three_partitions():
    flow = one_window(TumblingWindow, size="10 ms")
    for name in ("second", "third"):
        flow.add(name, type(flow_source()))
        flow.connect(name, "success", "window")
    hand = ByHand(flow)
    for name, time in (("source", 25), ("second", 10), ("third", 17)):
        hand.emit(name, progress=time)
    assert hand.watermark() == 9.999


def flow_source():
    from tests.processors.windows.byhand import Given

    return Given(Given.Properties())


def test_w68_an_input_that_never_produced_holds_until_it_is_idle(flow):
    flow.join("source", "c")
    assert progress(flow, a=15, b=10) < 0
    flow.leave("source", "c")
    assert flow.watermark() == 9.999


def test_w68_a_source_that_has_not_joined_holds_all(flow):
    assert flow.watermark() == -math.inf


def test_w71_a_partition_that_we_pause_stays_and_nothing_is_late_on_resume(flow):
    flow.emit("source", 5, partition="a").emit("source", 5, partition="b").settle()
    for _ in range(100):  # b is paused by back pressure while a goes on
        flow.clock.advance(60_000_000)
        flow.emit("source", 95, partition="a").settle()
    assert flow.watermark() == 4.999
    flow.emit("source", 6, 7, partition="b").settle()
    assert flow.count("window-late") == 0
    flow.emit("source", 100, partition="b").emit("source", 100, partition="a").settle()
    assert flow.windows()[0] == [5, 5, 6, 7]


def test_w74_a_revoked_partition_leaves_the_least_and_its_windows_stay(flow):
    flow.emit("source", 15, partition="a").emit("source", 12, partition="b").settle()
    assert flow.watermark() == 11.999
    flow.leave("source", "b")
    flow.settle()
    assert flow.watermark() == 14.999
    assert flow.status().open[0].records == 2
    flow.emit("source", 25, partition="a").settle()
    assert flow.windows() == [[12, 15]]


def test_w74_a_partition_that_comes_back_starts_where_it_is_and_moves_nothing_back(flow):
    flow.emit("source", 25, partition="a").emit("source", 5, partition="b").settle()
    flow.leave("source", "b")
    flow.settle()
    assert flow.watermark() == 24.999
    flow.join("source", "b")
    flow.emit("source", 5, 26, partition="b", progress=26).settle()
    assert flow.watermark() == 24.999
    assert flow.count("window-late") == 1


def test_the_watermark_stays_when_all_partitions_are_idle(flow):
    flow.emit("source", 15, partition="a").settle()
    before = flow.watermark()
    flow.leave("source", "a")
    assert flow.watermark() >= before
    assert math.isfinite(flow.status().watermark or 0)
