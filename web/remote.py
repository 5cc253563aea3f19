"""``flowengine server …``: drive a running server from the shell, and manage its users."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowengine.errors import DefinitionError
from web.secret_commands import secrets_app

if TYPE_CHECKING:
    from web.client import ServerClient
    from web.client_api.api import Api
    from web.client_api.models import FlowState, FlowSummary
    from web.security.accounts import Accounts

server_app = typer.Typer(
    help="Drive a server of `flowengine serve` from the shell.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
)
users_app = typer.Typer(help="Users of a server's data directory.", no_args_is_help=True)
server_app.add_typer(users_app, name="users")
server_app.add_typer(secrets_app, name="secrets")

Url = Annotated[
    str,
    typer.Option("--server", metavar="URL", envvar="FLOWENGINE_SERVER", help="Address."),
]
Flow = Annotated[str, typer.Argument(metavar="FLOW", help="Id of the flow.")]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", metavar="DIR", help="As given to `flowengine serve`.")
]
LOCAL = "http://127.0.0.1:8700"


def _client(url: str) -> ServerClient:
    """A client with the token of the environment."""
    from web.client import ServerClient
    from web.config import TOKEN

    token = os.environ.get(TOKEN, "")
    if not token:
        raise DefinitionError(
            f"environment variable {TOKEN} must hold a token of the server; got none"
        )
    return ServerClient(url, token)


def _print(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


@server_app.command(epilog="Example: flowengine server flows")
def flows(url: Url = LOCAL, as_json: Json = False) -> None:
    """List flows: state, queued FlowFiles, errors, what is undeployed."""
    with _client(url) as server:
        found = list(_all_flows(server.api))
    if as_json:
        _print([flow.model_dump() for flow in found])
        return
    for flow in found:
        ahead = {"draft": flow.draft_ahead, "file": flow.file_ahead}
        words = [word for word, is_ahead in ahead.items() if is_ahead]
        undeployed = f"; undeployed: {', '.join(words)}" if words else ""
        counts = f"{flow.queued} queued, {flow.errors} errors"
        typer.echo(f"{flow.id}: {flow.state}, {counts}{undeployed}")


def _all_flows(api: Api) -> Iterator[FlowSummary]:
    """All pages of the list."""
    page = api.flows_flows()
    yield from page.flows
    while page.next is not None:
        page = api.flows_flows(cursor=page.next)
        yield from page.flows


@server_app.command(epilog="Example: flowengine server start users-producer")
def start(flow: Flow, url: Url = LOCAL) -> None:
    """Start a flow; no effect when it runs."""
    with _client(url) as server:
        _say(server.api.running_start(flow))


@server_app.command(epilog="Example: flowengine server stop users-producer --now")
def stop(
    flow: Flow,
    url: Url = LOCAL,
    now: Annotated[bool, typer.Option("--now", help="Do not let queues empty first.")] = False,
) -> None:
    """Stop a flow; nothing that is queued is lost."""
    from web.client_api.models import BodyRunningStop

    with _client(url) as server:
        _say(server.api.running_stop(flow, BodyRunningStop(drain=not now)))


def _say(found: FlowState) -> None:
    typer.echo(f"{found.id}: {found.state}")
    if found.state == "failed":
        typer.echo(found.reason, err=True)
        raise typer.Exit(2)


@server_app.command(epilog="Example: flowengine server status users-producer")
def status(flow: Flow, url: Url = LOCAL) -> None:
    """Everything about a flow now, as JSON."""
    with _client(url) as server:
        _print(server.api.looking_status(flow).model_dump())


@server_app.command(epilog="Example: flowengine server deploy users-producer new.json")
def deploy(
    flow: Flow,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Definition to deploy; the draft when left out."),
    ] = None,
    url: Url = LOCAL,
    removed: Annotated[
        str, typer.Option(metavar="drain|drop", help="What becomes of queues that are gone.")
    ] = "",
) -> None:
    """Deploy a flow's draft, or a definition from a file."""
    from web.client_api.models import Choices, NewText

    if removed not in ("", "drain", "drop"):
        raise DefinitionError(f"option '--removed' must be 'drain' or 'drop'; got {removed!r}")
    choices = Choices.model_validate({"removed": removed})
    with _client(url) as server:
        api = server.api
        if file is not None:
            text = NewText(text=file.read_text(encoding="utf-8"))
            api.flows_replace(flow, text, if_match=f'"{api.flows_read(flow).revision}"')
        seq = api.drafting_draft(flow).seq
        found = api.drafting_deploy(flow, choices, if_match=f'"{seq}"')
    typer.echo(f"{flow}: version {found.version}")


