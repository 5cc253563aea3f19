"""The record processors in a running flow, on real queues and the real clock."""

import asyncio

import duckdb
import orjson

from flowengine.definition.builder import Flow
from flowengine.engine import Engine
from flowengine.processor import InputRequirement, Processor, Relationship
from flowengine.repository import SqliteRepository
from processors.records.merge_record import MergeRecord
from processors.records.put_data_lake import PutDataLake
from processors.records.query_record import QueryRecord
from processors.records.split_record import SplitRecord

COUNT = 3000
_ENDS = {"auto_terminate": ["original", "failure"]}
_SINK = {"auto_terminate": ["success", "failure"]}


class Source(Processor):
    """One FlowFile with many records."""

    input = InputRequirement.FORBIDDEN
    success = Relationship("It.")

    def on_trigger(self, context, session):
        rows = [{"n": n, "k": n % 3} for n in range(COUNT)]
        session.transfer([session.create(b"\n".join(map(orjson.dumps, rows)))], "success")
        context.complete()


def flow(lake):
    made = Flow("records")
    queries = {"even": "from flowfile where n % 2 = 0"}
    merging = {"minimum_records": 900, "maximum_age": "200 ms", "output_format": "arrow"}
    chain = [
        made.add("source", Source),
        made.add("split", SplitRecord, _ENDS, records_per_split=2),
        made.add("merge", MergeRecord, _ENDS, **merging),
        made.add("query", QueryRecord, _ENDS, queries=queries),
        made.add("lake", PutDataLake, _SINK, directory=lake, partition_by=["k"]),
    ]
    names = ("success", "splits", "merged", "even")
    for source, target, name in zip(chain, chain[1:], names, strict=False):
        made.connect(source, name, target)
    return made


def test_a_chain_loses_and_doubles_no_record(tmp_path):
    async def work():
        engine = Engine(flow(str(tmp_path / "lake")).load(), SqliteRepository(tmp_path / "data"))
        async with engine.opened():
            await asyncio.wait_for(engine.run(until_complete=True), 30)
            assert engine.completed

    asyncio.run(work())
    sql = f"select count(*), count(distinct n), sum(n) from '{tmp_path}/lake/*/*.parquet'"
    even = range(0, COUNT, 2)
    assert duckdb.connect().execute(sql).fetchall() == [(len(even), len(even), sum(even))]
