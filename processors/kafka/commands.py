"""``flowengine kafka …``: a real broker for this machine, and a look at any cluster."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from flowengine.errors import EnvironmentFault, FlowEngineError
from processors.kafka import tables
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
from processors.kafka.broker.state import find_local, load_state, local_bootstrap

T = TypeVar("T")
LOCAL = "local"
FAULT_EXIT = 2
NOT_RUNNING_EXIT = 3
PIPE_WIDTH = 160  # columns, where there is no terminal that has a width

app = typer.Typer(
    help="Run a real Apache Kafka on this machine, and look into any cluster.",
    epilog="Example: flowengine kafka start",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
)

Bootstrap = Annotated[
    str,
    typer.Option("--bootstrap", help="Brokers as host:port,host:port; or local.", metavar="HOSTS"),
]


@contextmanager
def faults() -> Iterator[None]:
    """Print an error of ours as one message, without a traceback, and exit with 2."""
    try:
        yield
    except FlowEngineError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(FAULT_EXIT) from error


def ask(question: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine; the client's remarks about reconnecting and rebalancing stay hidden."""
    remarks = logging.getLogger("aiokafka")
    level = remarks.level
    remarks.setLevel(logging.CRITICAL)
    try:
        with faults():
            return asyncio.run(question)
    finally:
        remarks.setLevel(level)


def resolved(bootstrap: str) -> str:
    """The address behind ``local``."""
    with faults():
        return local_bootstrap() if bootstrap == LOCAL else bootstrap


def console() -> Console:
    """Made at each use, so that it writes to the standard output of that moment."""
    plain = Console(highlight=False)
    return plain if plain.is_terminal else Console(highlight=False, width=PIPE_WIDTH)


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
        request = StartRequest(brokers, port, folder, _settings("--set", setting or []), fresh)
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


