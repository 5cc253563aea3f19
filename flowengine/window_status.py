"""What people see of windows: how far time has come, what is open, and why it has not closed.

The processor says what it knows (``Processor.status``); what holds its watermark back, only the
engine knows. Both together are made when somebody looks, so an unwatched flow pays nothing for it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from flowengine.node import Node
    from flowengine.watermarks import Watermarks

MOST_OPEN = 20


class HeldBy(msgspec.Struct, omit_defaults=True):
    """What a watermark waits for.

    kind:      "source", "queue" or "state"
    id:        of the source, of the connection, or of the processor that has the state
    partition: of a source
    idle:      µs since the source or the partition last moved time on
    state:     of a source that does not run
    """

    kind: str
    id: str
    partition: str | None = None
    idle: int | None = None
    state: str = ""


class OpenWindow(msgspec.Struct):
    """One open window, from ``start`` to before ``end`` in µs, over all keys that have records."""

    start: int
    end: int
    key_count: int
    records: int


class WindowsStatus(msgspec.Struct):
    """Windows of one processor. Times in µs.

    time:       event, ingest or processing: which time windows follow
    watermark:  up to which all has certainly come; None before anything is certain, and at the end
    lag:        of the watermark behind the clock
    held_by:    what the watermark waits for; None where it follows the clock or the records
    open:       the windows that close next
    open_count: how many are open in all
    bytes:      about how much they hold
    late:       records that came after their windows had closed
    invalid:    records without a readable time, key or value
    """

    time: str
    watermark: int | None = None
    lag: int | None = None
    held_by: HeldBy | None = None
    open: list[OpenWindow] = []
    open_count: int = 0
    bytes: int = 0
    late: int = 0
    invalid: int = 0


def windows_status(
    own: Mapping[str, Any], node: Node, watermarks: Watermarks, nodes: Mapping[str, Node]
) -> WindowsStatus:
    """The status of one processor, from what it says and what holds it back."""
    status = msgspec.convert(own, WindowsStatus)
    if status.watermark is not None:
        status.lag = node.clock.wall() - status.watermark
    if status.time == "event":
        status.held_by = _held_by(node, watermarks, nodes, status.watermark)
    return status


def _held_by(
    node: Node, watermarks: Watermarks, nodes: Mapping[str, Node], watermark: int | None
) -> HeldBy | None:
    held = watermarks.held(node)
    if held.time == math.inf or (watermark is not None and watermark > held.time + 1):
        return None  # it follows the records themselves
    found = HeldBy(held.kind, held.component, held.partition or None)
    if held.kind == "source":
        source = nodes[held.component]
        moved = source.progressed.get(held.partition)
        found.idle = None if moved is None else source.clock.monotonic() - moved
        found.state = "" if source.status == "running" else source.status
    return found
