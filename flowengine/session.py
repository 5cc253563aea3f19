"""ProcessSession: one atomic unit of work.

Invariants
----------
1. A session touches connections only when it polls and when it commits or rolls back, on the
   engine's loop; between the two it is private and may be used by a worker thread (E3).
2. At commit every FlowFile that was polled or created has been transferred, kept or removed, once.
   Anything else is a processor's bug and rolls back.
3. Commit is synchronous: outputs are visible, inputs settled, state changed, all or nothing (E2).
4. Roll-back puts every FlowFile back where it was (E4).
5. The unit of retry is one input and what descends from it in this session (E6).

Prior art: NiFi's ``StandardProcessSession``. Rejected: one bookkeeping record per FlowFile; here
lists go through untouched and one comparison of ids per batch checks rule 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from flowengine.commit import Work, commit, rollback
from flowengine.content import INLINE_LIMIT, ContentWriter, FileContent
from flowengine.errors import MoveToThread
from flowengine.failures import Failure, report
from flowengine.flowfile import FlowFile
from flowengine.session_state import SessionState
from flowengine.session_tables import SessionTables

if TYPE_CHECKING:
    from flowengine.node import Core, Node

BATCH_BYTES = 1 << 20
PART_OBJECTS = 1000
PART_BYTES = 16 << 20


class ProcessSession(SessionTables):
    """Get, create, change and transfer FlowFiles; the scheduler commits or rolls back."""

    def __init__(self, node: Node, core: Core) -> None:
        self._node = node
        self._core = core
        self.work = Work()
        self._waiting: list[FlowFile] = []
        self._copied: set[str] = set()
        self._created_bytes = 0
        self.unsynced: list[FileContent] = []
        self._limit = node.limit
        self._over = False
        self.now = core.clock.wall()

    # -- taking --------------------------------------------------------------------------------

    def get(self) -> FlowFile | None:
        """The next FlowFile, or None when nothing is ready."""
        batch = self.get_batch(1)
        return batch[0] if batch else None

    def get_batch(
        self, maximum: int | None = None, *, connection: str | None = None
    ) -> list[FlowFile]:
        """Up to ``maximum`` FlowFiles (by default the batch size), about 1 MiB of content.

        ``connection`` takes from that input alone, for processors whose inputs differ, as a join.
        """
        limit = min(maximum or self._node.batch_size, self._left)
        if limit > len(self._waiting) == 0 and not self._over:
            self._core.call(self._poll, limit, connection)
        batch, self._waiting = self._waiting[:limit], self._waiting[limit:]
        self.work.polled += batch
        return batch

    @property
    def _left(self) -> int:
        """How many more may be taken: all sessions are small while a culprit is looked for (E5)."""
        return max(self._limit - len(self.work.polled), 0)

    def prefetch(self) -> None:
        """Poll one batch now, on the loop, for a trigger that will run on a thread.

        With several inputs it is the processor that says which one it wants.
        """
        if len(self._node.inputs) == 1:
            self._poll(min(self._node.batch_size, self._left))

    @property
    def inputs(self) -> list[tuple[str, str]]:
        """The inputs as pairs of connection id and id of the processor it comes from."""
        return [(connection.id, connection.source) for connection in self._node.inputs]

    def _poll(self, limit: int, only: str | None = None) -> None:
        if self._over:  # a thread that nobody waits for any more must not take anything
            return
        left = BATCH_BYTES
        for connection in self._node.next_inputs():
            if only not in (None, connection.id):
                continue
            pieces = connection.poll(limit, left, self.now)
            self.work.pieces += pieces
            for piece in pieces:
                self._waiting += piece.flowfiles or ()
                limit -= piece.count
                left -= piece.bytes
                self.work.has_files = self.work.has_files or piece.files
            if limit <= 0 or left <= 0:
                return

    # -- making and changing -------------------------------------------------------------------

    def create(
        self,
        content: bytes = b"",
        attributes: Mapping[str, str] | None = None,
        *,
        parent: FlowFile | None = None,
        ingest_time: int | None = None,
        event_time: int | None = None,
    ) -> FlowFile:
        """A new FlowFile. With a parent it inherits attributes, times and the fate of a retry."""
        data = bytes(content) if len(content) <= INLINE_LIMIT else self._to_file(content)
        made = self._new(parent, dict(attributes or {}), ingest_time, event_time)
        made.content, made.size = data, len(data)
        self.work.bytes_written += len(data)
        self._created_bytes += len(data)
        self.work.created.append(made)
        if parent is not None:
            self.work.roots[made.id] = self.work.roots.get(parent.id, parent.id)
        return made

    def _new(
        self,
        parent: FlowFile | None,
        attributes: dict[str, str],
        ingest_time: int | None,
        event_time: int | None,
    ) -> FlowFile:
        now, number = self.now, self._core.ids.take()
        if parent is None:
            ingest = now if ingest_time is None else ingest_time
            return FlowFile(number, attributes, b"", 0, now, now, ingest, event_time, event_time)
        merged = {**parent.attributes, **attributes}
        first = parent.event_time if event_time is None else event_time
        last = parent.event_last if event_time is None else event_time
        ingest = parent.ingest_time if ingest_time is None else ingest_time
        start = parent.lineage_start
        return FlowFile(number, merged, b"", 0, parent.entry_time, start, ingest, first, last)

    def create_many(
        self, contents: list[bytes], attributes: list[dict[str, str]], *, ingest: list[int] | None
    ) -> list[FlowFile]:
        """FlowFiles without a parent, for sources in a hurry. The dicts are kept, not copied."""
        now = self.now
        times = ingest if ingest is not None else [now] * len(contents)
        ids = self._core.ids.take_many(len(contents))
        made = [
            FlowFile(number, names, content, len(content), now, now, time)
            for number, content, names, time in zip(ids, contents, attributes, times, strict=True)
        ]
        size = sum(map(len, contents))
        self.work.bytes_written += size
        self._created_bytes += size
        self.work.created += made
        return made

    def clone(self, flowfile: FlowFile) -> FlowFile:
        """A copy under a new id; the content is shared."""
        copy = msgspec.structs.replace(flowfile, id=self._core.ids.take())
        self.work.created.append(copy)
        self.work.roots[copy.id] = self.work.roots.get(flowfile.id, flowfile.id)
        return copy

    @property
    def room(self) -> bool:
        """Whether this session may still create FlowFiles; a splitter stops when not (E7)."""
        return len(self.work.created) < PART_OBJECTS and self._created_bytes < PART_BYTES

    def read(self, flowfile: FlowFile) -> bytes:
        """The whole content."""
        self.work.bytes_read += flowfile.size
        if isinstance(flowfile.content, bytes):
            return flowfile.content
        if isinstance(flowfile.content, FileContent):
            self._leave_loop()
        return self._core.contents.read(flowfile.content)

    def open(self, flowfile: FlowFile) -> BinaryIO:
        """The content as a stream, for what may be large; the caller closes it."""
        self.work.bytes_read += flowfile.size
        if isinstance(flowfile.content, FileContent):
            self._leave_loop()
        return self._core.contents.open(flowfile.content)

    def write(self, flowfile: FlowFile, content: bytes) -> FlowFile:
        """A FlowFile with this content."""
        self.work.bytes_written += len(content)
        small = len(content) <= INLINE_LIMIT
        return flowfile.with_content(bytes(content) if small else self._to_file(content))

    def _new_content(self) -> ContentWriter:
        return self._core.contents.create(self._core.ids.take(), self._leave_loop)

    def _to_file(self, content: bytes) -> FileContent:
        writer = self._new_content()
        writer.write(content)
        kept = self._finish(writer)
        if isinstance(kept, bytes):
            raise AssertionError("a content above the limit lies in a file")
        return kept

    def _finish(self, writer: ContentWriter) -> bytes | FileContent:
        content = writer.finish()
        if isinstance(content, FileContent):
            self.work.files.append(content)
            self.work.has_files = True
            self.unsynced.append(content)
            if not self._core.on_loop:
                self.sync()
        return content

    def sync(self) -> None:
        """Make the content files of this session durable (E16); not for the engine's loop."""
        if self.unsynced:
            self._core.contents.sync(self.unsynced)
            self.unsynced = []

    def _leave_loop(self) -> None:
        """Content in files is not for the loop: a trigger that is called there starts over on a
        thread (E3)."""
        if not self._node.is_async and self._core.on_loop:
            raise MoveToThread

    @contextmanager
    def writer(self, flowfile: FlowFile) -> Iterator[ContentStream]:
        """Stream a new content: ``with session.writer(f) as out: …``, then ``out.flowfile``."""
        writer = self._new_content()
        stream = ContentStream(writer, flowfile)
        try:
            yield stream
        except BaseException:
            writer.discard()
            raise
        self.work.bytes_written += writer.size
        stream.flowfile = flowfile.with_content(self._finish(writer))

    def put_attributes(self, flowfile: FlowFile, changes: Mapping[str, str]) -> FlowFile:
        """A FlowFile with these attributes added or replaced."""
        return flowfile.with_attributes(changes)

    def penalize(self, flowfile: FlowFile) -> FlowFile:
        """A FlowFile that waits for the penalty duration in the queue it is put into."""
        self.work.penalized.add(flowfile.id)
        until = self.now + self._node.flat.penalty_us
        return msgspec.structs.replace(flowfile, penalty_until=until)

    # -- handing on ----------------------------------------------------------------------------

    def transfer(self, flowfiles: FlowFile | list[FlowFile], relationship: str) -> None:
        """Hand on to a relationship. A list is kept: do not change it afterwards."""
        many = [flowfiles] if isinstance(flowfiles, FlowFile) else flowfiles
        if not many:
            return
        outputs = self.work.outputs
        if relationship not in outputs:
            outputs[relationship] = many
            return
        if relationship not in self._copied:  # the first list is the caller's: grow a copy of it
            self._copied.add(relationship)
            outputs[relationship] = list(outputs[relationship])
        outputs[relationship] += many

    def remove(self, flowfiles: FlowFile | list[FlowFile]) -> None:
        """Take out of the flow: the work with it is done."""
        self.work.removed += [flowfiles] if isinstance(flowfiles, FlowFile) else flowfiles

    def keep(self, flowfiles: FlowFile | list[FlowFile]) -> None:
        """Leave where it was, for a later trigger; a changed cursor or penalty is kept too."""
        self.work.kept += [flowfiles] if isinstance(flowfiles, FlowFile) else flowfiles

    def fail(
        self,
        flowfile: FlowFile,
        error: BaseException | str,
        relationship: str = "failure",
        **attributes: str,
    ) -> None:
        """Transfer with ``error.*`` attributes that say what went wrong, where and how often."""
        kind = "" if isinstance(error, str) else type(error).__name__
        changes = {
            "error.class": kind or "Error",
            "error.message": str(error),
            "error.processor": self._node.id,
            "error.attempt": str(flowfile.attempts + 1),
            **{name.replace("_", "."): value for name, value in attributes.items()},
        }
        self.work.failed.append(Failure(flowfile.id, relationship, str(error)))
        self.transfer(flowfile.with_attributes(changes), relationship)

    # -- the rest ------------------------------------------------------------------------------

    @property
    def state(self) -> SessionState:
        """This processor's durable state with this session's changes.

        Values are immutable; after a restart a tuple comes back as a list. Names that begin with
        `~` may leave memory, so that the state may be larger (E12).
        """
        shared = self._node.flat.scheduling.concurrent_tasks > 1
        return SessionState(self._node.state, self.work.changes, self.work.seen if shared else None)

    def adjust_counter(self, name: str, delta: int = 1) -> None:
        """Add to a named counter of the flow."""
        self.work.counters[name] = self.work.counters.get(name, 0) + delta

    def on_durable(self, callback: Callable[[], None]) -> None:
        """Call on the engine's loop once this session is on disk: the only place from which
        anything upstream is acknowledged (E2)."""
        self.work.callbacks.append(callback)

    def report_progress(self, partition: str, event_time: int | None) -> None:
        """A source: no record of this partition at or before ``event_time`` will come any more.

        None takes the partition out of the watermark (idle, revoked or done).
        """
        self.work.progress[partition] = event_time

    def hold_time(self, event_time: int | None) -> None:
        """Earliest event time this processor's state may still put out; None when it holds nothing.

        It takes the place of the FlowFiles that went into the state, in the same commit (E20).
        """
        self.work.hold = event_time

    def set_event_timer(self, time: int | None) -> None:
        """Trigger this processor again, even without input, once its watermark reaches ``time``."""
        self.work.event_timer = time

    def set_clock_timer(self, wall: int | None) -> None:
        """Trigger this processor again, even without input, at this wall time in µs."""
        self.work.clock_timer = wall

    @property
    def idle(self) -> bool:
        """Whether nothing came of it: to be triggered again at once would spin."""
        done = self.work.outputs or self.work.removed or self.work.created or self.work.changes
        return not (done or self.work.callbacks)

    @property
    def taken(self) -> int:
        """FlowFiles that the processor was given."""
        return len(self.work.polled)

    def again(self) -> ProcessSession:
        """A new session that holds exactly what this one holds; this one is rolled back.

        The failed trigger's work is gone, but its FlowFiles are not given back in between: after a
        roll-back the head of the queue may be another task's.
        """
        session = ProcessSession(self._node, self._core)
        session.work.pieces, self.work.pieces = self.work.pieces, []
        session.work.has_files = self.work.has_files
        session._waiting = self.work.polled + self._waiting
        session._limit = len(session._waiting)
        self.rollback()
        return session

    # -- ending, called by the scheduler -------------------------------------------------------

    def commit(self) -> None:
        """Make everything visible at once; see :func:`flowengine.commit.commit`."""
        work = self.work
        work.kept += self._waiting
        work.polled += self._waiting
        self._waiting = []
        commit(work, self._node, self._core)
        self._over = True
        if work.failed:
            report(work, self._node, self._core)

    def rollback(self) -> None:
        """Put everything back; what was created is gone. A second time does nothing."""
        if not self._over:
            self._over, self._waiting = True, []
            rollback(self.work, self._core)


class ContentStream:
    """A writable stream and, after it closed, the FlowFile that holds what was written."""

    def __init__(self, writer: ContentWriter, flowfile: FlowFile) -> None:
        self._writer = writer
        self.flowfile = flowfile

    def write(self, data: bytes) -> int:
        """Append bytes."""
        return self._writer.write(data)
