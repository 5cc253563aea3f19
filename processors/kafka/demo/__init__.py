"""``flowengine demo``: the chapter's two pipelines on a real Kafka, proved and then shown live."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from processors.kafka.demo.folder import DemoFolder
from processors.kafka.demo.interruption import Interruption
from processors.kafka.demo.live import Live
from processors.kafka.demo.stage import Stage

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: flowengine demo --period '1 sec'")
def demo(
    period: Annotated[
        str, typer.Option(help="Time between two users, as the throttle of the flows says it.")
    ] = "1 sec",
    data_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="The demo's folder; the folder demo of the data root, .flowengine."
        ),
    ] = None,
    stay: Annotated[
        bool | None,
        typer.Option(
            "--stay/--no-stay",
            help="Leave a server open with both flows running; by default on a terminal.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Start Kafka, run the chapter's two pipelines and prove what happened.

    On a terminal it then serves the editor on loopback, with both flows running on, until Ctrl-C.
    Its folder holds copies of the flows, what they wrote, logs and Kafka's topics; the next demo
    there begins anew, and keeps flows that were changed in a folder flows-kept-N.

    Exit codes: 0 every user arrived once in each group (also when Ctrl-C ended the server
    afterwards), 1 something differs, 2 something could not be started, 130 Ctrl-C before the proof.
    """
    plain = Console(highlight=False)
    console = plain if plain.is_terminal else Console(highlight=False, width=110)
    with Interruption().heeded(last=True) as interruption, ExitStack() as stack:
        folder = DemoFolder(_place(data_dir))
        stack.enter_context(folder.opened(console))
        stage = Stage(folder, period, console, interruption)
        stack.enter_context(stage.kafka())
        problems = stage.play()
        for problem in problems:
            console.print(f"[red]difference:[/red] {problem}")
        if problems:
            raise typer.Exit(1)
        console.print("[green]proved:[/green] every user is in the topic and in both groups, once.")
        if sys.stdout.isatty() if stay is None else stay:
            Live(folder, stage.bootstrap, period, console, interruption).show()


def _place(data_dir: Path | None) -> Path:
    from flowengine.config import read_settings

    return data_dir.absolute() if data_dir else read_settings().data_root.absolute() / "demo"
