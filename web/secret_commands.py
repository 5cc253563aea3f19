"""``flowengine server secrets …``: the encrypted store of a data directory, from its machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from flowengine.errors import DefinitionError
from flowengine.secret_store import SecretStore, new_key

secrets_app = typer.Typer(
    help="The encrypted store of a server's data directory.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", metavar="DIR", help="As given to `flowengine serve`.")
]


def _store(data_dir: Path | None) -> SecretStore:
    from flowengine.config import read_settings

    settings = read_settings({"data_root": str(data_dir)} if data_dir else None)
    key = settings["secret_key_file"]
    return SecretStore(settings.secret_store, settings.project / key if key else None)


@secrets_app.command("list", epilog="Example: flowengine server secrets list")
def list_secrets(data_dir: DataDir = None) -> None:
    """List names, and whether each has a value. Values are never shown."""
    store = _store(data_dir)
    for name, entry in sorted(store.entries().items()):
        typer.echo(f"{name}: {'set' if entry.sealed is not None else 'lost, enter it again'}")
    if problem := store.problem():
        typer.echo(problem, err=True)
        raise typer.Exit(2)


@secrets_app.command("set", epilog="Example: flowengine server secrets set kafka-password")
def set_secret(name: str, data_dir: DataDir = None) -> None:
    """Enter a secret. It is asked for, or read from standard input; never give it as an argument.

    Running flows take it when they start again.
    """
    value = (
        typer.prompt("value", hide_input=True)
        if sys.stdin.isatty()
        else sys.stdin.read().removesuffix("\n").removesuffix("\r")
    )
    _store(data_dir).put(name, value)
    typer.echo(f"secret {name!r} is set")


@secrets_app.command("remove", epilog="Example: flowengine server secrets remove kafka-password")
def remove_secret(name: str, data_dir: DataDir = None) -> None:
    """Forget a secret."""
    if not _store(data_dir).remove(name):
        raise DefinitionError(f"secret must be one of the store; got {name!r}")
    typer.echo(f"secret {name!r} is removed")


@secrets_app.command("rotate", epilog="Example: flowengine server secrets rotate")
def rotate(
    data_dir: DataDir = None,
    lost: Annotated[
        bool, typer.Option("--lost", help="Give up values whose key is lost; names stay.")
    ] = False,
) -> None:
    """Seal all secrets with a new key and drop the old one. Safe while flows and servers run.

    A key that you keep elsewhere: put the new one on its first line, rotate, then take away the
    old lines.
    """
    store = _store(data_dir)
    if lost:
        for name in store.forget_lost():
            typer.echo(f"secret {name!r} must be entered again")
    dropped = store.rotate()
    typer.echo(f"{len(store)} secrets are sealed with the first key of {store.key_file}")
    if not dropped:
        typer.echo("keys on other lines of that file may be removed now")


@secrets_app.command("key", epilog="Example: flowengine server secrets key > /root/secret-key")
def key() -> None:
    """Print a new key, for a file or systemd credential that you keep yourself."""
    typer.echo(new_key())
