"""How long a restart takes with a million FlowFiles queued."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flowengine.context import ProcessContext
from flowengine.definition.builder import Flow
from flowengine.engine import Engine, Removed
from flowengine.processor import Processor
from flowengine.repository.sqlite import SqliteRepository
from flowengine.session import ProcessSession
from tests.benchmarks.flows import Feed
from tests.benchmarks.persisted import fill
from tests.benchmarks.results import Row, Stopwatch

COUNT = int(os.environ.get("BENCH_QUEUED", "1000000"))
SIZE = 200
NIFI_SECONDS = 21


class First(Processor):
    """Say that the first FlowFile is there, and end the process."""

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        batch = session.get_batch()
        os.write(1, f"{len(batch)} {session.read(batch[0]).decode()[:4]}\n".encode())
        os._exit(0)


async def reopen(directory: Path) -> None:
    """Start over what is queued; ends the process at the first FlowFile."""
    flow = Flow("held")
    flow.add("feed", Feed, {"disabled": True}, count=COUNT, size=SIZE)
    flow.add("hop", "UpdateAttribute", {"auto_terminate": ["failure"]}, attributes={"hop": "x"})
    flow.add("hold", First)
    flow.connect("feed", "success", "hop")
    flow.connect("hop", "success", "hold", back_pressure={"objects": 0, "bytes": "0 B"})
    engine = Engine(flow.load(), SqliteRepository(directory))
    async with engine.opened(Removed.REFUSE):
        await engine.run()


def measure() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(fill(Path(folder), COUNT, SIZE))
        watch = Stopwatch()
        command = [sys.executable, "-m", "tests.benchmarks.restart", folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        seconds = 1 / watch.rate(1).wall
        if not done.stdout.endswith(" xxxx\n"):
            raise AssertionError(f"the restarted flow must show a FlowFile; got {done.stderr}")
    name = f"restart with {COUNT:,} × {SIZE} B queued"
    note = f"process start to first FlowFile; NiFi {NIFI_SECONDS} s (measured earlier, not again)"
    yield Row(name, seconds, "s", goal=5, most=True, note=note)


if __name__ == "__main__":
    asyncio.run(reopen(Path(sys.argv[1])))
