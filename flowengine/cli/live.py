"""``flowengine status``: what running flows do now."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowengine.cli.places import DataDirOption, data_directory, runner_on
from flowengine.config import Settings, read_settings
from flowengine.errors import EnvironmentFault
from flowengine.exit_codes import ExitCode

if TYPE_CHECKING:
    from flowengine.status import FlowStatus

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(epilog="Example: flowengine status users-producer")
def status(
    flow: Annotated[
        str | None,
        typer.Argument(metavar="FLOW", help="Flow file or name; all running flows when left out."),
    ] = None,
    data_dir: DataDirOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what the control API answers.")
    ] = False,
) -> None:
    """Show what running flows do.

    For one flow: processors, connections, counters and the ledger. Exits with 2 when the flow
    does not run.
    """
    settings = read_settings({"data_dir": data_dir})
    if flow is None and settings["data_dir"] is None:
        _overview(settings, as_json)
        return
    directory = Path(settings["data_dir"]) if flow is None else data_directory(flow, settings)
    with runner_on(directory) as runner:
        found = runner.status()
    if as_json:
        _print_json(found)
    else:
        _print(found)


def _print_json(value: object) -> None:
    import msgspec

    from flowengine.status import encode

    typer.echo(msgspec.json.format(encode(value)).decode())


def _print(status: FlowStatus) -> None:
    from flowengine.cli.tables import connection_table, console, ledger_line, picture

    output = console()
    output.print(picture(status, ledger=False))
    output.print()
    output.print(connection_table(status.connections.values()))
    output.print()
    output.print(ledger_line(status))


def _overview(settings: Settings, as_json: bool) -> None:
    """One line per running flow below the data root."""
    found = list(_running(settings.data_root))
    if as_json:
        _print_json(found)
        return
    if not found:
        typer.echo(f"no flow runs below {settings.data_root}", err=True)
        raise typer.Exit(ExitCode.DONE)
    from flowengine.cli.tables import console, flow_table

    console().print(flow_table(found))


def _running(root: Path) -> Iterable[FlowStatus]:
    from flowengine.control.address import RUNNER

    for file in sorted(root.glob(f"*/{RUNNER}")):
        try:
            with runner_on(file.parent) as runner:
                yield runner.status()
        except EnvironmentFault:
            continue  # a runner that was killed leaves its file behind
