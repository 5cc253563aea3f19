"""Loading a flow: parse, follow references, substitute, flatten, type, check.

Every step collects findings and hands on what it could read, so that a broken flow shows all its
mistakes at once. :func:`load_flow` and :func:`load_definition` raise FlowInvalid when one of them
is an error; :func:`check_flow` returns them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flowengine.definition import model
from flowengine.definition.canonical import canonical, plain, revision
from flowengine.definition.checks import check, edges
from flowengine.definition.flat import (
    Backoff,
    BulletinLevel,
    FlatConnection,
    FlatProcessor,
    FlatService,
    LoadedFlow,
    RetryPolicy,
    Scheduling,
    Strategy,
)
from flowengine.definition.flatten import (
    DraftConnection,
    DraftProcessor,
    Drafts,
    DraftService,
    Scope,
    flatten,
)
from flowengine.definition.model import FlowDefinition
from flowengine.definition.parameters import Sources, Value, as_text, unknown_names
from flowengine.definition.parse import parse_definition
from flowengine.definition.resolve import Classes, resolve
from flowengine.definition.scopes import ScopeReader
from flowengine.definition.source import Document, parse_document, show
from flowengine.findings import Finding, FlowInvalid, Severity, errors, in_order
from flowengine.graph import build_graph
from flowengine.units import Secret, parse_duration, parse_size

FLOWS = "flows"


@dataclass(frozen=True, slots=True)
class Options:
    """What surrounds a flow that is loaded.

    parameters: values from outside, by name; they win over those of the definition
    classes:    processors and services beside the installed ones, by type name
    sources:    environment and encrypted store
    root:       no flow file outside this folder is read; None is the enclosing ``flows`` folder
    """

    parameters: Mapping[str, str | Secret] = field(default_factory=dict)
    classes: Classes = field(default_factory=dict)
    sources: Sources = field(default_factory=Sources)
    root: Path | None = None


def load_flow(
    path: Path | str,
    parameters: Mapping[str, str | Secret] | None = None,
    *,
    classes: Classes | None = None,
    sources: Sources | None = None,
    root: Path | None = None,
) -> LoadedFlow:
    """The flow of a file, ready to run; see :class:`Options` for the arguments.

    Raises FlowInvalid with all findings when one of them is an error.
    """
    options = Options(parameters or {}, classes or {}, sources or Sources(), root)
    flow, findings = check_flow(path, options)
    if flow is None:
        raise FlowInvalid(findings)
    return flow


def check_flow(
    path: Path | str, options: Options | None = None
) -> tuple[LoadedFlow | None, Sequence[Finding]]:
    """The flow of a file and all findings; None instead of the flow when one is an error."""
    options = options or Options()
    file = _absolute(Path(path))
    reader = ScopeReader(options.root or _flows_folder(file), options.sources)
    document, definition = reader.parse(file, str(path))
    if definition is None:
        return None, in_order(reader.findings)
    return _load(reader, document, definition, file, options, in_file=True)


def load_text(
    text: str, base: Path, options: Options | None = None, *, file: str = ""
) -> tuple[LoadedFlow | None, Sequence[Finding]]:
    """As :func:`check_flow`, for text that is in no file yet, such as a draft.

    base: folder to which references are relative
    file: name for messages
    """
    options = options or Options()
    reader, document, definition = _parsed(text, base, options, file)
    if definition is None:
        return None, in_order(reader.findings)
    return _load(reader, document, definition, base / _NOWHERE, options, in_file=False)


def draft_text(
    text: str, base: Path, options: Options | None = None
) -> tuple[Drafts, list[Finding]]:
    """All components that could be read, typed as far as each is right by itself, whatever else
    is wrong with the flow; and what reading it found."""
    options = options or Options()
    reader, document, definition = _parsed(text, base, options, "")
    if definition is None:
        return Drafts(), reader.findings
    drafts = flatten(
        reader.flow(document, definition, dict(options.parameters), (base / _NOWHERE,))
    )
    resolve(drafts, options.classes)
    return drafts, [*reader.findings, *drafts.findings]


def _parsed(
    text: str, base: Path, options: Options, file: str
) -> tuple[ScopeReader, Document, FlowDefinition | None]:
    document, findings = parse_document(text, file)
    definition = None
    if not findings:
        definition, findings = parse_definition(document)
    reader = ScopeReader(options.root or _flows_folder(base / "x"), options.sources)
    reader.findings += findings
    return reader, document, definition


def load_definition(
    definition: FlowDefinition,
    base: Path | None = None,
    classes: Classes | None = None,
    parameters: Mapping[str, str | Secret] | None = None,
    *,
    sources: Sources | None = None,
) -> LoadedFlow:
    """The flow of a definition that was built in code, ready to run.

    base: folder to which references are relative; the working directory when None.
    Raises FlowInvalid with all findings when one of them is an error.
    """
    options = Options(parameters or {}, classes or {}, sources or Sources())
    folder = (base or Path.cwd()).resolve()
    reader = ScopeReader(_flows_folder(folder / "x"), options.sources)
    document = Document("", "", plain(definition))
    flow, findings = _load(reader, document, definition, folder / _NOWHERE, options, in_file=False)
    if flow is None:
        raise FlowInvalid(findings)
    return flow


_NOWHERE = "<flow in code>"


def _absolute(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return path.absolute()


def _flows_folder(file: Path) -> Path:
    """The innermost folder named ``flows`` around a file, else the file's own folder."""
    return next((folder for folder in file.parents if folder.name == FLOWS), file.parent)


