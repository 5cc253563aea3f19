"""E20: low watermarks, computed from sources, queues and state."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import pytest

from flowengine.assembly import Assembly
from flowengine.bulletins import BulletinBoard
from flowengine.clock import FakeClock
from flowengine.context import ProcessContext, Surroundings
from flowengine.definition.builder import Flow
from flowengine.io_loop import IoLoop
from flowengine.processor import InputRequirement, Processor, Relationship
from flowengine.repository import MemoryRepository
from flowengine.session import ProcessSession


class Source(Processor):
    """Makes what a test tells it to."""

    input = InputRequirement.FORBIDDEN
    success = Relationship("Everything.")

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        """Driven by hand."""


class Pass(Processor):
    """Hands on."""

    success = Relationship("Everything.")

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        """Driven by hand."""


class Window(Pass):
    """Asks for event time."""

    event_time = True


class Bench:
    """source → pass → window, and sessions made by hand."""

    def __init__(self) -> None:
        flow = Flow("watermarks")
        names = [flow.add("source", Source), flow.add("pass", Pass)]
        names.append(flow.add("window", Window, {"auto_terminate": ["success"]}))
        for left, right in itertools.pairwise(names):
            flow.connect(left, "success", right)
        clock = FakeClock()
        repository = MemoryRepository()
        around = Surroundings("watermarks", repository.content_directory, clock, IoLoop(), None)  # type: ignore[arg-type]
        recovered = repository.recover()
        self.assembly = Assembly(flow.load(), repository, recovered, around, BulletinBoard(clock))
        self.window = self.assembly.nodes["window"]

    def session(self, name: str) -> ProcessSession:
        return ProcessSession(self.assembly.nodes[name], self.assembly.core)

    def emit(self, *times: int, progress: int | None = None) -> None:
        session = self.session("source")
        made = [session.create(event_time=time) for time in times]
        session.transfer(made, "success")
        session.report_progress("p0", max(times) if progress is None else progress)
        session.commit()

    def move(self, name: str, count: int) -> None:
        session = self.session(name)
        session.transfer(session.get_batch(count), "success")
        session.commit()

    @property
    def low(self) -> float:
        return self.assembly.watermarks.low(self.window)


@pytest.fixture
def bench() -> Iterator[Bench]:
    return Bench()


def test_nothing_is_certain_before_the_source_has_joined(bench: Bench) -> None:
    assert bench.low == -math.inf


def test_what_waits_in_a_queue_holds_the_watermark_one_below_its_time(bench: Bench) -> None:
    bench.emit(100, 50, 200)
    assert bench.low == 49
    assert bench.assembly.watermarks.held(bench.window).kind == "queue"


def test_what_a_session_has_polled_still_holds(bench: Bench) -> None:
    bench.emit(100, 50)
    session = bench.session("pass")
    session.get_batch()
    assert bench.low == 49
    session.rollback()
    assert bench.low == 49


def test_a_hold_passes_along_the_path_and_ends_at_the_window(bench: Bench) -> None:
    bench.emit(100, 50)
    bench.move("pass", 2)
    assert bench.low == 49
    bench.move("window", 2)
    assert bench.low == 100


def test_a_filter_that_drops_everything_does_not_stall_time(bench: Bench) -> None:
    bench.emit(100)
    session = bench.session("pass")
    session.remove(session.get_batch())
    session.commit()
    assert bench.low == 100


def test_the_watermark_never_moves_back(bench: Bench) -> None:
    bench.emit(100)
    bench.move("pass", 1)
    bench.move("window", 1)
    assert bench.low == 100
    bench.emit(30, progress=100)
    assert bench.low == 100


def test_state_holds_until_it_is_put_out(bench: Bench) -> None:
    bench.emit(100)
    session = bench.session("pass")
    session.remove(session.get_batch())
    session.hold_time(60)
    session.commit()
    assert bench.low == 59
    assert bench.assembly.watermarks.held(bench.window).component == "pass"
    session = bench.session("pass")
    session.hold_time(None)
    session.commit()
    assert bench.low == 100


def settled(bench: Bench, progress: int) -> None:
    bench.emit(100, progress=progress)
    bench.move("pass", 1)
    bench.move("window", 1)


def report(bench: Bench, **progress: int | None) -> None:
    session = bench.session("source")
    for partition, time in progress.items():
        session.report_progress(partition, time)
    session.commit()


def test_a_partition_taken_out_no_longer_holds(bench: Bench) -> None:
    settled(bench, 10)
    report(bench, p1=30)
    assert bench.low == 10
    report(bench, p0=None)
    assert bench.low == 30


def test_a_source_whose_partitions_are_all_idle_moves_nothing_and_may_come_back(
    bench: Bench,
) -> None:
    settled(bench, 10)
    report(bench, p0=None)
    assert bench.assembly.watermarks.held(bench.window).kind == "idle"
    assert bench.low == 10
    bench.emit(40, progress=12)
    assert bench.low == 12


def test_partitions_that_go_idle_leave_the_greatest_time_that_one_had_reached(
    bench: Bench,
) -> None:
    settled(bench, 10)
    report(bench, p1=30)
    report(bench, p0=None, p1=None)
    assert bench.low == 30


def test_what_waits_below_an_idle_source_still_holds(bench: Bench) -> None:
    bench.emit(100, progress=500)
    report(bench, p0=None)
    assert bench.low == 99


def test_a_finished_source_releases_all(bench: Bench) -> None:
    settled(bench, 10)
    bench.assembly.nodes["source"].completed = True
    assert bench.low == math.inf


def test_the_end_waits_for_what_has_no_event_time(bench: Bench) -> None:
    session = bench.session("source")
    session.transfer([session.create(), session.create()], "success")
    session.commit()
    bench.assembly.nodes["source"].completed = True
    for name in ("pass", "pass", "window", "window"):
        assert bench.low == -math.inf
        bench.move(name, 1)
    assert bench.low == math.inf


def test_each_partition_holds_for_itself(bench: Bench) -> None:
    bench.emit(100)
    bench.move("pass", 1)
    bench.move("window", 1)
    session = bench.session("source")
    session.report_progress("p1", 20)
    session.report_progress("p0", 500)
    session.commit()
    assert bench.assembly.watermarks.held(bench.window).partition == "p1"
