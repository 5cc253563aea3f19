"""Building a flow in code: the same definition, the same checks, the same file.

>>> from flowengine.definition.builder import Flow
>>> flow = Flow("copy")
>>> read = flow.add("read", "ReadDataLake", path="data/*.json")
>>> write = flow.add("write", "PutFile", {"auto_terminate": ["success"]}, directory="out")
>>> flow = flow.connect(read, "success", write)
>>> print(flow.text())  # doctest: +ELLIPSIS
{
  "format": 1,
  "name": "copy",
...
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Self

from flowengine.definition.canonical import canonical
from flowengine.definition.flat import LoadedFlow
from flowengine.definition.load import Options, load_text
from flowengine.definition.model import FlowDefinition
from flowengine.definition.parameters import Sources
from flowengine.definition.parse import parse_definition
from flowengine.definition.resolve import Classes
from flowengine.definition.source import Document
from flowengine.errors import DefinitionError
from flowengine.findings import FlowInvalid, errors
from flowengine.processor import ControllerService, Processor
from flowengine.units import Secret


class GroupBuilder:
    """What flows and groups have in common: components and connections."""

    def __init__(self, body: dict[str, Any], classes: dict[str, Any]) -> None:
        self._body = body
        self._classes = classes

    def add(
        self,
        id: str,
        type: str | type[Processor],
        settings: Mapping[str, Any] | None = None,
        /,
        **properties: Any,
    ) -> str:
        """Add a processor and return its id.

        type:     a type name, or a class, which need not be installed
        settings: the other keys of a processor, such as ``auto_terminate`` and ``retry``
        """
        return self._put("processors", id, self._entry(type, settings, properties))

    def service(
        self,
        id: str,
        type: str | type[ControllerService],
        settings: Mapping[str, Any] | None = None,
        /,
        **properties: Any,
    ) -> str:
        """Add a controller service and return its id, which properties name."""
        return self._put("services", id, self._entry(type, settings, properties))

    def port(self, id: str, direction: str, name: str = "") -> str:
        """Add an ``"input"`` or ``"output"`` port and return its id."""
        return self._put(f"{direction}s", id, {"name": name} if name else {})

    def funnel(self, id: str) -> str:
        """Add a funnel and return its id."""
        return self._put("funnels", id, {})

    def group(self, id: str, **settings: Any) -> GroupBuilder:
        """Add a group; what is added to the result stands inside it."""
        entry: dict[str, Any] = dict(settings)
        self._put("groups", id, entry)
        return GroupBuilder(entry, self._classes)

    def refer(self, id: str, flow: str, **parameters: str | int | float | bool) -> str:
        """Add a group that is another flow file, and return its id."""
        entry: dict[str, Any] = {"flow": flow}
        if parameters:
            entry["parameters"] = parameters
        return self._put("groups", id, entry)

    def connect(
        self, source: str, relationships: str | Sequence[str], to: str, /, **settings: Any
    ) -> Self:
        """Join two components. Ends inside a group are written ``group/port``.

        relationships: one or several; an empty sequence from ports and funnels
        settings:      the other keys of a connection, such as ``back_pressure``
        """
        names = [relationships] if isinstance(relationships, str) else list(relationships)
        entry: dict[str, Any] = {"from": source, "to": to, **settings}
        if names:
            entry["relationships"] = [str(name) for name in names]
        self._body.setdefault("connections", []).append(entry)
        return self

    def _entry(
        self, type: Any, settings: Mapping[str, Any] | None, properties: dict[str, Any]
    ) -> dict[str, Any]:
        if not isinstance(type, str):
            self._classes[type.__name__] = type
            type = type.__name__
        entry = {"type": type, **as_json(settings or {})}
        return {**entry, "properties": as_json(properties)} if properties else entry

    def _put(self, section: str, id: str, entry: Any) -> str:
        entries = self._body.setdefault(section, {})
        if id in entries:
            raise DefinitionError(f"id {id!r} must be used once under {section!r}; got it again")
        entries[id] = entry
        return id


class Flow(GroupBuilder):
    """A flow under construction."""

    def __init__(self, name: str, description: str = "") -> None:
        super().__init__({"format": 1, "name": name}, {})
        if description:
            self._body["description"] = description

    def parameter(self, name: str, value: Any = None, /, **settings: Any) -> str:
        """Declare a parameter and return the text that takes its value."""
        entry = settings if value is None else {"value": value, **settings}
        self._put("parameters", name, entry)
        return f"#{{{name}}}"

    def place(self, **positions: tuple[float, float]) -> Self:
        """Set positions of components on the canvas."""
        layout = self._body.setdefault("layout", {})
        layout.update({id: list(position) for id, position in positions.items()})
        return self

    @property
    def definition(self) -> FlowDefinition:
        """The definition so far; raises FlowInvalid where its structure is wrong."""
        definition, findings = parse_definition(Document("", "", self._body))
        if definition is None or findings:
            raise FlowInvalid(findings)
        return definition

    @property
    def classes(self) -> Classes:
        """The classes that were passed instead of type names."""
        return dict(self._classes)

    def text(self) -> str:
        """The canonical text."""
        return canonical(self.definition)

    def save(self, path: Path | str) -> None:
        """Write the canonical text to a file, all of it or nothing."""
        save_text(Path(path), self.text())

    def load(
        self,
        parameters: Mapping[str, str | Secret] | None = None,
        *,
        base: Path | None = None,
        sources: Sources | None = None,
    ) -> LoadedFlow:
        """Check the flow and make it ready to run; raises FlowInvalid with all findings.

        base: folder to which references to other flows are relative
        """
        options = Options(parameters or {}, self.classes, sources or Sources())
        flow, findings = load_text(self.text(), (base or Path.cwd()).resolve(), options)
        if flow is None or errors(findings):
            raise FlowInvalid(findings)
        return flow


def as_json(value: Any) -> Any:
    """Python values as the file holds them: enums by value, paths as text.

    Raises DefinitionError for what JSON has no form for.
    """
    if isinstance(value, Mapping):
        return {str(key): as_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(inner) for inner in value]
    if isinstance(value, Enum):
        return as_json(value.value)
    if isinstance(value, Path):
        return str(value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise DefinitionError(
        f"property value must be text, a number, true, false, null, a list or a mapping; "
        f"got a {type(value).__name__}"
    )


def save_text(path: Path, text: str) -> None:
    """Replace a file in one step, synced, so that a crash leaves the old text or the new."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)


def new_flow(name: str, description: str = "") -> str:
    """The canonical text of a small flow that validates and runs, to start from."""
    flow = Flow(name, description or "What this flow is for.")
    schema = {"id": "sequence", "name": "name"}
    flow.add("generate", "GenerateRecords", count=10, schema=schema)
    flow.add("log", "LogAttribute", {"auto_terminate": ["success"]})
    flow.connect("generate", "success", "log")
    flow.place(generate=(0, 0), log=(360, 0))
    return flow.text()
