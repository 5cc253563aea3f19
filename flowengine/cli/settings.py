"""``flowengine config``: every setting with its origin."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from flowengine.config import PREFIX, SETTINGS, Settings, read_settings

app = typer.Typer(rich_markup_mode=None, add_completion=False)


def _option(name: str, metavar: str) -> Any:
    """The option that sets a setting, described as the setting is."""
    (setting,) = (one for one in SETTINGS if one.name == name)
    return typer.Option(setting.flag, metavar=metavar, help=setting.description)


@app.command(epilog="Example: flowengine config --json")
def config(
    data_root: Annotated[str | None, _option("data_root", "DIR")] = None,
    data_dir: Annotated[str | None, _option("data_dir", "DIR")] = None,
    repository: Annotated[str | None, _option("repository", "KIND")] = None,
    memory_budget: Annotated[str | None, _option("memory_budget", "SIZE")] = None,
    drain_timeout: Annotated[str | None, _option("drain_timeout", "TIME")] = None,
    listen: Annotated[str | None, _option("listen", "ADDR")] = None,
    log_level: Annotated[str | None, _option("log_level", "LEVEL")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show every setting, its value and where that comes from.

    Later ones win: defaults, the nearest flowengine.toml in this folder or above, environment
    variables FLOWENGINE_NAME, options.
    """
    flags = {
        "data_root": data_root,
        "data_dir": data_dir,
        "repository": repository,
        "memory_budget": memory_budget,
        "drain_timeout": drain_timeout,
        "listen": listen,
        "log_level": log_level,
    }
    settings = read_settings(flags)
    if as_json:
        chosen = settings.chosen.values()
        data = {one.setting.name: {"value": one.text, "origin": one.origin} for one in chosen}
        typer.echo(json.dumps(data, indent=2, ensure_ascii=False))
        return
    _print(settings)


def _print(settings: Settings) -> None:
    from rich.table import Table

    from flowengine.cli.tables import console

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("setting", "value", "origin", "meaning"):
        table.add_column(title)
    for one in settings.chosen.values():
        value = "–" if one.text is None else one.text
        table.add_row(one.setting.name, value, one.origin, one.setting.description)
    console().print(table)
    for line in other_variables(os.environ):
        typer.echo(line)


def other_variables(environment: Mapping[str, str]) -> list[str]:
    """Variables with our prefix that set no setting: of other packages, or misspelled."""
    known = {setting.variable for setting in SETTINGS}
    names = sorted(name for name in environment if name.startswith(PREFIX) and name not in known)
    return [f"{name} is set, and is no setting of this list" for name in names]
