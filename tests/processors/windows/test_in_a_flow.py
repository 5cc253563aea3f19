"""Windows in running flows: retries, restarts, chains of windows, joins; on disk."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from pydantic import Field

from flowengine.definition.builder import Flow
from flowengine.engine import Engine
from flowengine.processor import InputRequirement, Processor, ProcessorProperties, Relationship
from flowengine.repository import SqliteRepository
from processors.windows import SessionWindow, SlidingWindow, TumblingWindow, WindowJoin

SECOND = 1_000_000
BOUND = 2000  # ms that records may be out of order
FIELDS = {"time_field": "t", "key_fields": ["k"]}


def records(count: int, seed: int) -> list[dict]:
    """Out of order by at most BOUND."""
    chance = random.Random(seed)
    made = [
        {"t": n * 20, "k": chance.choice("abc"), "v": chance.randint(0, 9)} for n in range(count)
    ]
    return sorted(made, key=lambda record: record["t"] + chance.randint(0, BOUND - 1))


class Sensors(Processor):
    """Records of a seed, some per FlowFile, with progress; asks for a stop after some triggers."""

    input = InputRequirement.FORBIDDEN
    success = Relationship("The records.")
    stop_after: int | None = None
    engine: Engine

    class Properties(ProcessorProperties):
        seed: int = Field(1, description="Of the records.")
        count: int = Field(1500, description="How many.")

    def on_trigger(self, context, session):
        everything = records(self.properties.count, self.properties.seed)
        place = session.state.get("place", 0)
        batch = everything[place : place + 7]
        if not batch:
            context.complete()
            return
        session.state["place"] = place + len(batch)
        greatest = max(session.state.get("greatest", 0), *(r["t"] for r in batch))
        session.state["greatest"] = greatest
        content = "\n".join(json.dumps(record) for record in batch).encode()
        made = session.create(content, event_time=min(r["t"] for r in batch) * 1000)
        session.transfer(made.with_event_time(made.event_time, greatest * 1000), "success")
        session.report_progress("p", (greatest - BOUND) * 1000 - 1)
        cls = type(self)
        if cls.stop_after is not None:
            cls.stop_after -= 1
            if cls.stop_after == 0:
                cls.engine.request_stop()


class Seen(Processor):
    """Remembers the contents of what it gets by window and key; fails now and then."""

    found: dict[tuple, list]

    def on_trigger(self, context, session):
        for flowfile in session.get_batch():
            names = ("window.start", "window.end", "window.key")
            place = tuple(flowfile.attributes.get(name, "") for name in names)
            self.found[place].append(session.read(flowfile))
            session.remove(flowfile)


class Stumbling(Processor):
    """Sends every third FlowFile once more through its own queue, penalized."""

    success = Relationship("What passed.")

    def on_trigger(self, context, session):
        for number, flowfile in enumerate(session.get_batch()):
            if number % 3 == 0 and not flowfile.cursor:
                session.keep(session.penalize(flowfile).with_cursor(1))
            else:
                session.transfer(flowfile, "success")


def run(flow: Flow, directory: Path) -> Engine:
    async def work() -> Engine:
        engine = Engine(flow.load(), SqliteRepository(directory))
        Sensors.engine = engine
        async with engine.opened():
            await asyncio.wait_for(engine.run(until_complete=True), 60)
        return engine

    return asyncio.run(work())


@pytest.fixture(autouse=True)
def _fresh():
    Seen.found = defaultdict(list)
    Sensors.stop_after = None


def one_window(cls: type, **properties) -> Flow:
    """Sensors, a stumbling step, a window, and what it puts out."""
    flow = Flow("windows")
    flow.add("source", Sensors)
    flow.add("stumble", Stumbling, {"penalty": "20 ms"})
    ends = {"auto_terminate": ["late", "invalid"]}
    flow.add("window", cls, ends, **FIELDS, **properties)
    flow.add("seen", Seen)
    flow.connect("source", "success", "stumble")
    flow.connect("stumble", "success", "window")
    flow.connect("window", "window", "seen")
    return flow


def truth(size: int, slide: int) -> Counter:
    """How often each sum of a window and key is expected: one each."""
    sums: Counter = Counter()
    for record in records(1500, 1):
        last = record["t"] // slide * slide
        for start in range(last, last - size, -slide):
            sums[start, record["k"]] += record["v"]
    return Counter((key, total) for (_, key), total in sums.items())


def found_sums() -> Counter:
    """Sums that came out, by key; a window that came out twice is there twice."""
    return Counter(
        (key, json.loads(content)["s"])
        for (_, _, key), contents in Seen.found.items()
        for content in contents
    )


@pytest.mark.parametrize(
    ("cls", "sizes"), [(TumblingWindow, (1000, 1000)), (SlidingWindow, (1000, 250))]
)
@pytest.mark.parametrize("stop_after", [None, 60])
def test_final_panes_equal_the_batch(tmp_path, cls, sizes, stop_after):
    size, slide = sizes
    more = {"slide": f"{slide} ms"} if cls is SlidingWindow else {}
    flow = one_window(cls, size=f"{size} ms", folds={"s": {"sum": "v"}}, **more)
    Sensors.stop_after = stop_after
    engine = run(flow, tmp_path)
    if stop_after:
        assert not engine.completed
        engine = run(flow, tmp_path)
    assert engine.completed
    assert found_sums() == truth(size, slide)


def test_sessions_survive_a_restart(tmp_path):
    flow = one_window(SessionWindow, gap="150 ms", folds={"n": "count"})
    Sensors.stop_after = 50
    run(flow, tmp_path)
    run(flow, tmp_path)
    whole = sum(json.loads(c)["n"] for contents in Seen.found.values() for c in contents)
    assert whole == 1500
    assert all(len(contents) == 1 for contents in Seen.found.values())


def test_a_window_feeds_a_window_of_the_same_size_and_nothing_is_late(tmp_path):
    flow = Flow("chain")
    flow.add("source", Sensors)
    ends = {"auto_terminate": ["invalid"]}
    flow.add("first", TumblingWindow, ends, **FIELDS, size="1 sec", folds={"s": {"sum": "v"}})
    flow.add("second", TumblingWindow, ends, size="1 sec", folds={"s": {"sum": "s"}})
    flow.add("seen", Seen)
    flow.add("late", Seen)
    flow.connect("source", "success", "first")
    flow.connect("first", "window", "second")
    flow.connect("second", "window", "seen")
    flow.connect("first", "late", "late")
    flow.connect("second", "late", "late")
    run(flow, tmp_path)
    assert sum(total * n for (_, total), n in found_sums().items()) == sum(
        record["v"] for record in records(1500, 1)
    )
    assert len(Seen.found) == 30
    assert all(len(contents) == 1 for contents in Seen.found.values())


def test_two_sources_join_whichever_is_faster(tmp_path):
    flow = Flow("join")
    flow.add("clicks", Sensors, seed=1, count=200)
    flow.add("views", Sensors, seed=2, count=200)
    flow.add("slow", Stumbling, {"penalty": "50 ms"})
    ends = {"auto_terminate": ["late", "invalid", "unmatched"]}
    flow.add("join", WindowJoin, ends, **FIELDS, left="clicks", size="1 sec")
    flow.add("seen", Seen)
    flow.connect("clicks", "success", "join")
    flow.connect("views", "success", "slow")
    flow.connect("slow", "success", "join")
    flow.connect("join", "window", "seen")
    run(flow, tmp_path)
    pairs = sum(len(c.splitlines()) for contents in Seen.found.values() for c in contents)
    left, right = records(200, 1), records(200, 2)
    assert pairs == sum(
        one["k"] == other["k"] and one["t"] // 1000 == other["t"] // 1000
        for one in left for other in right
    )  # fmt: skip
