"""The SQLite file of a data directory: schema, one transaction per cut, reading back.

WAL with ``synchronous=FULL``, automatic checkpoints off, passive ones between cuts (E17). A row of
``chunks`` holds up to 256 FlowFiles: its metadata columns come first and the encoded FlowFiles
last, so that recovery reads a few pages per row and not the contents (E11). What is consumed of a
row is kept as dead ranges beside it; a row without living FlowFiles is deleted.
"""

from __future__ import annotations

import sqlite3
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from flowengine.arrow_content import dec_hook, enc_hook
from flowengine.errors import RepositoryError
from flowengine.flowfile import FlowFile
from flowengine.node_state import LAZY

APPLICATION_ID = 0x464C4F57  # "FLOW"
FORMAT = 1
DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR_READ", "SQLITE_IOERR_SHORT_READ")
CHECKPOINT_PAGES = 2000

# One transaction: a crash during the first start must not leave tables without our mark.
_SCHEMA = f"""
BEGIN IMMEDIATE;
PRAGMA application_id={APPLICATION_ID};
PRAGMA user_version={FORMAT};
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chunks (
    id INTEGER PRIMARY KEY, connection TEXT NOT NULL, count INTEGER NOT NULL, runs BLOB NOT NULL,
    dead BLOB, files BLOB, checksum INTEGER NOT NULL, data BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS state (
    processor TEXT, key TEXT, value BLOB, PRIMARY KEY (processor, key)
) WITHOUT ROWID;
COMMIT;
"""


class Run(msgspec.Struct, array_like=True, gc=False):
    """One piece inside a row, as metadata. Times in µs."""

    position: int
    count: int
    bytes: int
    marked: bool
    penalty_until: int
    event_time: int | None


class NewRow(msgspec.Struct):
    """A row to be written: its FlowFiles are encoded by the writer, off the engine's loop."""

    id: int
    connection: str
    runs: list[Run]
    lists: list[list[FlowFile]]
    files: list[str]


class RowInfo(msgspec.Struct):
    """A row as recovery sees it, without its FlowFiles."""

    id: int
    connection: str
    count: int
    runs: list[Run]
    dead: list[tuple[int, int]]
    files: list[str]


class Cut(msgspec.Struct):
    """One consistent cut: the net change since the last one (E14)."""

    rows: list[NewRow] = []
    dead: dict[int, list[tuple[int, int]]] = {}
    gone: list[int] = []
    state: dict[tuple[str, str], Any] = {}
    meta: dict[str, Any] = {}

    @property
    def empty(self) -> bool:
        return not (self.rows or self.dead or self.gone or self.state or self.meta)


_encode = msgspec.msgpack.Encoder(enc_hook=enc_hook).encode
_decode_flowfiles = msgspec.msgpack.Decoder(list[FlowFile], dec_hook=dec_hook).decode
_decode_runs = msgspec.msgpack.Decoder(list[Run]).decode
_decode_ranges = msgspec.msgpack.Decoder(list[tuple[int, int]]).decode
_decode_names = msgspec.msgpack.Decoder(list[str]).decode
_decode = msgspec.msgpack.Decoder().decode


