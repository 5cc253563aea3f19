"""``flowengine queue``: what waits in the connections of a running flow."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowengine.cli.places import DataDirOption, FlowArgument, data_directory, runner_on
from flowengine.cli.words import counted
from flowengine.config import read_settings
from flowengine.errors import DefinitionError, EnvironmentFault

if TYPE_CHECKING:
    from flowengine.control import ControlClient

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help="List, look into and empty the queues of a running flow.",
    epilog="Example: flowengine queue list users-producer",
)
Connection = Annotated[str, typer.Argument(metavar="CONNECTION", help="Id, as `queue list` shows.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def client(flow: str, data_dir: str | None) -> ControlClient:
    """A client of the runner of a flow."""
    return runner_on(data_directory(flow, read_settings({"data_dir": data_dir})))


@app.command("list", epilog="Example: flowengine queue list users-producer")
def list_queues(flow: FlowArgument, data_dir: DataDirOption = None, as_json: Json = False) -> None:
    """List the connections with what waits in each."""
    with client(flow, data_dir) as runner:
        connections = runner.status().connections
    if as_json:
        import msgspec

        typer.echo(msgspec.json.format(msgspec.json.encode(list(connections.values()))).decode())
        return
    from flowengine.cli.tables import connection_table, console

    console().print(connection_table(connections.values()))


@app.command(epilog="Example: flowengine queue peek users-producer throttle-publish --content 1")
def peek(
    flow: FlowArgument,
    connection: Connection,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most FlowFiles to show.")] = 10,
    newest: Annotated[bool, typer.Option("--newest", help="The last ones first.")] = False,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Only FlowFiles with this attribute; repeatable."),
    ] = None,
    content: Annotated[
        str | None,
        typer.Option(metavar="N|UUID", help="Write the content of one to standard output."),
    ] = None,
    data_dir: DataDirOption = None,
    as_json: Json = False,
) -> None:
    """Show FlowFiles that wait in a connection, the next one first. None is taken out."""
    from flowengine.cli.parameters import parse_pairs

    wanted = parse_pairs(where or [], "--where")
    with client(flow, data_dir) as runner:
        listing = runner.flowfiles(connection, limit=limit, newest=newest, **wanted)
        if content is not None:
            _write_content(runner, connection, _uuid(listing, content))
            return
    if as_json:
        typer.echo(json.dumps(listing, indent=2, ensure_ascii=False))
        return
    _print(listing)


def _uuid(listing: dict[str, Any], which: str) -> str:
    """The uuid that was meant: itself, or the n-th FlowFile of the listing, from 1."""
    if not which.isdigit():
        return which
    flowfiles = listing["flowfiles"]
    number = int(which)
    if not 1 <= number <= len(flowfiles):
        raise DefinitionError(
            f"option '--content' must be a uuid or a number from 1 to {len(flowfiles)}; got {which}"
        )
    return str(flowfiles[number - 1]["uuid"])


def _write_content(runner: ControlClient, connection: str, uuid: str) -> None:
    sys.stdout.buffer.write(runner.content(connection, uuid))
    sys.stdout.buffer.flush()


def _print(listing: dict[str, Any]) -> None:
    from flowengine.cli.tables import console, flowfile_table

    shown = listing["flowfiles"]
    if shown:
        console().print(flowfile_table(shown))
    more = "" if listing["complete"] else "; there are more"
    typer.echo(f"{len(shown)} shown of {listing['queued']} queued{more}", err=True)


@app.command(epilog="Example: flowengine queue empty users-producer throttle-publish --yes")
def empty(
    flow: FlowArgument,
    connection: Connection,
    data_dir: DataDirOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Throw away what waits in a connection. The ledger counts it as dropped."""
    with client(flow, data_dir) as runner:
        found = runner.status().connections.get(connection)
        if found is None:
            raise EnvironmentFault(
                f"flow {flow!r} must have the connection; got {connection!r}; see "
                "`flowengine queue list`"
            )
        if not yes and sys.stdin.isatty():
            question = f"throw away {counted(found.queued, 'FlowFile')} of {connection!r}?"
            typer.confirm(question, abort=True)
        typer.echo(f"threw away {counted(runner.empty(connection), 'FlowFile')}")
