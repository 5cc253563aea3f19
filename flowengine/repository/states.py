"""States: the processors' states between memory, the next cut and the store (E12, E14)."""

from __future__ import annotations

from typing import Any, Final

from flowengine.node_state import NodeState
from flowengine.repository.store import Store

MEMORY: Final = 64 << 20  # of one processor
ROW: Final = 100  # bytes that a changed value takes beside itself, about


class StateShelf:
    """What the store has of one processor, through a connection for reading: SQLite lets readers
    pass while a cut is written."""

    def __init__(self, store: Store, processor: str) -> None:
        self._store, self._processor = store, processor

    def read(self, name: str) -> Any:
        """A value; None when there is none."""
        return self._store.state_value(self._processor, name)

    def names(self, start: str, end: str, most: int) -> list[str]:
        """Names in order, from ``start`` (in) to ``end`` (not in)."""
        return self._store.state_names(self._processor, start, end, most)


class States:
    """All states of one repository, and what of them changed since the last cut.

    memory: bytes of lazy values that may stay in memory, for each processor
    """

    def __init__(self, memory: int = MEMORY) -> None:
        self.memory = memory
        self._states: dict[str, NodeState] = {}
        self._changed: dict[tuple[str, str], Any] = {}

    def open(self, processor: str, reader: Store) -> NodeState:
        """The state of one processor, the same object each time."""
        if processor not in self._states:
            self._states[processor] = NodeState(StateShelf(reader, processor), self.memory)
        return self._states[processor]

    def set(self, processor: str, key: str, value: Any) -> int:
        """A value changed; returns about how many bytes the cut grows by."""
        self._changed[processor, key] = value
        return ROW + (len(value) if type(value) is bytes else ROW)

    def collect(self) -> dict[tuple[str, str], Any]:
        """What changed since the last cut, for the next one."""
        changed, self._changed = self._changed, {}
        for state in self._states.values():
            state.collected()
        return changed

    def written(self) -> None:
        """The cut that was collected last is on disk."""
        for state in self._states.values():
            state.written()
