"""``flowengine backup`` and ``restore``: one cut of a flow's data directory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from flowengine.cli.places import DataDirOption, FlowArgument, data_directory
from flowengine.cli.words import counted
from flowengine.config import read_settings
from flowengine.units import format_size

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(epilog="Example: flowengine backup users-producer backups/monday")
def backup(
    flow: FlowArgument,
    target: Annotated[Path, typer.Argument(metavar="DIR", help="New or empty folder.")],
    data_dir: DataDirOption = None,
) -> None:
    """Copy one consistent cut of a flow, running or stopped.

    It holds queues, positions, states and contents. A running flow goes on meanwhile.
    """
    from flowengine.control.client import ControlClient, is_running

    directory = data_directory(flow, read_settings({"data_dir": data_dir}))
    if is_running(directory):
        with ControlClient(directory) as runner:
            done = runner.backup(target)
    else:
        done = _backup_stopped(directory, target.absolute())
    typer.echo(_summary(target, done))


def _backup_stopped(directory: Path, target: Path) -> dict[str, Any]:
    from flowengine.control.backup import backup_stopped
    from flowengine.maintenance import stopped_store

    with stopped_store(directory):
        return backup_stopped(directory, target)


def _summary(target: Path, done: dict[str, Any]) -> str:
    files = f" and {counted(done['files'], 'content file')}" if done["files"] else ""
    return f"backed up to {target}: {format_size(done['bytes'])} of store{files}"


@app.command(epilog="Example: flowengine restore users-producer backups/monday")
def restore(
    flow: FlowArgument,
    source: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `backup` made.")],
    data_dir: DataDirOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what the data directory holds.")
    ] = False,
) -> None:
    """Put a backup into the data directory of a stopped flow.

    The backup is checked before. The next run goes on from its cut.
    """
    from flowengine.restoring import restore_backup

    directory = data_directory(flow, read_settings({"data_dir": data_dir}))
    queued = restore_backup(source, directory, force=force)
    typer.echo(f"restored {directory} from {source}: {counted(queued, 'FlowFile')} queued")
