"""From a JSON document to the models, with every structural mistake as a finding.

What can be left out without guessing (an unknown key, a bad optional value) is reported and left
out, so that the checks after this one still run and the user sees everything at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from flowengine.definition import model
from flowengine.definition.messages import key_findings, remedy_of, rule_and_value
from flowengine.definition.model import FlowDefinition
from flowengine.definition.source import Document, JsonPath, show
from flowengine.findings import Finding

_KINDS = {
    "services": "service",
    "processors": "processor",
    "inputs": "input port",
    "outputs": "output port",
    "funnels": "funnel",
    "groups": "group",
    "labels": "label",
    "parameters": "parameter",
}
_ENTRIES: dict[str, type[BaseModel]] = {
    "services": model.ServiceDefinition,
    "processors": model.ProcessorDefinition,
    "inputs": model.Port,
    "outputs": model.Port,
    "funnels": model.Funnel,
    "groups": model.Group,
    "labels": model.Label,
    "parameters": model.Parameter,
    "connections": model.ConnectionDefinition,
    "retry": model.Retry,
    "scheduling": model.SchedulingOptions,
    "back_pressure": model.BackPressure,
}


def parse_definition(document: Document) -> tuple[FlowDefinition | None, list[Finding]]:
    """The definition in a document and what is wrong with its structure.

    None where it cannot be read even without the parts that were reported.
    """
    try:
        return FlowDefinition.model_validate(document.value), []
    except ValidationError as error:
        problems = [(problem, _path(problem, document.value)) for problem in _details(error)]
    findings = [_finding(document, problem, path) for problem, path in problems]
    pruned = _without(document.value, (path for _, path in problems))
    try:
        return FlowDefinition.model_validate(pruned), findings
    except ValidationError:
        return None, findings


def describe(value: Any, path: JsonPath) -> tuple[str, str, JsonPath]:
    """Component in words, its id and the path inside it: ``processor 'a/b'``, ``a/b``, rest."""
    groups: list[str] = []
    words, identity = "flow", ""
    while len(path) >= 2 and path[0] in (*_KINDS, "connections"):
        section, key = str(path[0]), path[1]
        if section == "connections":
            return (*_connection(value, key, groups), path[2:])
        value = _inside(_inside(value, section), key)
        identity = "/".join([*groups, str(key)])
        words = f"{_KINDS[section]} {show(identity, 200)}"
        path = path[2:]
        if section != "groups":
            break
        groups.append(str(key))
    return words, "" if words == "flow" else identity, path


def _connection(value: Any, index: str | int, groups: list[str]) -> tuple[str, str]:
    entry = _inside(_inside(value, "connections"), index)
    if isinstance(entry, dict):
        source, destination = entry.get("from"), entry.get("to")
        if isinstance(source, str) and isinstance(destination, str):
            identity = "/".join([*groups, str(entry.get("id") or f"{source}-{destination}")])
            return f"connection {show(identity, 200)}", identity
    where = f" of group {show('/'.join(groups), 200)}" if groups else ""
    return f"connection number {int(index) + 1}{where}", ""


def _inside(value: Any, key: str | int) -> Any:
    """The part of a JSON value, or None."""
    if isinstance(value, dict):
        return value.get(key)
    if isinstance(value, list) and isinstance(key, int) and key < len(value):
        return value[key]
    return None


def _holds(value: Any, key: str | int) -> bool:
    if isinstance(value, dict):
        return key in value
    return isinstance(value, list) and isinstance(key, int) and key < len(value)


def _details(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False)


def _path(problem: ErrorDetails, value: Any) -> JsonPath:
    """The location in the document: pydantic's without its names for the members of unions."""
    path: list[str | int] = []
    last = len(problem["loc"]) - 1
    for number, part in enumerate(problem["loc"]):
        if part == "[key]":
            break
        is_missing = number == last and problem["type"] == "missing"
        if is_missing or _holds(value, part):
            path.append(part)
            value = _inside(value, part)
    return tuple(path)


def _finding(document: Document, problem: ErrorDetails, path: JsonPath) -> Finding:
    words, component, inner = describe(document.value, path)
    found = key_findings(problem, lambda: _allowed(document.value, path), "key")
    if found is None:
        is_key = problem["loc"][-1:] == ("[key]",)
        subject = "" if is_key or not inner else f" {show('.'.join(map(str, inner)))}"
        message = f"{words}{':' if subject else ''}{subject} {rule_and_value(problem)}"
        remedy = remedy_of(problem)
        return document.finding(path, message, remedy=remedy, component=component, key=is_key)
    if problem["type"] == "missing":
        path = path[:-1]
    return document.finding(
        path, f"{words}: {found[0]}", remedy=found[1], component=component, key=True
    )


def _allowed(value: Any, path: JsonPath) -> list[str]:
    """Keys that may stand beside the one at ``path``."""
    owner: type[BaseModel] = FlowDefinition
    for part in path[:-1]:
        value = _inside(value, part)
        owner = _ENTRIES.get(part, owner) if isinstance(part, str) else owner
    if owner is model.Group and "flow" in value:
        owner = model.GroupReference
    return [field.alias or name for name, field in owner.model_fields.items()]


def _without(value: Any, paths: Iterable[JsonPath]) -> Any:
    """A copy of a JSON value without some of its parts."""
    cut = {path for path in paths if path}
    return _copy(value, (), cut)


def _copy(value: Any, path: JsonPath, cut: set[JsonPath]) -> Any:
    if isinstance(value, dict):
        kept = ((key, (*path, key)) for key in value)
        return {key: _copy(value[key], inner, cut) for key, inner in kept if inner not in cut}
    if isinstance(value, list):
        places = ((item, (*path, index)) for index, item in enumerate(value))
        return [_copy(item, inner, cut) for item, inner in places if inner not in cut]
    return value
