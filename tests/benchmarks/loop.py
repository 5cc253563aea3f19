"""The yardstick: the same five steps as a bare Python loop of function calls."""

from __future__ import annotations

from collections.abc import Callable

from flowengine.flowfile import FlowFile
from tests.benchmarks.results import Rate, Stopwatch

COUNT = 100_000
HOPS = 5
BATCH = 256
ATTRIBUTES = {
    "filename": "users-2-17.json",
    "path": "/lake/2026/11",
    "mime.type": "application/json",
    "kafka.topic": "users",
    "kafka.partition": "2",
    "kafka.offset": "17",
}
_copy: Callable[[FlowFile], FlowFile] = FlowFile.__copy__  # type: ignore[attr-defined]


def make(number: int, content: bytes) -> FlowFile:
    """A FlowFile as a source makes it."""
    return FlowFile(number, ATTRIBUTES.copy(), content, len(content), 1, 1, 1)


def step(flowfile: FlowFile) -> FlowFile:
    """One hop: copy the attributes, set one, new FlowFile; in the cheapest way we know."""
    changed = _copy(flowfile)
    attributes = flowfile.attributes.copy()
    attributes["hop"] = "passed"
    changed.attributes = attributes
    return changed


def in_batches(count: int = COUNT) -> Rate:
    """Hops per second, the FlowFiles in batches of 256 (which stay in the cache)."""
    return _hops(count, BATCH)


def whole(count: int = COUNT) -> Rate:
    """Hops per second, each step over all FlowFiles at once."""
    return _hops(count, count)


def _hops(count: int, size: int) -> Rate:
    content = b"x" * 200
    watch = Stopwatch()
    for first in range(0, count, size):
        batch = [make(number, content) for number in range(first, min(first + size, count))]
        for _ in range(HOPS):
            batch = [step(flowfile) for flowfile in batch]
    return watch.rate(count * HOPS)
