"""NodeState: the durable state of one processor, which may be larger than memory (E12).

Rules
-----
1. Names that begin with ``~`` are *lazy*: a restart does not load them, and what a cut has on disk
   may leave memory. All other names are loaded at the start and stay.
2. What no cut has on disk yet stays in memory: ``fresh`` since the last cut was collected,
   ``writing`` while that cut is written. Both hide what the disk says.
3. The rest is a cache of two generations: what was not looked at during a whole generation goes.
4. Names are in the order of their characters, so that a prefix is a range that can be walked
   without loading anything else: by key, or by time when the name begins with one.

Without a shelf (the memory repository, tests) everything stays.

Prior art: RocksDB's memtable over sorted runs, as Flink and Kafka Streams use it. Rejected: an
embedded store of its own, which could not share the cut's transaction (E13).
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Iterator, Mapping, MutableMapping
from heapq import merge
from itertools import islice
from typing import Any, Final, Protocol

LAZY: Final = "~"
PAGE: Final = 500
SAMPLED: Final = 16  # one of so many values is weighed
ENTRY: Final = 150  # bytes that a name and its places in dicts take


class Shelf(Protocol):
    """What is on disk of one processor's state."""

    def read(self, name: str) -> Any:
        """A value; None when there is none. Raises RepositoryError for a damaged store."""

    def names(self, start: str, end: str, most: int) -> list[str]:
        """Names in order, from ``start`` (in) to ``end`` (not in)."""


class NodeState(MutableMapping[str, Any]):
    """Names and immutable values. Changed on the engine's loop, read on any thread.

    limit: bytes of lazy values that may stay in memory, about
    """

    def __init__(self, shelf: Shelf | None = None, limit: int = 0) -> None:
        self.limit = limit
        self._shelf = shelf
        self._kept: dict[str, Any] = {}
        self._fresh: dict[str, Any] = {}
        self._writing: dict[str, Any] = {}
        self._young: dict[str, Any] = {}
        self._old: dict[str, Any] = {}
        self._weight = 0
        self._changes = 0
        self._order: list[str] = []
        self._added: list[str] = []
        self._partial = shelf is not None and bool(shelf.names(LAZY, "\x7f", 1))

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> NodeState:
        """A state with these values and nothing on disk, for tests."""
        state = cls()
        state.update(values)
        return state

    # -- values --------------------------------------------------------------------------------

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or ``default``."""
        if not name.startswith(LAZY):
            return self._kept.get(name, default)
        for level in (self._fresh, self._writing):
            if name in level:
                value = level[name]
                return default if value is None else value
        value = self._young.get(name)
        if value is None:
            value = self._old.get(name)
            if value is None and self._partial:
                value = self._load(name)
        return default if value is None else value

    def _load(self, name: str) -> Any:
        if self._shelf is None:
            return None
        before = self._changes
        value = self._shelf.read(name)
        if value is not None and before == self._changes:  # not overtaken by another commit
            self._young[name] = value
            self._weight += ENTRY + sys.getsizeof(value)
        return value

    def __getitem__(self, name: str) -> Any:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def put(self, name: str, value: Any) -> None:
        """Set a value; None takes it out, if it is there."""
        if value is not None:
            self[name] = value
        elif not name.startswith(LAZY):
            self._kept.pop(name, None)
        elif self._shelf is None:
            self._fresh.pop(name, None)
        else:
            self._bury(name)

    def _bury(self, name: str) -> None:
        self._changes += 1
        if name not in self._fresh and name not in self._writing:
            self._added.append(name)
        self._fresh[name] = None

    def __setitem__(self, name: str, value: Any) -> None:
        if not name.startswith(LAZY):
            self._kept[name] = value
            return
        self._changes += 1
        if name not in self._fresh and name not in self._writing:
            self._added.append(name)
        self._fresh[name] = value

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        self.put(name, None)

    # -- names ---------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[str]:
        yield from list(self._kept)
        yield from self.scan(LAZY, "\x7f")

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return next(iter(self), None) is not None

    def scan(self, start: str, end: str) -> Iterator[str]:
        """The names from ``start`` (in) to ``end`` (not in), in order; it may change meanwhile."""
        if not start.startswith(LAZY):
            yield from sorted(name for name in self._kept if start <= name < end)
            return
        while True:
            page = self._page(start, end)
            full = len(page) == PAGE
            upper = f"{page[-1]}\x00" if full else end
            on_disk = set(page)
            for name in _united(page, self._uncut(start, upper)):
                if self._alive(name, on_disk):
                    yield name
            if not full:
                return
            start = upper

    def _page(self, start: str, end: str) -> list[str]:
        stored = self._partial or self._young or self._old
        return self._shelf.names(start, end, PAGE) if self._shelf is not None and stored else []

    def _alive(self, name: str, on_disk: set[str]) -> bool:
        for level in (self._fresh, self._writing):
            if name in level:
                return level[name] is not None
        return name in on_disk or name in self._young or name in self._old

    def _uncut(self, start: str, end: str) -> list[str]:
        """Names between two that no cut has written yet, and some that are gone."""
        order = self._sorted()
        return order[bisect_left(order, start) : bisect_left(order, end)]

    def _sorted(self) -> list[str]:
        living = len(self._fresh) + len(self._writing)
        if len(self._order) + len(self._added) > 2 * living + PAGE:
            self._order = sorted({*self._fresh, *self._writing})
            self._added = []
        elif self._added:
            self._order += self._added
            self._order.sort()  # two runs: about as quick as a merge
            self._added = []
        return self._order

    # -- cuts ----------------------------------------------------------------------------------

    def collected(self) -> None:
        """A cut was collected: what is fresh is being written, again if it failed before."""
        if self._shelf is None:
            return
        if self._writing:
            self._writing.update(self._fresh)
        else:
            self._writing = self._fresh
        self._fresh = {}

    def written(self) -> None:
        """That cut is on disk: what was in it may leave memory."""
        done = self._writing
        for name, value in done.items():
            if value is None:
                self._young.pop(name, None)
                self._old.pop(name, None)
            else:
                self._young[name] = value
        self._writing = {}  # only now: a thread may look for a value meanwhile
        self._changes += 1
        self._weight += _weigh(done)
        if self._weight > self.limit // 2:
            self._partial = self._partial or bool(self._old)
            self._old, self._young, self._weight = self._young, {}, 0


def _weigh(values: dict[str, Any]) -> int:
    sample = list(islice(values.values(), 0, None, SAMPLED))
    if not sample:
        return 0
    return len(values) * (ENTRY + sum(map(_size, sample)) // len(sample))


def _size(value: Any) -> int:
    if isinstance(value, tuple | list):
        return sys.getsizeof(value) + sum(map(_size, value))
    return sys.getsizeof(value)


def _united(one: list[str], other: list[str]) -> Iterator[str]:
    last = None
    for name in merge(one, other) if one and other else one or other:
        if name != last:
            yield name
        last = name
