"""What a running flow shows: a live table on a terminal, else a line per second when it changes."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import typer

from flowengine.units import format_size

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from flowengine.engine import Engine
    from flowengine.status import FlowStatus

LINE_SECONDS = 1.0
TABLE_SECONDS = 0.5


async def show(engine: Engine) -> None:
    """Show the flow until cancelled."""
    if sys.stderr.isatty():
        await _live(engine)
    else:
        await _lines(engine)


async def _lines(engine: Engine) -> None:
    last = ""
    while True:
        await asyncio.sleep(LINE_SECONDS)
        ledger = engine.assembly.core.ledger.line(engine.assembly.queued)
        if ledger != last:
            typer.echo(f"{_seconds(engine)} s: {ledger}", err=True)
        last = ledger


def _seconds(engine: Engine) -> int:
    return (engine.clock.wall() - engine.started_at) // 1_000_000


async def _live(engine: Engine) -> None:
    from rich.console import Console
    from rich.live import Live

    from flowengine.status import snapshot

    console = Console(stderr=True, highlight=False)
    with Live(console=console, auto_refresh=False) as live:
        try:
            while True:
                live.update(picture(snapshot(engine)), refresh=True)
                await asyncio.sleep(TABLE_SECONDS)
        finally:
            live.update(picture(snapshot(engine)), refresh=True)


def picture(status: FlowStatus) -> Group:
    """A flow as one table, its ledger, and its last bulletins."""
    raise NotImplementedError


def table(status: FlowStatus) -> Table:
    raise NotImplementedError(format_size(0))
