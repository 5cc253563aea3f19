"""SQL over the records of a FlowFile. Source: NiFi ``QueryRecord``.

Bare DuckDB over a table that is decoded already is what it costs: records are handed over as Arrow
without a copy.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from flowengine.context import ProcessContext
from flowengine.flowfile import FlowFile
from flowengine.processor import Example, Expected, Given, NifiNote, Relationship
from flowengine.session import ProcessSession
from flowengine.units import DataSize, parse_size
from processors.records._core.processor import WRITES, RecordProcessor, child
from processors.records._core.properties import RelationshipName, WriteProperties
from processors.records._core.sql import Database, check


def _check_sql(sql: str) -> str:
    problem = check(sql)
    if problem:
        raise PydanticCustomError("sql", "{message}", {"message": problem})
    return sql


Sql = Annotated[str, AfterValidator(_check_sql)]


class QueryRecord(RecordProcessor):
    """Ask SQL questions of each FlowFile's records; each answer goes to a relationship of its name.

    The records are the table `FLOWFILE`, in DuckDB's dialect; nested fields are `a.b`. SQL sees
    nothing else: no files, no network, no other FlowFile.
    """

    tags = ("record", "sql", "query", "duckdb", "filter", "aggregate", "join")
    writes = {**WRITES, "query.route": "Name of the query that the FlowFile answers."}
    nifi = NifiNote(
        "QueryRecord",
        {
            "input_format": "Record Reader",
            "output_format": "Record Writer",
            "include_empty": "Include Zero Record FlowFiles",
        },
    )

    class Properties(WriteProperties):
        queries: dict[RelationshipName, Sql] = Field(
            min_length=1,
            description="Name of a relationship → SELECT over `FLOWFILE`.",
            examples=[{"expensive": "SELECT * FROM FLOWFILE WHERE price > 100"}],
        )
        include_empty: bool = Field(
            True, description="Hand on answers without a record; else they are not made."
        )
        memory: DataSize = Field(
            parse_size("512 MB"), description="Most memory that one query may take."
        )

    properties: Properties
    original = Relationship("The FlowFile that was asked, unchanged.")

    examples = (
        Example(
            "The dear ones, and a sum per country",
            properties={
                "queries": {
                    "dear": "SELECT id FROM flowfile WHERE price > 5",
                    "sums": "SELECT country, sum(price) AS total FROM FLOWFILE "
                    "GROUP BY country ORDER BY country",
                }
            },
            given=(
                Given(
                    '[{"id":1,"country":"NL","price":7},{"id":2,"country":"DE","price":2},'
                    '{"id":3,"country":"NL","price":4}]'
                ),
            ),
            expect={
                "dear": (Expected('[{"id":1}]', {"record.count": "1", "query.route": "dear"}),),
                "sums": (Expected('[{"country":"DE","total":2},{"country":"NL","total":11}]'),),
                "original": (Expected(),),
                "failure": (),
            },
        ),
    )

    @classmethod
    def relationships_for(cls, properties: Properties) -> Mapping[str, Relationship]:
        """One relationship per query beside the fixed ones."""
        queries = {
            name: Relationship(f"Records that answer {sql!r:.80}.", name=name)
            for name, sql in properties.queries.items()
        }
        return {**queries, **cls.relationships}

    @asynccontextmanager
    async def on_scheduled(self, context: ProcessContext) -> AsyncIterator[None]:
        self._database = Database(self.properties.memory)
        try:
            yield
        finally:
            self._database.close()

    def take(self, context: ProcessContext, session: ProcessSession, flowfile: FlowFile) -> None:
        records, kind = self.read(session, flowfile)
        results = self._database.query(records, self.properties.queries)
        wanted = {n: r for n, r in results.items() if len(r) or self.properties.include_empty}
        encoded = {name: self.encode(found, kind) for name, found in wanted.items()}
        for name, one in encoded.items():
            session.transfer(child(session, flowfile, one, {"query.route": name}), name)
        session.transfer(flowfile, self.original)
