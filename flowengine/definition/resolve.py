"""Giving drafts their classes and typed properties."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from flowengine import registry
from flowengine.definition.flatten import DraftProcessor, Drafts, DraftService, Place
from flowengine.definition.messages import key_findings, remedy_of, rule_and_value
from flowengine.definition.source import JsonPath, show
from flowengine.errors import DefinitionError, EnvironmentFault, FlowEngineError
from flowengine.findings import Finding
from flowengine.processor import (
    ControllerService,
    Processor,
    ProcessorProperties,
    Service,
)
from flowengine.units import Secret

T = TypeVar("T", Processor, ControllerService)

#: Classes that a caller brings instead of entry points, by type name.
Classes = Mapping[str, type[Processor] | type[ControllerService]]


def resolve(drafts: Drafts, classes: Classes) -> None:
    """Fill in ``cls``, ``properties`` and ``relationships``; adds findings where that fails."""
    for service in drafts.services.values():
        service.cls = _class(
            service.place,
            service.definition.type,
            _given(classes, ControllerService),
            registry.service_class,
            drafts,
        )
        if service.cls is not None:
            values, failed = _values(service.place, service.definition.properties, drafts)
            service.properties = _properties(service.place, service.cls, values, failed, drafts)
    for processor in drafts.processors.values():
        _resolve_processor(processor, drafts, classes)


def _resolve_processor(draft: DraftProcessor, drafts: Drafts, classes: Classes) -> None:
    if draft.is_processor and draft.type in registry.BUILT_IN:
        section = {"InputPort": "inputs", "OutputPort": "outputs", "Funnel": "funnels"}[draft.type]
        message = f"'type' must be a processor's; got {show(draft.type)}"
        drafts.findings.append(
            draft.place.finding(message, "type", remedy=f"write it under {section!r}")
        )
        return
    given = _given(classes, Processor)
    draft.cls = _class(draft.place, draft.type, given, registry.processor_class, drafts)
    if draft.cls is None:
        return
    draft.values, failed = _values(draft.place, draft.definition.properties, drafts)
    draft.properties = _properties(draft.place, draft.cls, draft.values, failed, drafts)
    if draft.properties is not None:
        draft.properties = _with_services(draft, draft.properties, drafts)
        draft.relationships = _relationships(draft, draft.cls, draft.properties, drafts)
    elif "relationships_for" not in _overridden(draft.cls):
        draft.relationships = draft.cls.relationships


def _given(classes: Classes, base: type[T]) -> dict[str, type[T]]:
    """Those of the caller's classes that are of one kind."""
    return {name: cls for name, cls in classes.items() if issubclass(cls, base)}


def _class(
    place: Place,
    name: str,
    given: Mapping[str, type[T]],
    look_up: Callable[[str], type[T]],
    drafts: Drafts,
) -> type[T] | None:
    if name in given:
        return given[name]
    try:
        return look_up(name)
    except DefinitionError as error:
        text, _, remedy = str(error).rpartition("; ")
        message = text.replace("processor type", "'type'").replace("service type", "'type'")
    except EnvironmentFault as error:
        message, remedy = str(error), ""
    drafts.findings.append(place.finding(message, "type", remedy=remedy))
    return None


def _overridden(cls: type[Processor]) -> set[str]:
    """Names that some class below Processor defines."""
    return {name for c in cls.__mro__[: cls.__mro__.index(Processor)] for name in vars(c)}


def _relationships(
    draft: DraftProcessor, cls: type[Processor], properties: ProcessorProperties, drafts: Drafts
) -> Any:
    try:
        return cls.relationships_for(properties)
    except FlowEngineError as error:
        drafts.findings.append(draft.place.finding(str(error), "properties"))
        return None


def _values(place: Place, raw: Mapping[str, Any], drafts: Drafts) -> tuple[Any, set[str]]:
    """The properties with parameters substituted, and the pointers where that failed."""
    parameters = place.scope.parameters
    path: JsonPath = (*place.path, "properties")
    values = parameters.substitute(dict(raw), path, (place.words, place.id))
    failed = {finding.path for finding in parameters.findings} | parameters.failed
    drafts.findings += parameters.findings
    parameters.findings.clear()
    parameters.failed.clear()
    return values, failed


def _properties(
    place: Place,
    cls: type[Processor] | type[ControllerService],
    values: Any,
    failed: set[str],
    drafts: Drafts,
) -> ProcessorProperties | None:
    """The typed properties; None with findings where a value breaks its rule."""
    try:
        properties = cls.Properties.model_validate(values)
    except ValidationError as error:
        problems = _problems(place, cls.Properties, values, error)
        drafts.findings += [finding for finding in problems if finding.path not in failed]
        return None
    except FlowEngineError as error:
        drafts.findings.append(place.finding(f"properties {error}", "properties"))
        return None
    found = _open_secrets(place, properties, values)
    drafts.findings += [finding for finding in found if finding.path not in failed]
    return None if failed else properties


