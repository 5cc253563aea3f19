"""Schemas: JSON Schema and Avro to Arrow, and Arrow to Avro.

A schema says which fields there are, in which order, and which type each has. Of JSON Schema that
is ``properties``, ``type``, ``format``, ``items`` and ``required``; other keywords say what values
are valid, which is ValidateRecord's business.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from processors.records._core.formats import RecordError

_NAME: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_AVRO: Final = {
    "null": "null",
    "boolean": "bool_",
    "int": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
    "bytes": "binary",
    "string": "string",
    "enum": "string",
}
_JSON: Final = {
    "boolean": "bool_",
    "integer": "int64",
    "number": "float64",
    "string": "string",
    "null": "null",
}


def arrow_schema(definition: Mapping[str, Any]) -> Any:
    """The Arrow schema of a JSON Schema or an Avro schema. Raises ValueError."""
    import pyarrow as pa

    if definition.get("type") == "record":
        return pa.schema(_avro_fields(definition))
    if "properties" in definition:
        return pa.schema(_json_fields(definition))
    raise ValueError(
        "must be an Avro record with 'fields' or a JSON Schema with 'properties'; "
        f"got {sorted(definition)}"
    )


# -- JSON Schema -------------------------------------------------------------------------------


def _json_fields(definition: Mapping[str, Any]) -> list[Any]:
    import pyarrow as pa

    required = definition.get("required", ())
    fields = []
    for name, one in definition["properties"].items():
        kinds = _kinds(one)
        nullable = "null" in kinds or name not in required
        fields.append(pa.field(name, _json_type(name, one), nullable=nullable))
    return fields


def _kinds(definition: Mapping[str, Any]) -> list[str]:
    kinds = definition.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _json_type(name: str, definition: Mapping[str, Any]) -> Any:
    import pyarrow as pa

    kinds = [kind for kind in _kinds(definition) if kind != "null"]
    if len(kinds) != 1:
        raise ValueError(f"field {name!r} must have one type beside null; got {kinds}")
    kind = kinds[0]
    if kind == "object":
        return pa.struct(_json_fields({"properties": {}, **definition}))
    if kind == "array":
        return pa.list_(_json_type(name, definition.get("items", {})))
    if kind == "string" and "format" in definition:
        return _json_format(definition["format"])
    if kind not in _JSON:
        raise ValueError(f"field {name!r} must have a type of JSON Schema; got {kind!r}")
    return getattr(pa, _JSON[kind])()


def _json_format(name: str) -> Any:
    import pyarrow as pa

    if name == "date-time":
        return pa.timestamp("us", tz="UTC")
    return {"date": pa.date32(), "time": pa.time64("us")}.get(name, pa.string())


# -- Avro --------------------------------------------------------------------------------------


def _avro_fields(definition: Mapping[str, Any]) -> list[Any]:
    import pyarrow as pa

    fields = []
    for field in definition["fields"]:
        kind, nullable = _avro_type(field["name"], field["type"])
        fields.append(pa.field(field["name"], kind, nullable=nullable))
    return fields


def _avro_type(name: str, kind: Any) -> tuple[Any, bool]:
    """The Arrow type, and whether null is one of its values."""
    import pyarrow as pa

    if isinstance(kind, list):
        rest = [one for one in kind if one != "null"]
        if len(rest) != 1:
            raise ValueError(f"field {name!r} must have one type beside null; got {rest}")
        return _avro_type(name, rest[0])[0], "null" in kind
    if isinstance(kind, str):
        if kind not in _AVRO:
            raise ValueError(f"field {name!r} must have a type of Avro; got {kind!r}")
        return getattr(pa, _AVRO[kind])(), kind == "null"
    if "logicalType" in kind:
        return _avro_logical(name, kind), False
    return _avro_complex(name, kind), False


def _avro_complex(name: str, kind: Mapping[str, Any]) -> Any:
    import pyarrow as pa

    match kind["type"]:
        case "record":
            return pa.struct(_avro_fields(kind))
        case "array":
            return pa.list_(_avro_type(name, kind["items"])[0])
        case "map":
            return pa.map_(pa.string(), _avro_type(name, kind["values"])[0])
        case "fixed":
            return pa.binary(kind["size"])
        case other:
            return _avro_type(name, other)[0]


def _avro_logical(name: str, kind: Mapping[str, Any]) -> Any:
    import pyarrow as pa

    match kind["logicalType"]:
        case "date":
            return pa.date32()
        case "time-millis":
            return pa.time32("ms")
        case "time-micros":
            return pa.time64("us")
        case "timestamp-millis" | "timestamp-micros":
            return pa.timestamp("us", tz="UTC")
        case "local-timestamp-millis" | "local-timestamp-micros":
            return pa.timestamp("us")
        case "decimal":
            return pa.decimal128(kind["precision"], kind.get("scale", 0))
        case _:
            return _avro_complex(name, {k: v for k, v in kind.items() if k != "logicalType"})


def avro_schema(schema: Any, name: str = "record") -> dict[str, Any]:
    """The Avro schema of an Arrow schema or struct type. Raises RecordError."""
    fields = []
    for field in schema:
        if not _NAME.fullmatch(field.name):
            rule = "must be letters, digits and '_' for Avro"
            raise RecordError(f"field name {rule}; got {field.name!r}")
        kind = _to_avro(f"{name}_{field.name}", field.type)
        optional = field.nullable and kind != "null"
        fields.append({"name": field.name, "type": ["null", kind] if optional else kind})
    return {"type": "record", "name": name, "fields": fields}


def _to_avro(name: str, kind: Any) -> Any:
    from pyarrow import types

    simple = (
        (types.is_null, "null"),
        (types.is_boolean, "boolean"),
        (types.is_uint32, "long"),
        (types.is_int64, "long"),
        (types.is_uint64, "long"),
        (types.is_integer, "int"),
        (types.is_float64, "double"),
        (types.is_floating, "float"),
        (types.is_string, "string"),
        (types.is_large_string, "string"),
        (types.is_binary, "bytes"),
        (types.is_large_binary, "bytes"),
        (types.is_date, {"type": "int", "logicalType": "date"}),
        (types.is_time, {"type": "long", "logicalType": "time-micros"}),
    )
    for is_kind, avro in simple:
        if is_kind(kind):
            return avro
    return _to_avro_complex(name, kind)


def _to_avro_complex(name: str, kind: Any) -> Any:
    from pyarrow import types

    if types.is_timestamp(kind):
        logical = "timestamp-micros" if kind.tz else "local-timestamp-micros"
        return {"type": "long", "logicalType": logical}
    if types.is_decimal(kind):
        size = {"precision": kind.precision, "scale": kind.scale}
        return {"type": "bytes", "logicalType": "decimal", **size}
    if types.is_list(kind) or types.is_large_list(kind):
        return {"type": "array", "items": ["null", _to_avro(name, kind.value_type)]}
    if types.is_map(kind):
        return {"type": "map", "values": ["null", _to_avro(name, kind.item_type)]}
    if types.is_dictionary(kind):
        return _to_avro(name, kind.value_type)
    if types.is_struct(kind):
        return avro_schema(kind, name)
    raise RecordError(f"field {name.partition('_')[2]!r} must have a type of Avro; got {kind}")
