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
from processors.read_data_lake.files import PARTITION, Files, Task
from processors.read_data_lake.formats import Reader, open_reader
from processors.read_data_lake.memory import Position
from processors.read_data_lake.output import FileFacts
from processors.read_data_lake.properties import LakeProperties
from processors.read_data_lake.records import START, Broken, BrokenFile, Place, Record
from processors.read_data_lake.storage import Entry, Missing, Storage, Unreachable, open_storage

_OPENING = 20  # opening a file counts as so many scanned records


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
    provenance = "RECEIVE"
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
        self._files = Files(self.properties)
        self._storage: Storage | None = None
        self._open: OpenFile | None = None
        self._expected: Position | None = None

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
            self._storage = self._connect()
        task = Task(self.properties, context, session, self._storage)
        if task.memory.position != self._expected:
            self._close()
        self._files.delete(task)
        while task.maker.room and not context.stopping and self._has_file(task):
            self._read(task)
        if self._open is not None:
            task.memory.position = self._open.position
        self._expected = task.memory.position
        task.maker.finish()
        self._report(task)

    def _connect(self) -> Storage:
        """The place with the files; tests put a broken one here."""
        return open_storage(self.properties)

    def _report(self, task: Task) -> None:
        """Progress of event time (E20)."""
        found = task.maker.greatest
        if found is not None:
            greatest = max(found, task.memory.greatest or found)
            task.memory.greatest = greatest
            late = self.properties.out_of_orderness
            task.session.report_progress(PARTITION, greatest - late - 1)

    def _close(self) -> None:
        """Forget everything that is not in the state."""
        if self._open is not None:
            self._open.reader.close()
        self._open = None
        self._files.forget()

    # -- opening -------------------------------------------------------------------------------

    def _has_file(self, task: Task) -> bool:
        """Open the next file unless one is open; False when there is none now."""
        if self._open is not None:
            return True
        position = task.memory.position
        if position is not None and not position.done:
            self._resume(task, position)
            return True
        entry = self._files.next(task)
        if entry is not None:
            self._begin(task, entry)
        return entry is not None

    def _resume(self, task: Task, position: Position) -> None:
        """Go on inside the file that was open when the engine stopped."""
        old, now = position.entry, task.storage.stat(position.entry.path)
        if now is None:
            subject = f"file {old.path!r}"
            task.warn(subject, "must stay until it is read; got none. The rest is skipped")
            self._files.finished(task, old, failures=1)
            return
        if now != old:
            task.warn(
                f"file {old.path!r}",
                "must not change while it is read; got another size or time. "
                f"Reading goes on after record {position.place.row}",
            )
        self._begin(task, now, position.place, position.failures)

    def _begin(self, task: Task, entry: Entry, place: Place = START, failures: int = 0) -> None:
        task.maker.scanned += _OPENING
        facts = self._files.facts(entry)
        if not entry.size:
            subject = f"file {entry.path!r}"
            task.warn(subject, "must hold records; got an empty file. It counts as read")
        try:
            reader = open_reader(
                task.storage, entry, place, self.properties, self._needed(), facts.partitions
            )
        except OSError as error:
            broken = Broken(place.row, 0, f"file must be readable; got {error.strerror or error}")
        except BrokenFile as error:
            task.storage.stat(entry.path)
            broken = Broken(place.row, 0, error.reason, error.raw)
        else:
            self._open = OpenFile(entry, facts, reader, failures)
            return
        self._broken(task, facts, broken, failures)
        self._files.finished(task, entry, failures + 1)

    def _needed(self) -> list[str] | None:
        """Columns that must be read, or None for all."""
        properties = self.properties
        if not properties.columns:
            return None
        extra = [properties.event_time] if properties.event_time is not None else []
        return [*properties.columns, *properties.attributes.values(), *extra]

    # -- reading -------------------------------------------------------------------------------

    def _read(self, task: Task) -> None:
        """Read from the open file until it ends or the session is full."""
        file, maker = self._open, task.maker
        if file is None:
            return
        try:
            ended = self._read_items(task, file)
        except BrokenFile as error:
            # Arrow reports a lost connection like damage: ask the store before blaming the file.
            task.storage.stat(file.entry.path)
            self._handle(task, file, maker.flush(file.facts, file.reader))
            place = file.reader.place
            self._handle(task, file, Broken(place.row + 1, place.line, error.reason, error.raw))
            ended = True
        self._handle(task, file, maker.flush(file.facts, file.reader))
        if ended:
            file.reader.close()
            self._files.finished(task, file.entry, file.failures)
            self._open = None

    def _read_items(self, task: Task, file: OpenFile) -> bool:
        """Take records while there is room; whether the file has ended."""
        maker, facts, reader = task.maker, file.facts, file.reader
        for item in file.items:
            if isinstance(item, Broken):
                self._handle(task, file, maker.flush(facts, reader))
                self._handle(task, file, item)
            else:
                wrong = maker.take(facts, item, reader)
                if wrong is not None:
                    self._handle(task, file, wrong)
            if not maker.room or task.context.stopping:
                return False
        return True

    def _handle(self, task: Task, file: OpenFile, broken: Broken | None) -> None:
        """Send what is broken, if anything, to failure."""
        if broken is not None:
            self._broken(task, file.facts, broken, file.failures)
            file.failures += 1

    def _broken(self, task: Task, facts: FileFacts, broken: Broken, failures: int) -> None:
        """Send to failure; the first of a file is said aloud too."""
        task.maker.fail(facts, broken)
        if not failures:
            line = f" line {broken.line}" if broken.line else ""
            task.warn(
                f"file {facts.path!r}{line}:",
                f"{broken.reason}. It went to 'failure'; the rest goes on",
            )
