"""The repository for tests and containers without a disk.

Nothing survives the process. So a source is acknowledged only when all that descends from what it
handed on has left the flow: then a crash loses nothing that anybody upstream believes delivered.
Descent is tracked per piece, by tokens: a session's output carries the tokens of all its input.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from flowengine.connection import Connection
from flowengine.content import ContentStore
from flowengine.flowfile import FlowFile
from flowengine.node_state import NodeState
from flowengine.piece import NO_TOKENS, Piece, Token
from flowengine.repository.base import Recovered


class MemoryRepository:
    """Holds nothing beyond the process. Contents above 1 MiB go to a temporary directory."""

    def __init__(self) -> None:
        self.content_directory = Path(tempfile.gettempdir()) / f"flowengine-{uuid4().hex}"
        self.durable = False
        self.backlogged = False
        self.problem: str | None = None
        self.on_change: Callable[[], None] = lambda: None
        self.after_cut: Callable[[], None] = lambda: None
        self._tokens = NO_TOKENS
        self._stopped = asyncio.Event()
        self._references: dict[str, int] = {}
        self._states: dict[str, NodeState] = {}

    def recover(self) -> Recovered:
        return Recovered(None, {}, {}, {}, {}, completed=False)

    def forget(self, connections: Iterable[str]) -> int:
        return 0

    def attach(self, connections: Mapping[str, Connection]) -> None:
        """Nothing is stored."""

    def open_epoch(self, definition: str) -> int:
        return 1

    # -- journal -------------------------------------------------------------------------------

    def begin(self, polled: Iterable[Piece], callbacks: list[Callable[[], None]]) -> None:
        tokens = NO_TOKENS.union(*[piece.tokens for piece in polled])
        if callbacks:
            tokens |= {Token(callbacks)}
        self._tokens = tokens
        for token in tokens:  # held until end(), or the last input would fire before the output
            token.pieces += 1

    def end(self) -> None:
        tokens, self._tokens = self._tokens, NO_TOKENS
        for token in tokens:
            token.pieces -= 1
            self._release(token)

    def _release(self, token: Token) -> None:
        if token.pieces == 0:
            callbacks, token.callbacks = token.callbacks, []
            for callback in callbacks:
                callback()

    def added(self, piece: Piece) -> None:
        piece.tokens = self._tokens
        for token in self._tokens:
            token.pieces += 1

    def grown(self, piece: Piece, count: int, size: int) -> None:
        for token in self._tokens - piece.tokens:
            token.pieces += 1
        piece.tokens |= self._tokens

    def settled(self, piece: Piece) -> None:
        for token in piece.tokens:
            token.pieces -= 1
            self._release(token)

    def replaced(self, piece: Piece, parts: Iterable[Piece]) -> None:
        for part in parts:
            part.tokens = piece.tokens
            for token in piece.tokens:
                token.pieces += 1
        self.settled(piece)

    def load(self, piece: Piece) -> list[FlowFile]:
        raise AssertionError("the memory repository never evicts")

    # -- the rest ------------------------------------------------------------------------------

    def open_state(self, processor: str) -> NodeState:
        return self._states.setdefault(processor, NodeState())

    def set_state(self, processor: str, key: str, value: Any) -> None:
        """State lives in the engine only."""

    def set_definition(self, text: str, snapshot: str) -> None:
        """There is no restart that could ask for it."""

    def set_totals(self, kind: str, totals: dict[str, int]) -> None:
        """Totals live in the engine only."""

    def files_changed(self, changes: Mapping[str, int]) -> None:
        store = ContentStore(self.content_directory)
        for name, change in changes.items():
            left = self._references.get(name, 0) + change
            self._references[name] = left
            if left <= 0:
                del self._references[name]
                store.unlink(name)

    async def run(self) -> None:
        await self._stopped.wait()

    def stop(self) -> None:
        self._stopped.set()

    async def flush(self) -> None:
        """There is no disk to wait for."""

    async def close(self, *, completed: bool) -> None:
        shutil.rmtree(self.content_directory, ignore_errors=True)
