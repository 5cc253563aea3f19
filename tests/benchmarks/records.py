"""QueryRecord over decoded records in batches of 10 000, against bare DuckDB over the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from pydantic import Field

from flowengine.arrow_text import TextForm
from flowengine.context import ProcessContext
from flowengine.definition.builder import Flow
from flowengine.engine import Engine
from flowengine.processor import InputRequirement, Processor, ProcessorProperties, Relationship
from flowengine.repository import MemoryRepository
from flowengine.session import ProcessSession
from processors.records._core.sql import SETTINGS
from tests.benchmarks.flows import Drop, Feed
from tests.benchmarks.results import Rate, Row, Series, Stopwatch, rounds

ROWS = 10_000
BATCHES = 300
REPEATS = 5
GOAL = 1 / 1.3
QUERIES = {
    "sum by key": "SELECT country, sum(price) AS total, count(*) AS n FROM flowfile GROUP BY ALL",
    "filter": "SELECT * FROM flowfile WHERE price > 50",
}
_FORM = TextForm("ndjson", plain=True)


def table(number: int) -> Any:
    """Ten thousand orders; each number gives others."""
    import pyarrow as pa

    ids = range(number * ROWS, (number + 1) * ROWS)
    return pa.table(
        {
            "id": ids,
            "country": [("NL", "DE", "FR", "BE")[n % 4] for n in ids],
            "price": [(n * 7919 % 10_000) / 100 for n in ids],
            "name": [f"user {n % 1000}" for n in ids],
        }
    )


class Tables(Processor):
    """Hand on decoded batches, one per trigger."""

    input = InputRequirement.FORBIDDEN
    serial = True
    tables: tuple[Any, ...] = ()

    class Properties(ProcessorProperties):
        count: int = Field(description="FlowFiles to make.")

    properties: Properties
    success = Relationship("The batches.")

    def __init__(self, properties: Properties) -> None:
        super().__init__(properties)
        self._made = 0

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        Feed.watch = Feed.watch or Stopwatch()
        chosen = Tables.tables[self._made % len(Tables.tables)]
        session.transfer(session.create_table(chosen, _FORM), "success")
        self._made += 1
        if self._made == self.properties.count:
            context.complete()


def duckdb(sql: str) -> Rate:
    """Batches per second in a bare loop: register, ask, fetch."""
    import duckdb

    connection = duckdb.connect(":memory:", config=dict(SETTINGS))
    watch = Stopwatch()
    for number in range(BATCHES):
        connection.register("flowfile", Tables.tables[number % len(Tables.tables)])
        connection.sql(sql).to_arrow_table()
    rate = watch.rate(BATCHES)
    connection.close()
    return rate


def query_record(sql: str) -> Rate:
    """Batches per second through a flow: source, QueryRecord, sink."""
    flow = Flow("query")
    flow.add("make", Tables, count=BATCHES)
    flow.add(
        "query", "QueryRecord", {"auto_terminate": ["original", "failure"]}, queries={"out": sql}
    )
    flow.add("drop", Drop)
    flow.connect("make", "success", "query").connect("query", "out", "drop")
    return asyncio.run(_run(flow))


async def _run(flow: Flow) -> Rate:
    Feed.watch, Drop.count = None, 0
    engine = Engine(flow.load(), MemoryRepository())
    async with engine.opened():
        await engine.run(until_complete=True)
    if Drop.count != BATCHES:
        raise AssertionError(f"all {BATCHES} answers must arrive; got {Drop.count}")
    return Drop.rate


def measure() -> Iterator[Row]:
    """Rows for each query."""
    Tables.tables = tuple(map(table, range(8)))
    for name, sql in QUERIES.items():
        measures: dict[str, Callable[[], Rate]] = {
            "bare": partial(duckdb, sql),
            "flow": partial(query_record, sql),
        }
        found = rounds(measures, REPEATS)
        yield from _rows(name, found["bare"], found["flow"])


def _rows(name: str, bare: Series, flow: Series) -> Iterator[Row]:
    unit = "batches/s"
    yield Row(f"bare DuckDB, {name}, 10 000 rows", bare.value, unit, note=bare.note())
    yield Row(
        f"QueryRecord, {name}, 10 000 rows",
        flow.value,
        unit,
        flow.ratio(bare),
        GOAL,
        note=f"at least 1/1.3; {flow.note(bare)}",
    )
