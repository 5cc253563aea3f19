"""What a restart must know: how far the present file has been read, and which files were (E13).

``position``   the present file and the place in it; with ``once``, the last file when it is done
``seen.<key>`` with ``watch``: size and time of a file that has been read, one key per file, so that
               a cut holds only what changed
``undeleted``  files that are done with and wait until their records are on disk
``greatest``   greatest event time handed on
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from hashlib import blake2b
from typing import Any

import msgspec

from processors.read_data_lake.records import START, Place
from processors.read_data_lake.storage import Entry

_SEEN = "seen."
_SLACK = 10_000


class Position(msgspec.Struct, frozen=True, array_like=True):
    """A file, the place in it, how many of its records failed, and whether it is done."""

    entry: Entry
    place: Place = START
    failures: int = 0
    done: bool = False

    def dump(self) -> tuple[Any, ...]:
        """As plain values."""
        entry, place = msgspec.structs.astuple(self.entry), msgspec.structs.astuple(self.place)
        return (entry, place, self.failures, self.done)


class Memory:
    """The processor's durable state as one session sees it."""

    def __init__(self, state: MutableMapping[str, Any]) -> None:
        self._state = state

    @property
    def position(self) -> Position | None:
        """Where reading stands."""
        found = self._state.get("position")
        if found is None:
            return None
        entry, place, failures, done = found
        return Position(Entry(*entry), Place(*place), failures, done)

    @position.setter
    def position(self, position: Position | None) -> None:
        if position is not None:
            self._state["position"] = position.dump()
        elif "position" in self._state:
            del self._state["position"]

    @property
    def greatest(self) -> int | None:
        """Greatest event time handed on, in µs."""
        found: int | None = self._state.get("greatest")
        return found

    @greatest.setter
    def greatest(self, time: int) -> None:
        self._state["greatest"] = time

    # -- files that were read --------------------------------------------------------------------

    def has_seen(self, entry: Entry) -> bool:
        """Whether this version of the file has been read."""
        found = self._state.get(_key(entry.path))
        return found is not None and tuple(found) == (entry.size, entry.mtime)

    def see(self, entry: Entry) -> None:
        """Remember a file that has been read."""
        self._state[_key(entry.path)] = (entry.size, entry.mtime)

    def forget_vanished(self, entries: Iterable[Entry], committed: Mapping[str, Any]) -> None:
        """Drop files that are gone, once they are the most: a folder that is not mounted for a
        while must not make all its files new."""
        there = {_key(entry.path) for entry in entries}
        seen = [key for key in committed if key.startswith(_SEEN)]
        if there and len(seen) > 2 * len(there) + _SLACK:
            for key in seen:
                if key not in there:
                    del self._state[key]

    # -- files to delete -------------------------------------------------------------------------

    @property
    def undeleted(self) -> list[Entry]:
        """Files that are done with but not deleted yet."""
        return [Entry(*values) for values in self._state.get("undeleted", ())]

    def add_undeleted(self, entry: Entry) -> None:
        """A file that is done with."""
        values = msgspec.structs.astuple(entry)
        self._state["undeleted"] = (*self._state.get("undeleted", ()), values)

    def deleted(self, entry: Entry) -> None:
        """The file is gone, or is another one by now."""
        left = tuple(
            values for values in self._state.get("undeleted", ()) if Entry(*values) != entry
        )
        self._state["undeleted"] = left
        self._state.pop(_key(entry.path), None)


def _key(path: str) -> str:
    return _SEEN + blake2b(path.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()
