"""Documentation of processors, services and the command line, from their declarations.

A declaration is first read into plain values (:class:`TypeDocument`), which the terminal shows and
:func:`markdown` writes. Nothing here knows a single processor.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from typing import Any, Final, TypeAlias

from flowengine import registry
from flowengine.errors import DefinitionError
from flowengine.processor import ControllerService, Example, Processor, Relationship

AnyType: TypeAlias = type[Processor] | type[ControllerService]
OWN_PACKAGE: Final = "flowengine"
_NUMBERS: Final = {
    "minimum": "at least {}",
    "exclusiveMinimum": "greater than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
}
_PLAIN: Final = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
    "object": "object",
    "array": "list",
}
_FORMATS: Final = {"data-size": "data size", "path": "path", "regex": "regular expression"}


@dataclass(frozen=True, slots=True)
class PropertyDocument:
    """One property of a type.

    default: as JSON; None where the property must be given
    choices: the allowed values, if they are listed
    nifi:    NiFi's display name, where it has one
    nifi_default: NiFi's default, where it is another
    """

    name: str
    title: str
    type: str
    default: str | None
    description: str
    choices: tuple[str, ...] = ()
    nifi: str = ""
    nifi_default: str = ""


@dataclass(frozen=True, slots=True)
class TypeDocument:
    """Everything that a declaration says."""

    name: str
    kind: str
    summary: str
    description: str
    tags: tuple[str, ...]
    properties: tuple[PropertyDocument, ...]
    input: str = ""
    nifi: str = ""
    relationships: Mapping[str, Relationship] = field(default_factory=dict)
    reads: Mapping[str, str] = field(default_factory=dict)
    writes: Mapping[str, str] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    traits: tuple[str, ...] = ()


def find_type(name: str) -> AnyType:
    """The processor or service class of a type name; raises DefinitionError for an unknown one."""
    if name in registry.service_types():
        return registry.service_class(name)
    if name in registry.processor_types() or name in registry.BUILT_IN:
        return registry.processor_class(name)
    known = [*registry.processor_types(), *registry.service_types(), *registry.BUILT_IN]
    raise DefinitionError(
        f"type must be an installed processor or service; got {name!r}; "
        f"{registry.suggest(name, known)}"
    )


def of_package(entries: Mapping[str, EntryPoint], package: str) -> list[str]:
    """Names of the types that one distribution provides."""
    return [name for name, entry in entries.items() if entry.dist and entry.dist.name == package]


def document(name: str, cls: AnyType) -> TypeDocument:
    """What a class declares."""
    text = inspect.getdoc(cls) or ""
    summary, _, rest = text.partition("\n")
    properties = tuple(_properties(cls))
    if not issubclass(cls, Processor):
        return TypeDocument(name, "service", summary, rest.strip(), cls.tags, properties)
    return TypeDocument(
        name,
        "processor",
        summary,
        rest.strip(),
        cls.tags,
        properties,
        input=cls.input.value,
        nifi=cls.nifi.processor if cls.nifi else "",
        relationships=cls.relationships,
        reads=cls.reads,
        writes=cls.writes,
        examples=cls.examples,
        traits=tuple(_traits(cls)),
    )


def _traits(cls: type[Processor]) -> Iterable[str]:
    if cls.serial:
        yield "It runs one task at a time."
    if cls.blocking:
        yield "It runs on a worker thread."
    if cls.is_async():
        yield "It waits for I/O, so several concurrent tasks may help."


# -- properties ----------------------------------------------------------------------------------


def _properties(cls: AnyType) -> Iterable[PropertyDocument]:
    schema = cls.Properties.model_json_schema(by_alias=True)
    definitions = schema.get("$defs", {})
    required = schema.get("required", [])
    note = getattr(cls, "nifi", None)
    names = note.names if note else {}
    defaults = note.defaults if note else {}
    for name, part in schema.get("properties", {}).items():
        default = None if name in required else json.dumps(part.get("default"), ensure_ascii=False)
        yield PropertyDocument(
            name,
            title_of(name),
            type_text(part, definitions),
            default,
            _description(part, definitions),
            tuple(_choices(part, definitions)),
            names.get(name, ""),
            defaults.get(name, ""),
        )


def _description(part: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """The description of a property, else that of its type."""
    text = part.get("description") or _resolved(part, definitions).get("description", "")
    return " ".join(text.split())


def title_of(name: str) -> str:
    """``maximum_rate`` → ``Maximum Rate``."""
    return " ".join(word.capitalize() for word in name.split("_"))


def _resolved(part: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema with its reference followed."""
    reference = part.get("$ref") or next((p["$ref"] for p in part.get("allOf", [])), None)
    return definitions.get(reference.rpartition("/")[2], {}) if reference else part