def _load(
    reader: ScopeReader,
    document: Document,
    definition: FlowDefinition,
    file: Path,
    options: Options,
    *,
    in_file: bool,
) -> tuple[LoadedFlow | None, Sequence[Finding]]:
    given: dict[str, Value] = dict(options.parameters)
    reader.findings += _unknown_parameters(document, definition, given)
    scope = reader.flow(document, definition, given, (file,))
    drafts = flatten(scope)
    resolve(drafts, options.classes)
    findings = in_order([*reader.findings, *drafts.findings, *check(drafts)])
    if errors(findings):
        return None, findings
    return _finish(scope, drafts, findings, reader, file if in_file else None), findings


def _unknown_parameters(
    document: Document, definition: FlowDefinition, given: Mapping[str, Value]
) -> list[Finding]:
    return [
        document.finding(
            ("parameters",),
            f"flow: parameter {show(name)} set from outside must be declared in the flow",
            remedy=remedy,
        )
        for name, remedy in unknown_names(definition.parameters, given).items()
    ]


def _finish(
    scope: Scope,
    drafts: Drafts,
    findings: Sequence[Finding],
    reader: ScopeReader,
    file: Path | None,
) -> LoadedFlow:
    definition: FlowDefinition = scope.body
    text = canonical(definition)
    processors = [_processor(draft, drafts) for draft in drafts.processors.values()]
    services = [_service(draft) for draft in drafts.services.values()]
    open_values = {
        name: as_text(value)
        for name, value in scope.parameters.values.items()
        if not isinstance(value, Secret)
    }
    return LoadedFlow(
        name=definition.name,
        definition=definition,
        text=text,
        revision=revision(text),
        processors={processor.id: processor for processor in processors},
        connections=[_connection(draft, drafts) for draft in drafts.connections],
        services={service.id: service for service in services},
        graph=build_graph(drafts.processors, edges(drafts)),
        findings=[f for f in findings if f.severity is Severity.WARNING],
        parameters=open_values,
        path=file,
        files=tuple(reader.files),
    )


def _processor(draft: DraftProcessor, drafts: Drafts) -> FlatProcessor:
    definition = draft.definition
    assert draft.cls is not None
    assert draft.properties is not None
    assert draft.relationships is not None
    return FlatProcessor(
        id=draft.id,
        type=draft.type,
        cls=draft.cls,
        name=definition.name or draft.slug,
        properties=draft.properties,
        relationships=draft.relationships,
        auto_terminate=_ends_here(draft, drafts),
        retry={name: _retry(policy) for name, policy in definition.retry.items()},
        scheduling=_scheduling(definition.scheduling),
        penalty_us=parse_duration(definition.penalty),
        yield_us=parse_duration(definition.yield_),
        bulletin_level=BulletinLevel(definition.bulletin_level),
        disabled=definition.disabled,
        comments=definition.comments,
        group=draft.place.scope.group,
        values=draft.values,
    )


def _ends_here(draft: DraftProcessor, drafts: Drafts) -> frozenset[str]:
    """Auto-terminated relationships; what leaves an output of the flow itself ends there."""
    if draft.kind == "outputs" and draft.at_top:
        return frozenset(draft.relationships or ())
    return frozenset(draft.definition.auto_terminate)


def _retry(policy: model.Retry) -> RetryPolicy:
    return RetryPolicy(policy.count, Backoff(policy.backoff), parse_duration(policy.maximum))


def _scheduling(options: model.SchedulingOptions) -> Scheduling:
    strategy = Strategy.CONTINUOUS
    every = parse_duration(options.every) if options.every else 0
    if every:
        strategy = Strategy.EVERY
    elif options.cron:
        strategy = Strategy.CRON
    elif options.once:
        strategy = Strategy.ONCE
    return Scheduling(
        strategy,
        every,
        options.cron or None,
        options.concurrent_tasks,
        options.batch_size,
        parse_duration(options.run_duration),
    )


def _connection(draft: DraftConnection, drafts: Drafts) -> FlatConnection:
    assert draft.source is not None
    assert draft.destination is not None
    definition = draft.definition
    names = definition.relationships or list(drafts.processors[draft.source].relationships or ())
    return FlatConnection(
        id=draft.id,
        source=draft.source,
        relationships=tuple(names),
        destination=draft.destination,
        objects=definition.back_pressure.objects,
        bytes=parse_size(definition.back_pressure.bytes),
        expiration_us=parse_duration(definition.expiration),
        prioritizers=tuple(definition.prioritizers),
    )


def _service(draft: DraftService) -> FlatService:
    assert draft.cls is not None
    assert draft.properties is not None
    return FlatService(
        id=draft.place.id,
        type=draft.definition.type,
        cls=draft.cls,
        name=draft.definition.name or draft.place.id.rpartition("/")[2],
        properties=draft.properties,
        comments=draft.definition.comments,
        group=draft.place.scope.group,
    )
