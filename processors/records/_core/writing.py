"""From records to bytes."""

from __future__ import annotations

import base64
import datetime as dt
import io
from decimal import Decimal
from typing import Any, Final

import orjson

from processors.records._core.formats import RecordError, RecordFormat
from processors.records._core.schemas import avro_schema
from processors.records._core.tables import Records, first_line

_SYNC: Final = b"flowengine-avro!"  # fixed, so that equal records are equal bytes
_CANNOT_AVRO: Final = (ValueError, TypeError, OverflowError, AttributeError)


def write_records(records: Records, kind: RecordFormat, *, delimiter: str = ",") -> bytes:
    """The records in a format; the same records give the same bytes. Raises RecordError."""
    match kind:
        case RecordFormat.JSON:
            return _dumps(records.rows)
        case RecordFormat.NDJSON:
            return b"\n".join([_dumps(row, number) for number, row in enumerate(records.rows, 1)])
        case RecordFormat.CSV:
            return _csv(records.table, delimiter)
        case RecordFormat.AVRO:
            return _avro(records)
        case RecordFormat.PARQUET:
            return _parquet(records.table)
        case RecordFormat.ARROW:
            return _arrow(records.table)


def _dumps(value: Any, record: int | None = None) -> bytes:
    try:
        return orjson.dumps(value, default=as_json)
    except orjson.JSONEncodeError as error:
        raise RecordError(f"must have values of JSON; got {error}", record=record) from None


def as_json(value: Any) -> Any:
    """What stands in JSON for a value that it does not know: bytes are text or base64."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    raise TypeError(type(value).__name__)


def _csv(table: Any, delimiter: str) -> bytes:
    import csv as texts

    from pyarrow import csv

    if not table.num_columns:
        return b""
    head = io.StringIO()  # Arrow would put all names into quotes
    texts.writer(head, delimiter=delimiter, lineterminator="\n").writerow(table.column_names)
    sink = io.BytesIO()
    options = csv.WriteOptions(delimiter=delimiter, include_header=False, quoting_style="needed")
    csv.write_csv(_flat(table), sink, options)
    return head.getvalue().encode() + sink.getvalue()


def _flat(table: Any) -> Any:
    """The table with nested values as JSON texts: CSV has none."""
    import pyarrow as pa

    for index, field in enumerate(table.schema):
        if not (pa.types.is_nested(field.type) or pa.types.is_binary(field.type)):
            continue
        values = Records(table=table.select([index])).rows
        texts = [_cell(row[field.name]) for row in values]
        table = table.set_column(index, field.name, pa.array(texts, pa.string()))
    return table


def _cell(value: Any) -> str | None:
    if value is None:
        return None
    return str(as_json(value)) if isinstance(value, bytes) else _dumps(value).decode()


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


def _arrow(table: Any) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())
