"""SQL over the records of one window, by DuckDB in memory, without files, network or settings."""

from __future__ import annotations

from typing import Any

import orjson

from processors.windows.output import FoldError

SETTINGS = {
    "enable_external_access": "false",
    "threads": "1",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "memory_limit": "1GB",
    "python_enable_replacements": "false",  # a name is never a Python variable of ours
}


def check(sql: str) -> str:
    """What is wrong with a query's text; empty when nothing is."""
    import duckdb

    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        return f"must be a query that DuckDB can parse; got {_first_line(error)}"
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        return "must be one SELECT; got something else"
    return ""


class WindowQuery:
    """A query whose table ``"window"`` (also named ``records``) holds a window's records."""

    def __init__(self, sql: str) -> None:
        import duckdb

        self._sql = sql
        self._connection = duckdb.connect(":memory:", config=dict(SETTINGS))
        self._connection.execute("SET lock_configuration = true")

    def __call__(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Rows of the result as JSON objects. Raises FoldError when there is none."""
        import duckdb

        cursor = self._connection.cursor()
        try:
            cursor.register("window", _table(records))
            cursor.execute('CREATE OR REPLACE TEMP VIEW records AS FROM "window"')
            found = cursor.execute(self._sql)
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        except duckdb.Error as error:
            raise FoldError(
                f"sql must have a result for each window; got {_first_line(error)}"
            ) from None
        finally:
            cursor.close()


def _table(records: list[dict[str, Any]]) -> Any:
    """Columns of all names; where the types of one do not agree, it holds texts."""
    import pyarrow as pa

    names = dict.fromkeys(name for record in records for name in record)
    columns = {}
    for name in names:
        values = [record.get(name) for record in records]
        try:
            columns[name] = pa.array(values)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            columns[name] = pa.array([None if v is None else _text(v) for v in values])
    return pa.table(columns)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
