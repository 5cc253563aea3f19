"""SQL over records, by DuckDB in memory: no files, no network, no settings, no extensions."""

from __future__ import annotations

from typing import Any, Final

from processors.records._core.formats import RecordError
from processors.records._core.tables import Records, first_line

SETTINGS: Final = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",  # else a query sees the variables of this module
    "temp_directory": "",
    "threads": "1",
}


def check(sql: str) -> str:
    """What is wrong with the text of a query; empty when nothing is."""
    import duckdb

    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        return f"must be a query that DuckDB can parse; got {first_line(error)}"
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        return "must be one SELECT; got something else"
    return ""


class Database:
    """Runs queries whose table FLOWFILE holds the records. Safe from several threads."""

    def __init__(self, memory: int) -> None:
        import duckdb

        config: dict[str, Any] = {**SETTINGS, "memory_limit": f"{max(memory >> 20, 1)}MiB"}
        self._connection = duckdb.connect(":memory:", config=config)
        self._connection.execute("SET lock_configuration = true")

    def query(self, records: Records, queries: dict[str, str]) -> dict[str, Records]:
        """The result of each query. Raises RecordError naming the query that has none."""
        import duckdb

        results: dict[str, Records] = {}
        table = _with_a_column(records)
        connection = self._connection.cursor()  # a connection of its own to the same database
        try:
            connection.register("flowfile", table)
            for name, sql in queries.items():
                try:
                    found = connection.sql(sql).to_arrow_table()
                except duckdb.Error as error:
                    rule = f"query {name!r} must have a result; got {first_line(error)}"
                    raise RecordError(rule) from None
                results[name] = Records(table=_usual(found))
        finally:
            connection.close()
        return results

    def close(self) -> None:
        """Give the memory back."""
        self._connection.close()


def _with_a_column(records: Records) -> Any:
    """DuckDB has no tables without columns; an empty content has no column to name."""
    import pyarrow as pa

    table = records.table
    return table if table.num_columns else pa.table({"_": pa.array([], pa.null())})


def _usual(table: Any) -> Any:
    """Sums of integers come as numbers of 38 digits: 64 bits where they fit, as people expect."""
    import pyarrow as pa

    for index, field in enumerate(table.schema):
        if field.type == pa.decimal128(38, 0):
            try:
                column = table.column(index).cast(pa.int64())
            except pa.ArrowInvalid:
                continue
            table = table.set_column(index, field.name, column)
    return table
