"""``flowengine kafka …``: a real broker for this machine, and a look at any cluster."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from processors.kafka import looking, tables
from processors.kafka.broker.artifacts import (
    KAFKA_VERSION,
    Advance,
    Artifact,
    class_path,
    jar_repository,
    kafka_artifacts,
    missing,
)
from processors.kafka.broker.local import USUAL_PORT, StartRequest, start_local, stop_local
from processors.kafka.broker.places import kafka_home, prepared_jars
from processors.kafka.broker.state import find_local, load_state
from processors.kafka.printing import console, faults, pairs_of

NOT_RUNNING_EXIT = 3

app = typer.Typer(
    help="Run a real Apache Kafka on this machine, and look into any cluster.",
    epilog="Example: flowengine kafka start",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
)

# -- the broker ----------------------------------------------------------------------------------


@app.command(epilog="Example: flowengine kafka start --brokers 3")
def start(
    brokers: Annotated[
        int | None, typer.Option(help="Nodes: 1, 3, … As the last time, or 1, when left out.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port of the first; 9092 when free.")] = None,
    jars: Annotated[Path | None, typer.Option(help="Folder that `fetch --to` made.")] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="name=value for server.properties.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw old topics away.")] = False,
) -> None:
    """Start Apache Kafka on loopback. Topics are kept from one start to the next."""
    began = time.monotonic()
    with faults():
        folder = jars or prepared_jars()
        request = StartRequest(brokers, port, folder, pairs_of("--set", setting or []), fresh)
        with download_progress(jar_repository(), needed=folder is None) as advance:
            started = start_local(kafka_home(), request, advance)
    broker = started.broker
    if not started.by_us:
        typer.echo(f"kafka already runs at {broker.bootstrap}")
        if started.revived:
            typer.echo(f"node {', '.join(map(str, started.revived))} had ended and runs again")
        return
    if port is None and broker.nodes[0].port != USUAL_PORT:
        typer.echo(f"port {USUAL_PORT} is in use, another one was taken")
    seconds = time.monotonic() - began
    typer.echo(f"kafka {broker.version} is ready at {broker.bootstrap} after {seconds:.1f} s")


@contextmanager
def download_progress(repository: Path, needed: bool = True) -> Iterator[Advance]:
    """Say how much will be downloaded, then show it; silent when nothing is missing."""
    absent = missing(repository, kafka_artifacts()) if needed else ()
    if not absent:
        yield lambda count: None
        return
    total = sum(each.size for each in absent)
    console().print(_announcement(absent, total))
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    shown = console()
    with Progress(
        *columns,
        TimeRemainingColumn(),
        console=shown,
        transient=True,
        disable=not shown.is_terminal,
    ) as progress:
        task = progress.add_task("downloading", total=total)
        yield lambda count: progress.advance(task, count)


def _announcement(absent: tuple[Artifact, ...], total: int) -> str:
    return (
        f"Apache Kafka {KAFKA_VERSION}: {total / 1e6:.1f} MB in {len(absent)} files "
        "to download, once"
    )


@app.command(epilog="Example: flowengine kafka stop")
def stop() -> None:
    """Stop the broker that `start` runs. Its topics are kept."""
    began = time.monotonic()
    with faults():
        stopped = stop_local(kafka_home())
    if stopped is None:
        typer.echo("kafka does not run")
        return
    typer.echo(f"kafka at {stopped.bootstrap} stopped after {time.monotonic() - began:.1f} s")


@app.command(epilog="Example: flowengine kafka status --json")
def status(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show where the local broker runs; exit code 3 when it does not."""
    home = kafka_home()
    with faults():
        broker, noted = find_local(home), load_state(home)
    if broker is None:
        typer.echo(json.dumps({"running": False}) if as_json else "kafka does not run")
        if noted and not as_json:
            typer.echo(f"its processes have ended since {_moment(noted.started)}, see the logs in")
            typer.echo(str(noted.directory))
        raise typer.Exit(NOT_RUNNING_EXIT)
    if as_json:
        typer.echo(json.dumps(tables.status_fields(broker)))
        return
    typer.echo(f"kafka {broker.version} at {broker.bootstrap}")
    typer.echo(f"cluster {broker.cluster_id}, up {timedelta(seconds=int(broker.uptime))}")
    typer.echo(f"topics and logs in {broker.directory}")
    console().print(tables.nodes_table(broker))


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone().isoformat(" ", "seconds")


@app.command(epilog="Example: flowengine kafka fetch --to /media/stick/kafka-jars")
def fetch(
    to: Annotated[Path | None, typer.Option(help="Folder; the cache when left out.")] = None,
) -> None:
    """Download Kafka's jars, for this machine or (with --to) for one without a network.

    There: flowengine kafka start --jars FOLDER, or FLOWENGINE_KAFKA_JARS=FOLDER.
    """
    repository = to or jar_repository()
    with faults(), download_progress(repository) as advance:
        jars = class_path(repository.absolute(), advance=advance)
    typer.echo(f"{len(jars)} files are in {repository.absolute()}, all with the right SHA-256")


app.add_typer(looking.app)