@server_app.command(epilog="Example: flowengine server diff users-producer --from 3")
def diff(
    flow: Flow,
    url: Url = LOCAL,
    from_: Annotated[str, typer.Option("--from", help="deployed, file or a version.")] = "deployed",
    to: Annotated[str, typer.Option(help="draft, file or a version.")] = "draft",
) -> None:
    """Show what differs between two definitions of a flow."""
    with _client(url) as server:
        found = server.api.drafting_diff(flow, from_=from_, to=to)
    for change in found.changes:
        words = f"{change.kind} {change.type} {change.component!r}"
        if change.kind == "changed":
            values = (json.dumps(v, ensure_ascii=False) for v in (change.before, change.after))
            words += f" {change.property}: {' → '.join(values)}"
        typer.echo(words)


@server_app.command(epilog="Example: flowengine server queue users-producer throttle-publish")
def queue(
    flow: Flow,
    connection: Annotated[str, typer.Argument(metavar="CONNECTION", help="Id of the queue.")],
    url: Url = LOCAL,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most FlowFiles.")] = 10,
    newest: Annotated[bool, typer.Option("--newest", help="The last ones first.")] = False,
) -> None:
    """Show FlowFiles that wait in a connection, as JSON."""
    with _client(url) as server:
        found = server.api.looking_flowfiles(flow, connection, limit=limit, newest=newest)
    _print(found.model_dump(exclude_unset=True))


# -- users -------------------------------------------------------------------------------------


def _accounts(data_dir: Path | None) -> Accounts:
    from flowengine.config import read_settings
    from web.config import OWN_FOLDER
    from web.security.accounts import Accounts
    from web.store import Store

    root = data_dir or read_settings().data_root
    return Accounts(Store(root / OWN_FOLDER / "server.db"), None)


@users_app.command("add", epilog="Example: flowengine server users add ann --role editor")
def add_user(
    name: str,
    role: Annotated[str, typer.Option(help="viewer, operator, editor or admin.")] = "viewer",
    data_dir: DataDir = None,
) -> None:
    """Add a user, or change one. The password is asked for, or read from standard input."""
    terminal = sys.stdin.isatty()
    password = (
        typer.prompt("password", hide_input=True, confirmation_prompt=True)
        if terminal
        else sys.stdin.readline().rstrip("\n")
    )
    _accounts(data_dir).put_user(name, role, password)
    typer.echo(f"user {name!r} is {role}")


@users_app.command("remove", epilog="Example: flowengine server users remove ann")
def remove_user(name: str, data_dir: DataDir = None) -> None:
    """Forget a user with all sessions and tokens."""
    if not _accounts(data_dir).remove_user(name):
        raise DefinitionError(f"user must be a known one; got {name!r}")
    typer.echo(f"user {name!r} is removed")


@users_app.command("list", epilog="Example: flowengine server users list")
def list_users(data_dir: DataDir = None) -> None:
    """List users and their roles."""
    for name, role in _accounts(data_dir).users().items():
        typer.echo(f"{name}: {role.label}")


@users_app.command("token", epilog="Example: flowengine server users token ann")
def make_token(name: str, label: str = "", data_dir: DataDir = None) -> None:
    """Make a token for scripts of a user. It is printed this once."""
    typer.echo(_accounts(data_dir).make_token(name, label))
