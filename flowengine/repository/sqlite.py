"""The durable repository: net changes between consistent cuts, in one SQLite file.

Design. Sessions commit at memory speed on the engine's loop. A flusher takes a *cut*: it collects
references (pieces that no cut has seen, rows whose pieces died, changed state) between two commits
and hands them to the writer thread, which encodes and writes them in one transaction (E14). A
piece that came and went between two cuts is never seen by the disk. Pieces are immutable lists, so
nothing must be copied; once in a cut they no longer grow.

Pace (E15): a cut starts when the last one is on disk and max(50 ms, 4 × its duration) has passed,
at most 5 s. While sources wait for the disk the pause is no longer than the last cut took: to idle
then would only make them wait. A write that fails is tried again with what came meanwhile: nothing
is forgotten, and sources stop since the backlog does not shrink (E12).

Prior art: NiFi's write-ahead log writes each hop; here 5 hops cost what one costs. Rejected: a
journal per hop (910 MB for 410 000 FlowFiles, ``performance.md`` §P).
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from flowengine.clock import Clock, SystemClock
from flowengine.connection import Connection
from flowengine.content import ContentStore
from flowengine.errors import RepositoryError
from flowengine.flowfile import FlowFile
from flowengine.node_state import NodeState
from flowengine.piece import Piece, Row
from flowengine.repository.base import Recovered
from flowengine.repository.lock import DirectoryLock
from flowengine.repository.rows import counts, grouped, merged, new_row, pieces_of
from flowengine.repository.states import States
from flowengine.repository.store import Cut, RowInfo, Store

T = TypeVar("T")
BACKLOG_OBJECTS = 50_000
BACKLOG_BYTES = 64 << 20
SHORTEST = 50_000
LONGEST = 5_000_000
RETRY = 1_000_000


class SqliteRepository:
    """Keeps a flow in ``<directory>/flow.db`` and ``<directory>/content``."""

    def __init__(self, directory: Path, clock: Clock | None = None) -> None:
        self.directory = directory
        self.content_directory = directory / "content"
        self.durable = True
        self.backlogged = False
        self.problem: str | None = None
        self.on_change: Callable[[], None] = lambda: None
        self.after_cut: Callable[[], None] = lambda: None
        self.cuts = 0
        self._clock = clock or SystemClock()
        self._lock = DirectoryLock(directory)
        self._fresh: list[Piece] = []
        self._dirty_rows: set[Row] = set()
        self.states = States()
        self._totals: dict[str, dict[str, int]] = {}
        self._callbacks: list[Callable[[], None]] = []
        self._dropped_files: list[str] = []
        self._references: dict[str, int] = {}
        self._next_row = 1
        self._uncut = [0, 0]
        self._writing = [0, 0]
        self._pending = Cut()
        self._pending_rows: list[Row] = []
        self._dirty = asyncio.Event()
        self._urgent = asyncio.Event()
        self._pressed = asyncio.Event()
        self._stopping = False
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._written = asyncio.Lock()
        self._rows: list[RowInfo] = []
        self._last_read: tuple[int, list[FlowFile]] = (0, [])
        self._meta: dict[str, Any] = {}

    # -- opening -------------------------------------------------------------------------------

    def recover(self) -> Recovered:
        """Lock and open the directory and read its metadata; FlowFiles stay on disk (E11)."""
        self._lock.acquire()
        with ExitStack() as undo:
            undo.callback(self._lock.release)
            self._store = Store(self.directory / "flow.db")
            undo.callback(self._store.close)
            self._store.prepare()
            self._reader = Store(self.directory / "flow.db")
            undo.callback(self._reader.close)
            recovered = self._recover()
            undo.pop_all()
        return recovered

    def _recover(self) -> Recovered:
        self._meta = self._store.meta()
        self._rows = list(self._store.rows())
        self._next_row = max((row.id for row in self._rows), default=0) + 1
        self._remember_files()
        return Recovered(
            self._meta.get("definition"),
            counts(self._rows),
            self._store.eager_state(),
            self._meta.get("ledger", {}),
            self._meta.get("counters", {}),
            bool(self._meta.get("completed", False)),
            self._meta.get("snapshot"),
        )

    def _remember_files(self) -> None:
        for row in self._rows:
            for name in row.files:  # a content in a file fills a row alone
                self._references[name] = self._references.get(name, 0) + 1
        store = ContentStore(self.content_directory)
        for orphan in store.names() - self._references.keys():
            store.unlink(orphan)

    def open_epoch(self, definition: str) -> int:
        epoch = int(self._meta.get("epoch", 0)) + 1
        self._meta["epoch"] = epoch
        start = {"epoch": epoch, "definition": definition}
        # With the cut that clears the sources' state, or a crash before it would leave them done.
        self._pending.meta["completed"] = False
        try:
            self._store.write(Cut(meta=start))
        except sqlite3.Error as error:
            raise RepositoryError(
                f"repository {str(self.directory)!r} must be writable; got {error}. Make room on "
                "the disk, then start again; nothing queued is lost"
            ) from error
        return epoch

    def set_definition(self, text: str, snapshot: str) -> None:
        self._pending.meta["definition"] = text
        self._pending.meta["snapshot"] = snapshot
        self._mark()

    def attach(self, connections: Mapping[str, Connection]) -> None:
        """Put stored pieces back; rows of connections that are gone wait for a choice (E18)."""
        pieces = [
            (piece, until)
            for info in self._rows
            if info.connection in connections
            for piece, until in pieces_of(self._store, info, connections[info.connection])
        ]
        now, then = self._clock.wall(), self._meta.get("time")
        pieces.sort(key=lambda entry: entry[0].position)
        for piece, until in pieces:
            if until and then is not None:  # no penalty outlasts what it had left at the cut (E10)
                until = min(until, now + max(until - then, 0))
            piece.connection.recover(piece, until)
        self._rows = [info for info in self._rows if info.connection not in connections]

    def forget(self, connections: Iterable[str]) -> int:
        """Drop the stored FlowFiles of connections that no longer exist; returns how many (E18)."""
        names = set(connections)
        gone = [row for row in self._rows if row.connection in names]
        self._rows = [row for row in self._rows if row.connection not in names]
        self._pending.gone.extend(row.id for row in gone)
        for row in gone:
            self.files_changed({n: -c for n, c in Counter(row.files).items()})
        self._mark()
        return sum(counts(gone).values())

    # -- journal: called per piece by connections ----------------------------------------------

    def begin(self, polled: Iterable[Piece], callbacks: list[Callable[[], None]]) -> None:
        self._callbacks.extend(callbacks)

    def end(self) -> None:
        self._weigh()
        self._mark()

    def added(self, piece: Piece) -> None:
        self._fresh.append(piece)
        self._uncut[0] += piece.count
        self._uncut[1] += piece.bytes

    def grown(self, piece: Piece, count: int, size: int) -> None:
        self._uncut[0] += count
        self._uncut[1] += size

    def settled(self, piece: Piece) -> None:
        row = piece.row
        if row is None:
            self._uncut[0] -= piece.count
            self._uncut[1] -= piece.bytes
            return
        row.live -= piece.count
        row.dead.append((piece.offset, piece.offset + piece.count))
        self._dirty_rows.add(row)

    def replaced(self, piece: Piece, parts: Iterable[Piece]) -> None:
        if piece.row is None:
            self._fresh.extend(parts)

    def load(self, piece: Piece) -> list[FlowFile]:
        if piece.row is None:
            raise AssertionError("a piece that no cut has seen is never evicted")
        if self._last_read[0] != piece.row.id:  # many pieces of one row are read one by one
            self._last_read = piece.row.id, self._reader.flowfiles(piece.row.id)
        flowfiles = self._last_read[1]
        return flowfiles[piece.offset : piece.offset + piece.count]

    def open_state(self, processor: str) -> NodeState:
        return self.states.open(processor, self._reader)

    def set_state(self, processor: str, key: str, value: Any) -> None:
        self._uncut[1] += self.states.set(processor, key, value)

    def set_totals(self, kind: str, totals: dict[str, int]) -> None:
        self._totals[kind] = totals

    def files_changed(self, changes: Mapping[str, int]) -> None:
        for name, change in changes.items():
            left = self._references.get(name, 0) + change
            self._references[name] = left
            if left <= 0:
                del self._references[name]
                self._dropped_files.append(name)

    def _mark(self) -> None:
        if not self._dirty.is_set():
            self._dirty.set()

    def _weigh(self) -> None:
        """Decide whether sources must wait for the disk (E15)."""
        objects = self._uncut[0] + self._writing[0]
        size = self._uncut[1] + self._writing[1]
        full = objects > BACKLOG_OBJECTS or size > BACKLOG_BYTES
        backlogged = full or self.problem is not None
        if backlogged != self.backlogged:
            self.backlogged = backlogged
            (self._pressed.set if backlogged else self._pressed.clear)()
            self.on_change()

    # -- cuts ----------------------------------------------------------------------------------

    async def run(self) -> None:
        least = pause = SHORTEST
        while True:
            await self._dirty.wait()
            await self._clock.wait(self._urgent, least)
            await self._clock.wait(self._pressed, pause - least)
            if self._stopping:
                return
            self._urgent.clear()
            started = self._clock.monotonic()
            done = await self._cut()
            took = self._clock.monotonic() - started
            pause = min(max(SHORTEST, 4 * took), LONGEST) if done else RETRY
            least = min(max(SHORTEST, took), pause) if done else RETRY

    def stop(self) -> None:
        self._stopping = True
        self._dirty.set()
        self._urgent.set()
        self._pressed.set()

    async def flush(self) -> None:
        if not await self._cut():
            raise RepositoryError(self.problem or "")

    async def between_cuts(self, function: Callable[[], T]) -> T:
        """Call on the writer thread while no cut is written and no file unlinked (backup)."""
        async with self._written:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._writer, function)

    async def _cut(self) -> bool:
        async with self._written:
            self._dirty.clear()
            cut, callbacks, rows, files = self._collect()
            loop = asyncio.get_running_loop()
            try:
                await loop.run_in_executor(self._writer, self._write, cut)
            except (sqlite3.Error, OSError) as error:
                self._keep(cut, callbacks, rows, files)
                self._failed(error)
                return False
            except BaseException:  # cancelled: the writer may have come to it or not
                self._keep(cut, callbacks, rows, files)
                raise
            self._succeeded(callbacks, rows, files)
            return True

    def _write(self, cut: Cut) -> None:
        if not cut.empty:
            self._store.write(cut)
            self._store.checkpoint_if_large()

    def _collect(self) -> tuple[Cut, list[Callable[[], None]], list[Row], list[str]]:
        """The net change since the last cut: references only, nothing is copied or encoded."""
        cut, self._pending = self._pending, Cut()
        rows, self._pending_rows = self._pending_rows, []
        rows += self._new_rows(cut)
        self._collect_dead(cut)
        cut.state.update(self.states.collect())
        for kind, totals in self._totals.items():
            cut.meta[kind] = dict(totals)
        self._totals = {}
        callbacks, self._callbacks = self._callbacks, []
        files, self._dropped_files = self._dropped_files, []
        if not cut.empty:
            cut.meta["time"] = self._clock.wall()
        self._writing = [self._writing[0] + self._uncut[0], self._writing[1] + self._uncut[1]]
        self._uncut = [0, 0]
        return cut, callbacks, rows, files

    def _new_rows(self, cut: Cut) -> list[Row]:
        fresh, self._fresh = self._fresh, []
        groups: dict[str, list[Piece]] = {}
        for piece in fresh:
            if piece.alive and piece.row is None:
                groups.setdefault(piece.connection.id, []).append(piece)
        rows = []
        for pieces in groups.values():
            for group in grouped(pieces):
                row = Row(self._next_row, sum(piece.count for piece in group))
                self._next_row += 1
                rows.append(row)
                cut.rows.append(new_row(row, group))
        return rows

    def _collect_dead(self, cut: Cut) -> None:
        dirty, self._dirty_rows = self._dirty_rows, set()
        for row in dirty:
            cut.dead.pop(row.id, None)
            if row.live == 0:
                cut.gone.append(row.id)
            else:
                row.dead = merged(row.dead)
                cut.dead[row.id] = list(row.dead)  # the loop goes on appending to the other

    def _keep(
        self,
        cut: Cut,
        callbacks: list[Callable[[], None]],
        rows: list[Row],
        files: list[str],
    ) -> None:
        """Keep everything for the next try; to write the same twice does no harm."""
        self._pending, self._pending_rows = cut, rows
        self._callbacks = callbacks + self._callbacks
        self._dropped_files = files + self._dropped_files

    def _failed(self, error: Exception) -> None:
        self.problem = (
            f"repository {str(self.directory)!r} must be writable; got {error}. Sources wait and "
            "resume by themselves when there is room again; nothing queued is lost"
        )
        self.backlogged = True
        self._dirty.set()
        self.on_change()

    def _succeeded(
        self, callbacks: list[Callable[[], None]], rows: list[Row], files: list[str]
    ) -> None:
        self.cuts += 1
        self._writing = [0, 0]
        self.states.written()
        for row in rows:
            row.stored = True
        recovered, self.problem = self.problem is not None, None
        self._weigh()
        for name in files:
            ContentStore(self.content_directory).unlink(name)
        for callback in callbacks:
            callback()
        self.after_cut()
        if recovered:
            self.on_change()

    async def close(self, *, completed: bool) -> None:
        """Write the last cut; leave the directory readable by any later version."""
        self._pending.meta["completed"] = completed
        try:
            if await self._cut():
                loop = asyncio.get_running_loop()
                with suppress(sqlite3.Error):  # the log is as durable as the file
                    await loop.run_in_executor(
                        self._writer, partial(self._store.checkpoint, whole=True)
                    )
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Let go of file and lock without writing."""
        self._writer.shutdown()
        self._store.close()
        self._reader.close()
        self._lock.release()
