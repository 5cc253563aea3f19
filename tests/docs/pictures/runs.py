"""What the pictures show: real processors on a fake clock, with a handful of records."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from flowengine.clock import FakeClock
from flowengine.testing import ProcessorRunner
from processors.windows.session_window import SessionWindow
from processors.windows.sliding_window import SlidingWindow
from processors.windows.tumbling_window import TumblingWindow
from tests.processors.windows.feeding import Feed, milliseconds

FLOWS = Path(__file__).parents[3] / "flows"


class Result(NamedTuple):
    """A window that came out; times in seconds."""

    start: int
    end: int
    times: list[int]
    key: str = ""
    first: int = 0
    last: int = 0


def _seconds(attributes: Any, name: str) -> int:
    return int(milliseconds(attributes[name]) // 1000) if name in attributes else 0


def _results(feed: Feed) -> list[Result]:
    found = []
    for flowfile in feed.out():
        attributes = flowfile.attributes
        lines = feed.runner.content(flowfile).splitlines()
        times = [json.loads(line)["t"] // 1000 for line in lines]
        start, end, first, last = (
            _seconds(attributes, f"window.{name}") for name in ("start", "end", "first", "last")
        )
        found.append(Result(start, end, times, attributes["window.key"], first, last))
    return found


def tumbling(times: list[int], size: int) -> list[Result]:
    """Windows that follow one another."""
    with Feed(TumblingWindow, size=f"{size} sec") as feed:
        feed.give(*[time * 1000 for time in times]).reach(10**9)
        return _results(feed)


def sliding(times: list[int], size: int, slide: int) -> list[Result]:
    """Windows that overlap."""
    with Feed(SlidingWindow, size=f"{size} sec", slide=f"{slide} sec") as feed:
        feed.give(*[time * 1000 for time in times]).reach(10**9)
        return _results(feed)


def sessions(events: list[tuple[int, str]], gap: int) -> list[Result]:
    """Sessions of several users."""
    with Feed(SessionWindow, gap=f"{gap} sec", key_fields=["user"]) as feed:
        for time, user in events:
            feed.record({"t": time * 1000, "user": user})
        return _results(feed.reach(10**9))


class Arrival(NamedTuple):
    """A record, in the order in which it came; what happened then."""

    time: int
    watermark: int
    closed: list[Result]
    late: bool


def arrivals(times: list[int], size: int, bound: int) -> list[Arrival]:
    """Records out of order, one after the other."""
    found = []
    with Feed(TumblingWindow, bound * 1000, size=f"{size} sec") as feed:
        for time in times:
            feed.give(time * 1000)
            late = bool(feed.out("late"))
            watermark = (feed.greatest or 0) / 1000 - bound
            found.append(Arrival(time, int(watermark), _results(feed), late))
    return found


class Car(NamedTuple):
    """Minutes after nine at which it passed, Kafka received it, and the flow read it."""

    event: int
    ingest: int
    processing: int


def three_times(cars: list[Car]) -> dict[str, dict[int, int]]:
    """The windows of flows/three-times.json: time → minute after nine → cars."""
    flow = json.loads((FLOWS / "three-times.json").read_text())
    return {name: _counted(flow, name, cars) for name in Car._fields}


def _counted(flow: dict[str, Any], name: str, cars: list[Car]) -> dict[int, int]:
    values = {f"#{{{key}}}": one["value"] for key, one in flow["parameters"].items()}
    own = flow["processors"][name]["properties"]
    properties = {key: values.get(str(value), value) for key, value in own.items()}
    nine = datetime(2024, 1, 1, 9, tzinfo=UTC)
    clock = FakeClock(int(nine.timestamp()) * 1_000_000)
    base = clock.wall()
    with ProcessorRunner(TumblingWindow, clock=clock, **properties) as runner:
        for minute in range(max(car.processing for car in cars) + 3):
            _pass_minute(runner, base, minute, cars)
        found = {}
        for flowfile in runner.transferred("window"):
            start = milliseconds(flowfile.attributes["window.start"]) * 1000 - base
            found[int(start // 60_000_000)] = json.loads(runner.content(flowfile))["cars"]
        return found


def _pass_minute(runner: ProcessorRunner, base: int, minute: int, cars: list[Car]) -> None:
    """What is read in this minute comes with the time at which Kafka received it."""
    for car in cars:
        if car.processing == minute:
            runner.clock.set_wall(base + car.ingest * 60_000_000)
            at = datetime.fromtimestamp(base / 1e6 + car.event * 60, UTC)
            runner.enqueue(json.dumps({"at": at.isoformat()}))
    runner.clock.set_wall(base + minute * 60_000_000)
    runner.run(10)