class Store:
    """One connection to the file. Each thread that uses the store opens its own.

    Opening raises RepositoryError for what is no database, foreign or newer.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self.path, isolation_level=None, check_same_thread=False, cached_statements=64
            )
            try:
                self._check_owner(connection)  # before anything is changed in the file
            except BaseException:
                connection.close()
                raise
            connection.execute("PRAGMA page_size=8192")
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # takes effect in a new file only
            connection.execute(f"PRAGMA journal_size_limit={2 * CHECKPOINT_PAGES * 8192}")
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA wal_autocheckpoint=0")
            connection.execute("PRAGMA busy_timeout=10000")
            if sys.platform == "darwin":
                connection.execute("PRAGMA fullfsync=1")
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error
        return connection

    def prepare(self) -> None:
        """Create the schema in a new file."""
        try:
            self._connection.executescript(_SCHEMA)
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error

    def _check_owner(self, connection: sqlite3.Connection) -> None:
        (owner,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if owner not in (0, APPLICATION_ID) or (owner == 0 and tables):
            raise RepositoryError(
                f"repository {str(self.path)!r} must be one that flowengine made; got another "
                "program's database. Choose another --data-dir"
            )
        if version > FORMAT:
            raise RepositoryError(
                f"repository {str(self.path)!r} must have format {FORMAT} or older; got {version}. "
                "Use the newer flowengine that wrote it"
            )

    def _damaged(self, error: Exception) -> RepositoryError:
        name = getattr(error, "sqlite_errorname", DAMAGE[0])
        if not name.startswith(DAMAGE):  # a full disk is no reason to throw the file away
            return RepositoryError(
                f"repository {str(self.path)!r} must be writable; got {error}. Make room on the "
                "disk, or allow writing, and start again; nothing queued is lost"
            )
        return RepositoryError(
            f"repository {str(self.path)!r} must be a readable SQLite database; got {error}. "
            "Restore it with `flowengine restore`, or move the file away to start empty"
        )

    # -- writing -------------------------------------------------------------------------------

    def write(self, cut: Cut) -> None:
        """Write one cut in one transaction. Raises sqlite3.Error and leaves nothing half done."""
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        try:
            self._write_rows(cut)
            self._write_state(cut.state)
            self._connection.executemany(
                "INSERT OR REPLACE INTO meta VALUES (?, ?)",
                [(key, _encode(value)) for key, value in cut.meta.items()],
            )
            run("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                run("ROLLBACK")
            raise

    def _write_rows(self, cut: Cut) -> None:
        many = self._connection.executemany
        many(
            "INSERT OR REPLACE INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?)", map(_encoded, cut.rows)
        )
        many("DELETE FROM chunks WHERE id = ?", [(row,) for row in cut.gone])
        many(
            "UPDATE chunks SET dead = ? WHERE id = ?",
            [(_encode(ranges), row) for row, ranges in cut.dead.items()],
        )

    def _write_state(self, state: Mapping[tuple[str, str], Any]) -> None:
        gone = [key for key, value in state.items() if value is None]
        kept = [(*key, _encode(value)) for key, value in state.items() if value is not None]
        self._connection.executemany("DELETE FROM state WHERE processor = ? AND key = ?", gone)
        self._connection.executemany("INSERT OR REPLACE INTO state VALUES (?, ?, ?)", kept)

    def checkpoint(self, *, whole: bool = False) -> None:
        """Move the write-ahead log into the file; passive unless ``whole``."""
        self._connection.execute(f"PRAGMA wal_checkpoint({'TRUNCATE' if whole else 'PASSIVE'})")

    def checkpoint_if_large(self) -> None:
        """A passive checkpoint when the write-ahead log has grown."""
        wal = self.path.with_name(self.path.name + "-wal")
        size = wal.stat().st_size if wal.exists() else 0
        if size > CHECKPOINT_PAGES * 8192:
            self.checkpoint(whole=size > 16 * CHECKPOINT_PAGES * 8192)
            self._give_back()

    def _give_back(self) -> None:
        """Make the file smaller, a part at a time, when most of it is free."""
        run = self._connection.execute
        (free,), (pages,) = (
            run(f"PRAGMA {what}").fetchone() for what in ("freelist_count", "page_count")
        )
        if free > max(pages // 2, 2 * CHECKPOINT_PAGES):
            run(f"PRAGMA incremental_vacuum({CHECKPOINT_PAGES})").fetchall()

    # -- reading -------------------------------------------------------------------------------

    def flowfiles(self, row: int) -> list[FlowFile]:
        """The FlowFiles of one row, dead ones included."""
        query = "SELECT checksum, data FROM chunks WHERE id = ?"
        found = self._reading(query, (row,))
        if not found or zlib.crc32(found[0][1]) != found[0][0]:
            raise self._damaged(sqlite3.DatabaseError(f"row {row} is missing or damaged"))
        with self._decoding():
            return _flowfiles(found[0][1])

    def rows(self) -> Iterator[RowInfo]:
        """Metadata of all rows, oldest first."""
        query = "SELECT id, connection, count, runs, dead, files FROM chunks ORDER BY id"
        for id_, connection, count, runs, dead, files in self._reading(query):
            with self._decoding():
                yield RowInfo(
                    id_,
                    connection,
                    count,
                    _decode_runs(runs),
                    _decode_ranges(dead) if dead else [],
                    _decode_names(files) if files else [],
                )

    def state(self) -> dict[tuple[str, str], Any]:
        """All processors' state."""
        rows = self._reading("SELECT processor, key, value FROM state")
        with self._decoding():
            return {(processor, key): _decode(value) for processor, key, value in rows}

    def eager_state(self) -> dict[tuple[str, str], Any]:
        """The state that a restart loads: without names that begin with ``~`` (E12)."""
        found: dict[tuple[str, str], Any] = {}
        last = ""
        while True:  # the processors one by one: a scan over all rows would read the lazy ones too
            rows = self._reading("SELECT min(processor) FROM state WHERE processor > ?", (last,))
            last = rows[0][0]
            if last is None:
                return found
            for low, high in (("", LAZY), ("\x7f", "\U0010ffff")):
                query = "SELECT key, value FROM state WHERE processor = ? AND key >= ? AND key < ?"
                values = self._reading(query, (last, low, high))
                with self._decoding():
                    found |= {(last, key): _decode(value) for key, value in values}

    def state_value(self, processor: str, key: str) -> Any:
        """One value; None when there is none."""
        query = "SELECT value FROM state WHERE processor = ? AND key = ?"
        rows = self._reading(query, (processor, key))
        if not rows:
            return None
        with self._decoding():
            return _decode(rows[0][0])

    def state_names(self, processor: str, start: str, end: str, most: int) -> list[str]:
        """Names of values in order, from ``start`` (in) to ``end`` (not in)."""
        query = (
            "SELECT key FROM state WHERE processor = ? AND key >= ? AND key < ? "
            "ORDER BY key LIMIT ?"
        )
        return [key for (key,) in self._reading(query, (processor, start, end, most))]

    def state_keys(self) -> list[tuple[str, str]]:
        """Processor and name of every value."""
        return [(p, k) for p, k in self._reading("SELECT processor, key FROM state")]

    def meta(self) -> dict[str, Any]:
        """Everything that is about the store and the flow as a whole."""
        rows = self._reading("SELECT key, value FROM meta")
        with self._decoding():
            return {key: _decode(value) for key, value in rows}

    def _reading(self, query: str, values: tuple[object, ...] = ()) -> Sequence[tuple[Any, ...]]:
        try:
            return self._connection.execute(query, values).fetchall()
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            raise self._damaged(error) from error

    @contextmanager
    def _decoding(self) -> Iterator[None]:
        try:
            yield
        except (msgspec.MsgspecError, TypeError, UnicodeDecodeError) as error:
            raise self._damaged(error) from error

    def backup(self, target: Path, progress: Callable[[int, int, int], None] | None = None) -> None:
        """Copy one committed cut into another file."""
        copy = sqlite3.connect(target)
        try:
            self._connection.backup(copy, pages=1000, progress=progress)
        finally:
            copy.close()

    def close(self) -> None:
        self._connection.close()


