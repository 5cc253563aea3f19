"""Records: rows as mappings, as an Arrow table, or both; each made from the other when asked for.

Nobody changes records in place: they are shared by all who hold the same content.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from flowengine.arrow_text import readable
from processors.records._core.formats import RecordError
from processors.records._core.uniform import uniform_table

Row = Mapping[str, Any]


class Records:
    """The records of one content, in order.

    plain: they are exactly what a JSON text says, so writing and reading them changes nothing
    """

    __slots__ = ("_exact", "_rows", "_table", "plain")

    def __init__(
        self, rows: list[dict[str, Any]] | None = None, table: Any = None, *, plain: bool = False
    ) -> None:
        self._rows, self._table, self.plain = rows, table, plain
        self._exact: bool | None = True if rows is None else None

    def __len__(self) -> int:
        if self._rows is not None:
            return len(self._rows)
        return int(self._table.num_rows)

    @property
    def tabular(self) -> bool:
        """Whether there is a table already that says what the rows say."""
        return self._table is not None and self._exact is True

    @property
    def exact(self) -> bool:
        """Whether a table says what the rows say: all have the same fields of the same types."""
        if self._exact is None:
            found = uniform_table(self._rows or [])
            self._exact = found is not None
            self._table = found if found is not None else self._table
        return self._exact

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One mapping per record."""
        if self._rows is None:
            self._rows = readable(self._table).to_pylist()
        return self._rows

    @property
    def table(self) -> Any:
        """One column per field. Raises RecordError where a field has not one type."""
        if self._table is None and not self.exact:
            self._table = to_table(self._rows or [])
        return self._table

    def column_values(self, name: str) -> list[Any]:
        """One column of the table as Python values."""
        values: list[Any] = readable(self.table.select([name])).column(0).to_pylist()
        return values

    def slice(self, start: int, length: int) -> Records:
        """Some records that follow each other."""
        if self.tabular:
            return Records(table=self._table.slice(start, length), plain=self.plain)
        return Records(self.rows[start : start + length], plain=self.plain)

    def take(self, indices: list[int]) -> Records:
        """The records at these places."""
        if self.tabular:
            return Records(table=self._table.take(indices), plain=self.plain)
        return Records([self.rows[index] for index in indices], plain=self.plain)


def joined(parts: list[Records]) -> Records:
    """All records in order. Raises RecordError when a field has types that do not fit."""
    import pyarrow as pa

    plain = all(part.plain for part in parts)
    if plain and not _alike(parts):
        return Records([row for part in parts for row in part.rows], plain=True)
    try:
        table = pa.concat_tables([part.table for part in parts], promote_options="permissive")
        return Records(table=table.combine_chunks(), plain=plain)
    except pa.ArrowException as error:
        rule = f"fields of the same name must have types that fit; got {first_line(error)}"
        raise RecordError(rule) from None


def _alike(parts: list[Records]) -> bool:
    """Whether all are tables already, of the same fields: put together they stay exact."""
    return all(part.tabular for part in parts) and all(
        part.table.schema.equals(parts[0].table.schema) for part in parts[1:]
    )


def to_table(rows: list[dict[str, Any]], schema: Any = None) -> Any:
    """A table with the fields of all rows, or of a schema. Raises RecordError."""
    import pyarrow as pa

    if schema is not None:
        columns = [_column(rows, field) for field in schema]
        return pa.Table.from_arrays(columns, schema=schema)
    if not rows:
        return pa.table({})
    try:
        return pa.Table.from_struct_array(pa.array(rows))
    except (pa.ArrowException, OverflowError):
        raise _odd_one(rows) from None


def _odd_one(rows: list[dict[str, Any]]) -> RecordError:
    """Which record is the first that does not fit to those before it, and in which field."""
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(name) for row in rows]
        if _one_type(values):
            continue
        low, high = 0, len(values)  # the first `low` fit, the first `high` do not
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _one_type(values[:middle]) else (low, middle)
        got = repr(values[low])
        rule = f"field {name!r} must have the type it has in the records before; got {got:.80}"
        return RecordError(rule, record=low + 1)
    return RecordError("fields must have one type in all records")


def _one_type(values: list[Any]) -> bool:
    import pyarrow as pa

    try:
        pa.array(values)
    except (pa.ArrowException, OverflowError):
        return False
    return True


def _column(rows: Iterable[Row], field: Any) -> Any:
    """One column of a given type; texts become times and decimals where the type says so."""
    import pyarrow as pa

    values = [row.get(field.name) for row in rows]
    if not field.nullable and None in values:
        rule = f"field {field.name!r} must have a value; got none"
        raise RecordError(rule, record=values.index(None) + 1)
    try:
        return pa.array(values, field.type)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        converted = [_converted(value, field, n) for n, value in enumerate(values, 1)]
        return pa.array(converted, field.type)


def _converted(value: Any, field: Any, record: int) -> Any:
    import pyarrow as pa

    try:
        converted = convert(value, field.type)
        pa.scalar(converted, field.type)
    except (pa.ArrowException, OverflowError, TypeError, ValueError, InvalidOperation):
        rule = f"field {field.name!r} must be {field.type}; got {value!r:.80}"
        raise RecordError(rule, record=record) from None
    return converted


def convert(value: Any, kind: Any) -> Any:
    """A JSON value as a value of an Arrow type, as far as texts stand for something else."""
    from pyarrow import types

    if isinstance(value, dict) and types.is_struct(kind):
        return {field.name: convert(value.get(field.name), field.type) for field in kind}
    if isinstance(value, dict) and types.is_map(kind):
        return [(key, convert(one, kind.item_type)) for key, one in value.items()]
    if isinstance(value, list) and types.is_list(kind):
        return [convert(one, kind.value_type) for one in value]
    if isinstance(value, int | float) and not isinstance(value, bool) and types.is_decimal(kind):
        return Decimal(str(value))
    return _from_text(value, kind) if isinstance(value, str) else value


def _from_text(text: str, kind: Any) -> Any:
    from pyarrow import types

    if types.is_timestamp(kind):
        moment = dt.datetime.fromisoformat(text)
        return moment.replace(tzinfo=dt.UTC) if kind.tz and moment.tzinfo is None else moment
    if types.is_date(kind):
        return dt.date.fromisoformat(text)
    if types.is_time(kind):
        return dt.time.fromisoformat(text)
    if types.is_decimal(kind):
        return Decimal(text)
    return text.encode() if types.is_binary(kind) else text


def first_line(error: BaseException) -> str:
    """The first line of a library's message."""
    return str(error).strip().partition("\n")[0]
