"""Rows that a table can hold exactly: the same fields in the same order, each of one type.

JSON knows fields that are missing, and numbers that are integers in one record and not in the next;
a table does not. What is uniform becomes a table and back without any difference.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Final

_ONE_TYPE: Final = frozenset({bool, int, float, str, bytes, dt.date, dt.time, Decimal})
_NONE: Final = type(None)


def uniform_table(rows: list[dict[str, Any]]) -> Any:
    """The table of rows that are uniform and have fields, else None."""
    import pyarrow as pa

    if not rows or not rows[0]:
        return None
    names = list(rows[0])
    columns = _columns(rows, names)
    if columns is None:
        return None
    try:
        return pa.table(list(map(pa.array, columns)), names=names)
    except (pa.ArrowException, ValueError, OverflowError):  # such as integers beyond 64 bits
        return None


def uniform_array(values: list[Any]) -> Any:
    """The values of one field as an array that says just the same, else None."""
    import pyarrow as pa

    try:
        return pa.array(values) if _is_uniform(values) else None
    except (pa.ArrowException, ValueError, OverflowError):
        return None


def _columns(rows: list[dict[str, Any]], names: list[str]) -> list[list[Any]] | None:
    """The values of each field, where all rows have all of them in one order and of one type."""
    if any(list(row) != names for row in rows):
        return None
    columns = [[row[name] for row in rows] for name in names]
    return columns if all(map(_is_uniform, columns)) else None


def _is_uniform(values: list[Any]) -> bool:
    kinds = set(map(type, values)) - {_NONE}
    if not kinds:
        return True
    if len(kinds) > 1:
        return False
    kind = kinds.pop()
    if kind in _ONE_TYPE:
        return True
    if kind is dt.datetime:
        return len({value.utcoffset() for value in values if value is not None}) == 1
    present = [value for value in values if value is not None]
    if kind is list:
        return _is_uniform([one for value in present for one in value])
    return kind is dict and bool(present[0]) and _columns(present, list(present[0])) is not None
