"""The inspection process: answers what needs processors but no running flow.

``python -m web.inspector`` reads one JSON question per line and writes one JSON answer per line.
Processors are imported here, so the server stays small and a plug-in that hangs or crashes takes
nothing down. It ends with its standard input, so nothing is left behind.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from flowengine import registry
from flowengine.cli.parameters import sources
from flowengine.config import read_settings
from flowengine.definition.flat import LoadedFlow
from flowengine.definition.load import Options, load_text
from flowengine.definition.parse import parse_definition
from flowengine.definition.schema import properties_schema
from flowengine.definition.source import parse_document
from flowengine.documentation import AnyType, document, find_type, markdown
from flowengine.errors import EnvironmentFault, ExpressionError, FlowEngineError
from flowengine.expressions import Expression, Predicate
from flowengine.expressions.vocabulary import vocabulary
from flowengine.findings import FlowInvalid
from flowengine.flowdoc import document_body
from flowengine.flowfile import FlowFile
from flowengine.processor import Processor, ServiceContext
from flowengine.services import service_names
from web.problems import problems_of
from web.store import wall

Answer = dict[str, Any]


def catalogue() -> Answer:
    """Every installed type; those that cannot be imported under ``broken`` with the reason.

    ``expressions``: what expressions may use.
    """
    found: Answer = {"processors": [], "services": [], "broken": {}, "expressions": vocabulary()}
    names = [*registry.processor_types(), *registry.service_types()]
    for name in names:
        try:
            cls = find_type(name)
        except EnvironmentFault as error:
            found["broken"][name] = str(error)
            continue
        is_processor = issubclass(cls, Processor)
        found["processors" if is_processor else "services"].append(_described(name, cls))
    return found


def _described(name: str, cls: AnyType) -> Answer:
    text = (cls.__doc__ or "").strip()
    common = {
        "type": name,
        "description": " ".join(text.partition("\n\n")[0].split()).replace("``", "`"),
        "documentation": text,
        "tags": list(cls.tags),
        "schema": properties_schema(cls),
    }
    return common | (_processor(cls) if issubclass(cls, Processor) else {})


def _processor(cls: type[Processor]) -> Answer:
    return {
        "input": cls.input.value,
        "source": cls.is_source(),
        "relationships": [
            {"name": name, "description": one.description, "failure": one.failure}
            for name, one in cls.relationships.items()
        ],
        "dynamic_relationships": "relationships_for" in _overridden(cls),
        "reads": dict(cls.reads),
        "writes": dict(cls.writes),
        "serial": cls.serial,
        "nifi": msgspec.to_builtins(cls.nifi) if cls.nifi else None,
        "examples": [_builtins(example) for example in cls.examples],
    }


def _overridden(cls: type[Processor]) -> set[str]:
    own = cls.__mro__[: cls.__mro__.index(Processor)]
    return {name for one in own for name in vars(one)}


def _builtins(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value, enc_hook=str))


# -- definitions -------------------------------------------------------------------------------


def _options(root: str) -> Options:
    """What surrounds a definition: the flows around it, and the server's encrypted store."""
    return Options(sources=sources(read_settings()), root=Path(root))


def _load(text: str, base: str, root: str) -> tuple[LoadedFlow | None, list[Answer]]:
    flow, findings = load_text(text, Path(base), _options(root))
    return flow, problems_of(findings)


def check(text: str, base: str, root: str) -> Answer:
    """All findings of a definition, and the relationships of each processor where known."""
    flow, problems = _load(text, base, root)
    relationships: dict[str, Any] = {}
    connections: list[str] = []
    if flow is not None:
        connections = [connection.id for connection in flow.connections]
        relationships = {id: sorted(one.relationships) for id, one in flow.processors.items()}
    return {
        "problems": problems,
        "valid": flow is not None,
        "connections": connections,
        "relationships": relationships,
    }


def removed(text: str, base: str, root: str, data_dir: str) -> Answer:
    """What this definition would lose of a stopped flow's data directory (E18): connections with
    how many FlowFiles, and processors whose open windows or position nothing takes over."""
    from flowengine.changeover import lost_at_start, removed_connections
    from flowengine.repository import SqliteRepository

    flow, problems = _load(text, base, root)
    if flow is None or not (Path(data_dir) / "flow.db").exists():
        return {"removed": {}, "problems": problems}
    repository = SqliteRepository(Path(data_dir))
    recovered = repository.recover()
    asyncio.run(repository.close(completed=recovered.completed))
    lost = dict.fromkeys(lost_at_start(recovered, flow), 1)
    return {"removed": lost | removed_connections(recovered, flow), "problems": problems}


