"""Windows in words: what is open, how far time has come, and what it waits for."""

from __future__ import annotations

from flowengine.cli.words import counted
from flowengine.status import FlowStatus
from flowengine.window_status import HeldBy, WindowsStatus


def window_lines(status: FlowStatus) -> list[str]:
    """One line per processor with windows."""
    processors = status.processors.values()
    return [in_words(one.id, one.windows) for one in processors if one.windows is not None]


def in_words(id: str, status: WindowsStatus) -> str:
    """One line: what is open, how far time has come, and what it waits for."""
    parts = [f"{id}: {counted(status.open_count, 'open window')}"]
    if status.open_count:
        parts[0] += f" ({format_rough(status.bytes)})"
    if status.lag is not None:
        ago = "behind" if status.lag >= 0 else "ahead of"
        parts.append(f"watermark {_seconds(abs(status.lag))} {ago} the clock")
    if status.open_count and status.open and status.watermark is not None:
        due = status.open[0].end - 1 - status.watermark
        if due > 0:
            parts.append(f"the next closes {_seconds(due)} of {status.time} time later")
    if status.held_by is not None:
        parts.append(f"waits for {waits_for(status.held_by)}")
    if status.late or status.invalid:
        parts.append(f"{status.late} late, {status.invalid} invalid")
    return ", ".join(parts)


def waits_for(held: HeldBy) -> str:
    """``orders partition 2, idle 40 s``."""
    if held.kind == "queue":
        return f"what is in the queue {held.id}"
    if held.kind == "state":
        return f"the open windows of {held.id}"
    text = held.id if held.partition is None else f"{held.id} partition {held.partition}"
    if held.state:
        return f"{text}, which is {held.state}"
    if held.idle is None:
        return f"{text}, which has not said yet how far its time has come"
    return f"{text}, idle {_seconds(held.idle)}" if held.idle >= 1_000_000 else text


def _seconds(duration: int) -> str:
    seconds = duration / 1e6
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 600:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 36_000 else f"{seconds / 3600:.0f} h"


def format_rough(size: int) -> str:
    """A size in the largest unit of which there is one."""
    for unit, length in (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)):
        if size >= length:
            return f"{size / length:.3g} {unit}"
    return f"{size} B"
