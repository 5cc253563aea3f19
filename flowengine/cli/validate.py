"""``flowengine validate``: all findings of flow files, each with its place."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import orjson
import typer

from flowengine.cli.parameters import parameters, sources
from flowengine.cli.places import FORMAT, flow_file
from flowengine.cli.words import counted
from flowengine.config import read_settings
from flowengine.exit_codes import ExitCode
from flowengine.findings import Finding, Severity, errors

FLOW_KEYS = frozenset({"format", "processors", "connections", "groups"})

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(epilog="Example: flowengine validate flows --json")
def validate(
    flows: Annotated[
        list[str], typer.Argument(metavar="FLOW", help="Flow files, or folders with them.")
    ],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Value of a parameter; repeatable."),
    ] = None,
    param_file: Annotated[
        Path | None, typer.Option("--param-file", metavar="FILE", help="Values of parameters.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """Check flow definitions and print every finding with its place.

    A place is file, line and column. Exits with 1 when one of them is an error; warnings alone
    exit with 0.
    """
    from flowengine.definition.load import Options, check_flow

    given = parameters(set_ or [], param_file)
    options = Options(given, sources=sources(read_settings()))
    files = list(flow_files(flows))
    findings = [finding for file in files for finding in check_flow(file, options)[1]]
    if as_json:
        typer.echo(json.dumps([as_data(finding) for finding in findings], indent=2))
    else:
        _print(findings, files)
    if errors(findings):
        raise typer.Exit(ExitCode.DEFINITION)


def flow_files(names: Iterable[str]) -> Iterable[Path]:
    """The files meant by names of files and folders, each once, folders in order of path.

    Of a folder those that are no flows are left out, such as the records of a lake beside them.
    """
    seen = set()
    for name in names:
        path = Path(name)
        inside = filter(may_be_flow, sorted(path.rglob(f"*{FORMAT}"))) if path.is_dir() else None
        files = list(inside) if inside is not None else [flow_file(name)]
        for file in files:
            if file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def may_be_flow(file: Path) -> bool:
    """Whether a JSON file has a key that only flows have, or cannot be read and so must be said."""
    try:
        found = orjson.loads(file.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return True
    return isinstance(found, dict) and not FLOW_KEYS.isdisjoint(found)


def as_data(finding: Finding) -> dict[str, object]:
    """A finding as JSON data."""
    return {**asdict(finding), "severity": finding.severity.value}


def _print(findings: Sequence[Finding], files: Sequence[Path]) -> None:
    for finding in findings:
        typer.echo(str(finding))
    wrong = len(errors(findings))
    warnings = sum(finding.severity is Severity.WARNING for finding in findings)
    flows = counted(len(files), "flow")
    if findings:
        typer.echo(f"{flows}: {counted(wrong, 'error')}, {counted(warnings, 'warning')}", err=True)
    else:
        typer.echo(f"{flows}: no findings", err=True)
