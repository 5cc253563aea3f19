"""Low watermarks: how far event time has certainly come at a processor (E20).

W of a processor = max(old W, the least of: each upstream source's progress; of everything in flight
on a path that reaches it, event time - 1; of state above it, its earliest pending output - 1).

It is computed on demand from what the queues hold, not sent along in band: a filter that drops
everything does not stall time, and no queue, retry, penalty or pause of ours can make a record
late, since a FlowFile holds W back wherever it waits. Only flows with a processor that asks for
event time pay for it: connections above that processor track the least event time of each piece.

Source: MillWheel (Akidau et al., VLDB 2013), §4.5 "low watermarks".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from flowengine.assembly import Assembly
    from flowengine.connection import Connection
    from flowengine.node import Node

PROGRESS = "$progress"
WATERMARK = "$watermark"
HOLD = "$hold"
EVENT_TIMER = "$event_timer"
CLOCK_TIMER = "$clock_timer"
IDLE = "idle"
NEVER: Final = -(1 << 62)  # progress of a partition of which nothing was read


class Held(msgspec.Struct, frozen=True):
    """What holds a watermark back.

    time:      event time in µs up to which all is certain; -inf: nothing is known, inf: the end
    kind:      "source", "queue", "state"; "idle": a source without a partition to wait for, which
               holds nothing back and moves nothing on
    component: id of the source, connection or processor
    partition: of a source
    """

    time: float
    kind: str
    component: str
    partition: str = ""


class Watermarks:
    """Low watermarks of one assembly. Used on the engine's loop."""

    def __init__(self, assembly: Assembly) -> None:
        self._nodes = assembly.nodes
        self._origin: dict[str, Node] = {}
        for node in self._nodes.values():
            for connection in node.downstream:
                self._origin[connection.id] = node
        self.timed = [node for node in self._nodes.values() if node.processor.event_time]
        for node in self.timed:
            node.watermark_of = self.low
            self._track_above(node)

    def _track_above(self, node: Node) -> None:
        for connection in node.inputs:
            if not connection.tracks_time:
                connection.tracks_time = True
                self._track_above(self._origin[connection.id])

    def low(self, node: Node) -> float:
        """W of a processor in µs; -inf before anything is certain, inf when no input can come."""
        held = self.held(node)
        node.watermark = max(node.watermark, held.time)
        return node.watermark

    def held(self, node: Node) -> Held:
        """What holds W of a processor back now: the answer to "why has it not closed?"."""
        found = [self._through(connection) for connection in node.inputs]
        active = [held for held in found if held.kind != IDLE]
        least = min(active, key=_time, default=Held(math.inf, "source", node.id))
        if least.time == math.inf and len(active) < len(found):  # an idle source may come back
            return max((held for held in found if held.kind == IDLE), key=_time)
        return least

    def _through(self, connection: Connection) -> Held:
        above = self._passed_by(self._origin[connection.id])
        waiting = connection.hold()
        if waiting is None and above.time == math.inf and connection.count:
            # Without an event time it holds no time back, but the end is not there before it.
            return Held(-math.inf, "queue", connection.id)
        return _behind(above, waiting, Held(0, "queue", connection.id))

    def _passed_by(self, node: Node) -> Held:
        """Time before which nothing can leave this processor any more."""
        if node.is_source:
            return self._progress(node)
        return _behind(self.held(node), node.hold, Held(0, "state", node.id))

    def _progress(self, source: Node) -> Held:
        """Least progress of its partitions; nothing before it joined, all when it is done."""
        if source.completed:
            return Held(math.inf, "source", source.id)
        known = [(time, name) for name, time in source.progress.items() if time is not None]
        if not known and source.joined:  # left out (E21), with what its partitions had reached
            return Held(_certain(source.reached), IDLE, source.id)
        time, partition = min(known, default=(-math.inf, ""))
        return Held(_certain(time), "source", source.id, partition)


def _certain(progress: float) -> float:
    return progress if progress > NEVER else -math.inf


def _time(held: Held) -> float:
    return held.time


def _behind(above: Held, waiting: int | None, what: Held) -> Held:
    """What is above, or what waits below it for an earlier time or while it is idle."""
    if waiting is None or (above.kind != IDLE and above.time <= waiting - 1):
        return above
    return msgspec.structs.replace(what, time=min(above.time, waiting - 1))
