"""A processor or service on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from flowengine.documentation import PropertyDocument, TypeDocument, example_json, flowfile_text
from flowengine.processor import Example


def view(doc: TypeDocument) -> Group:
    """Everything a declaration says, in the order in which one asks."""
    parts: list[RenderableType] = [Text.assemble((doc.name, "bold"), "  ", (doc.kind, "dim"))]
    parts.append(Text(_plain(doc.summary)))
    if doc.description:
        parts += [Text(), Text(_plain(doc.description))]
    parts += _facts(doc)
    parts += _section("Properties", [_property(one) for one in doc.properties])
    relationships = {name: one.description for name, one in doc.relationships.items()}
    parts += _section("Relationships", _pairs(relationships))
    parts += _section("Attributes read", _pairs(doc.reads))
    parts += _section("Attributes written", _pairs(doc.writes))
    for example in doc.examples:
        parts += _section(f"Example: {example.title}", list(_example(doc.name, example)))
    return Group(*parts)


def _plain(text: str) -> str:
    return text.replace("``", "").replace("`", "")


def _facts(doc: TypeDocument) -> list[RenderableType]:
    lines = [f"input {doc.input}"] if doc.input else []
    if doc.tags:
        lines.append("tags " + ", ".join(doc.tags))
    if doc.nifi:
        lines.append(f"NiFi's {doc.nifi}")
    return [Text(line, "dim") for line in (*lines, *doc.traits)]


def _section(title: str, parts: list[RenderableType]) -> list[RenderableType]:
    if not parts:
        return []
    return [Text(), Text(title, "bold"), *(Padding(part, (0, 0, 0, 2)) for part in parts)]


def _property(one: PropertyDocument) -> RenderableType:
    head = Text.assemble((one.name, "cyan"), "  ", one.type)
    if one.default is None:
        head.append("  required", "yellow")
    elif one.default not in ("null", '""'):
        head.append(f"  = {one.default}", "green")
    lines = [_plain(one.description)] if one.description else []
    if one.choices:
        lines.append("one of " + ", ".join(one.choices))
    if one.nifi:
        other = f", whose default is {one.nifi_default}" if one.nifi_default else ""
        lines.append(f"NiFi's {one.nifi!r}{other}")
    elif one.nifi_default:
        lines.append(f"NiFi's default is {one.nifi_default}")
    return Group(head, *(Padding(Text(line), (0, 0, 0, 2)) for line in lines))


def _pairs(values: Mapping[str, str]) -> list[RenderableType]:
    if not values:
        return []
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, text in values.items():
        table.add_row(Text(name, "cyan"), Text(_plain(text)))
    return [table]


def _example(name: str, example: Example) -> Iterable[RenderableType]:
    if example.description:
        yield Text(_plain(example.description))
    yield Syntax(example_json(name, example), "json", background_color="default")
    for given in example.given:
        yield Text("given " + _plain(flowfile_text(given)))
    for relationship, flowfiles in example.expect.items():
        for expected in flowfiles:
            yield Text(f"{relationship} receives " + _plain(flowfile_text(expected)))
