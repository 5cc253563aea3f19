"""A flow in a process of its own that could eat memory: ``python -m tests.faults.hungry MEAL``."""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from flowengine.context import ProcessContext
from flowengine.definition.builder import Flow
from flowengine.engine import Engine
from flowengine.processor import Processor
from flowengine.repository.sqlite import SqliteRepository
from flowengine.session import ProcessSession

REPOSITORY = Path(__file__).parents[2]


class Meal(msgspec.Struct):
    """count: FlowFiles for each pair of source and sink; full: end when all queues are full"""

    count: int
    pairs: int = 1
    size: int = 200
    budget: int = 64 << 20
    full: bool = False


class Slow(Processor):
    """Take one small batch at a time."""

    serial = True

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        session.remove(session.get_batch(128))


class Never(Processor):
    """Take nothing."""

    serial = True

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        context.yield_(3_600_000_000)


def make_flow(meal: Meal) -> Flow:
    flow = Flow("hungry")
    for n in range(meal.pairs):
        size = f"{meal.size} B"
        flow.add(f"make-{n}", "GenerateRecords", count=meal.count, content_size=size)
        flow.add(f"take-{n}", Never if meal.full else Slow)
        flow.connect(f"make-{n}", "success", f"take-{n}")
    return flow


async def eat(meal: Meal, directory: Path) -> None:
    engine = Engine(make_flow(meal).load(), SqliteRepository(directory), memory_budget=meal.budget)
    async with engine.opened(), asyncio.TaskGroup() as group:
        group.create_task(engine.run(until_complete=not meal.full, drain_timeout=0))
        if meal.full:
            await all_full(engine)
            engine.request_stop()


async def all_full(engine: Engine) -> None:
    """Return after the first cut with every queue full, and what the budget then evicts."""
    cut = asyncio.Event()
    after_cut = engine.repository.after_cut

    def look() -> None:
        after_cut()
        connections = engine.assembly.connections.values()
        if all(connection.full for connection in connections) and not engine.repository.backlogged:
            cut.set()

    engine.repository.after_cut = look
    await cut.wait()


def megabytes(meal: Meal, patience: float) -> float:
    """Greatest resident memory of a process that ate this meal."""
    command = [sys.executable, "-m", "tests.faults.hungry", msgspec.json.encode(meal).decode()]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=patience)
    assert done.returncode == 0, done.stderr
    return float(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(eat(msgspec.json.decode(sys.argv[1], type=Meal), Path(folder)))
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(used / (1 << 20 if sys.platform == "darwin" else 1 << 10))
