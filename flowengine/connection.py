"""Connection: the only queue.

Invariants
----------
1. FIFO for one task and FlowFiles that are not penalized (E9). A *position* is a signed integer per
   FlowFile and connection; what is rolled back returns to its old position (E4, E10).
2. The queue moves *pieces*: lists of FlowFiles with consecutive positions. All bookkeeping is per
   piece, never per FlowFile, and the store keeps rows of pieces (E14).
3. Bounds are soft: they are checked before a trigger, a session may overshoot once, and FlowFiles
   that were polled but not yet committed still count.
4. A piece is *alive* until the session that polled it commits. A cut stores alive pieces, so what
   an open session holds is recorded in the queue it was polled from.

Prior art: NiFi's ``StandardFlowFileQueue`` (soft thresholds, unacknowledged FlowFiles count,
penalized last). Rejected: its order by content claim and its swap files; a queue of single items
(6-30 times slower, ``performance.md`` §A).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice

import msgspec

from flowengine.errors import RepositoryError
from flowengine.flowfile import FlowFile
from flowengine.line import Holds, Line, PenaltyBox, PositionLine, SortedLine, runs
from flowengine.piece import OVERHEAD, ROW_BYTES, ROW_OBJECTS, Journal, Piece, fitting, rows_of
from flowengine.prioritizers import SortKey


class Statistics(msgspec.Struct, frozen=True):
    """What a connection holds now. Counts are FlowFiles, sizes are bytes."""

    queued: int
    bytes: int
    in_flight: int
    penalized: int
    full: bool
    percent: float


class Limits(msgspec.Struct, frozen=True):
    """Back pressure and expiration of a connection. 0 switches one off. Expiration is in µs."""

    objects: int = 10_000
    bytes: int = 100 << 20
    expiration: int = 0


class Connection:
    """A bounded queue between two processors. Used on the engine's loop only (E3)."""

    def __init__(
        self,
        id: str,
        journal: Journal,
        limits: Limits | None = None,
        *,
        sort_key: SortKey | None = None,
    ) -> None:
        self.id = id
        self.source = ""
        self.destination = ""
        self.after_cut = False
        self.limits = limits or Limits()
        self.count = 0
        self.bytes = 0
        self.in_flight = 0
        self.resident = 0
        self.expired: Callable[[list[FlowFile]], None] = lambda flowfiles: None
        self.on_input: Callable[[], None] = lambda: None
        self.on_room: Callable[[], None] = lambda: None
        self.tracks_time = False
        self.paused = False
        self._journal = journal
        self._fifo = PositionLine()
        self._line: Line = self._fifo if sort_key is None else SortedLine(sort_key)
        self._sorted = sort_key is not None
        self._penalized = PenaltyBox()
        self._holds = Holds()
        self._tail = 0

    # -- state ---------------------------------------------------------------------------------

    @property
    def full(self) -> bool:
        """Whether a processor upstream may not be triggered."""
        limits = self.limits
        return (0 < limits.objects <= self.count) or (0 < limits.bytes <= self.bytes)

    @property
    def ready(self) -> bool:
        """Whether something can be polled, not counting what is penalized.

        With ``after_cut`` the next piece must be on disk: strong production (E22).
        """
        if not len(self._line):
            return False
        return not self.after_cut or self._line.first().stored

    def next_due(self) -> int | None:
        """Wall time at which the next penalty ends, or None."""
        return self._penalized.next_due()

    def statistics(self) -> Statistics:
        """A snapshot for people and metrics."""
        limits = self.limits
        objects = self.count / limits.objects if limits.objects else 0.0
        size = self.bytes / limits.bytes if limits.bytes else 0.0
        penalized, percent = len(self._penalized), 100 * max(objects, size)
        return Statistics(self.count, self.bytes, self.in_flight, penalized, self.full, percent)

    def hold(self) -> int | None:
        """Least event time of anything in the queue or polled from it and not committed (E20)."""
        return self._holds.least()

    # -- adding --------------------------------------------------------------------------------

    def put(self, flowfiles: list[FlowFile], size: int, *, files: bool = False) -> None:
        """Append FlowFiles at the tail. The list is kept: the caller must not change it."""
        if len(flowfiles) > ROW_OBJECTS or size > ROW_BYTES:
            for part, part_size in rows_of(flowfiles):
                self._append(part, part_size, files)
        else:
            self._append(flowfiles, size, files)
        self.on_input()

    def put_penalized(self, flowfiles: Iterable[FlowFile], *, files: bool = False) -> None:
        """Append FlowFiles that may not be polled before their penalty ends."""
        for flowfile in flowfiles:
            piece = self._new_piece([flowfile], flowfile.size, self._take_tail(1), True, files)
            self._add(piece)
            self._penalized.park(flowfile.penalty_until, piece)
        self.on_input()

    def put_at(self, position: int, flowfile: FlowFile, *, files: bool = False) -> None:
        """Put one changed FlowFile back at the place its old self had (retry, cursor)."""
        piece = self._new_piece([flowfile], flowfile.size, position, True, files)
        self._add(piece)
        if flowfile.penalty_until:
            self._penalized.park(flowfile.penalty_until, piece)
        else:
            self._insert([piece])
        self.on_input()

    def recover(self, piece: Piece, penalty_until: int = 0) -> None:
        """Put a stored piece back after a restart; called in order of position."""
        self._tail = max(self._tail, piece.position + piece.count)
        self._count(piece, +1)
        self._holds.track(piece)
        if penalty_until:
            self._penalized.park(penalty_until, piece)
        else:
            self._insert([piece])

    def _append(self, flowfiles: list[FlowFile], size: int, files: bool) -> None:
        last = self._fifo.pieces[-1] if self._fifo.pieces else None
        if last is not None and self._may_grow(last, len(flowfiles), size, files):
            self._extend(last, flowfiles, size)
            return
        piece = self._new_piece(flowfiles, size, self._take_tail(len(flowfiles)), False, files)
        self._add(piece)
        self._insert([piece])

    def _may_grow(self, last: Piece, count: int, size: int, files: bool) -> bool:
        """Whether FlowFiles may join the piece at the tail: never once a cut has seen it."""
        return (
            last.row is None
            and last.count + count <= ROW_OBJECTS
            and last.bytes + size <= ROW_BYTES
            and last.position + last.count == self._tail
            and not self.tracks_time
            and not last.marked
            and last.files == files
        )

    def _extend(self, last: Piece, flowfiles: list[FlowFile], size: int) -> None:
        """Grow the tail piece, so that a trickle of single FlowFiles does not become many rows."""
        if last.owned and last.flowfiles is not None:
            last.flowfiles.extend(flowfiles)
        else:
            last.flowfiles = [*(last.flowfiles or ()), *flowfiles]
            last.owned = True
        last.count += len(flowfiles)
        last.bytes += size
        self._tail += len(flowfiles)
        self.count += len(flowfiles)
        self.bytes += size
        self.resident += size + len(flowfiles) * OVERHEAD
        self._journal.grown(last, len(flowfiles), size)

    def _new_piece(
        self, flowfiles: list[FlowFile], size: int, position: int, marked: bool, files: bool
    ) -> Piece:
        piece = Piece(self, position, flowfiles, size, marked=marked, files=files)
        if self.tracks_time:
            times = [f.event_time for f in flowfiles if f.event_time is not None]
            piece.event_time = min(times, default=None)
        return piece

    def _add(self, piece: Piece) -> None:
        self._count(piece, +1)
        self._journal.added(piece)
        self._holds.track(piece)

    def _take_tail(self, amount: int) -> int:
        position = self._tail
        self._tail += amount
        return position

    def _count(self, piece: Piece, sign: int) -> None:
        self.count += sign * piece.count
        self.bytes += sign * piece.bytes
        if piece.flowfiles is not None:
            self.resident += sign * (piece.bytes + piece.count * OVERHEAD)

    def _insert(self, pieces: Sequence[Piece]) -> None:
        """Put pieces at their places; they come in order of position."""
        self._line.insert(pieces if not self._sorted else self._singles(pieces))

    def _singles(self, pieces: Iterable[Piece]) -> list[Piece]:
        """The same FlowFiles in pieces of one, in memory, as prioritizers need them."""
        singles: list[Piece] = []
        for piece in pieces:
            self._loaded(piece)
            singles += [piece] if piece.count == 1 else self.split(piece, [1] * piece.count)
        return singles

    # -- polling -------------------------------------------------------------------------------

    def poll(self, objects: int, size: int, now: int) -> list[Piece]:
        """Take up to ``objects`` FlowFiles and about ``size`` bytes, at least one when ready.

        ``now`` is wall time in µs. What has expired is dropped on the way.
        """
        self.release(now)
        taken: list[Piece] = []
        try:
            while objects > 0 and (size > 0 or not taken) and self.ready:
                piece = self._take(objects, size, now)
                if piece is not None:
                    objects -= piece.count
                    size -= piece.bytes
                    taken.append(piece)
        except RepositoryError:
            if not taken:  # else the next poll meets it again, and nothing taken is lost
                raise
        return taken

    def _take(self, objects: int, size: int, now: int) -> Piece | None:
        """The next piece, or as much of it as fits; None when all of it has expired."""
        self._loaded(self._line.first())  # before it is taken out: a fault loses nothing
        piece = self._live(self._line.pop(), now)
        if piece is None:
            return None
        fit = min(objects, piece.count, fitting(self._loaded(piece), piece.bytes, size))
        if fit < piece.count:
            piece, rest = self.split(piece, [fit, piece.count - fit])
            self._line.insert([rest])
        self.in_flight += piece.count
        return piece

    def release(self, now: int) -> None:
        """Let those whose penalty has ended be polled again."""
        free = self._penalized.release(now)
        try:
            if free:
                self._insert(free)
        except RepositoryError:
            for piece in free:
                self._penalized.park(now, piece)
            raise

    def _live(self, piece: Piece, now: int) -> Piece | None:
        """The piece without what has expired; None when all has."""
        if not self.limits.expiration:
            return piece
        limit = now - self.limits.expiration
        flowfiles = self._loaded(piece)
        dead = [f for f in flowfiles if f.entry_time <= limit]
        if not dead:
            return piece
        self.expired(dead)
        if len(dead) == piece.count:
            self._drop(piece)
            return None
        return self._without(piece, limit)

    def _without(self, piece: Piece, limit: int) -> Piece:
        """Drop what entered up to ``limit``. The first run of the rest is returned, the others go
        back to the head."""
        living = []
        lengths = runs([f.entry_time <= limit for f in self._loaded(piece)])
        for part in self.split(piece, lengths):
            if self._loaded(part)[0].entry_time <= limit:
                self._drop(part)
            else:
                living.append(part)
        if living[1:]:
            self._line.insert(living[1:])
        return living[0]

    def _drop(self, piece: Piece) -> None:
        self.in_flight += piece.count
        self.settle([piece])

    def members(self, piece: Piece) -> list[FlowFile]:
        """The FlowFiles of a piece, from memory or from disk."""
        return piece.flowfiles if piece.flowfiles is not None else self._journal.load(piece)

    def _loaded(self, piece: Piece) -> list[FlowFile]:
        if piece.flowfiles is None:
            piece.flowfiles = self._journal.load(piece)
            self.resident += piece.bytes + piece.count * OVERHEAD
        return piece.flowfiles

    def split(self, piece: Piece, counts: list[int]) -> list[Piece]:
        """Cut a piece into parts of these counts. The parts keep row, place and liveness."""
        flowfiles = self._loaded(piece)
        parts, start = [], 0
        for number in counts:
            members = flowfiles[start : start + number]
            part = Piece(
                self,
                piece.position + start,
                members,
                sum([f.size for f in members]),
                row=piece.row,
                offset=piece.offset + start,
                marked=piece.marked,
                files=piece.files,
                event_time=piece.event_time,
            )
            parts.append(part)
            start += number
        self._journal.replaced(piece, parts)
        piece.alive = False
        piece.flowfiles = None
        for part in parts:
            self._holds.track(part)
        return parts

    # -- after the session ---------------------------------------------------------------------

    def settle(self, pieces: Iterable[Piece]) -> None:
        """What was polled is done with: the session that polled it has committed."""
        was_full = self.full
        for piece in pieces:
            self._count(piece, -1)
            self.in_flight -= piece.count
            self._journal.settled(piece)
            piece.alive = False
            piece.flowfiles = None
        if was_full and not self.full:
            self.on_room()

    def restore(self, pieces: Iterable[Piece]) -> None:
        """Roll-back: everything returns to its old place (E4)."""
        back = sorted(pieces, key=lambda piece: piece.position)
        if back:
            self.in_flight -= sum([piece.count for piece in back])
            self._insert(back)
            self.on_input()

    def peek(self, maximum: int, *, newest: bool = False) -> list[FlowFile]:
        """Up to ``maximum`` FlowFiles that wait, oldest first or newest first, not taken out."""
        return list(islice(self.browse(newest=newest), maximum))

    def browse(self, *, newest: bool = False) -> Iterator[FlowFile]:
        """What waits, one by one, not taken out; use it up without giving the loop back."""
        for piece in self._walk(newest):
            flowfiles = self.members(piece)
            yield from reversed(flowfiles) if newest else flowfiles

    def _walk(self, newest: bool) -> Iterator[Piece]:
        waiting = chain(self._line, self._penalized)
        return reversed(list(waiting)) if newest else waiting

    def drain(self) -> list[Piece]:
        """Take out everything that waits, penalized or not, to be settled by the caller."""
        taken = list(self._walk(newest=False))
        self._line.clear()
        self._penalized.clear()
        self.in_flight += sum(piece.count for piece in taken)
        return taken

    def evict(self, excess: int) -> int:
        """Forget contents that are on disk, last polled first, until enough bytes are freed."""
        freed = 0
        for piece in self._walk(newest=True):
            if freed >= excess:
                break
            if piece.flowfiles is not None and piece.row is not None and piece.row.stored:
                piece.flowfiles = None
                freed += piece.bytes + piece.count * OVERHEAD
        self.resident -= freed
        return freed
