"""Why has a window not closed? The status says it, and so do the metrics and the live table."""

import re

import pytest

from flowengine.cli.waiting import in_words
from flowengine.metrics import exposition
from flowengine.status import encode, snapshot
from processors.windows import Deduplicate, SessionWindow, SlidingWindow, TumblingWindow
from tests.flowengine.running import running
from tests.processors.windows.byhand import ENDS, FIELDS, ByHand, Pass, Sink, one_window


@pytest.fixture
def flow() -> ByHand:
    return ByHand(one_window(TumblingWindow, Pass, size="10 ms"))


def test_before_a_source_has_said_anything_nothing_is_certain(flow):
    status = flow.status()
    assert (status.time, status.watermark, status.lag) == ("event", None, None)
    assert (status.held_by.kind, status.held_by.id) == ("source", "source")
    assert in_words("window", status) == (
        "window: 0 open windows, waits for source, which has not said yet how far its time has come"
    )


def test_open_windows_and_what_they_hold_are_counted(flow):
    flow.emit("source", 1, 2, 11, 25).settle()
    status = flow.status()
    [window] = status.open
    assert (window.start, window.end, window.key_count, window.records) == (20_000, 30_000, 1, 1)
    assert status.open_count == 1
    assert status.bytes > 0
    assert status.watermark == 24_999


def test_a_partition_holds_the_watermark_back_and_its_silence_is_measured(flow):
    flow.emit("source", 5, partition="orders/2").emit("source", 100, partition="orders/1").settle()
    flow.clock.advance(40_000_000)
    held = flow.status().held_by
    assert (held.kind, held.id, held.partition, held.idle) == (
        "source", "source", "orders/2", 40_000_000
    )  # fmt: skip
    assert in_words("window", flow.status()).endswith(
        "waits for source partition orders/2, idle 40 s"
    )


def test_a_queue_holds_the_watermark_back(flow):
    flow.emit("source", 5, 100)
    held = flow.status().held_by
    assert (held.kind, held.id, held.partition) == ("queue", "source-step0", None)
    assert in_words("window", flow.status()).endswith("waits for what is in the queue source-step0")


def test_open_windows_above_hold_the_watermark_back():
    flow = one_window(TumblingWindow, count=3)  # an unfilled one says nothing of when it will be
    flow.add("second", TumblingWindow, ENDS, **FIELDS, size="1 sec")
    flow.connect("window", "window", "second")
    flow.add("end", Sink)
    flow.connect("second", "window", "end")
    hand = ByHand(flow)
    hand.emit("source", 3, progress=7000).settle()
    held = hand.status("second").held_by
    assert (held.kind, held.id) == ("state", "window")
    assert in_words("second", hand.status("second")).endswith("the open windows of window")


def test_a_source_that_was_stopped_is_shown_as_stopped(flow):
    flow.emit("source", 5).settle()
    flow.assembly.nodes["source"].running = False
    assert flow.status().held_by.state == "stopped"
    assert in_words("window", flow.status()).endswith("source partition p, which is stopped")


def test_late_and_invalid_records_are_counted(flow):
    flow.emit("source", 1, 10, 20).settle()
    flow.emit("source", 1, 1e20, progress=20).settle()
    status = flow.status()
    assert (status.late, status.invalid) == (1, 1)
    assert in_words("window", status).endswith("1 late, 1 invalid")


def test_windows_that_follow_the_clock_wait_for_nobody():
    flow = ByHand(one_window(TumblingWindow, size="10 sec", time="processing"))
    flow.emit("source", 1).settle()
    status = flow.status()
    assert (status.time, status.held_by, status.open_count) == ("processing", None, 1)
    assert status.lag == 1


@pytest.mark.parametrize(
    ("cls", "properties"),
    [
        (SessionWindow, {"gap": "10 ms"}),
        (SlidingWindow, {"size": "10 ms", "slide": "5 ms"}),
        (SlidingWindow, {"size": "10 ms"}),
    ],
)
def test_every_kind_of_window_shows_what_is_open(cls, properties):
    flow = ByHand(one_window(cls, **properties))
    flow.emit("source", 5, progress=2).settle()
    status = flow.status()
    assert status.open_count >= 1
    assert status.open[0].records == status.open[0].key_count == 1
    assert status.open[0].end > 5000


def test_no_more_than_twenty_windows_are_listed_and_those_close_next():
    flow = ByHand(one_window(TumblingWindow, size="10 ms"))
    flow.emit("source", *range(5, 1000, 10), progress=-1).settle()
    status = flow.status()
    assert status.open_count == 100
    assert [window.end for window in status.open] == list(range(10_000, 210_000, 10_000))


def test_deduplicate_says_how_many_keys_it_knows():
    flow = one_window(TumblingWindow, size="10 ms")
    flow.add("dedup", Deduplicate, {"auto_terminate": ["duplicate", "late", "invalid", "unique"]},
             **FIELDS, key_fields=["t"])  # fmt: skip
    flow.connect("source", "success", "dedup")
    hand = ByHand(flow)
    hand.emit("source", 1, 2, 3).settle("dedup")
    hand.trigger("dedup")
    node = hand.assembly.nodes["dedup"]
    assert node.processor.status(hand.assembly.scheduler.contexts["dedup"])["keys"] == 3


async def test_status_and_metrics_of_a_running_flow_carry_it():
    flow = one_window(TumblingWindow, size="10 ms")
    async with running(None, flow.load()) as engine:
        status = snapshot(engine)
    assert status.processors["window"].windows.held_by.id == "source"
    assert status.processors["source"].windows is None
    assert b'"windows":{"time":"event","watermark":null' in encode(status)
    text = exposition(status).decode()
    line = 'flowengine_processor_held_by{flow="by-hand",id="source",kind="source",partition=""'
    assert line in text
    assert re.search(r'flowengine_processor_windows_open{[^}]*processor="window"} 0.0', text)