# -- documents ---------------------------------------------------------------------------------


def reference() -> Answer:
    """Documentation of every installed type, as Markdown, by kind and name."""
    found: Answer = {"processor": {}, "service": {}}
    for name in [*registry.processor_types(), *registry.service_types()]:
        try:
            doc = document(name, find_type(name))
        except EnvironmentFault:
            continue  # the catalogue says why
        found[doc.kind][name] = {"summary": doc.summary, "text": markdown(doc)}
    return found


def flow_document(text: str) -> Answer:
    """The printable documentation of a definition, as HTML without a page around it."""
    source, findings = parse_document(text)
    definition, more = parse_definition(source) if not findings else (None, [])
    if definition is None or findings or more:
        raise FlowInvalid([*findings, *more])
    return {"html": document_body(definition)}


# -- expressions -------------------------------------------------------------------------------


def expression(text: str, kind: str, attributes: Mapping[str, str] | None) -> Answer:
    """Whether an expression or predicate compiles and, with attributes, its value."""
    try:
        compiled = Predicate(text) if kind == "predicate" else Expression(text)
    except ExpressionError as error:
        return {"ok": False, "error": str(error), "offset": getattr(error, "offset", 0)}
    found: Answer = {"ok": True, "attributes": sorted(compiled.attributes)}
    if attributes is None:
        return found
    now = wall()
    flowfile = FlowFile(1, dict(attributes), b"", 0, now, now, now)
    try:
        if isinstance(compiled, Predicate):
            return found | {"value": compiled.matches(flowfile)}
        return found | {"value": compiled.evaluate(flowfile)}
    except ExpressionError as error:
        return {"ok": False, "error": str(error), "offset": 0}


# -- verify ------------------------------------------------------------------------------------


def verify(text: str, base: str, root: str, component: str) -> Answer:
    """Check a service, or a processor and the services it names, against the world."""
    flow, problems = _load(text, base, root)
    own = [one for one in problems if one["component"] == component and one["severity"] == "error"]
    step = {"name": "configuration", "ok": not own, "message": _texts(own) or "valid"}
    if own:
        return {"steps": [step]}
    if flow is None:
        raise FlowInvalid(load_text(text, Path(base), _options(root))[1])
    if component in flow.services:
        names = [component]
    elif component in flow.processors:
        names = service_names(flow.processors[component].properties)
    else:
        return {"unknown": True, "steps": []}
    return {"steps": [step, *asyncio.run(_verified(flow, names))]}


def _texts(problems: list[Answer]) -> str:
    return "; ".join(str(one["message"]) for one in problems)


async def _verified(flow: LoadedFlow, names: list[str]) -> list[Answer]:
    from flowengine.io_loop import IoLoop

    steps: list[Answer] = []
    io = IoLoop()
    try:
        for name in names:
            flat = flow.services[name]
            service = flat.cls(flat.properties)
            async for step in service.verify(ServiceContext(name, io)):
                steps.append(_builtins(step))
    finally:
        io.stop()
    return steps


# -- the process -------------------------------------------------------------------------------

QUESTIONS: Mapping[str, Callable[..., Answer]] = {
    "reference": reference,
    "flow_document": flow_document,
    "catalogue": catalogue,
    "check": check,
    "expression": expression,
    "removed": removed,
    "verify": verify,
}


def answer_to(line: bytes) -> Answer:
    """The answer to one question; an error of ours is an answer as well."""
    question = msgspec.json.decode(line)
    try:
        return QUESTIONS[question.pop("ask")](**question)
    except FlowInvalid as error:
        return {"refused": 422, "error": str(error), "problems": problems_of(error.findings)}
    except FlowEngineError as error:
        return {"refused": 503, "error": str(error)}
    except Exception as error:  # noqa: BLE001 - a plug-in's bug is an answer, not the end
        return {"refused": 500, "error": f"plug-in must not raise; got {type(error).__name__}"}


def main() -> None:
    """Answer until standard input ends."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a plug-in prints is no answer
    for line in sys.stdin.buffer:
        answers.write(msgspec.json.encode(answer_to(line), enc_hook=str) + b"\n")


if __name__ == "__main__":
    main()
