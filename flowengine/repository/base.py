"""What the engine asks of a repository.

Numbered promises (engine.md):

1. A commit is synchronous and in memory; ``on_durable`` callbacks run on the engine's loop after
   the cut that contains the commit is on disk (E2).
2. A cut is one consistent state between two commits (E14): queue contents, source positions,
   processor state, counters and ledger share one transaction (E13).
3. What has not been cut is bounded: ``backlogged`` stops sources (E15).
4. A failed write loses nothing: the same cut is tried again until there is room (E12).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from flowengine.connection import Connection
from flowengine.node_state import NodeState
from flowengine.piece import Journal, Piece

StateKey = tuple[str, str]


class Recovered(msgspec.Struct):
    """What a restart finds.

    definition:  canonical text of the flow that the cut belongs to, or None for a new store
    connections: connection id → FlowFiles stored for it
    state:       (processor, key) → value, without the lazy ones
    ledger:      totals by name
    counters:    totals by name
    completed:   the last run ended by itself (E19)
    snapshot:    what the next start compares its definition with (E18), or None
    """

    definition: str | None
    connections: dict[str, int]
    state: dict[StateKey, Any]
    ledger: dict[str, int]
    counters: dict[str, int]
    completed: bool
    snapshot: str | None = None


class Repository(Journal, Protocol):
    """Keeps the flow's state. All methods are called on the engine's loop."""

    content_directory: Path
    durable: bool
    backlogged: bool
    problem: str | None
    on_change: Callable[[], None]
    after_cut: Callable[[], None]

    def recover(self) -> Recovered:
        """Open the store and say what is in it. Raises RepositoryError or LockedError."""

    def attach(self, connections: Mapping[str, Connection]) -> None:
        """Put the stored pieces back into their connections."""

    def forget(self, connections: Iterable[str]) -> int:
        """Drop what is stored for connections that are gone; returns how many FlowFiles (E18)."""

    def open_epoch(self, definition: str) -> int:
        """Store whose queues these are, and a number never used before, durably (E1)."""

    def set_definition(self, text: str, snapshot: str) -> None:
        """Another definition's queues from the next cut on (E8, E18)."""

    def begin(self, polled: Iterable[Piece], callbacks: list[Callable[[], None]]) -> None:
        """A session starts to commit."""

    def open_state(self, processor: str) -> NodeState:
        """A processor's lasting state, the same object each time; lazy values stay on disk."""

    def set_state(self, processor: str, key: str, value: Any) -> None:
        """A processor's state changed in the session that commits. None deletes the key."""

    def set_totals(self, kind: str, totals: dict[str, int]) -> None:
        """Ledger or counters changed; the dict is copied when a cut is taken."""

    def end(self) -> None:
        """The session has committed."""

    def files_changed(self, changes: Mapping[str, int]) -> None:
        """References to content files gained or lost by a commit."""

    async def run(self) -> None:
        """Write cuts until ``stop`` is called."""

    def stop(self) -> None:
        """Let ``run`` return after the cut it is writing."""

    async def flush(self) -> None:
        """Write a cut now and return when it is on disk."""

    async def close(self, *, completed: bool) -> None:
        """Write the last cut and give the store back."""
