"""``flowengine list`` and ``show``: what processors and services there are, and what they do."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from flowengine import registry
from flowengine.errors import EnvironmentFault

if TYPE_CHECKING:
    from flowengine.documentation import TypeDocument

app = typer.Typer(rich_markup_mode=None, add_completion=False)


def _complete(incomplete: str) -> list[str]:
    names = [*registry.processor_types(), *registry.service_types(), *registry.BUILT_IN]
    return [name for name in names if name.lower().startswith(incomplete.lower())]


@app.command("list", epilog="Example: flowengine list kafka")
def list_types(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="WORD", help="Only types whose name, tags or summary have these."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """List the installed processors and controller services."""
    found = [doc for doc in documents() if all(_matches(doc, word) for word in words or [])]
    if as_json:
        keys = ("name", "kind", "summary", "tags")
        rows = [{key: getattr(doc, key) for key in keys} for doc in found]
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    _print_list(found)


def documents() -> Iterable[TypeDocument]:
    """Every installed type; what cannot be imported is named on standard error."""
    from flowengine.documentation import document, find_type

    names = [*registry.processor_types(), *registry.BUILT_IN, *registry.service_types()]
    for name in names:
        try:
            yield document(name, find_type(name))
        except EnvironmentFault as error:
            typer.echo(f"warning: {error}", err=True)


def _matches(doc: TypeDocument, word: str) -> bool:
    text = " ".join((doc.name, doc.summary, *doc.tags, doc.nifi)).lower()
    return word.lower() in text


def _print_list(found: list[TypeDocument]) -> None:
    from rich.table import Table

    from flowengine.cli.tables import console

    if not found:
        typer.echo("no installed type has all of these words", err=True)
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("type", "kind", "what it does"):
        table.add_column(title)
    for doc in found:
        table.add_row(doc.name, doc.kind, doc.summary.replace("``", ""))
    console().print(table)


@app.command(epilog="Example: flowengine show ControlRate")
def show(
    type: Annotated[
        str,
        typer.Argument(
            metavar="TYPE", help="A processor or controller service.", autocompletion=_complete
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show a processor or service with its properties and examples.

    Also its relationships, its attributes, and NiFi's names and defaults where they differ.
    """
    from flowengine.documentation import document, find_type, markdown

    doc = document(type, find_type(type))
    if as_json:
        typer.echo(json.dumps(_as_data(doc), indent=2, ensure_ascii=False, default=str))
        return
    from flowengine.cli.tables import console, is_terminal

    if not is_terminal():
        typer.echo(markdown(doc).partition("\n")[2], nl=False)
        return
    from flowengine.cli.type_view import view

    console().print(view(doc))


def _as_data(doc: TypeDocument) -> dict[str, object]:
    data = {key: getattr(doc, key) for key in ("name", "kind", "summary", "description", "tags")}
    relationships = {
        name: {"description": one.description, "failure": one.failure}
        for name, one in doc.relationships.items()
    }
    return data | {
        "input": doc.input,
        "nifi": doc.nifi,
        "properties": [asdict(one) for one in doc.properties],
        "relationships": relationships,
        "reads": dict(doc.reads),
        "writes": dict(doc.writes),
        "examples": [
            {"title": one.title, "description": one.description, "properties": one.properties}
            for one in doc.examples
        ],
    }
