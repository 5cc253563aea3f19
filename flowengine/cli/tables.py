"""Tables for people: a flow's status, on the terminal of ``run`` and of ``status``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from flowengine.bulletins import Bulletin
from flowengine.cli.waiting import window_lines
from flowengine.cli.words import counted
from flowengine.ledger import NAMES
from flowengine.status import ConnectionStatus, FlowStatus, ProcessorStatus
from flowengine.units import format_size

PIPE_WIDTH = 160  # columns, where there is no terminal that has a width
_STYLES = {"running": "green", "completed": "cyan", "stopped": "yellow", "disabled": "dim"}
_LEVELS = {"error": "red", "warning": "yellow"}
MOST_BULLETINS = 5


def console() -> Console:
    """For standard output; made at each use, so that it writes to the one of that moment."""
    plain = Console(highlight=False)
    return plain if plain.is_terminal else Console(highlight=False, width=PIPE_WIDTH, no_color=True)


def is_terminal() -> bool:
    """Whether standard output is a terminal."""
    return sys.stdout.isatty()


def picture(status: FlowStatus, *, ledger: bool = True) -> Group:
    """A flow: its processors, what troubles it, its last bulletins and its ledger."""
    parts: list[Table | Text] = [_heading(status), processor_table(status.processors.values())]
    parts += [Text(line) for line in window_lines(status)]
    parts += [Text(line, style="red") for line in troubles(status)]
    parts += [_bulletin_line(one) for one in bulletins(status)]
    if status.counters:
        parts.append(Text("counters: " + _pairs(status.counters)))
    if ledger:
        parts.append(Text(ledger_line(status)))
    return Group(*parts)


def _heading(status: FlowStatus) -> Text:
    seconds = status.uptime // 1_000_000
    clock = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    heading = Text.assemble((status.flow, "bold"), "  ", _state(status.state), f"  {clock}")
    heading.append(f"  pid {status.pid}", "dim")
    return heading


def _state(state: str) -> tuple[str, str]:
    return state, _STYLES.get(state, "")


def processor_table(processors: Iterable[ProcessorStatus]) -> Table:
    """One row per processor: counts since the start, and what waits for it."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("processor")
    table.add_column("state")
    for name in ("in", "out", "queued", "tasks"):
        table.add_column(name, justify="right")
    for one in processors:
        table.add_row(*_processor_row(one))
    return table


def _processor_row(one: ProcessorStatus) -> list[Text]:
    total = one.total
    counts = (total.flowfiles_in, total.flowfiles_out, one.queued, total.tasks)
    state = Text(one.state, _STYLES.get(one.state, ""))
    note = _note(one)
    if note:
        state.append(f" ({note})", "yellow")
    return [Text(one.id), state, *(Text(f"{count:,}".replace(",", " ")) for count in counts)]


def _note(one: ProcessorStatus) -> str:
    if one.isolating:
        return "isolating an error"
    if one.failures:
        return counted(one.failures, "failure")
    if one.blocked:
        return "back pressure"
    return f"{one.penalized} penalized" if one.penalized else ""


def connection_table(connections: Iterable[ConnectionStatus]) -> Table:
    """One row per connection: what waits in it and how full it is."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("connection")
    table.add_column("relationships")
    for name in ("queued", "bytes", "full"):
        table.add_column(name, justify="right")
    for one in connections:
        table.add_row(*_connection_row(one))
    return table


def _connection_row(one: ConnectionStatus) -> list[str]:
    names = ", ".join(one.relationships)
    return [one.id, names, str(one.queued), format_size(one.bytes), f"{one.percent:.0f} %"]


def flow_table(flows: Iterable[FlowStatus]) -> Table:
    """One row per running flow."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("flow", "state", "pid"):
        table.add_column(name)
    for name in ("in", "out", "queued"):
        table.add_column(name, justify="right")
    for one in flows:
        counts = (one.ledger.get("in", 0), one.ledger.get("out", 0), one.queued)
        table.add_row(one.flow, Text(*_state(one.state)), str(one.pid), *map(str, counts))
    return table


def flowfile_table(flowfiles: Iterable[Mapping[str, Any]]) -> Table:
    """One row per FlowFile of a listing of the control API."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("place", justify="right")
    table.add_column("uuid", no_wrap=True)
    table.add_column("size", justify="right")
    table.add_column("age", justify="right")
    table.add_column("attributes")
    for one in flowfiles:
        attributes = ", ".join(f"{name}={value}" for name, value in one["attributes"].items())
        age = f"{one['age'] / 1e6:.1f} s"
        size = format_size(one["size"])
        table.add_row(str(one["place"]), one["uuid"], size, age, Text(attributes))
    return table


def troubles(status: FlowStatus) -> list[str]:
    """What stands in the way of the whole flow, one line each."""
    found = [status.problem] if status.problem else []
    found += [f"{name}: {text}" for name, text in status.faults.items()]
    found += [f"service {name!r}: {text}" for name, text in status.service_problems.items()]
    if status.sources_wait:
        found.append(f"sources wait: {_REASONS.get(status.sources_wait, status.sources_wait)}")
    if status.held:
        who = f"processor {status.held.processor!r}" if status.held.processor else "something"
        found.append(f"{who} has held the engine for {status.held.duration / 1e6:.1f} s")
    return found


_REASONS = {
    "backlog": "the disk has not caught up",
    "memory": "the memory budget is used up",
    "fault": "stored FlowFiles cannot be read",
}


def bulletins(status: FlowStatus) -> list[Bulletin]:
    """The last bulletin of each processor, the newest ones, oldest first."""
    found = [one.bulletin for one in status.processors.values() if one.bulletin]
    return sorted(found, key=lambda one: one.time)[-MOST_BULLETINS:]


def bulletin_text(one: Bulletin) -> str:
    """A bulletin on one line; a traceback stays in the log."""
    message = one.message.partition("\n")[0]
    times = f" ({one.count} times)" if one.count > 1 else ""
    return f"{one.level}: {one.component}: {message}{times}"


def _bulletin_line(one: Bulletin) -> Text:
    return Text(bulletin_text(one), style=_LEVELS.get(one.level, ""))


def ledger_line(status: FlowStatus) -> str:
    """The ledger as the engine writes it."""
    rest = " + ".join(f"{status.ledger.get(name, 0)} {name}" for name in NAMES[1:])
    return f"{status.ledger.get('in', 0)} in = {rest} + {status.queued} queued"


def _pairs(values: dict[str, int]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
