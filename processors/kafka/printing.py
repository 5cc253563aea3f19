"""How commands of ``flowengine kafka`` speak: errors as one message, tables as wide as wanted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import typer
from rich.console import Console

from flowengine.errors import EnvironmentFault, FlowEngineError

T = TypeVar("T")
FAULT_EXIT = 2
PIPE_WIDTH = 160  # columns, where there is no terminal that has a width


@contextmanager
def faults() -> Iterator[None]:
    """Print an error of ours as one message, without a traceback, and exit with 2."""
    try:
        yield
    except FlowEngineError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(FAULT_EXIT) from error


def ask(question: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine; the client's remarks about reconnecting and rebalancing stay hidden."""
    remarks = logging.getLogger("aiokafka")
    level = remarks.level
    remarks.setLevel(logging.CRITICAL)
    try:
        with faults():
            return asyncio.run(question)
    finally:
        remarks.setLevel(level)


def pairs_of(option: str, pairs: list[str]) -> dict[str, str]:
    """``name=value`` texts by name. Raises EnvironmentFault."""
    for pair in pairs:
        if "=" not in pair:
            raise EnvironmentFault(f"kafka option {option!r} must be name=value; got {pair!r}")
    return dict(pair.split("=", 1) for pair in pairs)


def console() -> Console:
    """Made at each use, so that it writes to the standard output of that moment."""
    plain = Console(highlight=False)
    return plain if plain.is_terminal else Console(highlight=False, width=PIPE_WIDTH)
