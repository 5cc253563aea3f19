"""Named crash points: the process kills itself with SIGKILL at the n-th passage of one.

The repository is not touched for this: the victim uses subclasses of its parts, and one function of
the Kafka client is wrapped. What happened is written to a log that survives the process, one line
per event and one ``write`` per line:

    S           a life starts
    C           a cut is being collected: what was settled before is in it
    D           the cut that was collected last is on disk
    W <id>      the sink has delivered this record
    A           the group has assigned partitions
    K <point>   the process kills itself here
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flowengine.connection import Connection
from flowengine.repository import sqlite
from flowengine.repository.base import Recovered
from flowengine.repository.store import Cut, Store

LOADED = 500  # FlowFiles on disk that make a queue a loaded one


class Log:
    """An append-only file of events."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(self, *lines: str) -> None:
        os.write(self._file, "".join(f"{line}\n" for line in lines).encode())


class CrashPoint:
    """Where and at which passage to die; never, when it has no name."""

    def __init__(self, log: Log, name: str = "", passage: int = 1) -> None:
        self.log = log
        self.name = name
        self._left = passage

    def passes(self, name: str) -> None:
        """The process is at this point now."""
        if name != self.name:
            return
        self._left -= 1
        if self._left == 0:
            self.log.write(f"K {name}")
            os.kill(os.getpid(), signal.SIGKILL)


class CrashStore(Store):
    """A store that can die between the start of a transaction and its commit."""

    point: CrashPoint

    def write(self, cut: Cut) -> None:
        super().write(cut)
        if "definition" not in cut.meta:
            self.point.log.write("D")

    def _write_rows(self, cut: Cut) -> None:
        super()._write_rows(cut)
        if cut.rows or cut.dead or cut.gone:
            self.point.passes("mid-cut")


class CrashRepository(sqlite.SqliteRepository):
    """A repository that can die while it opens and between a cut and its acknowledgements."""

    def __init__(self, directory: Path, point: CrashPoint) -> None:
        super().__init__(directory)
        self.point = point
        self._connections: Mapping[str, Connection] = {}

    def recover(self) -> Recovered:
        self.point.passes("recovery")
        found = super().recover()
        self.point.passes("recovery")
        return found

    def open_epoch(self, definition: str) -> int:
        epoch = super().open_epoch(definition)
        self.point.passes("recovery")
        return epoch

    def attach(self, connections: Mapping[str, Connection]) -> None:
        self._connections = connections
        super().attach(connections)
        self.point.passes("recovery")

    def _collect(self) -> Any:
        self.point.log.write("C")
        return super()._collect()

    def _succeeded(self, callbacks: list[Callable[[], None]], *rest: Any) -> None:
        if callbacks or not self._acknowledges:
            self.point.passes("before-acknowledge")
        super()._succeeded(callbacks, *rest)
        if sum(connection.count for connection in self._connections.values()) >= LOADED:
            self.point.passes("loaded-queue")

    @property
    def _acknowledges(self) -> bool:
        return any("consume" in name for name in self._connections)


def arm(point: CrashPoint) -> None:
    """Let stores, and the group membership of Kafka consumers, pass the crash point."""
    CrashStore.point = point
    setattr(sqlite, "Store", CrashStore)  # noqa: B010 - the module is not ours to extend
    if point.name == "mid-rebalance":
        _arm_membership(point)


def _arm_membership(point: CrashPoint) -> None:
    from aiokafka.consumer.group_coordinator import GroupCoordinator

    prepare, complete = GroupCoordinator._on_join_prepare, GroupCoordinator._on_join_complete

    async def prepared(self: Any, previous: Any) -> None:
        held = previous is not None and bool(previous.tps)
        if held:
            point.passes("mid-rebalance")
        await prepare(self, previous)
        if held:
            point.passes("mid-rebalance")

    async def completed(*arguments: Any) -> None:
        await complete(*arguments)
        point.log.write("A")

    GroupCoordinator._on_join_prepare = prepared
    GroupCoordinator._on_join_complete = completed
