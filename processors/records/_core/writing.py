"""From records to bytes."""

from __future__ import annotations

import io
from typing import Any, Final

from flowengine.arrow_text import TextForm, as_json, check, chunks, dumps, lines
from processors.records._core.formats import RecordError, RecordFormat
from processors.records._core.schemas import avro_schema
from processors.records._core.tables import Records, first_line

__all__ = ["as_json", "dumps", "text_form", "write_records"]

_SYNC: Final = b"flowengine-avro!"  # fixed, so that equal records are equal bytes
_CANNOT_AVRO: Final = (ValueError, TypeError, OverflowError, AttributeError)
_FEWEST: Final = 64  # rows that are worth a table; fewer are written and read as fast as text
_TEXTS: Final = (RecordFormat.JSON, RecordFormat.NDJSON)


def text_form(records: Records, kind: RecordFormat, delimiter: str) -> TextForm | None:
    """What the text of these records is, where their table can be handed on in its place.

    None where they must be written: Avro, Parquet, and JSON that a table would change or that is
    small. Raises RecordError when there is no such text.
    """
    if kind in (RecordFormat.AVRO, RecordFormat.PARQUET):
        return None
    if kind in _TEXTS and not (records.exact if len(records) >= _FEWEST else records.tabular):
        return None
    form = TextForm(kind.value, delimiter, records.plain and kind in _TEXTS)
    check(records.table, form)
    return form


def write_records(records: Records, kind: RecordFormat, *, delimiter: str = ",") -> bytes:
    """The records in a format; the same records give the same bytes. Raises RecordError."""
    match kind:
        case RecordFormat.JSON:
            return dumps(records.rows)
        case RecordFormat.NDJSON:
            return lines(records.rows)
        case RecordFormat.AVRO:
            return _avro(records)
        case RecordFormat.PARQUET:
            return _parquet(records.table)
        case RecordFormat.CSV | RecordFormat.ARROW:
            return b"".join(chunks(records.table, TextForm(kind.value, delimiter)))


def _avro(records: Records) -> bytes:
    import fastavro

    schema = avro_schema(records.table.schema)
    rows = Records(table=records.table).rows
    sink = io.BytesIO()
    try:
        parsed = fastavro.parse_schema(schema)
        fastavro.writer(sink, parsed, _maps(rows, schema), codec="deflate", sync_marker=_SYNC)
    except _CANNOT_AVRO as error:
        raise RecordError(f"records must have values of Avro; got {first_line(error)}") from None
    return sink.getvalue()


def _maps(rows: list[dict[str, Any]], schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Arrow gives maps as pairs; Avro takes mappings."""
    names = [f["name"] for f in schema["fields"] if _is_map(f["type"])]
    if not names:
        return rows
    return [{**row, **{n: dict(row[n]) for n in names if row[n] is not None}} for row in rows]


def _is_map(kind: Any) -> bool:
    kinds = kind if isinstance(kind, list) else [kind]
    return any(isinstance(one, dict) and one["type"] == "map" for one in kinds)


def _parquet(table: Any) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    try:
        pq.write_table(table, sink, compression="zstd")
    except (pa.ArrowException, NotImplementedError) as error:
        raise RecordError(f"records must fit Parquet; got {first_line(error)}") from None
    return bytes(sink.getvalue())
