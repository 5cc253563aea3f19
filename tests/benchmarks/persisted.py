"""Every FlowFile on disk once, since nobody takes it: what a slow sink does to the repository."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from flowengine.definition.builder import Flow
from flowengine.definition.flat import LoadedFlow
from flowengine.engine import Engine
from flowengine.repository.sqlite import SqliteRepository
from tests.benchmarks.flows import Feed, Hold, running
from tests.benchmarks.loop import in_batches
from tests.benchmarks.results import Rate, Row, rounds

SIZES = {200: (400_000, 100_000), 2048: (100_000, 40_000)}  # bytes: FlowFiles, goal per second
LOOP = 3_000_000  # hops/s of the loop for which the goals are said
REPEATS = 3
NIFI_DISK = "NiFi 6.4 to 8.4 at 100 B, provenance included (measured earlier, not again)"


def held(count: int, size: int) -> LoadedFlow:
    """Feed → UpdateAttribute → a sink that takes nothing; the last queue takes everything."""
    flow = Flow("held")
    flow.add("feed", Feed, count=count, size=size)
    flow.add("hop", "UpdateAttribute", {"auto_terminate": ["failure"]}, attributes={"hop": "x"})
    flow.add("hold", Hold)
    flow.connect("feed", "success", "hop")
    flow.connect("hop", "success", "hold", back_pressure={"objects": 0, "bytes": "0 B"})
    return flow.load()


async def fill(directory: Path, count: int, size: int) -> Rate:
    """Queue so many FlowFiles in a directory; FlowFiles per second until the last is on disk."""
    Feed.watch = None
    repository = SqliteRepository(directory)
    engine = Engine(held(count, size), repository)
    rate = Rate(0.0, 0.0)
    full = asyncio.Event()
    async with running(engine):
        after_cut = repository.after_cut

        def look() -> None:
            after_cut()
            if engine.assembly.connections["hop-hold"].count == count:
                full.set()

        repository.after_cut = look
        await full.wait()
        await repository.flush()
        if Feed.watch is not None:
            rate = Feed.watch.rate(count)
    return rate


def persist(size: int, disk: dict[int, float]) -> Rate:
    count = SIZES[size][0]
    with tempfile.TemporaryDirectory() as folder:
        rate = asyncio.run(fill(Path(folder), count, size))
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        disk[size] = sum(path.stat().st_size for path in files) / (count * size)
    return rate


def measure() -> Iterator[Row]:
    disk: dict[int, float] = {}
    measures = {str(size): partial(persist, size, disk) for size in SIZES}
    found = rounds({"loop": in_batches, **measures}, REPEATS)
    for size, (_, goal) in SIZES.items():
        series = found[str(size)]
        ratio = series.ratio(found["loop"])
        note = f"{series.note(found['loop'])}; ratio to the loop's hops"
        name = f"persisted once, {size} B"
        yield Row(name, series.value, "FlowFiles/s", ratio, goal / LOOP, note=note)
        yield Row(f"disk per content, {size} B", disk[size], "bytes per byte", note=NIFI_DISK)
