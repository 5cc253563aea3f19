"""Saved: panes in the processor's durable state, with a working copy in memory.

The state is the truth; the copy spares decoding it at each trigger. A version in the state tells
whether the copy still fits: after a roll-back or a restart it does not, and is made anew. Per
trigger each changed pane is written once, and kept records are appended in chunks, so that a cut
holds net changes only.

::

    version     (how often the state was changed, next free number)
    p…          a pane: :meth:`Pane.snapshot`
    c<number>   a chunk of kept records: lines of time and record
    $closed     event time up to which windows were closed; it ends with a completed run (E19)
    $clock      wall times that the processor waits for
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any, Final

import orjson

from processors.windows.panes import Pane
from processors.windows.plan import FoldPlan

VERSION: Final = "version"
CLOSED: Final = "$closed"
CLOCK: Final = "$clock"
CHUNK: Final = 16 << 10


class Saved:
    """The panes of one processor. ``begin`` and ``finish`` enclose each trigger."""

    def __init__(self, plan: FoldPlan) -> None:
        self.plan = plan
        self.panes: dict[str, Pane] = {}
        self.state: MutableMapping[str, Any] = {}
        self._version: int | None = None
        self._next = 0
        self._dirty: dict[str, Pane] = {}
        self._changed = False

    def begin(self, state: MutableMapping[str, Any], keys: Callable[[], list[str]]) -> bool:
        """Start a trigger over its session's state; True when the copy had to be made anew.

        ``keys`` gives the names in the state; it is asked only then.
        """
        version, self._next = state.get(VERSION, (0, 0))
        known, self._version = self._version, None  # until the trigger ends well
        self.state, self._changed = state, False
        self._dirty.clear()
        if known == version:
            return False
        self.panes = {
            name: Pane.restored(name, state[name], self.plan)
            for name in keys()
            if name.startswith("p")
        }
        return True

    def finish(self) -> None:
        """Write what changed."""
        version, _ = self.state.get(VERSION, (0, 0))
        for name, pane in self._dirty.items():
            self.state[name] = pane.snapshot()
        if self._changed:
            version += 1
            self.state[VERSION] = (version, self._next)
        self._version = version

    def number(self) -> int:
        """A number that was never used before."""
        self._next += 1
        self._changed = True
        return self._next

    def add(self, ident: str, key: str, start: int, end: int) -> Pane:
        """A new pane."""
        pane = self.panes[ident] = Pane(ident, key, start, end, self.plan)
        self.touch(pane)
        return pane

    def touch(self, pane: Pane) -> None:
        """The pane changed: write it at the end of the trigger."""
        self._dirty[pane.ident] = pane
        self._changed = True

    def drop(self, pane: Pane, *, chunks: bool = True) -> None:
        """Forget a pane, and its kept records unless another one took them over."""
        del self.panes[pane.ident]
        self._dirty.pop(pane.ident, None)
        self._changed = True
        if pane.ident in self.state:
            del self.state[pane.ident]
        if chunks:
            self.drop_chunks(pane)

    def drop_chunks(self, pane: Pane) -> None:
        """Forget the kept records of a pane."""
        for number in pane.chunks:
            del self.state[f"c{number}"]

    def keep(self, pane: Pane, lines: list[bytes]) -> None:
        """Append kept records to a pane."""
        more = b"\n".join(lines)
        if pane.chunks:
            name = f"c{pane.chunks[-1]}"
            old: bytes = self.state[name]
            if len(old) < CHUNK:
                self.state[name] = old + b"\n" + more
                return
        number = self.number()
        pane.chunks += (number,)
        self.state[f"c{number}"] = more

    def kept(self, chunks: tuple[int, ...]) -> list[tuple[int, bytes]]:
        """Time and bytes of kept records, in the order of time, then of arrival."""
        found = []
        for number in chunks:
            for line in self.state[f"c{number}"].split(b"\n"):
                time, _, raw = line.partition(b" ")
                found.append((int(time), raw))
        found.sort(key=lambda pair: pair[0])
        return found

    def note(self, name: str, value: Any) -> None:
        """Set one more value of the state; None takes it out."""
        if value is None:
            if name in self.state:
                del self.state[name]
        elif self.state.get(name) != value:
            self.state[name] = value

    @property
    def size(self) -> int:
        """About how many bytes the kept records of all open panes take."""
        return sum(len(self.state[f"c{n}"]) for pane in self.panes.values() for n in pane.chunks)


def decode(kept: list[tuple[int, bytes]]) -> list[tuple[int, Any]]:
    """Kept records, decoded."""
    return [(time, orjson.loads(raw)) for time, raw in kept]
