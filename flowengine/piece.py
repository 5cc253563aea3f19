"""Pieces: the unit in which FlowFiles are queued, counted and stored.

A piece is a list of FlowFiles with consecutive positions in one connection. All bookkeeping, in
memory and on disk, is per piece and never per FlowFile (E14).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from flowengine.flowfile import FlowFile

if TYPE_CHECKING:
    from flowengine.connection import Connection

ROW_OBJECTS = 256
ROW_BYTES = 1 << 20
OVERHEAD = 700  # measured bytes of a FlowFile with six attributes, without its content


class Row:
    """A stored row: how many of its FlowFiles are alive, and which ranges are dead."""

    __slots__ = ("count", "dead", "id", "live", "stored")

    def __init__(self, id: int, count: int) -> None:
        self.id = id
        self.count = count
        self.live = count
        self.dead: list[tuple[int, int]] = []
        self.stored = False


class Token:
    """An acknowledgement that waits until every piece that descends from it is gone.

    Only the memory repository uses it: with no disk, a source may be acknowledged when nothing
    that came from it is in the flow any more.
    """

    __slots__ = ("callbacks", "pieces")

    def __init__(self, callbacks: list[Callable[[], None]]) -> None:
        self.callbacks = callbacks
        self.pieces = 0


NO_TOKENS: frozenset[Token] = frozenset()


class Piece:
    """FlowFiles with consecutive positions in one connection.

    flowfiles: None when its content is only on disk (E11) or when it is dead
    marked:    some FlowFile in it carries a penalty, attempts or a cursor
    """

    __slots__ = (
        "alive",
        "bytes",
        "connection",
        "count",
        "event_time",
        "files",
        "flowfiles",
        "marked",
        "offset",
        "owned",
        "position",
        "row",
        "tokens",
    )

    def __init__(
        self,
        connection: Connection,
        position: int,
        flowfiles: list[FlowFile] | None,
        size: int,
        *,
        count: int = 0,
        row: Row | None = None,
        offset: int = 0,
        marked: bool = False,
        files: bool = False,
        event_time: int | None = None,
    ) -> None:
        self.connection = connection
        self.position = position
        self.flowfiles = flowfiles
        self.bytes = size
        self.count = len(flowfiles) if flowfiles is not None else count
        self.row = row
        self.offset = offset
        self.marked = marked
        self.files = files
        self.event_time = event_time
        self.alive = True
        self.owned = False
        self.tokens: frozenset[Token] = NO_TOKENS

    @property
    def stored(self) -> bool:
        """Whether a cut that holds it is on disk."""
        return self.row is not None and self.row.stored


class Journal(Protocol):
    """What a connection tells the repository, per piece."""

    def added(self, piece: Piece) -> None:
        """A piece that no cut has seen."""

    def grown(self, piece: Piece, count: int, size: int) -> None:
        """FlowFiles were appended to a piece that no cut has seen."""

    def settled(self, piece: Piece) -> None:
        """A piece is done with: its session committed."""

    def replaced(self, piece: Piece, parts: Iterable[Piece]) -> None:
        """A piece was split."""

    def load(self, piece: Piece) -> list[FlowFile]:
        """FlowFiles of a piece that are only on disk."""


def rows_of(flowfiles: list[FlowFile]) -> Iterator[tuple[list[FlowFile], int]]:
    """Lists that each fit into one row."""
    part: list[FlowFile] = []
    size = 0
    for flowfile in flowfiles:
        if part and (len(part) >= ROW_OBJECTS or size + flowfile.size > ROW_BYTES):
            yield part, size
            part, size = [], 0
        part.append(flowfile)
        size += flowfile.size
    if part:
        yield part, size


def fitting(flowfiles: list[FlowFile], total: int, size: int) -> int:
    """How many of these FlowFiles fit into ``size`` bytes, at least one."""
    if total <= size:
        return len(flowfiles)
    used = 0
    for index, flowfile in enumerate(flowfiles):
        used += flowfile.size
        if used > size:
            return max(index, 1)
    return len(flowfiles)
