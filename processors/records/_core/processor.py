"""Base of the record processors: read, write, and send to failure what cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, NamedTuple

from flowengine.arrow_text import TextForm
from flowengine.context import ProcessContext
from flowengine.errors import ExpressionError
from flowengine.flowfile import FlowFile
from flowengine.processor import Processor, ProcessorProperties, Relationship
from flowengine.session import ProcessSession
from processors.records._core.cache import CACHE
from processors.records._core.formats import (
    MIME_TYPES,
    InputFormat,
    OutputFormat,
    RecordError,
    RecordFormat,
    recognise,
)
from processors.records._core.reading import Reading, fitted, read_records
from processors.records._core.tables import Records
from processors.records._core.writing import text_form, write_records

_WRITTEN: Final = Reading()
_JSONS: Final = frozenset({RecordFormat.JSON, RecordFormat.NDJSON})

READS = {
    "mime.type": "`text/csv` says that a content is CSV.",
    "filename": "A name that ends with `.csv` says that a content is CSV.",
}
WRITES = {
    "record.count": "Number of records in the FlowFile.",
    "mime.type": "Media type of what was written.",
    "error.record": "Number of the record that is wrong, the first is 1; in failure.",
    "error.line": "Number of the line that is wrong, in failure; JSON and NDJSON only.",
}


class Encoded(NamedTuple):
    """Records as a content: a table with the form of its text, or bytes where that is None."""

    content: bytes
    records: Records
    kind: RecordFormat
    form: TextForm | None

    @property
    def attributes(self) -> dict[str, str]:
        """What a FlowFile with this content says about it."""
        return {"mime.type": MIME_TYPES[self.kind], "record.count": str(len(self.records))}


class RecordProcessor(Processor):
    """Handles one FlowFile at a time; a broken one goes to failure, its neighbours do not.

    ``take`` does all that may fail (reading, computing, encoding) before it makes or transfers
    anything, so what fails leaves nothing behind.
    """

    blocking = True
    reads: ClassVar[Mapping[str, str]] = READS
    writes: ClassVar[Mapping[str, str]] = WRITES

    failure = Relationship(
        "FlowFiles whose records could not be handled, unchanged; `error.*` says which and why.",
        failure=True,
    )

    def __init__(self, properties: ProcessorProperties) -> None:
        super().__init__(properties)
        reading = getattr(properties, "reading", None)
        self.reading: Reading = reading() if reading is not None else _WRITTEN

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> Any:
        batch = session.get_batch()
        for index, flowfile in enumerate(batch):
            if not session.room:
                session.keep(batch[index:])
                return
            try:
                self.take(context, session, flowfile)
            except (RecordError, ExpressionError) as error:
                self.refuse(context, session, flowfile, error)

    def take(self, context: ProcessContext, session: ProcessSession, flowfile: FlowFile) -> None:
        """Handle one FlowFile. Raises RecordError or ExpressionError before it changes anything."""
        raise NotImplementedError

    def refuse(
        self,
        context: ProcessContext,
        session: ProcessSession,
        flowfile: FlowFile,
        error: Exception,
    ) -> None:
        """Send to failure with the reason and the place."""
        places = {"record": getattr(error, "record", None), "line": getattr(error, "line", None)}
        extra = {f"error_{k}": str(v) for k, v in places.items() if v is not None}
        message = f"processor {context.id!r} ({context.type}): {error}"
        session.fail(flowfile, message, "failure", **{"error_class": type(error).__name__, **extra})

    def read(self, session: ProcessSession, flowfile: FlowFile) -> tuple[Records, RecordFormat]:
        """The records of a FlowFile and their format. Raises RecordError."""
        form = session.form(flowfile)
        kind = self._kind(flowfile) if form is None else self._decoded_kind(form)
        if kind is not None:
            known = CACHE.get(flowfile.content, kind, self.reading)
            if known is not None:
                return known, kind
        if form is not None and kind is not None:
            records = self._decoded(session, flowfile, form)
        else:
            content = session.read(flowfile)
            kind = kind or self._named_kind or recognise(content, flowfile.attributes)
            records = read_records(content, kind, self.reading)
        CACHE.put(flowfile.content, kind, self.reading, records)
        return records, kind

    def _decoded(self, session: ProcessSession, flowfile: FlowFile, form: TextForm) -> Records:
        """What is decoded already; read anew where a schema wants something else of its text."""
        schema, table = self.reading.schema, session.read_table(flowfile)
        if schema is None or table.schema.equals(schema):
            return Records(table=table, plain=form.plain)
        if form.format == RecordFormat.ARROW:
            return Records(table=fitted(table, schema))
        return read_records(session.read(flowfile), RecordFormat(form.format), self.reading)

    def _decoded_kind(self, form: TextForm) -> RecordFormat | None:
        """The format of a decoded content, unless its text is to be read in another way."""
        kind, named = RecordFormat(form.format), self._named_kind
        if kind is RecordFormat.CSV and not (self.reading.infer and self.reading.header):
            return None
        return kind if named is None or named is kind or {named, kind} <= _JSONS else None

    @property
    def _named_kind(self) -> RecordFormat | None:
        named = self.properties.input_format
        return None if named is InputFormat.AUTO else RecordFormat(named)

    def _kind(self, flowfile: FlowFile) -> RecordFormat | None:
        """The format, where it can be told without reading a file."""
        if self._named_kind is not None:
            return self._named_kind
        if isinstance(flowfile.content, bytes):
            return recognise(flowfile.content, flowfile.attributes)
        return None

    def encode(self, records: Records, kind: RecordFormat) -> Encoded:
        """Records in the format that is asked for; ``kind`` is that of the input."""
        output = self.properties.output_format
        chosen = kind if output is OutputFormat.SAME else RecordFormat(output)
        delimiter = self.properties.csv_delimiter
        form = text_form(records, chosen, delimiter)
        content = b"" if form else write_records(records, chosen, delimiter=delimiter)
        return Encoded(content, records, chosen, form)


def _remember(flowfile: FlowFile, encoded: Encoded) -> FlowFile:
    """Keep the records for whoever reads them next, where reading would give the same."""
    if encoded.form is None and encoded.kind in _JSONS and encoded.records.plain:
        CACHE.put(flowfile.content, encoded.kind, _WRITTEN, encoded.records)
    return flowfile


def rewrite(session: ProcessSession, flowfile: FlowFile, encoded: Encoded) -> FlowFile:
    """The FlowFile with these records as its content."""
    if encoded.form is not None:
        written = session.write_table(flowfile, encoded.records.table, encoded.form)
    else:
        written = session.write(flowfile, encoded.content)
    return _remember(written.with_attributes(encoded.attributes), encoded)


def child(
    session: ProcessSession,
    parent: FlowFile,
    encoded: Encoded,
    attributes: Mapping[str, str] | None = None,
) -> FlowFile:
    """A new FlowFile with these records."""
    changes = {**encoded.attributes, **(attributes or {})}
    if encoded.form is not None:
        table = encoded.records.table
        return session.create_table(table, encoded.form, changes, parent=parent)
    return _remember(session.create(encoded.content, changes, parent=parent), encoded)
