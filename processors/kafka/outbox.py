"""What one trigger of PublishKafka hands over to the I/O loop, and what it gets back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

Headers: TypeAlias = list[tuple[str, bytes]]  # aiokafka insists on a list
NO_HEADERS: Final[Headers] = []  # shared, never changed


class Outbox:
    """Messages as columns of equal length, in the order in which they were queued.

    owners: index of the FlowFile that each message belongs to
    places: what the 'partition' expression gave, or None
    plain:  it holds one message of every FlowFile

    It is made from the columns of the FlowFiles; those of the messages grow with :meth:`add`.
    """

    def __init__(
        self,
        topics: list[str | None],
        keys: list[bytes | None],
        places: list[str | None],
        headers: list[Headers],
    ) -> None:
        self._of_flowfiles = (topics, keys, places, headers)
        self.plain = False
        self.owners: list[int] = []
        self.topics: list[str] = []
        self.keys: list[bytes | None] = []
        self.places: list[str | None] = []
        self.headers: list[Headers] = []
        self.values: list[bytes | None] = []

    def __len__(self) -> int:
        return len(self.owners)

    def add(self, owner: int, values: Sequence[bytes | None]) -> None:
        """Append the messages of one FlowFile, which has a topic."""
        topics, keys, places, headers = self._of_flowfiles
        count = len(values)
        self.owners += [owner] * count
        self.topics += [topics[owner] or ""] * count
        self.keys += [keys[owner]] * count
        self.places += [places[owner]] * count
        self.headers += [headers[owner]] * count
        self.values += values

    def add_all(self, values: list[bytes | None]) -> None:
        """One message of every FlowFile; all of them have topics."""
        topics, self.keys, self.places, self.headers = self._of_flowfiles
        self.owners = list(range(len(values)))
        self.topics = [topic or "" for topic in topics]
        self.values = values
        self.plain = True


@dataclass(frozen=True)
class Problem:
    """Why a message was not delivered.

    kind:      class of the error, as in ``error.class``
    permanent: it is the message's own fault, so those behind it need not wait for it
    """

    kind: str
    message: str
    permanent: bool = False


@dataclass
class Report:
    """What became of each message of an outbox: where it went, or its problem.

    offsets are -1 where nobody said them: best effort, or fire and forget
    """

    partitions: list[int]
    offsets: list[int]
    timestamps: list[int]
    problems: dict[int, Problem] = field(default_factory=dict)

    @classmethod
    def blank(cls, count: int, timestamp: int) -> Report:
        """Nothing delivered yet; ``timestamp`` in ms is what the messages carry."""
        return cls([-1] * count, [-1] * count, [timestamp] * count)
