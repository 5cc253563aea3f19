"""``flowengine run``: one flow in this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowengine.cli.places import DataDirOption, FlowArgument, flow_file
from flowengine.cli.quicken import quicken
from flowengine.cli.reporting import Debugging
from flowengine.config import RepositoryKind, read_settings
from flowengine.errors import DefinitionError

if TYPE_CHECKING:
    from flowengine.cli.runner import RemovedChoice
    from flowengine.definition.flat import LoadedFlow
    from flowengine.definition.load import Options

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(
    epilog="Example: flowengine run flows/users-producer.json --set brokers=localhost:9092"
)
def run(
    flow: FlowArgument,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Value of a parameter; repeatable."),
    ] = None,
    param_file: Annotated[
        Path | None,
        typer.Option(
            "--param-file", metavar="FILE", help="Values of parameters: JSON, TOML or lines."
        ),
    ] = None,
    data_dir: DataDirOption = None,
    repository: Annotated[
        RepositoryKind | None,
        typer.Option(help="Keep queues on disk, or in memory only (for tests)."),
    ] = None,
    until_complete: Annotated[
        bool, typer.Option("--until-complete", help="End when nothing is left to do.")
    ] = False,
    drain_timeout: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="How long a stop lets queues empty, such as '5 sec'."),
    ] = None,
    drain_removed: Annotated[
        bool,
        typer.Option("--drain-removed", help="Let the old definition empty removed queues first."),
    ] = False,
    drop_removed: Annotated[
        bool, typer.Option("--drop-removed", help="Throw away what removed queues hold.")
    ] = False,
    listen: Annotated[
        str | None,
        typer.Option(metavar="ADDR", help="Offer the control API at HOST:PORT as well."),
    ] = None,
    secret_store: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Encrypted store that sensitive parameters name."),
    ] = None,
) -> None:
    """Run a flow until it is complete or stopped.

    Ctrl-C, or SIGTERM, stops the sources and lets the queues empty themselves for the drain
    timeout; a second Ctrl-C stops at once. Neither loses anything: what is queued waits in the
    data directory for the next run.

    Exit codes: 0 done, 1 the definition must be edited, 2 something failed, 3 stopped with
    FlowFiles queued, 130 interrupted. The ledger is printed at the end.
    """
    quicken()
    from flowengine.cli.parameters import parameters, sources
    from flowengine.cli.runner import Plan, run_flow
    from flowengine.definition.load import Options

    flags = {
        "data_dir": data_dir,
        "repository": repository and repository.value,
        "drain_timeout": drain_timeout,
        "listen": listen,
        "secret_store": secret_store,
    }
    settings = read_settings(flags)
    file = flow_file(flow)
    directory = settings.data_directory(file)
    options = Options(parameters(set_ or [], param_file), sources=sources(settings))
    plan = Plan(
        flow=_load(file, options, set_ or []),
        options=options,
        data_dir=directory,
        settings=settings,
        removed=_choice(drain_removed, drop_removed),
        until_complete=until_complete,
    )
    Debugging.file = directory / "logs" / "crash.log"
    raise typer.Exit(int(run_flow(plan)))


def _load(file: Path, options: Options, pairs: Sequence[str]) -> LoadedFlow:
    """The flow, checked; its warnings are printed."""
    from flowengine.cli.parameters import refuse_open_secrets
    from flowengine.definition.load import check_flow
    from flowengine.findings import FlowInvalid

    flow, findings = check_flow(file, options)
    if flow is None:
        raise FlowInvalid(findings)
    refuse_open_secrets(flow, pairs)
    for finding in findings:
        typer.echo(str(finding), err=True)
    return flow


def _choice(drain: bool, drop: bool) -> RemovedChoice:
    from flowengine.cli.runner import RemovedChoice

    if drain and drop:
        raise DefinitionError(
            "options '--drain-removed' and '--drop-removed' must not be given together; got both"
        )
    if drain:
        return RemovedChoice.DRAIN
    return RemovedChoice.DROP if drop else RemovedChoice.REFUSE
