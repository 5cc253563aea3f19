"""``flowengine kafka topics|groups|produce|consume``: a look into any cluster."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from flowengine.errors import EnvironmentFault
from processors.kafka import tables
from processors.kafka.printing import ask, console, faults, pairs_of
from processors.kafka.targets import Target

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Bootstrap = Annotated[
    str | None,
    typer.Option(
        "--bootstrap",
        help="Brokers as host:port,host:port; or local, as when left out.",
        metavar="HOSTS",
    ),
]
Flow = Annotated[
    str | None,
    typer.Option("--flow", help="Connect as a KafkaConnection of this flow does.", metavar="FLOW"),
]
Service = Annotated[
    str | None,
    typer.Option("--service", help="Its id, where the flow has several.", metavar="NAME"),
]
Properties = Annotated[
    list[str] | None,
    typer.Option(
        "--property", help="name=value of the connection; no secrets.", metavar="NAME=VALUE"
    ),
]
PropertiesFile = Annotated[
    Path | None,
    typer.Option(
        "--properties-file",
        help="More of them, also secrets: name=value lines, JSON or TOML.",
        metavar="FILE",
    ),
]


def client(
    bootstrap: str | None,
    flow: str | None,
    service: str | None,
    properties: list[str] | None,
    file: Path | None,
) -> tuple[str, dict[str, Any]]:
    """Addresses and options of the client that a command's options mean."""
    with faults():
        return Target(bootstrap, flow, service, tuple(properties or ()), file).client()


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
    bootstrap: Bootstrap = None,
    flow: Flow = None,
    service: Service = None,
    property_: Properties = None,
    file: PropertiesFile = None,
) -> None:
    """List topics, show one, make one (--create) or delete one (--delete)."""
    from processors.kafka import admin

    hosts, options = client(bootstrap, flow, service, property_, file)
    if create:
        with faults():
            settings = pairs_of("--config", config or [])
        ask(admin.create_topic(hosts, create, partitions, replication, settings, **options))
        typer.echo(f"topic {create} created with {partitions} partitions")
    elif delete:
        if not yes:
            typer.confirm(f"Delete topic {delete} with all its messages?", abort=True)
        ask(admin.delete_topic(hosts, delete, **options))
        typer.echo(f"topic {delete} deleted")
    elif name:
        console().print(tables.partitions_table(ask(admin.describe_topic(hosts, name, **options))))
    else:
        found = [
            each
            for each in ask(admin.list_topics(hosts, **options))
            if internal or not each.internal
        ]
        console().print(tables.topics_table(found) if found else "no topics")


@app.command(epilog="Examples: flowengine kafka groups; flowengine kafka groups readers")
def groups(
    name: Annotated[str | None, typer.Argument(help="Show its members and lag.")] = None,
    bootstrap: Bootstrap = None,
    flow: Flow = None,
    service: Service = None,
    property_: Properties = None,
    file: PropertiesFile = None,
) -> None:
    """List consumer groups, or show one: members, partitions, committed offsets, lag."""
    from processors.kafka import admin

    hosts, options = client(bootstrap, flow, service, property_, file)
    if name is None:
        names = ask(admin.list_groups(hosts, **options))
        typer.echo("\n".join(names) if names else "no groups")
        return
    group = ask(admin.describe_group(hosts, name, **options))
    assignor = f", {group.assignor}" if group.assignor else ""
    typer.echo(f"group {group.name}: {group.state}{assignor}, lag {group.lag}")
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
    bootstrap: Bootstrap = None,
    flow: Flow = None,
    service: Service = None,
    property_: Properties = None,
    file: PropertiesFile = None,
) -> None:
    """Send each line of standard input, or each --value, as a message."""
    from processors.kafka import messages

    hosts, options = client(bootstrap, flow, service, property_, file)
    lines = value if value else (line.rstrip("\r\n") for line in sys.stdin)
    pairs = (_pair(line, key, separator) for line in lines)
    count = ask(messages.produce(hosts, topic, pairs, **options))
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
    bootstrap: Bootstrap = None,
    flow: Flow = None,
    service: Service = None,
    property_: Properties = None,
    file: PropertiesFile = None,
) -> None:
    """Print messages as partition, offset, key, value and timestamp, with tabs between."""
    hosts, options = client(bootstrap, flow, service, property_, file)
    if group is not None and (partition is not None or start_at.isdecimal()):
        with faults():
            raise EnvironmentFault(
                "kafka option '--group' must stand without '--partition' and without an offset; "
                "got both; the group decides who reads what, and from where"
            )
    where = (_place(start_at), partition, maximum, until_end, group)
    try:
        ask(_print_messages(hosts, topic, where, options, headers=headers))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


async def _print_messages(
    hosts: str, topic: str, where: tuple[Any, ...], options: dict[str, Any], *, headers: bool
) -> None:
    from processors.kafka.messages import ReadFrom
    from processors.kafka.messages import consume as read

    async for message in read(hosts, topic, ReadFrom(*where), **options):
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
