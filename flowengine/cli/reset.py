"""``flowengine reset``: forget queues, states or positions of a stopped flow."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowengine.cli.places import DataDirOption, FlowArgument, data_directory, flow_file
from flowengine.cli.words import counted
from flowengine.config import read_settings
from flowengine.errors import DefinitionError

if TYPE_CHECKING:
    from flowengine.definition.flat import LoadedFlow
    from flowengine.maintenance import Target
    from flowengine.repository.store import Store

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(epilog="Example: flowengine reset flows/users-consumer.json --offsets earliest")
def reset(
    flow: FlowArgument,
    state: Annotated[
        bool,
        typer.Option("--state", help="Forget the state of all processors, so sources begin anew."),
    ] = False,
    queues: Annotated[
        bool, typer.Option("--queues", help="Throw away every queued FlowFile.")
    ] = False,
    offsets: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN",
            help="Let consumers go on from earliest, latest, or a time such as 2025-01-31T12:00.",
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Value of a parameter, for --offsets."),
    ] = None,
    param_file: Annotated[
        Path | None,
        typer.Option("--param-file", metavar="FILE", help="Values of parameters, for --offsets."),
    ] = None,
    data_dir: DataDirOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Forget the queues, the state or the positions of a stopped flow.

    On a terminal it asks first. A running flow is refused: stop it before.
    """
    from flowengine.maintenance import parse_target, stopped_store

    if not (state or queues or offsets):
        raise DefinitionError(
            "reset must be told what to forget; got nothing; choose '--state', '--queues' or "
            "'--offsets'"
        )
    target = parse_target(offsets) if offsets else None
    loaded = None if target is None else _loaded(flow, set_ or [], param_file)
    directory = data_directory(flow, read_settings({"data_dir": data_dir}))
    with stopped_store(directory) as store:
        _confirm(directory, yes, state=state, queues=queues, offsets=offsets)
        _forget(store, queues=queues, state=state)
        if loaded is not None and target is not None:
            _move(store, loaded, target)


def _loaded(flow: str, pairs: Sequence[str], param_file: Path | None) -> LoadedFlow:
    from flowengine.cli.parameters import parameters, sources
    from flowengine.definition.load import load_flow

    given = parameters(pairs, param_file)
    return load_flow(flow_file(flow), given, sources=sources(read_settings()))


def _confirm(directory: Path, yes: bool, *, state: bool, queues: bool, offsets: str | None) -> None:
    if yes or not sys.stdin.isatty():
        return
    what = ["all queued FlowFiles"] if queues else []
    what += ["the state of all processors"] if state else []
    forgotten = f"forget {' and '.join(what)}" if what else ""
    moved = f"read on from {offsets}" if offsets else ""
    question = " and ".join(part for part in (forgotten, moved) if part)
    typer.confirm(f"{directory}: {question}?", abort=True)


def _forget(store: Store, *, queues: bool, state: bool) -> None:
    from flowengine.maintenance import forget_queues, forget_states

    if queues:
        typer.echo(f"threw away {counted(forget_queues(store), 'queued FlowFile')}")
    if state:
        typer.echo(f"forgot {counted(forget_states(store), 'value')} of processor state")


def _move(store: Store, flow: LoadedFlow, target: Target) -> None:
    from flowengine.maintenance import reset_positions

    count = asyncio.run(reset_positions(store, flow, target))
    typer.echo(f"set {counted(count, 'position')}")