def _choices(part: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterable[str]:
    part = _resolved(part, definitions)
    for inner in part.get("anyOf", []):
        yield from _choices(inner, definitions)
    values = part.get("enum", [part["const"]] if "const" in part else [])
    yield from (str(value) for value in values)


def type_text(part: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """A JSON Schema as people say it: ``list of text``, ``duration``, ``whole number``."""
    part = _resolved(part, definitions)
    options = part.get("anyOf") or part.get("oneOf")
    if options:
        texts = [type_text(inner, definitions) for inner in options]
        return " or ".join(dict.fromkeys(text for text in texts if text != "null"))
    if "enum" in part or "const" in part:
        return "choice"
    if "format" in part:
        return _format_text(part)
    return _plain_text(part, definitions)


def _format_text(part: Mapping[str, Any]) -> str:
    name = str(part["format"])
    return f"service {part['service']}" if name == "service" else _FORMATS.get(name, name)


def _plain_text(part: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    kind = part.get("type", "value")
    if kind == "array" and part.get("items"):
        return f"list of {type_text(part['items'], definitions)}"
    if kind == "object" and isinstance(part.get("additionalProperties"), Mapping):
        return f"map of text to {type_text(part['additionalProperties'], definitions)}"
    kinds = [kind] if isinstance(kind, str) else kind
    text = " or ".join(_PLAIN.get(one, one) for one in kinds)
    limits = [words.format(part[key]) for key, words in _NUMBERS.items() if key in part]
    return f"{text}, {' and '.join(limits)}" if limits else text


# -- markdown ------------------------------------------------------------------------------------

MARK: Final = "<!-- Written by `flowengine docs` from the declaration; do not edit. -->"


def file_name(name: str) -> str:
    """``PublishKafka`` → ``publish-kafka.md``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower() + ".md"


def markdown(doc: TypeDocument) -> str:
    """The page of one type."""
    sections = [
        f"{MARK}\n# {doc.name}\n\n{_prose(doc.summary)}",
        _prose(doc.description),
        _facts(doc),
        *_section("Properties", _property_table(doc.properties)),
        *_section("Relationships", _relationship_table(doc.relationships)),
        *_section("Attributes read", _attribute_table(doc.reads)),
        *_section("Attributes written", _attribute_table(doc.writes)),
        *_section("Coming from NiFi", _nifi_table(doc)),
        *(_example(doc.name, example) for example in doc.examples),
    ]
    return "\n\n".join(part for part in sections if part) + "\n"


def _prose(text: str) -> str:
    """Docstrings mark code as reStructuredText does; Markdown wants single quotes."""
    return text.replace("``", "`")


def _facts(doc: TypeDocument) -> str:
    lines = [f"- Type: {doc.kind}"]
    if doc.kind == "processor":
        lines.append(f"- Input: {doc.input}")
    if doc.tags:
        lines.append(f"- Tags: {', '.join(doc.tags)}")
    lines += [f"- {trait}" for trait in doc.traits]
    return "\n".join(lines)


def _section(title: str, table: str) -> Iterable[str]:
    if table:
        yield f"## {title}\n\n{table}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; empty without rows."""
    lines = ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    if not lines:
        return ""
    return "\n".join(["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *lines])


def _cell(text: str) -> str:
    return _prose(text).replace("|", "\\|").replace("\n", " ")


def _property_table(properties: Iterable[PropertyDocument]) -> str:
    return table(
        ("Property", "Type", "Default", "Meaning"),
        (
            (
                f"`{one.name}`",
                ", ".join(f"`{choice}`" for choice in one.choices) or one.type,
                "required" if one.default is None else _default(one.default),
                one.description,
            )
            for one in properties
        ),
    )


def _default(default: str) -> str:
    return "none" if default in ("null", '""') else f"`{default}`"


def _relationship_table(relationships: Mapping[str, Relationship]) -> str:
    return table(
        ("Relationship", "What goes there"),
        ((f"`{name}`", one.description) for name, one in relationships.items()),
    )


def _attribute_table(attributes: Mapping[str, str]) -> str:
    return table(
        ("Attribute", "Meaning"), ((f"`{name}`", text) for name, text in attributes.items())
    )


def _nifi_table(doc: TypeDocument) -> str:
    if not doc.nifi:
        return ""
    rows = [
        (f"`{one.name}`", one.nifi or "–", f"`{one.nifi_default}`" if one.nifi_default else "same")
        for one in doc.properties
        if one.nifi or one.nifi_default
    ]
    head = f"NiFi's processor is `{doc.nifi}`."
    body = table(("Property", "NiFi calls it", "NiFi's default"), rows)
    return f"{head}\n\n{body}" if body else head


def _example(name: str, example: Example) -> str:
    parts = [f"## Example: {example.title}", example.description, _properties_json(name, example)]
    if example.given:
        parts.append("Given\n\n" + "\n".join(f"- {flowfile_text(one)}" for one in example.given))
    for relationship, flowfiles in example.expect.items():
        lines = "\n".join(f"- {flowfile_text(one)}" for one in flowfiles) or "- nothing"
        parts.append(f"`{relationship}` receives\n\n{lines}")
    return "\n\n".join(part for part in parts if part)


def _properties_json(name: str, example: Example) -> str:
    return f"```json\n{example_json(name, example)}\n```"


def example_json(name: str, example: Example) -> str:
    """The component of an example as it stands in a flow definition."""
    from flowengine.definition.builder import as_json

    component = {"type": name, "properties": as_json(example.properties)}
    return json.dumps(component, indent=2, ensure_ascii=False)


def flowfile_text(flowfile: Any) -> str:
    """A given or expected FlowFile on one line."""
    parts = []
    if flowfile.content not in (None, b"", ""):
        content = flowfile.content
        text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
        parts.append(f"content `{_short(text)}`")
    if flowfile.attributes:
        pairs = (f"`{name}` = `{_short(value)}`" for name, value in flowfile.attributes.items())
        parts.append("attributes " + ", ".join(pairs))
    return "; ".join(parts) or "a FlowFile"


def _short(text: str) -> str:
    line = json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"')
    return line if len(line) <= 100 else line[:97] + "…"


def index(documents: Iterable[TypeDocument], title: str) -> str:
    """The page that lists types."""
    rows = ((f"[{doc.name}]({file_name(doc.name)})", doc.summary) for doc in documents)
    return f"{MARK}\n# {title}\n\n{table(('Type', 'What it does'), rows)}\n"


def pages(package: str = OWN_PACKAGE) -> dict[str, str]:
    """Path below the documentation folder → text, for all types of one distribution."""
    found: dict[str, str] = {}
    groups: tuple[tuple[str, str, Mapping[str, EntryPoint], Callable[[str], AnyType]], ...] = (
        ("processors", "Processors", registry.processor_types(), registry.processor_class),
        ("services", "Controller services", registry.service_types(), registry.service_class),
    )
    for folder, title, entries, load in groups:
        names = of_package(entries, package)
        documents = [document(name, load(name)) for name in sorted(names)]
        found |= {f"{folder}/{file_name(doc.name)}": markdown(doc) for doc in documents}
        if documents:
            found[f"{folder}/README.md"] = index(documents, title)
    return found
