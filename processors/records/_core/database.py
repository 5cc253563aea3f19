"""Rows into a table, by SQLAlchemy core: which column a field is, and which statement writes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

import orjson

from processors.records._core.formats import RecordError
from processors.records._core.tables import first_line
from processors.records._core.writing import as_json

_PARAMETERS: Final = 30_000  # PostgreSQL counts them with 16 bits
_ROWS: Final = 1000

Row = dict[str, Any]


class Statement(StrEnum):
    """How rows are written."""

    INSERT = "insert"
    UPSERT = "upsert"
    UPDATE = "update"
    DELETE = "delete"


class Target:
    """A table of the database, and how records become its rows.

    keys: columns that say which row is the same one, for all but an insert
    """

    def __init__(self, connection: Any, table: str, keys: tuple[str, ...]) -> None:
        import sqlalchemy as sa

        schema, _, name = table.rpartition(".")
        try:
            self._table = sa.Table(
                name, sa.MetaData(), schema=schema or None, autoload_with=connection
            )
        except sa.exc.NoSuchTableError:
            raise RecordError(f"table {table!r} must exist; got none") from None
        self._dialect = connection.dialect.name
        self._columns = {_plain(column.name): column for column in self._table.columns}
        self._keys = [self._column(key).name for key in keys] or [
            column.name for column in self._table.primary_key
        ]

    def _column(self, field: str) -> Any:
        if field in self._table.columns:
            return self._table.columns[field]
        column = self._columns.get(_plain(field))
        if column is None:
            known = ", ".join(self._table.columns.keys())
            rule = f"table {self._table.name!r} must have a column for each field"
            raise RecordError(f"{rule}; got {field!r}, columns are {known}")
        return column

    def rows(self, records: list[Row], *, ignore: bool) -> list[Row]:
        """One row per record, all with the same columns. Raises RecordError with its number."""
        columns: dict[str, Any] = {}
        for field in dict.fromkeys(field for record in records for field in record):
            try:
                columns[field] = self._column(field)
            except RecordError:
                if not ignore:
                    raise
        if records and not columns:
            raise RecordError("records must have a field that is a column; got none")
        return [
            {column.name: _value(record.get(f), column, n) for f, column in columns.items()}
            for n, record in enumerate(records, 1)
        ]

    def write(self, connection: Any, rows: list[Row], statement: Statement) -> None:
        """Write rows. Raises what SQLAlchemy raises, and RecordError."""
        if not rows:
            return
        if statement is not Statement.INSERT:
            self._check_keys(rows, statement)
        if statement in (Statement.UPDATE, Statement.DELETE):
            names = [_key(name) if name in self._keys else name for name in rows[0]]
            given = [dict(zip(names, row.values(), strict=True)) for row in rows]
            connection.execute(self._change(statement, rows[0]), given)
            return
        upsert = statement is Statement.UPSERT
        if self._dialect == "postgresql":
            for chunk in self._chunks(rows, upsert):
                connection.execute(self._statement(upsert, chunk[0]).values(chunk))
        else:
            connection.execute(self._statement(upsert, rows[0]), rows)

    def _check_keys(self, rows: list[Row], statement: Statement) -> None:
        missing = [key for key in self._keys if key not in rows[0]]
        if missing or not self._keys:
            article = "a" if statement is Statement.DELETE else "an"
            rule = f"records must have the key fields of {article} {statement}"
            raise RecordError(f"{rule}; got no {missing}")
        if statement is Statement.UPSERT:
            return
        for number, row in enumerate(rows, 1):
            empty = [key for key in self._keys if row[key] is None]
            if empty:
                rule = f"field for column {empty[0]!r} must have a value, since it is a key"
                raise RecordError(f"{rule}; got none", record=number)

    def _change(self, statement: Statement, row: Row) -> Any:
        """An update or delete of the row with the record's key; no row with it is no error."""
        import sqlalchemy as sa

        same = [self._table.columns[key] == sa.bindparam(_key(key)) for key in self._keys]
        if statement is Statement.DELETE:
            return self._table.delete().where(*same)
        changes: dict[str, Any] = {
            name: sa.bindparam(name) for name in row if name not in self._keys
        }
        if not changes:
            raise RecordError("records must have a field to update beside the keys; got none")
        return self._table.update().where(*same).values(changes)

    def _chunks(self, rows: list[Row], upsert: bool) -> Iterator[list[Row]]:
        """PostgreSQL wants few statements, and refuses to upsert a row twice in one."""
        size = min(_ROWS, max(1, _PARAMETERS // max(len(rows[0]), 1))) if rows else 1
        for start in range(0, len(rows), size):
            chunk = rows[start : start + size]
            if upsert:
                chunk = list({tuple(row.get(k) for k in self._keys): row for row in chunk}.values())
            yield chunk

    def _statement(self, upsert: bool, row: Row) -> Any:
        if not upsert:
            return self._table.insert()
        if self._dialect == "postgresql":
            from sqlalchemy.dialects.postgresql import insert
        elif self._dialect == "sqlite":
            from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]
        else:
            raise RecordError(f"upsert must be to SQLite or PostgreSQL; got {self._dialect!r}")
        statement = insert(self._table)
        changes = {name: statement.excluded[name] for name in row if name not in self._keys}
        if not changes:
            return statement.on_conflict_do_nothing(index_elements=self._keys)
        return statement.on_conflict_do_update(index_elements=self._keys, set_=changes)


def _key(name: str) -> str:
    """The parameter with the value of a key, which must not be named like a column."""
    return f"key of {name}"


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _value(value: Any, column: Any, record: int) -> Any:
    """A value of a record as one of the column's type: texts become times and decimals."""
    try:
        return _converted(value, column.type)
    except (ValueError, TypeError, InvalidOperation):
        rule = f"field for column {column.name!r} must be {column.type}; got {value!r:.80}"
        raise RecordError(rule, record=record) from None


def _converted(value: Any, kind: Any) -> Any:
    import sqlalchemy as sa

    if value is None or isinstance(kind, sa.JSON):
        return value
    if isinstance(value, dict | list):
        return orjson.dumps(value, default=as_json).decode()
    if isinstance(kind, sa.Numeric) and not isinstance(kind, sa.Float):
        return Decimal(str(value))
    if not isinstance(value, str):
        return value
    if isinstance(kind, sa.DateTime):
        return _moment(dt.datetime.fromisoformat(value), kind)
    if isinstance(kind, sa.Date):
        return dt.date.fromisoformat(value)
    return dt.time.fromisoformat(value) if isinstance(kind, sa.Time) else value


def _moment(value: dt.datetime, kind: Any) -> dt.datetime:
    """A column without a zone holds UTC."""
    if value.tzinfo is None or kind.timezone:
        return value
    return value.astimezone(dt.UTC).replace(tzinfo=None)


def reason(error: Any) -> str:
    """What a database says, without the statement and its values."""
    original = getattr(error, "orig", None) or error
    details = original.args[0] if getattr(original, "args", None) else original
    if isinstance(details, dict):  # pg8000: the fields of PostgreSQL's message
        details = details.get("M", details)
    return first_line(Exception(str(details)))
