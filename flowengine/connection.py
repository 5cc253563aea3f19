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

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import count, islice

import msgspec

from flowengine.flowfile import FlowFile
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
        self._pieces: deque[Piece] = deque()
        self._sorted: list[tuple[tuple[object, ...], int, Piece]] = []
        self._penalized: list[tuple[int, int, Piece]] = []
        self._holds: list[tuple[int, int, Piece]] = []
        self._sort_key = sort_key
        self._ticket = count()
        self._tail = 0

    # -- state ---------------------------------------------------------------------------------

    @property
    def full(self) -> bool:
        """Whether a processor upstream may not be triggered."""
        limits = self.limits
        return (0 < limits.objects <= self.count) or (0 < limits.bytes <= self.bytes)

    @property
    def ready(self) -> bool:
        """Whether something can be polled, not counting what is penalized."""
        return bool(self._pieces) or bool(self._sorted)

    def next_due(self) -> int | None:
        """Wall time at which the next penalty ends, or None."""
        return self._penalized[0][0] if self._penalized else None

    def statistics(self) -> Statistics:
        """A snapshot for people and metrics."""
        limits = self.limits
        shares = [0.0]
        if limits.objects:
            shares.append(self.count / limits.objects)
        if limits.bytes:
            shares.append(self.bytes / limits.bytes)
        penalized = sum(piece.count for _, _, piece in self._penalized)
        return Statistics(
            self.count, self.bytes, self.in_flight, penalized, self.full, 100 * max(shares)
        )

    def hold(self) -> int | None:
        """Least event time of anything in the queue or polled from it and not committed (E20)."""
        while self._holds and not self._holds[0][2].alive:
            heapq.heappop(self._holds)
        return self._holds[0][0] if self._holds else None

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
            self._park(flowfile.penalty_until, piece)
        self.on_input()

    def put_at(self, position: int, flowfile: FlowFile, *, files: bool = False) -> None:
        """Put one changed FlowFile back at the place its old self had (retry, cursor)."""
        piece = self._new_piece([flowfile], flowfile.size, position, True, files)
        self._add(piece)
        if flowfile.penalty_until:
            self._park(flowfile.penalty_until, piece)
        else:
            self._insert(piece)
        self.on_input()

    def recover(self, piece: Piece, penalty_until: int = 0) -> None:
        """Put a stored piece back after a restart; called in order of position."""
        self._tail = max(self._tail, piece.position + piece.count)
        self._count(piece, +1)
        if piece.event_time is not None:
            self._track(piece)
        if penalty_until:
            self._park(penalty_until, piece)
        elif self._sort_key is not None:
            self._enqueue_sorted(piece)
        else:
            self._insert(piece)

    def _append(self, flowfiles: list[FlowFile], size: int, files: bool) -> None:
        pieces = self._pieces
        if self._sort_key is None and pieces:
            last = pieces[-1]
            if (
                last.row is None
                and last.count + len(flowfiles) <= ROW_OBJECTS
                and last.bytes + size <= ROW_BYTES
                and last.position + last.count == self._tail
                and not self.tracks_time
                and not last.marked
                and last.files == files
            ):
                self._extend(last, flowfiles, size)
                return
        piece = self._new_piece(flowfiles, size, self._take_tail(len(flowfiles)), False, files)
        self._add(piece)
        if self._sort_key is None:
            pieces.append(piece)
        else:
            self._enqueue_sorted(piece)

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
        if piece.event_time is not None:
            self._track(piece)

    def _track(self, piece: Piece) -> None:
        heapq.heappush(self._holds, (piece.event_time or 0, next(self._ticket), piece))

    def _take_tail(self, amount: int) -> int:
        position = self._tail
        self._tail += amount
        return position

    def _count(self, piece: Piece, sign: int) -> None:
        self.count += sign * piece.count
        self.bytes += sign * piece.bytes
        if piece.flowfiles is not None:
            self.resident += sign * (piece.bytes + piece.count * OVERHEAD)

    def _park(self, until: int, piece: Piece) -> None:
        heapq.heappush(self._penalized, (until, next(self._ticket), piece))

    def _insert(self, piece: Piece) -> None:
        """Put a piece at its position; nearly always that is one end."""
        if self._sort_key is not None:
            self._enqueue_sorted(piece)
            return
        pieces = self._pieces
        if not pieces or pieces[-1].position < piece.position:
            pieces.append(piece)
            return
        before = 0
        for other in pieces:
            if other.position > piece.position:
                break
            before += 1
        pieces.insert(before, piece)

    def _enqueue_sorted(self, piece: Piece) -> None:
        if self._sort_key is None:
            raise AssertionError("only a connection with prioritizers is sorted")
        for single in self._singles(piece):
            flowfiles = self._loaded(single)
            key = self._sort_key(flowfiles[0], single.position)
            heapq.heappush(self._sorted, (key, single.position, single))

    def _singles(self, piece: Piece) -> list[Piece]:
        if piece.count == 1:
            return [piece]
        return self.split(piece, [1] * piece.count)

    # -- polling -------------------------------------------------------------------------------

    def poll(self, objects: int, size: int, now: int) -> list[Piece]:
        """Take up to ``objects`` FlowFiles and about ``size`` bytes, at least one when ready.

        ``now`` is wall time in µs. What has expired is dropped on the way.
        """
        self.release(now)
        taken: list[Piece] = []
        while objects > 0 and (size > 0 or not taken) and self.ready:
            piece = self._live(self._next_loaded(), now)
            if piece is None:
                continue
            fit = min(objects, piece.count, fitting(self._loaded(piece), piece.bytes, size))
            if fit < piece.count:
                piece, rest = self.split(piece, [fit, piece.count - fit])
                self._pieces.appendleft(rest)
            objects -= piece.count
            size -= piece.bytes
            self.in_flight += piece.count
            taken.append(piece)
        return taken

    def release(self, now: int) -> None:
        """Let those whose penalty has ended be polled again."""
        while self._penalized and self._penalized[0][0] <= now:
            self._insert(heapq.heappop(self._penalized)[2])

    def _next_loaded(self) -> Piece:
        """Take the next piece out, once its FlowFiles could be read: a fault loses nothing."""
        if self._sorted:
            self._loaded(self._sorted[0][2])
            return heapq.heappop(self._sorted)[2]
        self._loaded(self._pieces[0])
        return self._pieces.popleft()

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
        return self._without(piece, {f.id for f in dead})

    def _without(self, piece: Piece, dead: set[int]) -> Piece | None:
        """Drop some FlowFiles of a piece; the rest goes back to the head, except its first run."""
        parts = self.split(piece, [1] * piece.count)
        living = []
        for part in parts:
            if self._loaded(part)[0].id in dead:
                self._drop(part)
            else:
                living.append(part)
        for part in reversed(living[1:]):
            self._insert(part)
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
            if part.event_time is not None:
                self._track(part)
            parts.append(part)
            start += number
        self._journal.replaced(piece, parts)
        piece.alive = False
        piece.flowfiles = None
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
        for piece in pieces:
            self.in_flight -= piece.count
            self._insert(piece)
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
        penalized = [piece for _, _, piece in sorted(self._penalized, key=lambda entry: entry[:2])]
        ordered = [piece for _, _, piece in sorted(self._sorted, key=lambda entry: entry[:2])]
        waiting = [*self._pieces, *ordered, *penalized]
        return iter(reversed(waiting) if newest else waiting)

    def drain(self) -> list[Piece]:
        """Take out everything that waits, penalized or not, to be settled by the caller."""
        taken = list(self._walk(newest=False))
        self._pieces.clear()
        self._sorted.clear()
        self._penalized.clear()
        self.in_flight += sum(piece.count for piece in taken)
        return taken

    def evict(self, excess: int) -> int:
        """Forget contents that are on disk, from the tail, until ``excess`` bytes are freed."""
        freed = 0
        for piece in reversed(self._pieces):
            if freed >= excess:
                break
            if piece.flowfiles is not None and piece.row is not None and piece.row.stored:
                piece.flowfiles = None
                freed += piece.bytes + piece.count * OVERHEAD
        self.resident -= freed
        return freed