def _problems(
    place: Place, model: type[BaseModel], values: Any, error: ValidationError
) -> Iterator[Finding]:
    seen: set[JsonPath] = set()
    for problem in error.errors(include_url=False):
        inner = _inner_path(problem, values)
        if inner not in seen:
            seen.add(inner)
            yield _problem(place, model, problem, inner)


def _problem(
    place: Place, model: type[BaseModel], problem: ErrorDetails, inner: JsonPath
) -> Finding:
    def allowed() -> list[str]:
        return [field.alias or name for name, field in model.model_fields.items()]

    found = key_findings(problem, allowed if len(inner) == 1 else list, "property")
    if found is not None:
        missing = problem["type"] == "missing"
        where = inner[:-1] if missing else inner
        message = found[0].replace(show(inner[-1]), show(".".join(map(str, inner))), 1)
        at_type = missing and not _written(place, ("properties", *where))
        target = ("type",) if at_type else ("properties", *where)
        return place.finding(message, *target, remedy=found[1], key=not at_type)
    is_key = problem["loc"][-1:] == ("[key]",)
    subject = f"property {show('.'.join(map(str, inner)))}" if inner else "properties"
    if isinstance(problem.get("input"), Secret):
        message = f"{subject} must be of a secret type to take a sensitive parameter; got a secret"
        return place.finding(message, "properties", *inner)
    text = f"{subject} {rule_and_value(problem)}"
    if not inner:
        text = text.removesuffix("; got an object")
    remedy = remedy_of(problem)
    return place.finding(text, "properties", *inner, remedy=remedy, key=is_key)


def _written(place: Place, inner: JsonPath) -> bool:
    return (*place.path, *inner) in place.scope.document.keys


def _inner_path(problem: ErrorDetails, values: Any) -> JsonPath:
    """The location in the properties: pydantic's without its names for the members of unions."""
    path: list[str | int] = []
    last = len(problem["loc"]) - 1
    for number, part in enumerate(problem["loc"]):
        if part == "[key]":
            break
        if _has(values, part):
            values = values[part]
        elif not (number == last and problem["type"] == "missing"):
            continue
        path.append(part)
    return tuple(path)


def _open_secrets(place: Place, properties: Any, values: Any) -> Iterator[Finding]:
    for inner in _secret_paths(properties, ()):
        value = values
        for part in inner:
            value = value[part] if _has(value, part) else None
        if isinstance(value, str | int | float):
            subject = f"property {show('.'.join(map(str, inner)))}"
            yield place.finding(
                f"{subject} must be a sensitive parameter; got open text",
                "properties",
                *inner,
                remedy="declare a parameter with 'sensitive' and 'env', write its '#{name}' here",
            )


def _has(value: Any, part: str | int) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and part < len(value)


def _secret_paths(value: Any, path: JsonPath) -> Iterator[JsonPath]:
    """Where secrets stand in typed properties."""
    if isinstance(value, Secret):
        yield path
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from _secret_paths(getattr(value, name), (*path, field.alias or name))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _secret_paths(inner, (*path, key))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _secret_paths(inner, (*path, index))


def service_fields(model: type[BaseModel]) -> dict[str, str]:
    """Properties that name a controller service → the type that it must have."""
    found = {}
    for name, field in model.model_fields.items():
        marks = [*field.metadata, *_metadata(field.annotation)]
        services = [mark for mark in marks if isinstance(mark, Service)]
        if services:
            found[name] = services[0].type
    return found


def _metadata(annotation: Any) -> Iterator[Any]:
    yield from getattr(annotation, "__metadata__", ())
    for argument in get_args(annotation):
        yield from _metadata(argument)


def _with_services(
    draft: DraftProcessor, properties: ProcessorProperties, drafts: Drafts
) -> ProcessorProperties:
    """The properties with the names of services as flattened ids."""
    changes: dict[str, str] = {}
    for name, type_name in service_fields(type(properties)).items():
        value = getattr(properties, name)
        if not isinstance(value, str):
            continue
        identity = draft.place.scope.service(value)
        problem, remedy = _service_problem(draft, value, identity, type_name, drafts)
        if problem:
            text = f"property {show(name)} must name a service of type {show(type_name)}"
            drafts.findings.append(
                draft.place.finding(f"{text}; got {problem}", "properties", name, remedy=remedy)
            )
        elif identity is not None and identity != value:
            changes[name] = identity
    return properties.model_copy(update=changes) if changes else properties


def _service_problem(
    draft: DraftProcessor, value: str, identity: str | None, type_name: str, drafts: Drafts
) -> tuple[str, str]:
    """What is wrong with a reference, and a remedy; two empty texts when nothing is."""
    if identity is None:
        names = draft.place.scope.service_names()
        remedy = registry.suggest(value, names) if names else "declare it under 'services'"
        return show(value), remedy
    service: DraftService = drafts.services[identity]
    if service.cls is None or type_name in {base.__name__ for base in service.cls.__mro__}:
        return "", ""
    if service.definition.type == type_name:
        return "", ""
    return f"{show(value)}, which is a {service.definition.type}", ""
