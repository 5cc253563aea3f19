"""From nested groups and references to one level of drafts.

A draft is a component whose place in a file is known and whose type is not looked up yet. Ids of
drafts are prefixed with the groups around them: ``group/inner``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flowengine.definition.flat import ProcessorClass, ServiceClass
from flowengine.definition.model import (
    ConnectionDefinition,
    Group,
    ProcessorDefinition,
    ServiceDefinition,
)
from flowengine.definition.parameters import Parameters
from flowengine.definition.source import Document, JsonPath, show
from flowengine.findings import Finding, Severity
from flowengine.processor import ProcessorProperties, Relationship
from flowengine.registry import suggest

PORT_TYPES = {"inputs": "InputPort", "outputs": "OutputPort", "funnels": "Funnel"}


@dataclass(slots=True)
class Scope:
    """One group, or the flow itself: what its components see.

    path:     of the group in its document
    group:    ids of the groups around its components, this one included
    outer:    the scope whose services are visible too; None at the top of a file
    children: groups in it; None for a reference that could not be read
    """

    document: Document
    path: JsonPath
    group: tuple[str, ...]
    body: Any
    parameters: Parameters
    base: Path
    outer: Scope | None = None
    children: dict[str, Scope | None] = field(default_factory=dict)

    def id(self, slug: str) -> str:
        """The flattened id of something in this scope."""
        return "/".join((*self.group, slug))

    def walk(self) -> Iterator[Scope]:
        """This scope and all below it."""
        yield self
        for child in self.children.values():
            if child is not None:
                yield from child.walk()

    def service(self, slug: str) -> str | None:
        """The flattened id of the service that a name means here; None where there is none."""
        if slug in self.body.services:
            return self.id(slug)
        return self.outer.service(slug) if self.outer else None

    def service_names(self) -> set[str]:
        """Names of all services that are visible here."""
        return set(self.body.services) | (self.outer.service_names() if self.outer else set())


@dataclass(slots=True)
class Place:
    """Where a component stands, and how messages name it."""

    scope: Scope
    path: JsonPath
    id: str
    words: str

    def finding(
        self,
        message: str,
        *inner: str | int,
        remedy: str = "",
        severity: Severity = Severity.ERROR,
        key: bool = False,
    ) -> Finding:
        """A finding about this component; ``message`` goes behind its name."""
        separator = "" if message.startswith("must") else ":"
        return self.scope.document.finding(
            (*self.path, *inner),
            f"{self.words}{separator} {message}",
            remedy=remedy,
            component=self.id,
            severity=severity,
            key=key,
        )


@dataclass(slots=True)
class DraftProcessor:
    """A processor, port or funnel; ``kind`` is its section in the file.

    cls, properties and relationships stay None where they could not be found out.
    """

    place: Place
    kind: str
    slug: str
    type: str
    definition: ProcessorDefinition
    cls: ProcessorClass | None = None
    properties: ProcessorProperties | None = None
    relationships: Mapping[str, Relationship] | None = None
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.place.id

    @property
    def is_processor(self) -> bool:
        """Whether it is neither port nor funnel."""
        return self.kind == "processors"

    @property
    def at_top(self) -> bool:
        """Whether it stands in the flow itself, in no group."""
        return not self.place.scope.group


@dataclass(slots=True)
class DraftConnection:
    """A connection whose ends were looked up; None for an end that is not there."""

    place: Place
    id: str
    definition: ConnectionDefinition
    source: str | None
    destination: str | None


@dataclass(slots=True)
class DraftService:
    """A controller service."""

    place: Place
    definition: ServiceDefinition
    cls: ServiceClass | None = None
    properties: ProcessorProperties | None = None


@dataclass(slots=True)
class Drafts:
    """All components of a flow, flattened."""

    processors: dict[str, DraftProcessor] = field(default_factory=dict)
    connections: list[DraftConnection] = field(default_factory=list)
    services: dict[str, DraftService] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def flatten(root: Scope) -> Drafts:
    """All components of a flow and its groups, with the findings about ids and ends."""
    drafts = Drafts()
    for scope in root.walk():
        drafts.findings += _shared_ids(scope)
        drafts.findings += _unknown_layout(scope)
        for draft in (*_processors(scope), *_ports(scope)):
            drafts.processors.setdefault(draft.id, draft)
        for slug, service in scope.body.services.items():
            place = _place(scope, "service", "services", slug)
            drafts.services[place.id] = DraftService(place, service)
        for index, connection in enumerate(scope.body.connections):
            drafts.connections.append(_connection(scope, index, connection, drafts.findings))
    return drafts


def _place(scope: Scope, noun: str, section: str, slug: str, type: str = "") -> Place:
    identity = scope.id(slug)
    words = f"{noun} {show(identity, 200)}" + (f" ({type})" if type else "")
    return Place(scope, (*scope.path, section, slug), identity, words)


def _processors(scope: Scope) -> Iterator[DraftProcessor]:
    for slug, definition in scope.body.processors.items():
        place = _place(scope, "processor", "processors", slug, definition.type)
        yield DraftProcessor(place, "processors", slug, definition.type, definition)


def _ports(scope: Scope) -> Iterator[DraftProcessor]:
    nouns = {"inputs": "input port", "outputs": "output port", "funnels": "funnel"}
    for section, type_name in PORT_TYPES.items():
        for slug, port in getattr(scope.body, section).items():
            definition = ProcessorDefinition(
                type=type_name, name=getattr(port, "name", ""), comments=port.comments
            )
            place = _place(scope, nouns[section], section, slug)
            yield DraftProcessor(place, section, slug, type_name, definition)


def _shared_ids(scope: Scope) -> Iterator[Finding]:
    """Ids are unique among all that can be drawn in one group."""
    seen: dict[str, str] = {}
    for section in ("processors", "inputs", "outputs", "funnels", "groups", "labels"):
        for slug in getattr(scope.body, section):
            if slug in seen:
                yield scope.document.finding(
                    (*scope.path, section, slug),
                    f"id {show(slug)} must be used once in its group; "
                    f"got it in {seen[slug]!r} and in {section!r}",
                    component=scope.id(slug),
                    key=True,
                )
            seen.setdefault(slug, section)


def _unknown_layout(scope: Scope) -> Iterator[Finding]:
    for name in getattr(scope.body, "layout", {}):
        if not _is_drawn(scope, name.split("/")):
            yield scope.document.finding(
                (*scope.path, "layout", name),
                f"layout {show(name)} must name a component; got an unknown one",
                remedy="remove the line",
                severity=Severity.WARNING,
                key=True,
            )


def _is_drawn(scope: Scope, parts: list[str]) -> bool:
    body = scope.body
    for slug in parts[:-1]:
        body = body.groups.get(slug)
        if not isinstance(body, Group):
            return False
    sections = ("processors", "inputs", "outputs", "funnels", "groups", "labels")
    return any(parts[-1] in getattr(body, section) for section in sections)


def _connection(
    scope: Scope, index: int, definition: ConnectionDefinition, findings: list[Finding]
) -> DraftConnection:
    slug = definition.id or f"{definition.source}-{definition.destination}"
    identity = scope.id(slug)
    path = (*scope.path, "connections", index)
    place = Place(scope, path, identity, f"connection {show(identity, 200)}")
    ends = [
        _end(place, definition.source, "from", findings),
        _end(place, definition.destination, "to", findings),
    ]
    return DraftConnection(place, identity, definition, *ends)


def _end(place: Place, name: str, side: str, findings: list[Finding]) -> str | None:
    """The flattened id of one end of a connection; None (and mostly a finding) where it fails."""
    group, _, port = name.rpartition("/")
    body = place.scope.body
    if group and group in body.groups:
        return _group_end(place, group, port, side, findings)
    wrong_port = "inputs" if side == "to" else "outputs"
    if name in body.processors or name in body.funnels:
        return place.scope.id(name)
    if name in body.inputs or name in body.outputs:
        if name in getattr(body, wrong_port):
            findings.append(_wrong_direction(place, name, side))
            return None
        return place.scope.id(name)
    rule = f"'{side}' must name a component of its group; got {show(name)}"
    findings.append(place.finding(rule, side, remedy=_end_remedy(place.scope, name, side)))
    return None


def _wrong_direction(place: Place, name: str, side: str) -> Finding:
    kind, where = ("an input", "starts") if side == "to" else ("an output", "ends")
    return place.finding(
        f"'{side}' must not be {kind} port of its own group; got {show(name)}",
        side,
        remedy=f"inside its group, a connection {where} at {kind} port",
    )


def _group_end(
    place: Place, group: str, port: str, side: str, findings: list[Finding]
) -> str | None:
    child = place.scope.children.get(group)
    if child is None:  # the reference itself is a finding already
        return None
    section = "inputs" if side == "to" else "outputs"
    ports = getattr(child.body, section)
    if port in ports:
        return child.id(port)
    noun = "input" if side == "to" else "output"
    remedy = suggest(port, ports)
    if port in child.body.processors:
        remedy = f"connect to what is inside a group through its ports; {remedy}"
    rule = f"'{side}' must name an {noun} port of group {show(group)}"
    findings.append(place.finding(f"{rule}; got {show(port)}", side, remedy=remedy))
    return None


def _end_remedy(scope: Scope, name: str, side: str) -> str:
    body = scope.body
    child = scope.children.get(name)
    if name in body.groups and child is not None:
        ports = child.body.inputs if side == "to" else child.body.outputs
        return f"name its port: {suggest('', (f'{name}/{port}' for port in ports))}"
    known = [*body.processors, *body.funnels, *(body.inputs if side == "from" else body.outputs)]
    for group, inner in scope.children.items():
        ports = (inner.body.inputs if side == "to" else inner.body.outputs) if inner else ()
        known += [f"{group}/{port}" for port in ports]
    return suggest(name, known)
