"""Saved: panes in the processor's durable state, with a working copy of some in memory.

The state is the truth and may be larger than memory (E12); the copy spares decoding it at each
trigger. A version in the state tells whether the copy still fits: after a roll-back or a restart it
does not. Per trigger each changed pane is written once, and kept records lie in chunks that are
merged four at a time, so that a cut holds little more than the net change.

::

    version      (how often the state was changed, next free number, panes, bytes)
    w<start>     a window, or a pane that windows share: end, keys, records, fired
    ~p…          a pane: :meth:`Pane.snapshot`
    ~c<number>   a chunk of kept records: lines of time and record
    ~d<time> …   when to look at what (:mod:`due`)
    $closed      event time up to which windows were closed; it ends with a completed run (E19)
    $seen, $input, $tick  times that the processor waits for

Names with ``~`` may leave memory; a restart reads the others only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import orjson

from flowengine.session_state import SessionState
from processors.windows.panes import Chunk, Pane
from processors.windows.plan import FoldPlan

VERSION: Final = "version"
CLOSED: Final = "$closed"
PANES: Final = "~p"
CHUNK: Final = 16 << 10
TIER: Final = 4  # chunks of about one size that become one
CACHED: Final = 20_000  # panes that are kept decoded between two triggers
PANE_BYTES: Final = 100  # what a pane takes beside its key and its kept records, about


class Saved:
    """The panes of one processor. ``begin`` and ``finish`` enclose each trigger.

    count: panes in the state
    size:  about how many bytes they take
    """

    def __init__(self, plan: FoldPlan) -> None:
        self.plan = plan
        self.state = SessionState({}, {})
        self.count = self.size = 0
        self._panes: dict[str, Pane] = {}
        self._version: int | None = None
        self._next = 0
        self._dirty: dict[str, Pane] = {}
        self._changed = False

    def begin(self, state: SessionState) -> bool:
        """Start a trigger over its session's state; True when indexes must be made anew."""
        version, self._next, self.count, self.size = state.get(VERSION, (0, 0, 0, 0))
        known, self._version = self._version, None  # until the trigger ends well
        self.state, self._changed = state, False
        self._dirty.clear()
        if known != version or len(self._panes) > CACHED:
            self._panes.clear()
        return bool(known != version)

    def finish(self) -> None:
        """Write what changed."""
        self.flush()
        version = self.state.get(VERSION, (0,))[0]
        if self._changed:
            version += 1
            self.state[VERSION] = (version, self._next, self.count, self.size)
        self._version = version

    def flush(self) -> None:
        """Write the panes that changed so far."""
        for name, pane in self._dirty.items():
            self.state[name] = pane.snapshot()
        self._dirty.clear()

    # -- panes ---------------------------------------------------------------------------------

    def pane(self, ident: str) -> Pane | None:
        """The pane of this name."""
        pane = self._panes.get(ident)
        if pane is None:
            saved = self.state.get(ident)
            if saved is not None:
                pane = self._panes[ident] = Pane.restored(ident, saved, self.plan)
        return pane

    def there(self, ident: str) -> Pane:
        """A pane that must exist."""
        pane = self.pane(ident)
        if pane is None:
            raise AssertionError(f"pane {ident!r} is in an index and not in the state")
        return pane

    def idents(self, start: str = PANES, end: str = "") -> Iterator[str]:
        """Names of panes that begin with ``start``, in order, or lie from it to ``end``."""
        self.flush()
        return self.state.scan(start, end or after(start))

    def number(self) -> int:
        """A number that was never used before."""
        self._next += 1
        self._changed = True
        return self._next

    def add(self, ident: str, key: str, start: int, end: int) -> Pane:
        """A new pane."""
        pane = self._panes[ident] = Pane(ident, key, start, end, self.plan)
        self.count += 1
        self.size += PANE_BYTES + len(key)
        self.touch(pane)
        return pane

    def touch(self, pane: Pane) -> None:
        """The pane changed: write it at the end of the trigger."""
        self._dirty[pane.ident] = pane
        self._changed = True

    def drop(self, pane: Pane, *, chunks: bool = True) -> None:
        """Forget a pane, and its kept records unless another one took them over."""
        self._panes.pop(pane.ident, None)
        self._dirty.pop(pane.ident, None)
        self.remove(pane.ident)
        self.count -= 1
        self.size -= PANE_BYTES + len(pane.key)
        if chunks:
            self.drop_chunks(pane)

    # -- kept records --------------------------------------------------------------------------

    def drop_chunks(self, pane: Pane) -> None:
        """Forget the kept records of a pane."""
        for number, size in pane.chunks:
            self.remove(f"~c{number}")
            self.size -= size

    def keep(self, pane: Pane, lines: list[bytes]) -> None:
        """Append kept records to a pane."""
        more = b"\n".join(lines)
        self.size += len(more)
        chunks = [*pane.chunks, self._new_chunk(more)]
        while (merged := self._merged(chunks[-TIER:])) is not None:
            chunks[-TIER:] = [merged]
        pane.chunks = tuple(chunks)

    def _new_chunk(self, data: bytes) -> Chunk:
        number = self.number()
        self.state[f"~c{number}"] = data
        return number, len(data)

    def _merged(self, last: list[Chunk]) -> Chunk | None:
        """The last chunks as one, when they are of about one size and not large."""
        sizes = [size for _, size in last]
        if len(last) < TIER or sum(sizes) > CHUNK or max(sizes) >= TIER * max(sizes[-1], 1):
            return None
        data = b"\n".join([self.state[f"~c{number}"] for number, _ in last])
        for number, _ in last:
            self.remove(f"~c{number}")
        self.size += len(data) - sum(sizes)
        return self._new_chunk(data)

    def kept(self, chunks: tuple[Chunk, ...]) -> list[tuple[int, bytes]]:
        """Time and bytes of kept records, in the order of time, then of arrival."""
        found = []
        for number, _ in chunks:
            for line in self.state[f"~c{number}"].split(b"\n"):
                time, _, raw = line.partition(b" ")
                found.append((int(time), raw))
        found.sort(key=lambda pair: pair[0])
        return found

    # -- other values --------------------------------------------------------------------------

    def put(self, name: str, value: Any) -> None:
        """Set one more value that indexes rest on."""
        self.state[name] = value
        self._changed = True

    def remove(self, name: str) -> None:
        """Take one out."""
        self.state.discard(name)
        self._changed = True

    def note(self, name: str, value: Any) -> None:
        """Set a value that stands for itself, if it is another one; None takes it out."""
        if self.state.get(name) != value:
            self.state[name] = value


def after(prefix: str) -> str:
    """The first text that is behind all texts that begin with ``prefix``."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def decode(kept: list[tuple[int, bytes]]) -> list[tuple[int, Any]]:
    """Kept records, decoded."""
    return [(time, orjson.loads(raw)) for time, raw in kept]