def _encoded(row: NewRow) -> tuple[object, ...]:
    lists = row.lists
    flowfiles = lists[0] if len(lists) == 1 else [f for part in lists for f in part]
    data = _encoded_flowfiles(flowfiles)
    files = _encode(row.files) if row.files else None
    return (
        row.id,
        row.connection,
        len(flowfiles),
        _encode(row.runs),
        None,
        files,
        zlib.crc32(data),
        data,
    )


def _encoded_flowfiles(flowfiles: list[FlowFile]) -> bytes:
    """One processor's bad attribute must not stop the store: what is no text becomes text (E5)."""
    try:
        return _encode(flowfiles)
    except (TypeError, ValueError, OverflowError):
        return _encode([f.replacing(_as_text(f.attributes)) for f in flowfiles])


def _flowfiles(data: bytes) -> list[FlowFile]:
    try:
        return _decode_flowfiles(data)
    except msgspec.ValidationError:
        raw = _decode(data)
        names = FlowFile.__struct_fields__.index("attributes")
        for fields in raw:
            fields[names] = _as_text(fields[names])
        return msgspec.convert(raw, list[FlowFile], dec_hook=dec_hook)


def _as_text(attributes: Mapping[Any, Any]) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in attributes.items()}


def _text(value: object) -> str:
    return str(value).encode("utf-8", "replace").decode()
