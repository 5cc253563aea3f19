"""Single values of records: found by name, as text, and as attributes that expressions read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from flowengine.flowfile import FlowFile
from processors.records._core.tables import Records
from processors.records._core.writing import as_json


def value_at(row: Mapping[str, Any], name: str) -> Any:
    """The value of a field, or of a nested one: `a.b`. None where there is none."""
    if name in row or "." not in name:
        return row.get(name)
    first, _, rest = name.partition(".")
    inner = row.get(first)
    return value_at(inner, rest) if isinstance(inner, Mapping) else None


def text_of(value: Any) -> str:
    """A value as a text: texts and times as they are, the rest as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return orjson.dumps(value, default=as_json).decode()


def column(records: Records, name: str) -> list[Any]:
    """The values of one field of all records."""
    if records.tabular and name in records.table.column_names:
        return records.column_values(name)
    return [value_at(row, name) for row in records.rows]


def views(flowfile: FlowFile, records: Records, names: Iterable[str]) -> list[FlowFile]:
    """Each record as a FlowFile whose attributes are also its fields of these names.

    A field wins over an attribute; one that is null or missing leaves the attribute to be seen.
    """
    columns = {name: column(records, name) for name in names}
    found = []
    for index in range(len(records)):
        fields = {n: text_of(c[index]) for n, c in columns.items() if c[index] is not None}
        found.append(flowfile.replacing({**flowfile.attributes, **fields}))
    return found
