"""``flowengine new``, ``fmt`` and ``schema``: writing flow definitions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from flowengine.cli.places import FORMAT
from flowengine.cli.validate import flow_files
from flowengine.cli.words import counted
from flowengine.errors import DefinitionError, EnvironmentFault
from flowengine.exit_codes import ExitCode
from flowengine.findings import FlowInvalid, errors

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(epilog="Example: flowengine new hello && flowengine run hello --until-complete")
def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of the flow, or path of its file.")
    ],
    description: Annotated[str, typer.Option(metavar="TEXT", help="What the flow is for.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> None:
    """Write a small flow that validates and runs, to start from."""
    from flowengine.definition.builder import new_flow, save_text

    path = Path(name) if name.endswith(FORMAT) else Path(name + FORMAT)
    if path.exists() and not force:
        raise DefinitionError(
            f"flow file {str(path)!r} must not exist yet; got one; choose another name, or "
            "replace it with '--force'"
        )
    text = new_flow(path.stem, description)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_text(path, text)
    except OSError as error:
        raise _unwritable(path, error) from error
    typer.echo(f"wrote {path}; run it with: flowengine run {path} --until-complete")


@app.command(epilog="Example: flowengine fmt flows --check")
def fmt(
    flows: Annotated[
        list[str], typer.Argument(metavar="FLOW", help="Flow files, or folders with them.")
    ],
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 when a file would change.")
    ] = False,
) -> None:
    """Write flow definitions in their canonical form. What is canonical stays byte for byte.

    A file with a mistake in its structure is left as it is, and its findings are printed.
    """
    files = list(flow_files(flows))
    changed, broken = [], []
    for file in files:
        try:
            if _format(file, write=not check):
                changed.append(file)
        except FlowInvalid as error:
            typer.echo(str(error))
            broken.append(file)
    _summarise(files, changed, broken, check)
    if broken or (check and changed):
        raise typer.Exit(ExitCode.DEFINITION)


def _format(file: Path, *, write: bool) -> bool:
    """Whether the file was not canonical; it is then written anew, unless ``write`` is false."""
    from flowengine.definition.builder import save_text
    from flowengine.definition.canonical import canonical
    from flowengine.definition.parse import parse_definition
    from flowengine.definition.source import read_document

    document, findings = read_document(file, str(file))
    definition = None
    if not errors(findings):
        definition, findings = parse_definition(document)
    if definition is None or errors(findings):
        raise FlowInvalid(findings)
    text = canonical(definition)
    if text.encode() == file.read_bytes():
        return False
    if write:
        try:
            save_text(file, text)
        except OSError as error:
            raise _unwritable(file, error) from error
    return True


def _summarise(
    files: Sequence[Path], changed: Sequence[Path], broken: Sequence[Path], check: bool
) -> None:
    for file in changed:
        typer.echo(f"{'would change' if check else 'changed'} {file}")
    rest = len(files) - len(changed) - len(broken)
    parts = [f"{counted(rest, 'flow')} canonical"]
    if changed:
        parts.append(f"{len(changed)} {'to change' if check else 'changed'}")
    if broken:
        parts.append(f"{len(broken)} with findings")
    typer.echo(", ".join(parts), err=True)


@app.command(epilog="Example: flowengine schema --output flow.schema.json")
def schema(
    type: Annotated[
        str | None,
        typer.Argument(metavar="TYPE", help="Only the properties of this processor or service."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write there instead of printing.")
    ] = None,
) -> None:
    """Print the JSON Schema of flow definitions.

    It knows the properties of all installed types; editors complete and check with it.
    """
    text = json.dumps(_schema(type), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _unwritable(output, error) from error
    typer.echo(f"wrote {output}", err=True)


def _schema(type: str | None) -> dict[str, object]:
    from flowengine.definition.schema import json_schema, properties_schema
    from flowengine.documentation import find_type

    return json_schema() if type is None else properties_schema(find_type(type))


def _unwritable(path: Path, error: OSError) -> EnvironmentFault:
    return EnvironmentFault(
        f"file {str(path)!r} must be writable; got {(error.strerror or str(error)).lower()}"
    )
