"""Tables as text: JSON, NDJSON, CSV, or Arrow's own stream; piece by piece, never whole.

A decoded content (:mod:`flowengine.arrow_content`) is turned into text only for sinks and viewers,
perhaps after a restart and in another process than the one that decoded it; hence this lies in the
engine. Whoever makes such a content calls :func:`check` first, so that its text never fails later.
pyarrow is imported by the first call only: flows without records start without it.
"""

from __future__ import annotations

import base64
import datetime as dt
import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import msgspec
import orjson

JSON: Final = "json"
NDJSON: Final = "ndjson"
CSV: Final = "csv"
ARROW: Final = "arrow"
ROWS: Final = 10_000  # that are made at a time

_UNPRINTABLE: Final = (OverflowError, ValueError, TypeError)


class TextForm(msgspec.Struct, frozen=True, array_like=True):
    """What the bytes of a decoded content are.

    format:    `json` (an array), `ndjson`, `csv` (with a first line of names) or `arrow` (a stream)
    delimiter: between values of CSV
    plain:     the table says exactly what a JSON text said: nothing is typed, added or left out
    """

    format: str
    delimiter: str = ","
    plain: bool = False


class RecordError(ValueError):
    """Records that cannot be read, written or used, and why.

    record: number of the record, the first is 1; None when it is not about one record
    line:   number of the line in a text; None when it has no lines
    """

    def __init__(self, rule: str, *, record: int | None = None, line: int | None = None) -> None:
        super().__init__(rule)
        self.record, self.line = record, line

    def __str__(self) -> str:
        places = (("record", self.record), ("line", self.line))
        where = ", ".join(f"{name} {number}" for name, number in places if number is not None)
        return f"{where}: {self.args[0]}" if where else str(self.args[0])


def check(table: Any, form: TextForm) -> None:
    """Raise RecordError when a table has values that its text cannot hold."""
    if form.format == ARROW or form.plain or all(map(_is_safe, table.columns)):
        return
    try:
        for _ in chunks(table, form):
            pass
    except RecordError:
        raise
    except _UNPRINTABLE as error:
        raise RecordError(f"must have values that have a text; got {error}") from None


def chunks(table: Any, form: TextForm) -> Iterator[bytes]:
    """The text of a table, some thousand rows at a time. Raises RecordError, see :func:`check`."""
    if form.format == ARROW:
        yield from _ipc(table)
    elif form.format == CSV:
        yield from _csv(table, form.delimiter)
    else:
        yield from _json(table, array=form.format == JSON)


# -- JSON --------------------------------------------------------------------------------------


def _json(table: Any, *, array: bool) -> Iterator[bytes]:
    table = readable(table)
    if array:
        yield b"["
    for start in range(0, table.num_rows, ROWS):
        rows = table.slice(start, ROWS).to_pylist()
        between = (b"," if array else b"\n") if start else b""
        yield between + (dumps(rows)[1:-1] if array else lines(rows, start + 1))
    if array:
        yield b"]"


def lines(rows: list[dict[str, Any]], first: int = 1) -> bytes:
    """Rows as NDJSON without a last line break; ``first`` is the number of the first."""
    return b"\n".join([dumps(row, number) for number, row in enumerate(rows, first)])


def dumps(value: Any, record: int | None = None) -> bytes:
    """JSON of a record's value. Raises RecordError for integers beyond 64 bits."""
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


def readable(table: Any) -> Any:
    """The table with times that Python can hold: microseconds, not nanoseconds."""
    import pyarrow as pa

    for index, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            kind = pa.timestamp("us", tz=field.type.tz)
            column = table.column(index).cast(kind, safe=False)
            table = table.set_column(index, field.name, column)
    return table


# -- CSV and Arrow -----------------------------------------------------------------------------


def _csv(table: Any, delimiter: str) -> Iterator[bytes]:
    import csv as texts

    from pyarrow import ArrowException, csv

    if not table.num_columns:
        return
    head = io.StringIO()  # Arrow would put all names into quotes
    texts.writer(head, delimiter=delimiter, lineterminator="\n").writerow(table.column_names)
    yield head.getvalue().encode()
    options = csv.WriteOptions(delimiter=delimiter, include_header=False, quoting_style="needed")
    for start in range(0, table.num_rows, ROWS):
        sink = io.BytesIO()
        try:
            csv.write_csv(_flat(table.slice(start, ROWS)), sink, options)
        except ArrowException as error:
            raise RecordError(f"records must have values of CSV; got {error}") from None
        yield sink.getvalue()


def _flat(table: Any) -> Any:
    """The table with nested values as JSON texts: CSV has none."""
    import pyarrow as pa

    for index, field in enumerate(table.schema):
        if not (pa.types.is_nested(field.type) or pa.types.is_binary(field.type)):
            continue
        values = readable(table.select([index])).column(0).to_pylist()
        texts = [_cell(value) for value in values]
        table = table.set_column(index, field.name, pa.array(texts, pa.string()))
    return table


def _cell(value: Any) -> str | None:
    if value is None:
        return None
    return str(as_json(value)) if isinstance(value, bytes) else dumps(value).decode()


def _ipc(table: Any) -> Iterator[bytes]:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    yield sink.getvalue().to_pybytes()


# -- checking ----------------------------------------------------------------------------------


def _is_safe(column: Any) -> bool:
    """Whether each value of a column certainly has a text, from its type and its extremes."""
    from pyarrow import types

    kind = column.type
    for known in (types.is_null, types.is_boolean, types.is_integer, types.is_floating):
        if known(kind):
            return True
    if types.is_string(kind) or types.is_large_string(kind):
        return True  # whoever reads what others encoded has validated it
    if types.is_timestamp(kind) or types.is_date(kind):
        return all(value is None or _has_text(value) for value in _extremes(column))
    return False


def _extremes(column: Any) -> tuple[Any, Any]:
    from pyarrow import compute

    if not len(column):
        return None, None
    found = compute.min_max(column)
    return found["min"], found["max"]


def _has_text(value: Any) -> bool:
    try:
        orjson.dumps(value.as_py())
    except _UNPRINTABLE:
        return False
    return True
