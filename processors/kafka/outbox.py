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
    """

    def __init__(self) -> None:
        self.owners: list[int] = []
        self.topics: list[str] = []
        self.keys: list[bytes | None] = []
        self.values: list[bytes | None] = []
        self.headers: list[Headers] = []
        self.places: list[str | None] = []

    def __len__(self) -> int:
        return len(self.owners)

    def add(
        self,
        owner: int,
        topic: str,
        key: bytes | None,
        values: Sequence[bytes | None],
        headers: Headers,
        place: str | None,
    ) -> None:
        """Append the messages of one FlowFile."""
        count = len(values)
        self.owners += [owner] * count
        self.topics += [topic] * count
        self.keys += [key] * count
        self.values += values
        self.headers += [headers] * count
        self.places += [place] * count


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
