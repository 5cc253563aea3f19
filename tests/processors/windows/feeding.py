"""Records fed to a window one by one, with the watermark that a source would report.

Times are milliseconds, as in windows.md §1.4; B is the out-of-order bound.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from flowengine.flowfile import FlowFile
from flowengine.node_state import NodeState
from flowengine.testing import ProcessorRunner
from processors.windows.times import instant


class Pane(NamedTuple):
    """What came out of a window: bounds in ms, times of its records, and what it says of itself."""

    start: float
    end: float
    times: list[float]
    timing: str = "on_time"
    index: int = 0
    final: bool = True


def milliseconds(text: str) -> float:
    """An ISO 8601 attribute in ms since the epoch."""
    time = instant(datetime.fromisoformat(text).astimezone(UTC)) / 1000
    return int(time) if time == int(time) else time


class Feed:
    """A window processor and its source."""

    def __init__(self, cls: type, bound: int = 0, **properties: Any) -> None:
        given = {"time_field": "t", **properties}
        self.runner = ProcessorRunner(cls, **given)
        self.bound = bound
        self.greatest: float | None = None

    def __enter__(self) -> Feed:
        return self

    def __exit__(self, *_: object) -> None:
        self.runner.close()

    def give(self, *times: Any, **fields: Any) -> Feed:
        """Records of these times, each by itself, and time passes as each says."""
        for time in times:
            self.record({"t": time, **fields})
            self.greatest = time if self.greatest is None else max(self.greatest, time)
            self.reach(self.greatest - self.bound, tick=1)
        return self

    def record(self, record: dict[str, Any], **attributes: str) -> Feed:
        """One record, and no time passes."""
        self.runner.enqueue(json.dumps(record), attributes)
        self.runner.run(5)
        return self

    def batch(self, *records: Any) -> Feed:
        """Records in one FlowFile."""
        self.runner.enqueue("\n".join(r if isinstance(r, str) else json.dumps(r) for r in records))
        self.runner.run(5)
        return self

    def reach(self, watermark: float, tick: int = 0) -> Feed:
        """The watermark comes this far, less ``tick`` µs; it never goes back."""
        node = self.runner.node
        node.watermark = max(node.watermark, watermark * 1000 - tick)
        self.runner.run(1000)
        return self

    def wait(self, milliseconds: int) -> Feed:
        """The clock moves, and nothing comes."""
        self.runner.clock.advance(milliseconds * 1000)
        self.runner.run(1000)
        return self

    def restart(self) -> Feed:
        """A new process finds what the store kept."""
        node = self.runner.node
        kept = msgspec.msgpack.decode(msgspec.msgpack.encode(dict(node.state)))
        node.state = NodeState.of(kept)
        self.runner.restart()
        return self

    def out(self, relationship: str = "window") -> list[FlowFile]:
        """What came out since the last look."""
        found = self.runner.transferred(relationship)
        connection = self.runner.outputs[relationship]
        connection.settle(connection.drain())
        return found

    def contents(self, relationship: str = "window") -> list[Any]:
        """The JSON contents of what came out since the last look."""
        return [json.loads(self.runner.content(f)) for f in self.out(relationship)]

    def times(self, relationship: str = "window") -> list[list[float]]:
        """Times of the records in each FlowFile that came out."""
        return [self._times(f) for f in self.out(relationship)]

    def _times(self, flowfile: FlowFile) -> list[float]:
        lines = self.runner.content(flowfile).splitlines()
        return [json.loads(line)["t"] for line in lines]

    def panes(self) -> list[Pane]:
        """The panes that came out since the last look."""
        return [self._pane(flowfile) for flowfile in self.out()]

    def _pane(self, flowfile: FlowFile) -> Pane:
        attributes = flowfile.attributes
        return Pane(
            milliseconds(attributes["window.start"]),
            milliseconds(attributes["window.end"]),
            self._times(flowfile),
            attributes["pane.timing"],
            int(attributes["pane.index"]),
            attributes["final"] == "true",
        )

    @property
    def open(self) -> int:
        """Windows in the state."""
        return sum(1 for name in self.runner.state if name.startswith("~p"))
