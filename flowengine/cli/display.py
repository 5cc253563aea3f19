"""What a running flow shows: a live table on a terminal, else a line per second when it changes."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import msgspec
import typer

from flowengine.status import snapshot

if TYPE_CHECKING:
    from flowengine.engine import Engine

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
        core = engine.assembly.core
        line = core.ledger.line(engine.assembly.queued)
        if line != last:
            seconds = (engine.clock.wall() - engine.started_at) // 1_000_000
            typer.echo(f"{seconds} s: {line}", err=True)
        last = line


async def _live(engine: Engine) -> None:
    from rich.console import Console
    from rich.live import Live

    from flowengine.cli.tables import picture

    console = Console(stderr=True, highlight=False)
    with Live(console=console, auto_refresh=False) as live:
        try:
            while True:
                live.update(picture(snapshot(engine)), refresh=True)
                await asyncio.sleep(TABLE_SECONDS)
        finally:
            ended = msgspec.structs.replace(snapshot(engine), state="ended")
            live.update(picture(ended, ledger=False), refresh=True)
