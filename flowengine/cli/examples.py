"""``flowengine examples``: the flows that come with the program, to look at and to copy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from flowengine.cli.words import counted

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(epilog="Example: flowengine examples --copy flows && flowengine serve")
def examples(
    copy: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Copy them there, with their data lake and tests."),
    ] = None,
) -> None:
    """List the example flows, or copy them.

    A file that is there already stays as it is. Their parameters name the data lake as flows/lake,
    so copy them to the folder flows.
    """
    from flowengine.shipped import FLOWS, copy_examples, shipped_folder

    if copy is not None:
        written = list(copy_examples(copy))
        typer.echo(f"wrote {counted(len(written), 'file')} to {copy}")
        return
    for path in sorted(shipped_folder(FLOWS).glob("*.json")):
        about = json.loads(path.read_text(encoding="utf-8"))["description"]
        typer.echo(f"{path.stem}\n    {about}")
