"""``flowengine docs``: write the documentation that comes from declarations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowengine.cli.places import complete_flow, flow_file
from flowengine.errors import EnvironmentFault
from flowengine.exit_codes import ExitCode

if TYPE_CHECKING:
    from typer._click import Command, Context

app = typer.Typer(rich_markup_mode=None, add_completion=False)
WIDTH = 88


@app.command(
    epilog="Example: flowengine docs --output docs; "
    "flowengine docs --flow users-producer --output users-producer.html"
)
def docs(
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Folder in which the pages are written, docs; with --flow the file, NAME.html.",
        ),
    ] = None,
    flow: Annotated[
        str | None,
        typer.Option(
            metavar="FLOW",
            help="Write the printable page of this flow instead.",
            autocompletion=complete_flow,
        ),
    ] = None,
    package: Annotated[
        str, typer.Option(metavar="NAME", help="Distribution whose types are described.")
    ] = "flowengine",
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 when a page is stale.")
    ] = False,
) -> None:
    """Write the reference pages, or the page of one flow.

    The reference of processors, services and commands comes from the declarations, as Markdown.
    Pages of types that are gone are removed; pages that people wrote are left alone. The page of a
    flow is one HTML file with its graph, all properties (secrets masked), parameters, services and
    connections.
    """
    if flow is not None:
        typer.echo(f"wrote {write_flow_page(flow_file(flow), output)}")
        return
    output = output or Path("docs")
    texts = all_pages(package)
    stale = stale_pages(output, texts)
    for path in stale:
        typer.echo(f"{'stale' if check else 'wrote' if path in texts else 'removed'} {path}")
    if check and stale:
        raise typer.Exit(ExitCode.DEFINITION)
    if not check:
        write_pages(output, texts)
    if not stale:
        typer.echo(f"{len(texts)} pages, all up to date", err=True)


def write_flow_page(flow: Path, output: Path | None) -> Path:
    """Write the printable page of a flow; returns where. Raises FlowInvalid with every finding."""
    from flowengine.definition.builder import save_text
    from flowengine.definition.parse import parse_definition
    from flowengine.definition.source import read_document
    from flowengine.findings import FlowInvalid
    from flowengine.flowdoc import document_page

    source, findings = read_document(flow)
    definition, more = parse_definition(source) if not findings else (None, [])
    if definition is None or findings or more:
        raise FlowInvalid([*findings, *more])
    file = output or Path(f"{definition.name}.html")
    try:
        save_text(file, document_page(definition))
    except OSError as error:
        raise EnvironmentFault(
            f"file {str(file)!r} must be writable; got {error.strerror or error}"
        ) from error
    return file


def all_pages(package: str = "flowengine") -> dict[str, str]:
    """Path below the folder → text."""
    from flowengine.documentation import OWN_PACKAGE, pages

    texts = pages(package)
    if package == OWN_PACKAGE:
        texts["cli.md"] = command_line()
    return texts


def stale_pages(folder: Path, texts: Mapping[str, str]) -> list[str]:
    """Pages that differ, are missing, or describe what is gone."""
    different = [path for path, text in texts.items() if _read(folder / path) != text]
    return sorted([*different, *_gone(folder, texts)])


def write_pages(folder: Path, texts: Mapping[str, str]) -> None:
    """Write what differs and remove what is gone."""
    from flowengine.definition.builder import save_text

    try:
        for path in stale_pages(folder, texts):
            file = folder / path
            if path not in texts:
                file.unlink()
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            save_text(file, texts[path])
    except OSError as error:
        raise EnvironmentFault(
            f"documentation folder {str(folder)!r} must be writable; got {error.strerror}"
        ) from error


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _gone(folder: Path, texts: Mapping[str, str]) -> Iterable[str]:
    """Pages with our mark that nothing describes any more."""
    from flowengine.documentation import MARK

    for section in ("processors", "services"):
        for file in (folder / section).glob("*.md"):
            path = file.relative_to(folder).as_posix()
            if path not in texts and (_read(file) or "").startswith(MARK):
                yield path


def command_line() -> str:
    """The page of the command line: every command's help text."""
    from flowengine.cli.application import HELP, application
    from flowengine.documentation import MARK

    root = application()
    context = root.context_class(root, info_name="flowengine", **_SHAPE, **HELP)
    parts = [f"{MARK}\n# Command line", _INTRODUCTION, _help(root, context)]
    parts += _commands(root, context)
    return "\n\n".join(parts) + "\n"


_SHAPE: dict[str, Any] = {"max_content_width": WIDTH, "terminal_width": WIDTH}
_INTRODUCTION = (
    "`flowengine --install-completion` installs the completion of commands and options for your "
    "shell. Settings come from defaults, then `flowengine.toml`, then `FLOWENGINE_*`, then flags; "
    "`flowengine config` shows each with its origin."
)


def _commands(group: Command, context: Context) -> Iterable[str]:
    """Sections of all commands below a group, depth first; only those of our own package."""
    from typer.core import TyperGroup

    if not isinstance(group, TyperGroup):
        return
    for name in group.list_commands(context):
        if not _is_own(name, context):
            continue
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = command.context_class(command, info_name=name, parent=context, **_SHAPE)
        yield f"## {inner.command_path}\n\n{_help(command, inner)}"
        yield from _commands(command, inner)


def _is_own(name: str, context: Context) -> bool:
    from flowengine.documentation import OWN_PACKAGE
    from flowengine.registry import command_types

    entry = command_types().get(name) if context.parent is None else None
    return entry is None or (entry.dist is not None and entry.dist.name == OWN_PACKAGE)


def _help(command: Command, context: Context) -> str:
    return f"```text\n{command.get_help(context).strip()}\n```"
