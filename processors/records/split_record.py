"""Cut the records of a FlowFile into several FlowFiles. Source: NiFi ``SplitRecord``.

No session holds more than a part of the splits (E7): the FlowFile stays in its queue with a cursor
that says how many were made, and its decoded records stay here until the last one.
"""

from __future__ import annotations

from pydantic import Field

from flowengine.content import Content
from flowengine.context import ProcessContext
from flowengine.errors import ExpressionError
from flowengine.flowfile import FlowFile
from flowengine.processor import (
    Example,
    Expected,
    Given,
    NifiNote,
    ProcessorProperties,
    Relationship,
)
from flowengine.session import ProcessSession
from processors.records._core.formats import RecordError, RecordFormat
from processors.records._core.processor import WRITES, Encoded, RecordProcessor, child
from processors.records._core.properties import WriteProperties
from processors.records._core.tables import Records


class SplitRecord(RecordProcessor):
    """Make FlowFiles of so many records each, in order; the last one may hold fewer."""

    tags = ("record", "split", "batch", "generic")
    serial = True
    writes = {
        **WRITES,
        "fragment.identifier": "The same for all splits of a FlowFile: its uuid.",
        "fragment.index": "Place of the split among them, the first is 0.",
        "fragment.count": "How many splits the FlowFile gave.",
        "segment.original.filename": "The attribute `filename` of the FlowFile that was split.",
    }
    nifi = NifiNote(
        "SplitRecord",
        {
            "input_format": "Record Reader",
            "output_format": "Record Writer",
            "records_per_split": "Records Per Split",
        },
    )

    class Properties(WriteProperties):
        records_per_split: int = Field(ge=1, description="Most records in one split.")

    properties: Properties
    splits = Relationship("The new FlowFiles.")
    original = Relationship("The FlowFile that was split, once all of it is.")

    examples = (
        Example(
            "Two lines at a time",
            properties={"records_per_split": 2},
            given=(Given('{"n":1}\n{"n":2}\n{"n":3}', {"filename": "all"}),),
            expect={
                "splits": (
                    Expected(
                        '{"n":1}\n{"n":2}',
                        {"record.count": "2", "fragment.index": "0", "fragment.count": "2"},
                    ),
                    Expected(
                        '{"n":3}',
                        {"fragment.index": "1", "segment.original.filename": "all"},
                    ),
                ),
                "original": (Expected(attributes={"fragment.count": "2"}),),
            },
        ),
    )

    def __init__(self, properties: ProcessorProperties) -> None:
        super().__init__(properties)
        self._open: tuple[Content, Records, RecordFormat] | None = None

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        batch = session.get_batch()
        for index, flowfile in enumerate(batch):
            if not session.room:
                session.keep(batch[index:])
                return
            try:
                self._split(session, flowfile)
            except (RecordError, ExpressionError) as error:
                self.refuse(context, session, flowfile, error)

    def _split(self, session: ProcessSession, flowfile: FlowFile) -> None:
        records, kind = self._records(session, flowfile)
        size = self.properties.records_per_split
        count = -(-len(records) // size)
        facts = _facts(flowfile, count)
        for index in range(flowfile.cursor, count):
            if not session.room:
                self._open = flowfile.content, records, kind
                session.keep(flowfile.with_cursor(index))
                return
            split = self._encode(records, kind, index)
            made = child(session, flowfile, split, {**facts, "fragment.index": str(index)})
            session.transfer(made, self.splits)
        session.transfer(flowfile.with_attributes(facts), self.original)

    def _encode(self, records: Records, kind: RecordFormat, index: int) -> Encoded:
        size = self.properties.records_per_split
        return self.encode(records.slice(index * size, size), kind)

    def _records(self, session: ProcessSession, flowfile: FlowFile) -> tuple[Records, RecordFormat]:
        """Those of the FlowFile, whose parts may have been made by the trigger before."""
        known, self._open = self._open, None
        if known is not None and known[0] is flowfile.content:
            return known[1], known[2]
        records, kind = self.read(session, flowfile)
        if not flowfile.cursor and len(records):
            self._check(records, kind)
        return records, kind

    def _check(self, records: Records, kind: RecordFormat) -> None:
        """Fail before the first split is out: types that differ between records have no table."""
        if self.encode(records.slice(0, 1), kind).kind not in (
            RecordFormat.JSON,
            RecordFormat.NDJSON,
        ):
            _ = records.table


def _facts(flowfile: FlowFile, count: int) -> dict[str, str]:
    facts = {"fragment.identifier": flowfile.uuid, "fragment.count": str(count)}
    if "filename" in flowfile.attributes:
        facts["segment.original.filename"] = flowfile.attributes["filename"]
    return facts
