"""The one way to write a flow definition, so that logic diffs stay clean.

The rule: keys stand in the order of the model's fields, except that the entries of a map keep the
order they were written in (it may have a meaning, as that of routes has). What equals its default
is left out. The flow itself and its non-empty ``processors``, ``groups`` and ``connections`` have
one entry per line, indented by two spaces. Any other array or object stands on one line when that
line, with the comma that may follow, ends within 100 columns; otherwise it too has one entry per
line. The text ends with a line end. Writing what was read from canonical text gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from flowengine.definition.model import FlowDefinition
from flowengine.errors import PropertyError
from flowengine.units import parse_duration, parse_size

WIDTH = 100
_OPEN_KEYS = frozenset({"processors", "groups", "connections"})
_SCALARS = (str, int, float)
_PARSERS: Mapping[str, Callable[[str], int]] = {
    "every": parse_duration,
    "run_duration": parse_duration,
    "maximum": parse_duration,
    "penalty": parse_duration,
    "yield_": parse_duration,
    "expiration": parse_duration,
    "bytes": parse_size,
}


def canonical(definition: FlowDefinition) -> str:
    """The canonical text of a definition."""
    return render(plain(definition))


def revision(text: str) -> str:
    """Hash that names a canonical text."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:32]


def plain(part: BaseModel) -> dict[str, Any]:
    """A part of a definition as JSON data in canonical order, without defaults."""
    result: dict[str, Any] = {}
    for name, field in _ordered(part):
        value = getattr(part, name)
        default = field.get_default()
        if field.is_required() or not _is_default(name, value, default):
            result[field.alias or name] = _data(value)
    return result


def _ordered(part: BaseModel) -> list[tuple[str, Any]]:
    """Fields in canonical order: what says who it is first, what it looks like last."""
    fields = list(type(part).model_fields.items())
    first = ("format", "name", "description", "comments", "parameters")
    if not hasattr(part, "processors"):
        return fields
    head = [item for name in first for item in fields if item[0] == name]
    return head + [item for item in fields if item not in head]


def _is_default(name: str, value: Any, default: Any) -> bool:
    if isinstance(value, BaseModel):
        return isinstance(default, BaseModel) and plain(value) == plain(default)
    parse = _PARSERS.get(name)
    if parse is None or not value or not default:
        return bool(value == default and type(value) is type(default))
    try:
        return parse(value) == parse(default)
    except PropertyError:
        return False


def _data(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return plain(value)
    if isinstance(value, Mapping):
        return {key: _data(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_data(inner) for inner in value]
    return value


def render(flow: Mapping[str, Any]) -> str:
    """A flow as JSON data → canonical text."""
    lines = [
        f"  {_compact(key)}: "
        + (_open(value, 2) if value and key in _OPEN_KEYS else _entry(value, 2, len(key) + 4))
        for key, value in flow.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _entry(value: Any, indent: int, taken: int = 0) -> str:
    """A value after ``indent`` spaces and ``taken`` columns of key, on one line if it fits."""
    text = _compact(value)
    fits = indent + taken + len(text) + 1 <= WIDTH
    return text if fits or not value or isinstance(value, _SCALARS) else _open(value, indent)


def _open(value: Any, indent: int) -> str:
    """A non-empty array or object with one entry per line."""
    inner = indent + 2
    if isinstance(value, Mapping):
        keys = [(_compact(key) + ": ", item) for key, item in value.items()]
        lines = [key + _entry(item, inner, len(key)) for key, item in keys]
        marks = "{}"
    else:
        lines = [_entry(item, inner) for item in value]
        marks = "[]"
    margin = "\n" + " " * inner
    return f"{marks[0]}{margin}{(',' + margin).join(lines)}\n{' ' * indent}{marks[1]}"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
