"""The root command: which commands there are, and where each one lives.

Commands of other packages come from the entry-point group ``flowengine.commands`` and are imported
when used. One that cannot be imported is listed with its reason and breaks no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from flowengine import registry
from flowengine.cli.reporting import Debugging
from flowengine.errors import EnvironmentFault

if TYPE_CHECKING:
    from typer._click import Command, Context, HelpFormatter

SECTIONS: Mapping[str, Mapping[str, str]] = {
    "Flows": {
        "run": "flowengine.cli.run",
        "validate": "flowengine.cli.validate",
        "test": "flowengine.cli.test",
        "new": "flowengine.cli.definition",
        "examples": "flowengine.cli.examples",
        "fmt": "flowengine.cli.definition",
        "schema": "flowengine.cli.definition",
    },
    "Running flows": {
        "status": "flowengine.cli.live",
        "queue": "flowengine.cli.queue",
    },
    "Data directories": {
        "reset": "flowengine.cli.reset",
        "backup": "flowengine.cli.backup",
        "restore": "flowengine.cli.backup",
    },
    "Reference": {
        "list": "flowengine.cli.catalogue",
        "show": "flowengine.cli.catalogue",
        "docs": "flowengine.cli.docs",
        "config": "flowengine.cli.settings",
    },
}
REMOTE = ("flows", "start", "stop", "status", "deploy", "diff", "queue")
_OTHERS = "Other packages"
HELP = {"help_option_names": ["-h", "--help"]}
_MODULES = {name: module for names in SECTIONS.values() for name, module in names.items()}


class LazyGroup(TyperGroup):
    """Imports a command when it is asked for."""

    def list_commands(self, ctx: Context) -> list[str]:
        return [*_MODULES, *(name for name in registry.command_types() if name not in _MODULES)]

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        if url := ctx.params.get("server"):
            from flowengine.cli.remote import remote_command

            if (found := remote_command(cmd_name, url)) is not None:
                return found
        if cmd_name in _MODULES:
            return load_command(cmd_name)
        if cmd_name in registry.command_types():
            return _of_package(cmd_name)
        return None

    def resolve_command(
        self, ctx: Context, args: list[str]
    ) -> tuple[str | None, Command | None, list[str]]:
        name = args[0]
        if ctx.params.get("server") and name in REMOTE:
            return super().resolve_command(ctx, args)
        if name in REMOTE and name not in _MODULES:
            ctx.fail(
                f"command {name!r} must be asked of a server; got none; "
                f"flowengine --server URL {name}"
            )
        if name not in _MODULES and name not in registry.command_types():
            known = self.list_commands(ctx)
            ctx.fail(f"command must be a known one; got {name!r}; {registry.suggest(name, known)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        sections = {title: list(names) for title, names in SECTIONS.items()}
        sections[_OTHERS] = [name for name in self.list_commands(ctx) if name not in _MODULES]
        for title, names in sections.items():
            rows = [(name, self._summary(ctx, name, formatter.width)) for name in names]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def _summary(self, ctx: Context, name: str, width: int) -> str:
        try:
            command = self.get_command(ctx, name)
        except EnvironmentFault as error:
            return f"(cannot be loaded) {error}"
        return command.get_short_help_str(width) if command else ""


def load_command(name: str) -> Command:
    """One of our own commands."""
    app: typer.Typer = import_module(_MODULES[name]).app
    command: Any = get_command(app)
    if isinstance(command, TyperGroup) and name in command.commands:
        return command.commands[name]
    command.name = name
    found: Command = command
    return found


def _of_package(name: str) -> Command:
    app = registry.command(name)
    if not isinstance(app, typer.Typer):
        raise EnvironmentFault(
            f"plug-in command {name!r} must be a typer.Typer; got {type(app).__name__}"
        )
    command = get_command(app)
    command.name = name
    return command


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"flowengine {version('flowengine')}")
        raise typer.Exit


def _root(
    server: Annotated[
        str,
        typer.Option(
            metavar="URL",
            envvar="FLOWENGINE_SERVER",
            help="Ask this server: flows, start, stop, status, deploy, diff, queue.",
        ),
    ] = "",
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Run data flows: processors joined by durable, bounded queues.

    A flow is one JSON file. `flowengine new hello` writes a first one, `flowengine run
    hello.json` runs it, and `flowengine COMMAND --help` explains each command with an example.
    """
    Debugging.shown = debug


def application() -> Any:
    """The command that the console script calls."""
    app = typer.Typer(
        cls=LazyGroup,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=HELP,
        epilog="Example: flowengine run flows/users-producer.json --until-complete",
    )
    app.callback()(_root)
    return get_command(app)
