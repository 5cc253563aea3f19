"""From bytes to records."""

from __future__ import annotations

import io
import zlib
from typing import Any, Final

import msgspec
import orjson

from processors.records._core.formats import RecordError, RecordFormat
from processors.records._core.schemas import arrow_schema
from processors.records._core.tables import Records, first_line, to_table

_BLOCK: Final = 1 << 30
_BROKEN_AVRO: Final = (ValueError, EOFError, IndexError, KeyError, TypeError, zlib.error)


class Reading(msgspec.Struct, frozen=True):
    """How contents are read; equal ones give equal records.

    schema: an Arrow schema, or None where it is inferred
    """

    delimiter: str = ","
    header: bool = True
    infer: bool = True
    schema: Any = None


def read_records(content: bytes, kind: RecordFormat, reading: Reading) -> Records:
    """All records of a content. Raises RecordError with the place of what is broken."""
    match kind:
        case RecordFormat.JSON | RecordFormat.NDJSON:
            rows = read_json(content)
            if reading.schema is None:
                return Records(rows, plain=True)
            return Records(table=to_table(rows, reading.schema))
        case RecordFormat.CSV:
            return Records(table=_read_csv(content, reading))
        case RecordFormat.AVRO:
            return Records(table=fitted(_read_avro(content), reading.schema))
        case RecordFormat.PARQUET:
            return Records(table=fitted(_read_parquet(content), reading.schema))
        case RecordFormat.ARROW:
            return Records(table=fitted(_read_arrow(content), reading.schema))


# -- JSON --------------------------------------------------------------------------------------


def read_json(content: bytes) -> list[dict[str, Any]]:
    """Objects of an array, one per line, or a single one over several lines."""
    text = content.strip()
    if not text:
        return []
    if text.startswith(b"["):
        return _objects(_loads(text))
    lines = text.split(b"\n")
    try:
        return _objects([orjson.loads(line) for line in lines])
    except orjson.JSONDecodeError:
        return _read_slowly(content, text)


def _loads(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise RecordError(f"content must be JSON; got {error}", line=error.lineno) from None


def _objects(values: list[Any]) -> list[dict[str, Any]]:
    if set(map(type, values)) - {dict}:
        number = next(n for n, value in enumerate(values, 1) if type(value) is not dict)
        got = repr(values[number - 1])
        raise RecordError(f"must be a JSON object; got {got:.80}", record=number)
    return values


def _read_slowly(content: bytes, text: bytes) -> list[dict[str, Any]]:
    """The same with blank lines, one object over several lines, or a line that is broken."""
    try:
        return _objects([orjson.loads(text)])
    except orjson.JSONDecodeError:
        pass  # not a single one: look at each line
    rows: list[Any] = []
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            rows.append(orjson.loads(line))
        except orjson.JSONDecodeError as error:
            rule = f"must be JSON; got {error}"
            raise RecordError(rule, record=len(rows) + 1, line=number) from None
    return _objects(rows)


# -- tables ------------------------------------------------------------------------------------


def _read_csv(content: bytes, reading: Reading) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    if not content.strip():
        return pa.table({}) if reading.schema is None else reading.schema.empty_table()
    if not reading.infer and reading.schema is None:
        reading = msgspec.structs.replace(reading, schema=_all_text(content, reading))
    broken: list[Any] = []

    def refuse(row: Any) -> str:
        broken.append(row)
        return "error"

    try:
        table = csv.read_csv(
            io.BytesIO(content),
            read_options=csv.ReadOptions(
                use_threads=False,
                block_size=min(max(len(content), 1 << 16), _BLOCK),
                autogenerate_column_names=not reading.header and reading.schema is None,
                column_names=_names(reading),
            ),
            parse_options=csv.ParseOptions(
                delimiter=reading.delimiter, newlines_in_values=True, invalid_row_handler=refuse
            ),
            convert_options=csv.ConvertOptions(column_types=reading.schema),
        )
    except pa.ArrowException as error:
        raise _broken_csv(error, broken, reading) from None
    return fitted(table, reading.schema)


def _names(reading: Reading) -> list[str] | None:
    return None if reading.header or reading.schema is None else list(reading.schema.names)


def _all_text(content: bytes, reading: Reading) -> Any:
    """A schema in which every column of the first line is text."""
    import csv

    import pyarrow as pa

    text = io.TextIOWrapper(io.BytesIO(content), "utf-8", errors="replace", newline="")
    first = next(csv.reader(text, delimiter=reading.delimiter), [])
    names = first if reading.header else [f"f{n}" for n in range(len(first))]
    return pa.schema([(name, pa.string()) for name in names])


def _broken_csv(error: BaseException, broken: list[Any], reading: Reading) -> RecordError:
    if not broken:
        return RecordError(f"content must be CSV; got {first_line(error)}")
    row = broken[0]
    number = None if row.number is None else row.number - (1 if reading.header else 0)
    rule = f"must have {row.expected_columns} values; got {row.actual_columns}: {row.text!r:.80}"
    return RecordError(rule, record=number)


def _read_avro(content: bytes) -> Any:
    import fastavro

    try:
        reader = fastavro.reader(io.BytesIO(content))
        rows = list(reader)
        schema = arrow_schema(_unnamed(reader.writer_schema))
    except _BROKEN_AVRO as error:
        raise RecordError(f"content must be Avro; got {first_line(error)}") from None
    return to_table(rows, schema)  # type: ignore[arg-type]


def _unnamed(schema: Any) -> Any:
    if not isinstance(schema, dict):
        raise RecordError(f"content must be Avro records; got {schema!r:.80}")
    return schema


def _read_parquet(content: bytes) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
        table.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise RecordError(f"content must be Parquet; got {first_line(error)}") from None
    return table


def _read_arrow(content: bytes) -> Any:
    import pyarrow as pa

    try:
        if content.startswith(b"ARROW1"):
            table = pa.ipc.open_file(pa.BufferReader(content)).read_all()
        else:
            table = pa.ipc.open_stream(pa.BufferReader(content)).read_all()
        table.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise RecordError(f"content must be Arrow IPC; got {first_line(error)}") from None
    return table


def fitted(table: Any, schema: Any) -> Any:
    """The table with the fields of a schema: others are left out, missing ones are null."""
    import pyarrow as pa

    if schema is None or table.schema.equals(schema):
        return table
    columns = []
    for field in schema:
        if field.name not in table.column_names:
            column = pa.nulls(table.num_rows, field.type)
        else:
            column = _cast(table.column(field.name), field)
        if not field.nullable and column.null_count:
            number = column.is_null().index(True).as_py() + 1
            raise RecordError(f"field {field.name!r} must have a value; got none", record=number)
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=schema)


def _cast(column: Any, field: Any) -> Any:
    import pyarrow as pa

    try:
        return column.cast(field.type)
    except pa.ArrowException as error:
        rule = f"field {field.name!r} must be {field.type}; got {first_line(error)}"
        raise RecordError(rule) from None
