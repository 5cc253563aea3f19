"""Convert records from one format to another. Source: NiFi ``ConvertRecord``."""

from __future__ import annotations

from pydantic import Field

from flowengine.context import ProcessContext
from flowengine.flowfile import FlowFile
from flowengine.processor import Example, Expected, Given, NifiNote, Relationship
from flowengine.session import ProcessSession
from processors.records._core.processor import RecordProcessor, rewrite
from processors.records._core.properties import WriteProperties


class ConvertRecord(RecordProcessor):
    """Write the records of each FlowFile in another format, or with another schema.

    Formats are JSON (an array), NDJSON (an object per line), CSV, Avro, Parquet and Arrow.
    """

    tags = ("record", "convert", "json", "csv", "avro", "parquet", "arrow", "schema")
    nifi = NifiNote(
        "ConvertRecord",
        {
            "input_format": "Record Reader",
            "output_format": "Record Writer",
            "include_empty": "Include Zero Record FlowFiles",
        },
    )

    class Properties(WriteProperties):
        include_empty: bool = Field(
            True, description="Hand on FlowFiles without a record; else they are dropped."
        )

    properties: Properties
    success = Relationship("FlowFiles in the new format.")

    examples = (
        Example(
            "CSV to one JSON object per line",
            properties={"input_format": "csv", "output_format": "ndjson"},
            given=(Given("id,name\n1,Ada\n2,Bob\n"), Given("id,name\n1\n")),
            expect={
                "success": (
                    Expected(
                        '{"id":1,"name":"Ada"}\n{"id":2,"name":"Bob"}',
                        {"record.count": "2", "mime.type": "application/x-ndjson"},
                    ),
                ),
                "failure": (Expected("id,name\n1\n", {"error.record": "1"}),),
            },
        ),
        Example(
            "Choose fields and types with a JSON Schema",
            properties={
                "output_format": "csv",
                "record_schema": {
                    "properties": {
                        "day": {"type": "string", "format": "date"},
                        "price": {"type": "number"},
                    }
                },
            },
            given=(Given('[{"price":2,"day":"2024-02-29","more":true}]'),),
            expect={"success": (Expected("day,price\n2024-02-29,2\n"),)},
        ),
    )

    def take(self, context: ProcessContext, session: ProcessSession, flowfile: FlowFile) -> None:
        records, kind = self.read(session, flowfile)
        if not len(records) and not self.properties.include_empty:
            session.remove(flowfile)
            return
        encoded = self.encode(records, kind)
        session.transfer(rewrite(session, flowfile, encoded), self.success)
