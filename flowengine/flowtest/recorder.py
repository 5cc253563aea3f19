"""What went where during a test: for expectations, and for coverage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from flowengine.commit import Sent, Work
from flowengine.errors import RepositoryError
from flowengine.flowfile import FlowFile
from flowengine.node import Node

GONE = b"(a content in a file that is gone)"


@dataclass(frozen=True, slots=True)
class Arrived:
    """A FlowFile as it was when it came to a place."""

    attributes: dict[str, str]
    content: bytes
    event_time: int | None


class Recorder:
    """An observer of commits.

    A place is a processor (what it took and was done with) or ``processor/relationship``.
    """

    def __init__(self) -> None:
        self.took: set[str] = set()
        self.seen: Counter[tuple[str, str]] = Counter()
        self._new: dict[str, list[Arrived]] = {}
        self.read: Callable[[FlowFile], bytes] = lambda flowfile: b""

    def observe(self, node: Node, work: Work, sent: list[Sent]) -> None:
        """One commit."""
        for group in sent:
            self.seen[node.id, group.relationship] += len(group.flowfiles)
            self._add(f"{node.id}/{group.relationship}", group.flowfiles)
        if work.polled:
            self._taken(node, work)

    def _taken(self, node: Node, work: Work) -> None:
        """What was polled and neither kept nor retried."""
        done = {f.id for group in work.outputs.values() for f in group}
        done.update(f.id for f in work.removed)
        self.took.add(node.id)
        self._add(node.id, [f for f in work.polled if f.id in done])
        done.update(f.id for f in work.kept)
        if len(node.flat.retry) == 1 and any(f.id not in done for f in work.polled):
            [relationship] = node.flat.retry  # a retry leaves no other trace in a commit
            self.seen[node.id, relationship] += 1

    def _add(self, place: str, flowfiles: list[FlowFile]) -> None:
        new = self._new.setdefault(place, [])
        new += [Arrived(f.attributes, self._content(f), f.event_time) for f in flowfiles]

    def _content(self, flowfile: FlowFile) -> bytes:
        try:
            return self.read(flowfile)
        except RepositoryError:
            return GONE

    def take(self, place: str) -> list[Arrived]:
        """What came to a place since the last time it was asked for."""
        return self._new.pop(place, [])
