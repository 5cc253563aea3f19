"""JSON Schema of the flow definition, with the properties of every installed type.

For editors that complete and check while one types. It is a little more generous than the loader:
what needs other files, parameters or the graph cannot be said in a schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from flowengine import registry
from flowengine.definition.model import FlowDefinition
from flowengine.definition.resolve import Classes
from flowengine.errors import EnvironmentFault
from flowengine.processor import ControllerService, Processor, describe_class

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = {"type": "string", "pattern": r"#\{[^{}]+\}", "description": "Takes a parameter."}


def json_schema(classes: Classes | None = None) -> dict[str, Any]:
    """The schema. ``classes`` replaces the installed types; broken plug-ins are left out."""
    schema = FlowDefinition.model_json_schema(by_alias=True)
    definitions = schema["$defs"]
    known = _installed() if classes is None else classes
    for part, base in (
        ("ProcessorDefinition", Processor),
        ("ServiceDefinition", ControllerService),
    ):
        chosen = {name: cls for name, cls in known.items() if issubclass(cls, base)}
        _add_types(definitions, part, chosen)
    return {"$schema": _DIALECT, "title": "Flow definition, format 1", **_untitled(schema)}


def properties_schema(cls: type[Processor] | type[ControllerService]) -> dict[str, Any]:
    """JSON Schema of one type's properties, for a form."""
    return cls.Properties.model_json_schema(by_alias=True)


def _installed() -> Classes:
    found: dict[str, Any] = {}
    groups: Iterable[tuple[Mapping[str, Any], Any]] = (
        (registry.processor_types(), registry.processor_class),
        (registry.service_types(), registry.service_class),
    )
    for names, look_up in groups:
        for name in names:
            try:
                found[name] = look_up(name)
            except EnvironmentFault:
                continue
    return found


def _add_types(
    definitions: dict[str, Any],
    part: str,
    classes: Mapping[str, type[Processor] | type[ControllerService]],
) -> None:
    """Let the type of a component decide what its properties are."""
    target = definitions[part]
    if not classes:
        return
    target["properties"]["type"]["oneOf"] = [
        {"const": name, "description": describe_class(cls)} for name, cls in sorted(classes.items())
    ]
    target["allOf"] = []
    for name, cls in sorted(classes.items()):
        own = _with_references(_own_schema(name, cls.Properties))
        definitions.update(own.pop("$defs", {}))
        definitions[f"{name}.properties"] = own
        then: dict[str, Any] = {
            "properties": {"properties": {"$ref": f"#/$defs/{name}.properties"}}
        }
        if own.get("required"):
            then["required"] = ["properties"]
        target["allOf"].append({"if": {"properties": {"type": {"const": name}}}, "then": then})


def _own_schema(name: str, model: type[BaseModel]) -> dict[str, Any]:
    """Schema of one type's properties, whose own definitions carry its name."""
    schema = model.model_json_schema(by_alias=True, ref_template=f"#/$defs/{name}.{{model}}")
    inner = schema.pop("$defs", {})
    schema["$defs"] = {f"{name}.{key}": value for key, value in inner.items()}
    return schema


def _with_references(schema: dict[str, Any]) -> dict[str, Any]:
    """Any property may be ``#{parameter}``, whatever its type."""
    for key, value in schema.get("properties", {}).items():
        if value.get("type") != "string" or set(value) & {"enum", "pattern", "const"}:
            title = {k: value[k] for k in ("title", "description", "default") if k in value}
            schema["properties"][key] = {**title, "anyOf": [value, _REFERENCE]}
    return schema


def _untitled(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != "title"}
