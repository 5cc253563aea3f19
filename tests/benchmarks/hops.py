"""Hops per second through five processors that set one attribute each."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from flowengine.definition.builder import Flow
from flowengine.definition.flat import LoadedFlow
from flowengine.repository import MemoryRepository
from flowengine.repository.sqlite import SqliteRepository
from tests.benchmarks import peers
from tests.benchmarks.flows import Drop, Feed, run_through
from tests.benchmarks.loop import COUNT, HOPS, in_batches, whole
from tests.benchmarks.results import NIFI_LOOP, NOT_RUN, Rate, Row, Series, rounds

LITERAL = "passed"
EXPRESSION = "{{ kafka.topic }}-{{ kafka.partition }}.json"
REPEATS = 5
NIFI_HOPS = 45_000


def chain(value: str, count: int = COUNT) -> LoadedFlow:
    """Feed → 5 × UpdateAttribute → Drop."""
    flow = Flow("chain")
    last = flow.add("feed", Feed, count=count)
    for number in range(HOPS):
        ends = {"auto_terminate": ["failure"]}
        hop = flow.add(f"hop-{number}", "UpdateAttribute", ends, attributes={"hop": value})
        flow.connect(last, "success", hop)
        last = hop
    flow.connect(last, "success", flow.add("drop", Drop))
    return flow.load()


def in_memory(value: str) -> Rate:
    """Hops per second with the memory repository."""
    return _hops(asyncio.run(run_through(chain(value), MemoryRepository())))


def durable(value: str) -> Rate:
    """Hops per second with the SQLite repository."""
    with tempfile.TemporaryDirectory() as folder:
        return _hops(asyncio.run(run_through(chain(value), SqliteRepository(Path(folder)))))


def _hops(flowfiles: Rate) -> Rate:
    return Rate(HOPS * flowfiles.wall, HOPS * flowfiles.cpu)


def measure() -> Iterator[Row]:
    measures: dict[str, Callable[[], Rate]] = {
        "loop": in_batches,
        "whole": whole,
        "memory": partial(in_memory, LITERAL),
        "expression": partial(in_memory, EXPRESSION),
        "durable": partial(durable, LITERAL),
    }
    if peers.installed():
        measures["bytewax"] = peers.bytewax
    found = rounds(measures, REPEATS)
    loop, memory = found["loop"], found["memory"]
    yield _row("bare loop, batches of 256", loop, loop, None)
    yield _row("bare loop, each step over all", found["whole"], loop, None)
    yield _row("hops in memory, literal", memory, loop, 0.5)
    yield _row("hops in memory, expression", found["expression"], loop, 0.25)
    yield _row("hops durable, to memory", found["durable"], memory, 0.8)
    if "bytewax" in found:
        yield _row("hops in Bytewax", found["bytewax"], loop, None)
    else:
        yield Row("hops in Bytewax", 0.0, "hops/s", note="not installed: no wheel for this Python")
    yield Row("hops in NiFi 1.28.1", NIFI_HOPS, "hops/s", NIFI_HOPS / NIFI_LOOP, note=NOT_RUN)


def _row(name: str, series: Series, to: Series, goal: float | None) -> Row:
    return Row(name, series.value, "hops/s", series.ratio(to), goal, note=series.note(to))
