"""What a flow definition says, as rows for tables. Secrets are masked, whoever wrote them there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flowengine.definition.model import (
    ConnectionDefinition,
    FlowDefinition,
    Group,
    GroupReference,
    Parameter,
    ProcessorDefinition,
    ServiceDefinition,
)
from flowengine.documentation import TypeDocument, document, find_type
from flowengine.errors import FlowEngineError

MASK = "******"
_SECRET_KEY = re.compile(r"password|passphrase|secret|token|credential|private.?key", re.IGNORECASE)
_REFERENCE = re.compile(r"#\{[^}]*\}")


@dataclass(frozen=True, slots=True)
class Value:
    """One property: its value as text, and whether that is only the default."""

    name: str
    text: str
    is_default: bool
    description: str


@dataclass(frozen=True, slots=True)
class Component:
    """A processor or service: what it is, its properties, and facts about how it runs."""

    id: str
    name: str
    type: str
    summary: str
    comments: str
    values: tuple[Value, ...]
    facts: tuple[tuple[str, str], ...] = ()
    outcomes: tuple[tuple[str, str], ...] = ()
    known: bool = True


@dataclass(frozen=True, slots=True)
class Queue:
    """A connection with its limits."""

    id: str
    source: str
    relationships: str
    destination: str
    objects: str
    bytes: str
    expiration: str
    prioritizers: str


@dataclass(frozen=True, slots=True)
class Section:
    """The flow, or a group in it."""

    id: str
    name: str
    comments: str
    ports: tuple[tuple[str, str, str], ...]
    services: tuple[Component, ...]
    processors: tuple[Component, ...]
    references: tuple[tuple[str, str, str, tuple[Value, ...]], ...]
    queues: tuple[Queue, ...]
    notes: tuple[str, ...]
    inner: tuple[Section, ...]


def parameters(flow: FlowDefinition) -> list[tuple[str, str, str]]:
    """Name, value or where it comes from, and description of each parameter."""
    return [(name, _source(one), one.description) for name, one in flow.parameters.items()]


def _source(parameter: Parameter) -> str:
    for kind, text in (("environment variable", parameter.env), ("file", parameter.file)):
        if text:
            return f"{kind} {text}"
    if parameter.store:
        return f"encrypted store, {parameter.store}"
    if parameter.value is None:
        return "set from outside"
    return MASK if parameter.sensitive else _text(parameter.value)


def section(body: FlowDefinition | Group, groups: tuple[str, ...] = ()) -> Section:
    """What is in a body, and in the groups written in it."""
    inner = {slug: one for slug, one in body.groups.items() if isinstance(one, Group)}
    return Section(
        "/".join(groups),
        body.name or (groups[-1] if groups else ""),
        body.comments if isinstance(body, Group) else "",
        tuple(_ports(body)),
        tuple(_service(_id(groups, slug), one) for slug, one in body.services.items()),
        tuple(_processor(_id(groups, slug), slug, one, body) for slug, one in _processors(body)),
        tuple(_references(body, groups)),
        tuple(_queue(one, groups) for one in body.connections),
        tuple(label.text for label in body.labels.values()),
        tuple(section(one, (*groups, slug)) for slug, one in inner.items()),
    )


def _processors(body: FlowDefinition | Group) -> Iterable[tuple[str, ProcessorDefinition]]:
    return body.processors.items()


def _id(groups: tuple[str, ...], slug: str) -> str:
    return "/".join((*groups, slug))


def _ports(body: FlowDefinition | Group) -> Iterable[tuple[str, str, str]]:
    for kind, ports in (("input", body.inputs), ("output", body.outputs)):
        for slug, port in ports.items():
            yield kind, port.name or slug, port.comments


def _references(
    body: FlowDefinition | Group, groups: tuple[str, ...]
) -> Iterable[tuple[str, str, str, tuple[Value, ...]]]:
    for slug, group in body.groups.items():
        if isinstance(group, GroupReference):
            values = tuple(
                Value(name, masked(name, value), False, "")
                for name, value in group.parameters.items()
            )
            yield _id(groups, slug), group.flow, group.comments, values


# -- components ----------------------------------------------------------------------------------


def _service(id: str, service: ServiceDefinition) -> Component:
    found = _declared(service.type)
    return Component(
        id,
        service.name or id.rpartition("/")[2],
        service.type,
        _summary(found),
        service.comments,
        tuple(_values(service.properties, found)),
        known=found is not None,
    )


def _processor(
    id: str, slug: str, processor: ProcessorDefinition, body: FlowDefinition | Group
) -> Component:
    found = _declared(processor.type)
    return Component(
        id,
        processor.name or slug,
        processor.type,
        _summary(found),
        processor.comments,
        tuple(_values(processor.properties, found)),
        tuple(_facts(processor)),
        tuple(_outcomes(slug, processor, body, found)),
        known=found is not None,
    )


def _declared(type: str) -> TypeDocument | None:
    """What the installed type declares; None where it is not installed, or broken."""
    try:
        return document(type, find_type(type))
    except FlowEngineError:
        return None


def _summary(found: TypeDocument | None) -> str:
    return found.summary.replace("``", "") if found else "This type is not installed here."


def _values(properties: Mapping[str, Any], found: TypeDocument | None) -> Iterable[Value]:
    """All declared properties, then those that are given but unknown."""
    declared = {one.name: one for one in found.properties} if found else {}
    for name, one in declared.items():
        secret = one.type == "secret" or "secret" in one.type.split(" or ")
        if name in properties:
            yield Value(name, masked(name, properties[name], secret), False, one.description)
        else:
            default = "" if one.default in (None, "null", '""') else str(one.default)
            yield Value(name, default.strip('"'), True, one.description)
    for name, value in properties.items():
        if name not in declared:
            yield Value(name, masked(name, value), False, "")


def masked(name: str, value: Any, secret: bool = False) -> str:
    """A value as text, without what is or looks like a secret; a parameter's name is none."""
    if isinstance(value, str) and _REFERENCE.fullmatch(value):
        return value
    if secret or (_SECRET_KEY.search(name) and isinstance(value, str)):
        return MASK if value not in (None, "") else ""
    return _text(_without_secrets(value))


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: MASK if _hides(str(key), inner) else _without_secrets(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_without_secrets(inner) for inner in value]
    return value