def _settings(option: str, pairs: list[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise EnvironmentFault(f"kafka option {option!r} must be name=value; got {pair!r}")
    return dict(pair.split("=", 1) for pair in pairs)


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


# -- topics and groups ---------------------------------------------------------------------------


@app.command(
    epilog="Examples: flowengine kafka topics; flowengine kafka topics users; "
    "flowengine kafka topics --create users --partitions 3; flowengine kafka topics "
    "--create sensors --config message.timestamp.type=LogAppendTime"
)
def topics(
    name: Annotated[str | None, typer.Argument(help="Show this topic's partitions.")] = None,
    create: Annotated[str | None, typer.Option(help="Make a topic.", metavar="NAME")] = None,
    delete: Annotated[str | None, typer.Option(help="Delete a topic.", metavar="NAME")] = None,
    partitions: Annotated[int, typer.Option(help="Of the new topic.", min=1)] = 1,
    replication: Annotated[
        int | None, typer.Option(help="Copies; the broker's default when left out.", min=1)
    ] = None,
    config: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Kafka's setting of the new topic; repeatable."),
    ] = None,
    internal: Annotated[bool, typer.Option("--internal", help="List Kafka's own too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
    bootstrap: Bootstrap = LOCAL,
) -> None:
    """List topics, show one, make one (--create) or delete one (--delete)."""
    from processors.kafka import admin

    hosts = resolved(bootstrap)
    if create:
        with faults():
            settings = _settings("--config", config or [])
        ask(admin.create_topic(hosts, create, partitions, replication, settings))
        typer.echo(f"topic {create} created with {partitions} partitions")
    elif delete:
        if not yes:
            typer.confirm(f"Delete topic {delete} with all its messages?", abort=True)
        ask(admin.delete_topic(hosts, delete))
        typer.echo(f"topic {delete} deleted")
    elif name:
        console().print(tables.partitions_table(ask(admin.describe_topic(hosts, name))))
    else:
        found = [each for each in ask(admin.list_topics(hosts)) if internal or not each.internal]
        console().print(tables.topics_table(found) if found else "no topics")


@app.command(epilog="Examples: flowengine kafka groups; flowengine kafka groups readers")
def groups(
    name: Annotated[str | None, typer.Argument(help="Show its members and lag.")] = None,
    bootstrap: Bootstrap = LOCAL,
) -> None:
    """List consumer groups, or show one: members, partitions, committed offsets, lag."""
    from processors.kafka import admin

    hosts = resolved(bootstrap)
    if name is None:
        names = ask(admin.list_groups(hosts))
        typer.echo("\n".join(names) if names else "no groups")
        return
    group = ask(admin.describe_group(hosts, name))
    assignor = f", {group.assignor}" if group.assignor else ""
    typer.echo(f"group {group.name}: {group.state.lower()}{assignor}, lag {group.lag}")
    console().print(tables.members_table(group))
    console().print(tables.positions_table(group))


# -- messages ------------------------------------------------------------------------------------


@app.command(epilog="Example: echo hello | flowengine kafka produce users --key alice")
def produce(
    topic: Annotated[str, typer.Argument(help="Where to send.")],
    value: Annotated[list[str] | None, typer.Option(help="A message; may be repeated.")] = None,
    key: Annotated[str | None, typer.Option(help="Key of every message.")] = None,
    separator: Annotated[
        str | None, typer.Option("--key-separator", help="Each line is KEY<separator>VALUE.")
    ] = None,
    bootstrap: Bootstrap = LOCAL,
) -> None:
    """Send each line of standard input, or each --value, as a message."""
    from processors.kafka import messages

    lines = value if value else (line.rstrip("\r\n") for line in sys.stdin)
    pairs = (_pair(line, key, separator) for line in lines)
    count = ask(messages.produce(resolved(bootstrap), topic, pairs))
    typer.echo(f"{count} messages sent to {topic}")


def _pair(line: str, key: str | None, separator: str | None) -> tuple[bytes | None, bytes]:
    if separator is not None:
        if separator not in line:
            raise EnvironmentFault(f"kafka message must hold the separator {separator!r}; got none")
        key, line = line.split(separator, 1)
    return key.encode() if key is not None else None, line.encode()


@app.command(epilog="Example: flowengine kafka consume users --from beginning --until-end")
def consume(
    topic: Annotated[str, typer.Argument(help="What to read.")],
    start_at: Annotated[
        str, typer.Option("--from", help="beginning, end, or an offset.", metavar="PLACE")
    ] = "beginning",
    partition: Annotated[int | None, typer.Option(help="Only this one.")] = None,
    maximum: Annotated[int | None, typer.Option("--max", help="Stop after so many.")] = None,
    group: Annotated[str | None, typer.Option(help="Join this group and commit.")] = None,
    until_end: Annotated[bool, typer.Option("--until-end", help="Stop at the end.")] = False,
    headers: Annotated[bool, typer.Option("--headers", help="Print headers, too.")] = False,
    bootstrap: Bootstrap = LOCAL,
) -> None:
    """Print messages as partition, offset, key, value and timestamp, with tabs between."""
    hosts = resolved(bootstrap)
    if group is not None and (partition is not None or start_at.isdecimal()):
        with faults():
            raise EnvironmentFault(
                "kafka option '--group' must stand without '--partition' and without an offset; "
                "got both; the group decides who reads what, and from where"
            )
    place = (_place(start_at), partition, maximum, until_end, group)
    try:
        ask(_print_messages(hosts, topic, headers, *place))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


async def _print_messages(hosts: str, topic: str, headers: bool, *place: Any) -> None:
    from processors.kafka.messages import ReadFrom
    from processors.kafka.messages import consume as read

    async for message in read(hosts, topic, ReadFrom(*place)):
        print(tables.message_line(message, headers), flush=True)


def _place(text: str) -> str | int:
    if text in ("beginning", "end"):
        return text
    if text.isdecimal():
        return int(text)
    with faults():
        raise EnvironmentFault(
            f"kafka option '--from' must be 'beginning', 'end' or an offset; got {text!r}"
        )
    raise AssertionError("unreachable")
