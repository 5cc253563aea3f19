"""Which file comes next, and what becomes of those that are done with."""

from __future__ import annotations

from collections import deque

from flowengine.context import ProcessContext
from flowengine.session import ProcessSession
from processors.read_data_lake.formats import format_of
from processors.read_data_lake.memory import Memory, Position
from processors.read_data_lake.output import FileFacts, Maker, base_of
from processors.read_data_lake.properties import LakeProperties, Mode, Order
from processors.read_data_lake.storage import Entry, Storage

PARTITION = "lake"
_DELETING = 100_000  # µs between looks whether the last files may be deleted


class Task:
    """What one trigger works with."""

    def __init__(
        self,
        properties: LakeProperties,
        context: ProcessContext,
        session: ProcessSession,
        storage: Storage,
    ) -> None:
        self.context, self.session, self.storage = context, session, storage
        self.memory = Memory(session.state)
        self.maker = Maker(properties, context, session)

    def warn(self, subject: str, rule: str) -> None:
        """Say what is wrong with a file or a property."""
        self.context.log.warning(f"processor {self.context.id!r} (ReadDataLake): {subject} {rule}")


class Files:
    """The files that wait to be read. Only the state decides; this is what was listed last."""

    def __init__(self, properties: LakeProperties) -> None:
        self._properties = properties
        self._base = base_of(properties.path)
        self._waiting: deque[Entry] | None = None
        self._listed_at = 0
        self._durable: set[Entry] | None = None

    def forget(self) -> None:
        """List again next time."""
        self._waiting = None

    def facts(self, entry: Entry) -> FileFacts:
        """What all records of a file share."""
        return FileFacts(entry, self._base, self._properties.types)

    def next(self, task: Task) -> Entry | None:
        """The next file. None when there is none now; the processor then waits or is complete."""
        if not self._waiting and not self._look(task):
            return None
        return self._waiting.popleft() if self._waiting else self.next(task)

    def _look(self, task: Task) -> bool:
        """List files, unless it is too soon or has been done."""
        context, properties = task.context, self._properties
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

    def _complete(self, task: Task) -> None:
        if task.memory.undeleted:
            task.context.yield_(_DELETING)
            return
        task.session.report_progress(PARTITION, None)
        task.context.complete()

    # -- listing -------------------------------------------------------------------------------

    def _list(self, task: Task) -> list[Entry]:
        """Files that are to be read, in order."""
        properties, memory = self._properties, task.memory
        entries, named = task.storage.files(properties.recurse)
        kept = [e for e in entries if named or format_of(e.path, properties.format) is not None]
        if not kept and properties.mode is Mode.ONCE:
            self._say_nothing_found(task, len(entries))
        if properties.mode is Mode.WATCH:
            kept = self._unseen(task, kept)
            memory.forget_vanished(entries, task.context.state)
        elif memory.position is not None:
            last = self._order(memory.position.entry)
            kept = [e for e in kept if self._order(e) > last]
        return sorted((e for e in kept if self._may_match(e)), key=self._order)

    def _say_nothing_found(self, task: Task, others: int) -> None:
        what = f"{others} of another format" if others else "no file"
        task.warn(
            "property 'path'",
            f"must lead to files to read; got {self._properties.path!r} with {what}. "
            "Check the path, or set 'format'",
        )

    def _unseen(self, task: Task, entries: list[Entry]) -> list[Entry]:
        memory, now = task.memory, task.context.clock.wall()
        undeleted, age = set(memory.undeleted), self._properties.minimum_age
        return [
            entry
            for entry in entries
            # A time in the future is another machine's clock, and no reason to wait.
            if not 0 <= now - entry.mtime < age
            and entry not in undeleted
            and not memory.has_seen(entry)
        ]

    def _may_match(self, entry: Entry) -> bool:
        chosen = self._properties.filter
        return chosen is None or chosen.possible(self.facts(entry).partitions)

    def _order(self, entry: Entry) -> tuple[int, str]:
        return (entry.mtime if self._properties.order is Order.TIME else 0, entry.path)

    # -- done with -----------------------------------------------------------------------------

    def finished(self, task: Task, entry: Entry, failures: int) -> None:
        """A file is done with: remember that, and let it be deleted if that was asked."""
        memory = task.memory
        if self._properties.mode is Mode.WATCH:
            memory.see(entry)
            memory.position = None
        else:
            memory.position = Position(entry, done=True)
        if self._properties.delete_after and not failures:
            memory.add_undeleted(entry)
            durable = self._durable
            if durable is not None:
                task.session.on_durable(lambda: durable.add(entry))

    def delete(self, task: Task) -> None:
        """Delete what is done with and on disk, as all is that the state held at the start."""
        memory, storage = task.memory, task.storage
        if self._durable is None:
            self._durable = set(memory.undeleted)
        ready = [entry for entry in memory.undeleted if entry in self._durable]
        self._durable.intersection_update(ready)
        for entry in ready:
            try:
                if storage.stat(entry.path) == entry:
                    storage.delete(entry.path)
            except OSError as error:
                task.warn(
                    f"file {entry.path!r}",
                    f"must be deletable; got {error.strerror or error}. It is kept; grant "
                    "permission or set 'delete_after' to false",
                )
            memory.deleted(entry)