def _hides(key: str, value: Any) -> bool:
    plain = isinstance(value, str) and value and not _REFERENCE.fullmatch(value)
    return bool(plain and _SECRET_KEY.search(key))


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    flat = json.dumps(value, ensure_ascii=False)
    return flat if len(flat) <= 60 else json.dumps(value, ensure_ascii=False, indent=2)


def _facts(processor: ProcessorDefinition) -> Iterable[tuple[str, str]]:
    """How it runs, as far as somebody has said so."""
    plan = processor.scheduling
    when = (
        plan.every and f"every {plan.every}",
        plan.cron and f"cron {plan.cron}",
        plan.once and "once after each start",
    )
    yield "Scheduling", next((text for text in when if text), "as fast as possible")
    if plan.concurrent_tasks > 1:
        yield "Concurrent tasks", str(plan.concurrent_tasks)
    if plan.batch_size is not None:
        yield "Batch size", str(plan.batch_size)
    yield "Penalty and yield", f"{processor.penalty}, {processor.yield_}"
    if processor.disabled:
        yield "Disabled", "it is left out when the flow starts"


def _outcomes(
    slug: str,
    processor: ProcessorDefinition,
    body: FlowDefinition | Group,
    found: TypeDocument | None,
) -> Iterable[tuple[str, str]]:
    """Where each relationship leads."""
    names = dict.fromkeys(found.relationships if found else ())
    own = [one for one in body.connections if one.source == slug]
    names |= dict.fromkeys(name for one in own for name in one.relationships)
    names |= dict.fromkeys((*processor.auto_terminate, *processor.retry))
    for name in names:
        targets = [one.destination for one in own if name in one.relationships]
        parts = [f"to {', '.join(targets)}"] if targets else []
        if name in processor.auto_terminate:
            parts.append("ends here")
        if name in processor.retry:
            retry = processor.retry[name]
            times = "for ever" if retry.count is None else f"{retry.count} times"
            parts.append(f"retried {times} first ({retry.backoff}, at most {retry.maximum})")
        yield name, "; ".join(parts) or "not connected"


def _queue(one: ConnectionDefinition, groups: tuple[str, ...]) -> Queue:
    never = one.expiration.split(" ")[0] == "0"
    return Queue(
        _id(groups, one.id or f"{one.source}-{one.destination}"),
        one.source,
        ", ".join(one.relationships),
        one.destination,
        f"{one.back_pressure.objects:,}".replace(",", "\u202f")
        if one.back_pressure.objects
        else "no",
        one.back_pressure.bytes if not one.back_pressure.bytes.startswith("0 ") else "no",
        "never" if never else one.expiration,
        ", ".join(one.prioritizers) or "first in, first out",
    )
