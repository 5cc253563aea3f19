"""Which processors and relationships of a flow its tests have seen at work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flowengine.definition.flat import FlatProcessor, LoadedFlow
from flowengine.flowtest.recorder import Recorder
from flowengine.registry import BUILT_IN


@dataclass(slots=True)
class Coverage:
    """Of one flow, over all its tests. Ports and funnels are not counted."""

    flow: Path
    processors: set[str] = field(default_factory=set)
    relationships: set[tuple[str, str]] = field(default_factory=set)
    worked: set[str] = field(default_factory=set)
    seen: set[tuple[str, str]] = field(default_factory=set)

    def add(self, flow: LoadedFlow, recorder: Recorder) -> None:
        """One test."""
        for flat in _counted(flow):
            self.processors.add(flat.id)
            self.relationships.update((flat.id, name) for name in flat.relationships)
        self.seen.update(recorder.seen)
        self.worked.update(processor for processor, _ in recorder.seen)
        self.worked.update(recorder.took)

    def merge(self, other: Coverage) -> None:
        """The tests of another file of the same flow."""
        self.processors |= other.processors
        self.relationships |= other.relationships
        self.worked |= other.worked
        self.seen |= other.seen

    @property
    def missing(self) -> list[str]:
        """Processors that saw no FlowFile, and relationships of the others that saw none."""
        idle = self.processors - self.worked
        unseen = {f"{p}/{name}" for p, name in self.relationships - self.seen if p not in idle}
        return sorted(idle | unseen)

    def lines(self) -> list[str]:
        """For people."""
        processors = len(self.processors & self.worked)
        relationships = len(self.relationships & self.seen)
        line = (
            f"{self.flow}: {processors}/{len(self.processors)} processors, "
            f"{relationships}/{len(self.relationships)} relationships"
        )
        return [line, *(f"  not seen: {name}" for name in self.missing)]


def _counted(flow: LoadedFlow) -> Iterator[FlatProcessor]:
    return (flat for flat in flow.processors.values() if flat.type not in BUILT_IN)
