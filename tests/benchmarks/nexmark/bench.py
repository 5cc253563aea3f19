"""The Nexmark flows, timed: from NDJSON files to files, durable; each answer is checked."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flowengine.definition.load import load_flow
from flowengine.engine import Engine
from flowengine.repository import SqliteRepository
from tests.benchmarks.nexmark.events import write
from tests.benchmarks.nexmark.truth import NAMES, answer, truth
from tests.benchmarks.results import Rate, Row, Series, Stopwatch

COUNT = int(os.environ.get("BENCH_EVENTS", "100000"))
RATE = 2500  # events per second of event time: 40 seconds, so 25 hot windows
FLOWS = Path(__file__).parent
SHARES = {"q8": 4 / 50}  # of the events that are read; else it is the bids


def run(name: str, lake: Path, folder: Path) -> Rate:
    """Events read per second, from the start of the engine to the end of the run."""
    output = folder / name
    output.mkdir()
    flow = load_flow(FLOWS / f"{name}.json", {"input": str(lake), "output": str(output)})

    async def work() -> Rate:
        engine = Engine(flow, SqliteRepository(folder / f"{name}-data"))
        watch = Stopwatch()
        async with engine.opened():
            await engine.run(until_complete=True)
        return watch.rate(COUNT * SHARES.get(name, 46 / 50))

    rate = asyncio.run(work())
    if answer(name, output) != truth(name, lake):
        raise AssertionError(f"query {name} must answer as DuckDB does")
    return rate


def measure() -> Iterator[Row]:
    """One row per query."""
    with tempfile.TemporaryDirectory() as place:
        lake, folder = Path(place, "lake"), Path(place, "runs")
        folder.mkdir()
        write(lake, COUNT, RATE)
        for name in NAMES:
            series = Series([run(name, lake, folder)])
            [rate] = series.rates
            note = f"{1e6 / rate.cpu:.1f} µs of processor time each; answer as DuckDB's"
            yield Row(f"Nexmark {name}", series.value, "events/s", note=note)
