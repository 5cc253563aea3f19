"""Many records of many keys through one window, in a process of its own; prints what it cost.

``python -m tests.processors.windows.many DIRECTORY '{"records": 200000, …}'``; started again on the
same directory it goes on where the last cut was. The last line of its output is JSON.

records, keys: how many
memory:        bytes of state that may stay in memory
kind:          tumbling, sliding, session or kept (records instead of folds)
span:          event time in ms over which the records are spread
stop_after:    triggers of the source after which the run is stopped
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import sys
import time
from pathlib import Path
from typing import Any

from flowengine.definition.builder import Flow
from flowengine.engine import Engine
from flowengine.processor import InputRequirement, Processor, ProcessorProperties, Relationship
from flowengine.repository import SqliteRepository
from processors.windows import SessionWindow, SlidingWindow, TumblingWindow

BATCH = 1000
WINDOWS: dict[str, tuple[type, dict[str, Any]]] = {
    "tumbling": (TumblingWindow, {"size": "1 min", "folds": {"n": "count", "s": {"sum": "v"}}}),
    "kept": (TumblingWindow, {"size": "1 min"}),
    "sliding": (
        SlidingWindow,
        {"size": "1 min", "slide": "20 sec", "folds": {"n": "count", "s": {"sum": "v"}}},
    ),
    "session": (SessionWindow, {"gap": "20 sec", "folds": {"n": "count", "s": {"sum": "v"}}}),
}


def record(number: int, settings: dict[str, Any]) -> tuple[int, int, int]:
    """Time in ms, key and value of one record: scattered, and the same in every run."""
    time = number * settings["span"] // settings["records"]
    return time, number * 7_919 % settings["keys"], number % 10


class Many(Processor):
    """The records, 1000 per FlowFile, at most a second out of order."""

    input = InputRequirement.FORBIDDEN
    success = Relationship("The records.")
    stop_after: int | None = None
    engine: Engine

    class Properties(ProcessorProperties):
        settings: dict[str, Any] = {}

    def on_trigger(self, context: Any, session: Any) -> None:
        settings = self.properties.settings
        place = session.state.get("place", 0)
        if place >= settings["records"]:
            context.complete()
            return
        stop = min(place + BATCH, settings["records"])
        rows = [record(number, settings) for number in range(place, stop)]
        random.Random(place).shuffle(rows)
        lines = [b'{"t":%d,"k":%d,"v":%d}' % row for row in rows]
        first, last = min(rows)[0], max(rows)[0]
        made = session.create(b"\n".join(lines), event_time=first * 1000)
        session.transfer(made.with_event_time(first * 1000, last * 1000), "success")
        session.report_progress("p", (last - 1000) * 1000 - 1)
        session.state["place"] = stop
        if Many.stop_after is not None:
            Many.stop_after -= 1
            if Many.stop_after == 0:
                Many.engine.request_stop()


class Sums(Processor):
    """Adds up what comes out, in its state: records, values, and a sum that knows each pane."""

    def on_trigger(self, context: Any, session: Any) -> None:
        flowfiles = session.get_batch()
        panes, records, values, check = session.state.get("sums", (0, 0, 0, 0))
        for flowfile in flowfiles:
            attributes = flowfile.attributes
            panes += 1
            records += int(attributes["window.count"])
            content = session.read(flowfile)
            value = json.loads(content)["s"] if content.startswith(b'{"n"') else 0
            values += value
            name = f"{attributes['window.start']} {attributes['window.key']} {value}"
            check ^= hash_of(name.encode())
        session.state["sums"] = (panes, records, values, check)
        session.remove(flowfiles)


def hash_of(name: bytes) -> int:
    """63 bits; not Python's own hash, which differs from run to run."""
    from hashlib import blake2b

    return int.from_bytes(blake2b(name, digest_size=8).digest()) >> 1


def flow(settings: dict[str, Any]) -> Flow:
    cls, properties = WINDOWS[settings["kind"]]
    made = Flow("many")
    made.add("source", Many, settings=settings)
    ends = {"auto_terminate": ["late", "invalid"]}
    made.add("window", cls, ends, time_field="t", key_fields=["k"], **properties)
    made.add("sums", Sums)
    made.connect("source", "success", "window")
    made.connect("window", "window", "sums")
    return made


def disk(directory: Path) -> int:
    """Bytes of all files below a directory."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


class Watch:
    """Looks at the state and the disk after each cut."""

    def __init__(self, engine: Engine, directory: Path) -> None:
        self._engine, self._directory = engine, directory
        self.peak_state = self.peak_disk = self.ratio = 0.0

    def look(self) -> None:
        live = self._engine.assembly.nodes["window"].processor.saved.size
        taken = disk(self._directory)
        self.peak_disk = max(self.peak_disk, taken)
        if live > self.peak_state:
            self.peak_state, self.ratio = live, taken / live


async def work(directory: Path, settings: dict[str, Any]) -> dict[str, Any]:
    started = time.monotonic()
    repository = SqliteRepository(directory)
    repository.states.memory = settings["memory"]
    engine = Engine(flow(settings).load(), repository)
    Many.engine, Many.stop_after = engine, settings.get("stop_after")
    async with engine.opened():
        opened = time.monotonic() - started
        watch = Watch(engine, directory)
        after_cut = repository.after_cut

        def both() -> None:
            after_cut()
            if repository.cuts % 10 == 0:
                watch.look()

        repository.after_cut = both
        if settings.get("kill_after"):
            asyncio.get_running_loop().call_later(settings["kill_after"], os._exit, 9)
        await engine.run(until_complete=True)
        watch.look()
        sums = engine.assembly.nodes["sums"].state.get("sums", (0, 0, 0, 0))
        counters = dict(engine.assembly.core.counters)
        done = engine.completed
    return {
        "completed": done,
        "opened_s": round(opened, 3),
        "seconds": round(time.monotonic() - started, 2),
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "peak_state_mb": round(watch.peak_state / 2**20, 1),
        "peak_disk_mb": round(watch.peak_disk / 2**20, 1),
        "disk_per_state": round(watch.ratio, 2),
        "sums": list(sums),
        "counters": counters,
    }


def main() -> None:
    directory, settings = Path(sys.argv[1]), json.loads(sys.argv[2])
    directory.mkdir(parents=True, exist_ok=True)
    print(json.dumps(asyncio.run(work(directory, settings))))


if __name__ == "__main__":
    main()
