"""Commit: what happens to a session's work, all at once and on the engine's loop.

The order is: check, decide what goes back for a retry, put outputs into connections, settle or
restore inputs, count references to content files, apply state, account. Nothing in between awaits,
so a cut sees all of it or nothing (E2, E14).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flowengine.connection import Connection
from flowengine.content import FileContent
from flowengine.errors import ProcessorBug, StateConflict, described
from flowengine.failures import Failure
from flowengine.flowfile import FlowFile
from flowengine.line import runs
from flowengine.piece import Piece
from flowengine.watermarks import CLOCK_TIMER, EVENT_TIMER, HOLD, PROGRESS, WATERMARK

if TYPE_CHECKING:
    from flowengine.node import Core, Node

UNCHANGED: Final = -(1 << 63)
STATE_TYPES: Final = (str, int, float, bytes, tuple, list, dict, type(None))


class Sent(msgspec.Struct):
    """What one relationship got: FlowFiles, their bytes, and into how many connections.

    copies: what the second and every further connection got, in the order of ``flowfiles``
    """

    relationship: str
    flowfiles: list[FlowFile]
    bytes: int
    connections: int
    copies: list[list[FlowFile]] = []


class Work:
    """What a session has collected so far. Lists are replaced, not shared, once handed over.

    roots: id of a made FlowFile → id of the input that it descends from in this session (E6)
    """

    __slots__ = (
        "bytes_read",
        "bytes_written",
        "callbacks",
        "changes",
        "clock_timer",
        "counters",
        "created",
        "event_timer",
        "failed",
        "files",
        "has_files",
        "hold",
        "kept",
        "outputs",
        "penalized",
        "pieces",
        "polled",
        "progress",
        "removed",
        "roots",
        "seen",
    )

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.polled: list[FlowFile] = []
        self.created: list[FlowFile] = []
        self.roots: dict[int, int] = {}
        self.outputs: dict[str, list[FlowFile]] = {}
        self.removed: list[FlowFile] = []
        self.kept: list[FlowFile] = []
        self.penalized: set[int] = set()
        self.failed: list[Failure] = []
        self.changes: dict[str, Any] = {}
        self.seen: dict[str, Any] = {}
        self.counters: dict[str, int] = {}
        self.callbacks: list[Callable[[], None]] = []
        self.progress: dict[str, int | None] = {}
        self.files: list[FileContent] = []
        self.has_files = False
        self.hold: int | None = UNCHANGED
        self.event_timer: int | None = UNCHANGED
        self.clock_timer: int | None = UNCHANGED
        self.bytes_read = 0
        self.bytes_written = 0


def commit(work: Work, node: Node, core: Core) -> None:
    """Make a session's work visible at once.

    Raises ProcessorBug, and changes nothing, when a FlowFile is missing, doubled, or sent to a
    relationship that does not exist.
    """
    _check(work, node)
    back = _retried(work, node, core.clock.wall()) if node.flat.retry else {}
    for flowfile in work.kept:
        back[flowfile.id] = flowfile
    callbacks = [_guarded(callback, node, core) for callback in work.callbacks]
    core.repository.begin(work.pieces, callbacks)
    sent = _send(work, node, core)
    _settle(work.pieces, back)
    if work.has_files:
        core.repository.files_changed(_file_changes(work, sent, back))
    _apply_state(work, node, core)
    core.account(node, work, back, sent)
    core.repository.end()


def _guarded(callback: Callable[[], None], node: Node, core: Core) -> Callable[[], None]:
    """An acknowledgement that may fail: it stops neither the store nor the other callbacks."""

    def acknowledge() -> None:
        try:
            callback()
        except Exception as error:  # noqa: BLE001 - code of a processor, outside of its trigger
            who = f"processor {node.id!r} ({node.flat.type}) on_durable"
            core.board.post(node.id, "error", described(who, error))

    return acknowledge


def rollback(work: Work, core: Core) -> None:
    """Put everything back where it was; what was created is gone (E4)."""
    for connection, pieces in _by_connection(work.pieces).items():
        connection.restore(pieces)
    for content in work.files:
        core.contents.unlink(content.name)


def _check(work: Work, node: Node) -> None:
    expected = [f.id for f in work.polled]
    if work.created:
        expected += [f.id for f in work.created]
    actual: list[int] = []
    for name, flowfiles in work.outputs.items():
        if name not in node.flat.relationships:
            raise ProcessorBug(node.unknown_relationship(name))
        actual += [f.id for f in flowfiles]
    actual += [f.id for f in work.removed]
    actual += [f.id for f in work.kept]
    if actual != expected and sorted(actual) != sorted(expected):
        raise ProcessorBug(_misplaced(node, Counter(expected), Counter(actual)))
    if work.kept and not {f.id for f in work.kept} <= {f.id for f in work.polled}:
        raise ProcessorBug(
            f"processor {node.id!r} ({node.flat.type}) must keep only FlowFiles that it polled; "
            "got one that it made. The session was rolled back"
        )
    for key in work.seen.keys() & work.changes.keys():
        if node.state.get(key) != work.seen[key]:
            raise StateConflict(
                f"processor {node.id!r} ({node.flat.type}) state {key!r} must be as it was read; "
                "got a change by another task"
            )
    for key, value in work.changes.items():
        if not isinstance(value, STATE_TYPES):
            raise ProcessorBug(
                f"processor {node.id!r} ({node.flat.type}) state {key!r} must be text, a number, "
                "bytes, a tuple or a mapping of such, or None; got "
                f"a {type(value).__name__}. The session was rolled back"
            )


def _misplaced(node: Node, expected: Counter[int], actual: Counter[int]) -> str:
    lost, extra = expected - actual, actual - expected
    got = f"{lost.total()} left behind" if lost else f"{extra.total()} handed on twice"
    return (
        f"processor {node.id!r} ({node.flat.type}) must transfer, keep or remove each FlowFile of "
        f"a session once; got {got}. The session was rolled back"
    )


# -- retry -------------------------------------------------------------------------------------


def _retried(work: Work, node: Node, now: int) -> dict[int, FlowFile]:
    """Inputs that go back for another attempt; what descends from them is dropped (E6)."""
    originals = {f.id: f for f in work.polled}
    back: dict[int, FlowFile] = {}
    for name, policy in node.flat.retry.items():
        for flowfile in work.outputs.get(name, ()):
            root = work.roots.get(flowfile.id, flowfile.id)
            original = originals.get(root)
            if original is None or root in back:
                continue
            if policy.count is None or original.attempts < policy.count:
                back[root] = node.next_attempt(original, policy, now)
    if back:
        _drop_descendants(work, back)
    return back


def _drop_descendants(work: Work, back: Mapping[int, FlowFile]) -> None:
    def left(flowfiles: list[FlowFile]) -> list[FlowFile]:
        return [f for f in flowfiles if work.roots.get(f.id, f.id) not in back]

    work.outputs = {name: left(flowfiles) for name, flowfiles in work.outputs.items()}
    work.created = left(work.created)
    work.removed = left(work.removed)
    work.kept = left(work.kept)


# -- outputs -----------------------------------------------------------------------------------


def _send(work: Work, node: Node, core: Core) -> list[Sent]:
    marked = bool(work.penalized) or any(piece.marked for piece in work.pieces)
    sent = []
    for name, flowfiles in work.outputs.items():
        if not flowfiles:
            continue
        ready = _cleaned(flowfiles, work.penalized) if marked else flowfiles
        size = sum([f.size for f in ready])
        connections = node.outputs.get(name, ())
        copies = [_copies(ready, core) for _ in connections[1:]]
        for connection, members in zip(connections, [ready, *copies], strict=False):
            _deliver(work, connection, members, size)
        sent.append(Sent(name, ready, size, len(connections), copies))
    return sent


def _deliver(work: Work, connection: Connection, flowfiles: list[FlowFile], size: int) -> None:
    files = work.has_files
    if not work.penalized:
        connection.put(flowfiles, size, files=files)
        return
    free = [f for f in flowfiles if not f.penalty_until]
    connection.put_penalized([f for f in flowfiles if f.penalty_until], files=files)
    if free:
        connection.put(free, sum([f.size for f in free]), files=files)


def _cleaned(flowfiles: list[FlowFile], penalized: set[int]) -> list[FlowFile]:
    """Without what belonged to the queue they leave: attempts, cursor, an old penalty."""
    return [
        f
        if not (f.attempts or f.cursor or f.penalty_until)
        else msgspec.structs.replace(
            f, attempts=0, cursor=0, penalty_until=f.penalty_until if f.id in penalized else 0
        )
        for f in flowfiles
    ]


def _copies(flowfiles: list[FlowFile], core: Core) -> list[FlowFile]:
    ids = core.ids.take_many(len(flowfiles))
    replace = msgspec.structs.replace
    return [replace(f, id=number) for f, number in zip(flowfiles, ids, strict=True)]


# -- inputs ------------------------------------------------------------------------------------


def _by_connection(pieces: Iterable[Piece]) -> dict[Connection, list[Piece]]:
    grouped: dict[Connection, list[Piece]] = {}
    for piece in pieces:
        grouped.setdefault(piece.connection, []).append(piece)
    return grouped


def _settle(pieces: Iterable[Piece], back: Mapping[int, FlowFile]) -> None:
    for connection, members in _by_connection(pieces).items():
        done = members if not back else _put_back(connection, members, back)
        connection.settle(done)


def _put_back(
    connection: Connection, pieces: list[Piece], back: Mapping[int, FlowFile]
) -> list[Piece]:
    """Return what goes back to its place; the pieces that are done with are the result."""
    done: list[Piece] = []
    for piece in pieces:
        flowfiles = connection.members(piece)
        if all(back.get(f.id) is f for f in flowfiles):
            connection.restore([piece])
        elif not any(f.id in back for f in flowfiles):
            done.append(piece)
        else:
            done += _put_back_in_parts(connection, piece, back)
    return done


def _put_back_in_parts(
    connection: Connection, piece: Piece, back: Mapping[int, FlowFile]
) -> list[Piece]:
    """The same for a piece whose FlowFiles have different fates: what is unchanged stays whole."""
    done = []
    for part in reversed(_parts(connection, piece, back)):  # the head is where insertion is cheap
        flowfile = connection.members(part)[0]
        again = back.get(flowfile.id)
        if again is flowfile:
            connection.restore([part])
            continue
        done.append(part)
        if again is not None:
            files = part.files or isinstance(again.content, FileContent)
            connection.put_at(part.position, again, files=files)
    return done


def _parts(connection: Connection, piece: Piece, back: Mapping[int, FlowFile]) -> list[Piece]:
    """Runs of what is done and of what is unchanged; each changed FlowFile alone."""
    fates: list[object] = []
    for flowfile in connection.members(piece):
        again = back.get(flowfile.id)
        fates.append(None if again is None else True if again is flowfile else flowfile.id)
    lengths = runs(fates)
    return connection.split(piece, lengths) if len(lengths) > 1 else [piece]


# -- files and state ---------------------------------------------------------------------------


def _file_changes(work: Work, sent: Iterable[Sent], back: Mapping[int, FlowFile]) -> dict[str, int]:
    """References to content files that this commit gains and loses."""
    changes: Counter[str] = Counter({content.name: 0 for content in work.files})
    for flowfile in work.polled:
        if isinstance(flowfile.content, FileContent):
            changes[flowfile.content.name] -= 1
    for group in sent:
        for flowfile in group.flowfiles:
            if isinstance(flowfile.content, FileContent):
                changes[flowfile.content.name] += group.connections
    for flowfile in back.values():
        if isinstance(flowfile.content, FileContent):
            changes[flowfile.content.name] += 1
    return dict(changes)


def _apply_state(work: Work, node: Node, core: Core) -> None:
    for key, value in work.changes.items():
        node.state.put(key, value)
        core.repository.set_state(node.id, key, value)
    if work.progress:
        node.report_progress(work.progress)
        core.repository.set_state(node.id, PROGRESS, dict(node.progress))
    if work.hold is not UNCHANGED:
        node.hold = work.hold
        core.repository.set_state(node.id, HOLD, work.hold)
    if work.event_timer is not UNCHANGED:
        node.event_timer = work.event_timer
        core.repository.set_state(node.id, EVENT_TIMER, work.event_timer)
    if work.clock_timer is not UNCHANGED:
        node.clock_timer = work.clock_timer
        core.repository.set_state(node.id, CLOCK_TIMER, work.clock_timer)
    if node.processor.event_time and math.isfinite(node.watermark):
        core.repository.set_state(node.id, WATERMARK, int(node.watermark))
