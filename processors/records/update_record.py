"""Set fields of records by expressions. Source: NiFi ``UpdateRecord``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

import orjson
from pydantic import Field, model_validator

from flowengine.context import ProcessContext
from flowengine.expressions import Expression
from flowengine.flowfile import FlowFile
from flowengine.processor import Example, Expected, Given, NifiNote, Relationship
from flowengine.session import ProcessSession
from processors.records._core.formats import RecordError
from processors.records._core.processor import RecordProcessor, rewrite
from processors.records._core.properties import WriteProperties
from processors.records._core.tables import Records
from processors.records._core.uniform import uniform_array
from processors.records._core.values import views


class FieldType(StrEnum):
    """What the text of an expression stands for."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    JSON = "json"


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.strip().lower()]


_PARSERS: Final[dict[FieldType, Callable[[str], Any]]] = {
    FieldType.TEXT: str,
    FieldType.INTEGER: int,
    FieldType.NUMBER: float,
    FieldType.BOOLEAN: _boolean,
    FieldType.JSON: orjson.loads,
}


class UpdateRecord(RecordProcessor):
    """Set, add and remove fields of each record.

    Expressions read the record as it came, nested fields as `a.b`, and the FlowFile's attributes;
    a field wins over an attribute of its name.
    """

    tags = ("record", "update", "set", "remove", "field", "transform", "enrich")
    nifi = NifiNote(
        "UpdateRecord", {"input_format": "Record Reader", "output_format": "Record Writer"}
    )

    class Properties(WriteProperties):
        fields: dict[str, Expression] = Field(
            {}, description="Field, or nested field as `a.b` → expression for its value."
        )
        types: dict[str, FieldType] = Field(
            {},
            description="Field → `integer`, `number`, `boolean` or `json`, for a value that is no "
            "text. An empty text is null then.",
        )
        remove: tuple[str, ...] = Field((), description="Fields that are taken out.")

        @model_validator(mode="after")
        def _check(self) -> UpdateRecord.Properties:
            for name in self.types:
                if name not in self.fields:
                    rule = "property 'types' must name fields that 'fields' sets"
                    raise ValueError(f"{rule}; got {name!r}")
            return self

    properties: Properties
    success = Relationship("FlowFiles with changed records.")

    examples = (
        Example(
            "A total, a nested field, and one less",
            properties={
                "fields": {
                    "total": "{{ price | int * count | int }}",
                    "from.country": "{{ country | upper }}",
                },
                "types": {"total": "integer"},
                "remove": ["count"],
            },
            given=(Given('{"price":3,"count":2}', {"country": "nl"}),),
            expect={
                "success": (Expected('{"price":3,"total":6,"from":{"country":"NL"}}'),),
            },
        ),
    )

    def take(self, context: ProcessContext, session: ProcessSession, flowfile: FlowFile) -> None:
        records, kind = self.read(session, flowfile)
        columns, remove = self._columns(flowfile, records, session.now), self.properties.remove
        changed = _by_column(records, columns, remove) or _by_row(records, columns, remove)
        session.transfer(rewrite(session, flowfile, self.encode(changed, kind)), self.success)

    def _columns(self, flowfile: FlowFile, records: Records, now: int) -> dict[str, list[Any]]:
        """Field → its new value in each record."""
        expressions = self.properties.fields
        names = frozenset().union(*(one.attributes for one in expressions.values()))
        seen = views(flowfile, records, sorted(names))
        columns = {}
        for name, expression in expressions.items():
            texts, errors = expression.evaluate_batch(seen, now=now)
            if errors:
                first = min(errors)
                raise RecordError(f"field {name!r}: {errors[first]}", record=first + 1)
            kind = self.properties.types.get(name, FieldType.TEXT)
            columns[name] = [_typed(name, kind, text, n) for n, text in enumerate(texts, 1)]
        return columns


def _by_column(
    records: Records, columns: Mapping[str, list[Any]], remove: tuple[str, ...]
) -> Records | None:
    """The changed table; None where there is none, or a field is nested or of several types."""
    if not records.tabular or any("." in name for name in (*columns, *remove)):
        return None
    table = records.table
    for name, values in columns.items():
        array = uniform_array(values)
        if array is None:
            return None
        place = table.schema.get_field_index(name)
        known = place >= 0
        table = table.set_column(place, name, array) if known else table.append_column(name, array)
    table = table.drop_columns([name for name in remove if name in table.column_names])
    return Records(table=table, plain=records.plain) if table.num_columns else None


def _by_row(records: Records, columns: Mapping[str, list[Any]], remove: tuple[str, ...]) -> Records:
    rows = [dict(row) for row in records.rows]  # they are shared: never changed in place
    for name, values in columns.items():
        for row, value in zip(rows, values, strict=True):
            _put(row, name, value)
    for row in rows:
        for name in remove:
            _take_out(row, name)
    return Records(rows, plain=records.plain)


def _typed(name: str, kind: FieldType, text: str | None, record: int) -> Any:
    if not text and kind is not FieldType.TEXT:
        return None
    try:
        return _PARSERS[kind](text or "")
    except (ValueError, KeyError):
        rule = f"field {name!r} must be of type {kind}; got {text!r:.80}"
        raise RecordError(rule, record=record) from None


def _put(row: dict[str, Any], name: str, value: Any) -> None:
    """Set a field; the mappings on the way to a nested one are copied, since they are shared."""
    first, dot, rest = name.partition(".")
    if not dot or name in row:
        row[name] = value
        return
    inner = row.get(first)
    row[first] = dict(inner) if isinstance(inner, Mapping) else {}
    _put(row[first], rest, value)


def _take_out(row: dict[str, Any], name: str) -> None:
    first, dot, rest = name.partition(".")
    if not dot or name in row:
        row.pop(name, None)
    elif isinstance(row.get(first), Mapping):
        row[first] = dict(row[first])
        _take_out(row[first], rest)
