"""Read records from files in a folder or an object store. Source: NiFi ``ListFile``, ``FetchFile``
and ``SplitRecord`` in one, so that the place inside a file is part of the cut (E13).

1. A trigger goes on where the state says, makes at most 1 000 FlowFiles or 16 MB, and stores the
   new place with them. The open file is only a shortcut: when state and shortcut disagree, because
   a commit failed, the file is opened again.
2. What cannot be read goes to ``failure`` and counts as read; what cannot be *reached* is waited
   for. A file is never skipped in silence.
3. A file is deleted, when asked, only after a cut holds everything that was made of it (E2).
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from flowengine.context import ProcessContext
from flowengine.errors import EnvironmentFault, YieldError
from flowengine.processor import (
    Example,
    InputRequirement,
    NifiNote,
    Processor,
    ProcessorProperties,
    Relationship,
)
from flowengine.session import ProcessSession
from processors.read_data_lake.formats import Reader, format_of, open_reader
from processors.read_data_lake.memory import Memory, Position
from processors.read_data_lake.output import FileFacts, Maker, base_of
from processors.read_data_lake.properties import LakeProperties, Mode, Order
from processors.read_data_lake.records import START, Broken, BrokenFile, Place, Record
from processors.read_data_lake.storage import Entry, Missing, Storage, Unreachable, open_storage

_OPENING = 20  # opening a file counts as so many scanned records
_DELETING = 100_000  # µs between looks whether the last files may be deleted
PARTITION = "lake"


class OpenFile:
    """The file that is being read."""

    def __init__(self, entry: Entry, facts: FileFacts, reader: Reader, failures: int) -> None:
        self.entry, self.facts, self.reader = entry, facts, reader
        self.failures = failures
        self.items: Iterator[Record | Broken] = iter(reader)

    @property
    def position(self) -> Position:
        """What the state must hold to continue here."""
        return Position(self.entry, self.reader.place, self.failures)


class ReadDataLake(Processor):
    """Read records from files: JSON, NDJSON, CSV or Parquet, local or in an object store."""

    tags = ("file", "lake", "read", "json", "csv", "parquet", "s3", "ndjson", "source")
    writes = {
        "filename": "Name of the file.",
        "path": "Folder of the file, relative to the property `path`.",
        "absolute.path": "Folder of the file.",
        "lake.file": "Full path or URL of the file.",
        "lake.row": "Number of the (first) record in its file, from 1.",
        "partition.*": "Values of Hive partitions: `partition.country`.",
        "record.count": "Records in the FlowFile, when there may be several.",
        "mime.type": "Type of the content.",
        "error.line": "Line of a broken record, from 1; 0 where the format has none.",
        "error.reason": "What is wrong with it.",
    }
    input = InputRequirement.FORBIDDEN
    blocking = True
    serial = True
    nifi = NifiNote(
        "GetFile",
        {
            "path": "Input Directory and File Filter",
            "recurse": "Recurse Subdirectories",
            "delete_after": "Keep Source File, reversed",
            "poll_interval": "Polling Interval",
            "minimum_age": "Minimum File Age",
        },
        {"delete_after": "true: GetFile deletes what it has read", "mode": "watch"},
    )
    Properties = LakeProperties
    properties: LakeProperties

    success = Relationship("Records.")
    failure = Relationship(
        "Records and files that could not be read: raw, with line and reason.", failure=True
    )
    examples = (
        Example(
            "Dutch adults, by name",
            properties={
                "path": "data/lake/users",
                "columns": ["name", "age"],
                "filter": "age >= 18 and country == 'NL'",
                "attributes": {"name": "name"},
            },
            description="`country` may be a column, or a folder `country=NL`, which is then the "
            "only one that is opened.",
        ),
    )

    def __init__(self, properties: ProcessorProperties) -> None:
        super().__init__(properties)
        self._storage: Storage | None = None
        self._open: OpenFile | None = None
        self._waiting: deque[Entry] | None = None
        self._expected: Position | None = None
        self._listed_at = 0
        self._durable: set[Entry] | None = None

    @asynccontextmanager
    async def on_scheduled(self, context: ProcessContext) -> AsyncIterator[None]:
        yield
        self._close()

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        try:
            self._work(context, session)
        except BaseException as error:
            self._close()
            self._explain(context, error)
            raise

    def _explain(self, context: ProcessContext, error: BaseException) -> None:
        """Raise what the reader can do something about."""
        where = f"processor {context.id!r} (ReadDataLake): property 'path'"
        if isinstance(error, Missing):
            raise EnvironmentFault(
                f"{where} must name a folder, file or pattern that exists; got "
                f"{self.properties.path!r}, and there is no {str(error)!r}. Create it or correct "
                "the path; it is looked for again"
            ) from error
        if isinstance(error, Unreachable):
            raise YieldError(
                f"{where} must be reachable; got {self.properties.path!r}: {error}. Check network, "
                "endpoint and credentials; it is tried again"
            ) from error
        if isinstance(error, PermissionError):
            raise EnvironmentFault(
                f"{where} must be readable; got {self.properties.path!r}: {error.strerror}. Grant "
                "permission; it is tried again"
            ) from error

    def _work(self, context: ProcessContext, session: ProcessSession) -> None:
        if self._storage is None:
            self._storage = open_storage(self.properties)
        memory = Memory(session.state)
        if memory.position != self._expected:
            self._close()
        self._delete(context, memory, self._storage)
        maker = Maker(self.properties, context, session)
        task = _Task(context, session, memory, maker, self._storage)
        while maker.room and not context.stopping and self._has_file(task):
            self._read(task)
        if self._open is not None:
            memory.position = self._open.position
        self._expected = memory.position
        maker.finish()
        self._report(session, memory, maker)

    def _close(self) -> None:
        """Forget everything that is not in the state."""
        if self._open is not None:
            self._open.reader.close()
        self._open = self._waiting = None

    # -- which file ----------------------------------------------------------------------------

    def _has_file(self, task: _Task) -> bool:
        """Open the next file unless one is open; False when there is none now."""
        if self._open is not None:
            return True
        position = task.memory.position
        if position is not None and not position.done:
            self._resume(task, position)
            return True
        if not self._waiting and not self._look(task):
            return False
        if self._waiting:
            self._begin(task, self._waiting.popleft())
        return True

    def _look(self, task: _Task) -> bool:
        """List files; False when there is nothing to read now."""
        context, properties = task.context, self.properties
        now = context.clock.monotonic()
        if properties.mode is Mode.ONCE:
            if self._waiting is not None:
                self._complete(task)
                return False
        elif self._waiting is not None and now < self._listed_at + properties.poll_interval:
            context.yield_(self._listed_at + properties.poll_interval - now)
            return False
        self._waiting = deque(self._list(task))
        self._listed_at = now
        return True

    def _list(self, task: _Task) -> list[Entry]:
        """Files that are to be read, in order."""
        properties, memory = self.properties, task.memory
        entries, named = task.storage.files(properties.recurse)
        kept = [e for e in entries if named or format_of(e.path, properties.format) is not None]
        if not kept and properties.mode is Mode.ONCE:
            what = "no file" if not entries else f"{len(entries)} of another format"
            task.context.log.warning(
                f"processor {task.context.id!r} (ReadDataLake): property 'path' must lead to files "
                f"to read; got {properties.path!r} with {what}. Check the path, or set 'format'"
            )
        if properties.mode is Mode.WATCH:
            memory.forget_vanished(entries, task.context.state)
            undeleted = set(memory.undeleted)
            kept = [e for e in kept if e not in undeleted and not memory.has_seen(e)]
            kept = [e for e in kept if self._is_old_enough(task, e)]
        elif memory.position is not None:
            last = self._order(memory.position.entry)
            kept = [e for e in kept if self._order(e) > last]
        return sorted((e for e in kept if self._may_match(e)), key=self._order)

    def _is_old_enough(self, task: _Task, entry: Entry) -> bool:
        # A time in the future is another machine's clock, and no reason to wait.
        return not 0 <= task.context.clock.wall() - entry.mtime < self.properties.minimum_age

    def _may_match(self, entry: Entry) -> bool:
        chosen = self.properties.filter
        return chosen is None or chosen.possible(self._facts(entry).partitions)

    def _order(self, entry: Entry) -> tuple[int, str]:
        return (entry.mtime if self.properties.order is Order.TIME else 0, entry.path)

    def _facts(self, entry: Entry) -> FileFacts:
        return FileFacts(entry, base_of(self.properties.path), self.properties.types)

    # -- opening and closing -------------------------------------------------------------------

    def _resume(self, task: _Task, position: Position) -> None:
        """Go on inside the file that was open when the engine stopped."""
        old, now = position.entry, task.storage.stat(position.entry.path)
        if now is None:
            self._warn(task, old, "must stay until it is read; got none", "The rest is skipped")
            self._finished(task, old, failures=1)
            return
        if now != old:
            self._warn(
                task,
                old,
                "must not change while it is read; got another size or time",
                f"Reading goes on after record {position.place.row}",
            )
        self._begin(task, now, position.place, position.failures)

    def _begin(self, task: _Task, entry: Entry, place: Place = START, failures: int = 0) -> None:
        task.maker.scanned += _OPENING
        facts = self._facts(entry)
        if not entry.size:
            self._warn(task, entry, "must hold records; got an empty file", "It counts as read")
        try:
            reader = open_reader(
                task.storage, entry, place, self.properties, self._needed(), facts.partitions
            )
        except OSError as error:
            reason = f"file must be readable; got {error.strerror or error}"
            self._broken(task, facts, Broken(place.row, 0, reason), failures)
        except BrokenFile as error:
            self._check_reachable(task, entry)
            self._broken(task, facts, Broken(place.row, 0, error.reason, error.raw), failures)
        else:
            self._open = OpenFile(entry, facts, reader, failures)
            return
        self._finished(task, entry, failures + 1)

    def _needed(self) -> list[str] | None:
        """Columns that must be read, or None for all."""
        properties = self.properties
        if not properties.columns:
            return None
        extra = [properties.event_time] if properties.event_time is not None else []
        return [*properties.columns, *properties.attributes.values(), *extra]

    def _finished(self, task: _Task, entry: Entry, failures: int) -> None:
        """A file is done with: remember that, and let it be deleted if that was asked."""
        memory = task.memory
        if self.properties.mode is Mode.WATCH:
            memory.see(entry)
            memory.position = None
        else:
            memory.position = Position(entry, done=True)
        if self.properties.delete_after and not failures:
            memory.add_undeleted(entry)
            durable = self._durable
            if durable is not None:
                task.session.on_durable(lambda: durable.add(entry))
        self._open = None

    # -- reading -------------------------------------------------------------------------------

    def _read(self, task: _Task) -> None:
        """Read from the open file until it ends or the session is full."""
        file, maker = self._open, task.maker
        if file is None:
            return
        ended = True
        try:
            for item in file.items:
                if isinstance(item, Broken):
                    maker.flush(file.facts, file.reader)
                    self._broken(task, file.facts, item, file.failures)
                    file.failures += 1
                elif not maker.take(file.facts, item, file.reader):
                    file.failures += 1
                if not maker.room or task.context.stopping:
                    ended = False
                    break
        except BrokenFile as error:
            self._check_reachable(task, file.entry)
            maker.flush(file.facts, file.reader)
            place = file.reader.place
            rest = Broken(place.row + 1, place.line, error.reason, error.raw)
            self._broken(task, file.facts, rest, file.failures)
            file.failures += 1
        maker.flush(file.facts, file.reader)
        if ended:
            file.reader.close()
            self._finished(task, file.entry, file.failures)

    def _check_reachable(self, task: _Task, entry: Entry) -> None:
        """Arrow reports a lost connection like damage: ask the store before blaming the file."""
        task.storage.stat(entry.path)

    def _broken(self, task: _Task, facts: FileFacts, broken: Broken, failures: int) -> None:
        """Send to failure; the first of a file is said aloud too."""
        task.maker.fail(facts, broken)
        if not failures:
            line = f" line {broken.line}" if broken.line else ""
            task.context.log.warning(
                f"processor {task.context.id!r} (ReadDataLake): file {facts.path!r}{line}: "
                f"{broken.reason}. It went to 'failure'; the rest goes on"
            )

    def _warn(self, task: _Task, entry: Entry, rule: str, then: str) -> None:
        task.context.log.warning(
            f"processor {task.context.id!r} (ReadDataLake): file {entry.path!r} {rule}. {then}"
        )

    # -- the end -------------------------------------------------------------------------------

    def _delete(self, context: ProcessContext, memory: Memory, storage: Storage) -> None:
        """Delete what is done with and on disk. What the state held at the start of a run is."""
        if self._durable is None:
            self._durable = set(memory.undeleted)
        ready = [entry for entry in memory.undeleted if entry in self._durable]
        self._durable.intersection_update(ready)
        for entry in ready:
            try:
                if storage.stat(entry.path) == entry:
                    storage.delete(entry.path)
            except OSError as error:
                context.log.warning(
                    f"processor {context.id!r} (ReadDataLake): file {entry.path!r} must be "
                    f"deletable; got {error.strerror or error}. It is kept; grant permission or "
                    "set 'delete_after' to false"
                )
            memory.deleted(entry)

    def _complete(self, task: _Task) -> None:
        if task.memory.undeleted:
            task.context.yield_(_DELETING)
            return
        task.session.report_progress(PARTITION, None)
        task.context.complete()

    def _report(self, session: ProcessSession, memory: Memory, maker: Maker) -> None:
        """Progress of event time (E20)."""
        if maker.greatest is not None:
            greatest = max(maker.greatest, memory.greatest or maker.greatest)
            memory.greatest = greatest
            late = self.properties.out_of_orderness
            session.report_progress(PARTITION, greatest - late - 1)


class _Task:
    """What one trigger works with."""

    def __init__(
        self,
        context: ProcessContext,
        session: ProcessSession,
        memory: Memory,
        maker: Maker,
        storage: Storage,
    ) -> None:
        self.context, self.session, self.memory = context, session, memory
        self.maker, self.storage = maker, storage
