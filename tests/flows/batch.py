"""What a batch over the whole input finds, by DuckDB: the truth that windows must equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa


def batch(query: str, tables: Mapping[str, Sequence[Any]], **values: Any) -> list[Any]:
    """Rows of a query over tables of named tuples; ``$name`` in it is a value."""
    with duckdb.connect() as database:
        for name, rows in tables.items():
            database.register(name, pa.Table.from_pylist([row._asdict() for row in rows]))
        return database.execute(query, values).fetchall()
