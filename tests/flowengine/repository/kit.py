"""A repository under a small flow, driven by sessions made by hand."""

import asyncio
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from flowengine.assembly import Assembly
from flowengine.bulletins import BulletinBoard
from flowengine.clock import FakeClock
from flowengine.connection import Connection
from flowengine.context import Surroundings
from flowengine.definition.builder import Flow
from flowengine.definition.flat import LoadedFlow
from flowengine.flowfile import FlowFile
from flowengine.io_loop import IoLoop
from flowengine.repository import Recovered, SqliteRepository
from flowengine.session import ProcessSession
from tests.processors_for_tests import processor

Source = processor(lambda c, s: None, source=True)
Fork = processor(lambda c, s: None, relationships=("success", "failure"))
Sink = processor(lambda c, s: None, relationships=())


def forked() -> LoadedFlow:
    """source → fork → (plain | sorted) → sink; ``sorted`` has a prioritizer."""
    flow = Flow("forked")
    flow.add("source", Source)
    flow.add("fork", Fork)
    flow.add("sink", Sink)
    flow.connect("source", "success", "fork", id="in")
    flow.connect("fork", "success", "sink", id="plain")
    flow.connect("fork", "failure", "sink", id="sorted", prioritizers=["priority attribute"])
    return flow.load()


FLOW = forked()


class FullDisk(SqliteRepository):
    """Its next ``failures`` cuts meet a full disk."""

    failures = 0

    def _write(self, cut: Any) -> None:
        if self.failures:
            self.failures -= 1
            raise sqlite3.OperationalError("database or disk is full")
        super()._write(cut)


class Rig:
    """An assembly over a repository, without a scheduler."""

    def __init__(
        self, repository: Any, clock: FakeClock | None = None, flow: LoadedFlow = FLOW
    ) -> None:
        self.clock = clock or FakeClock()
        self.repository = repository
        self.recovered: Recovered = repository.recover()
        self.threads = ThreadPoolExecutor(1)
        directory = repository.content_directory.parent
        around = Surroundings("test", directory, self.clock, IoLoop(), self.threads)
        board = BulletinBoard(self.clock)
        self.assembly = Assembly(flow, repository, self.recovered, around, board)
        self.core = self.assembly.core

    def session(self, node: str) -> ProcessSession:
        return ProcessSession(self.assembly.nodes[node], self.core)

    def make(self, count: int, size: int = 1, **fields: Any) -> list[FlowFile]:
        """FlowFiles in the first connection."""
        session = self.session("source")
        made = [session.create(b"x" * size, **fields) for _ in range(count)]
        session.transfer(made, "success")
        session.commit()
        return made

    def take(self, node: str, count: int) -> list[FlowFile]:
        """Remove FlowFiles from the flow."""
        session = self.session(node)
        taken = session.get_batch(count)
        session.remove(taken)
        session.commit()
        return taken

    def queue(self, name: str) -> Connection:
        return self.assembly.connections[name]

    def ids(self, name: str) -> list[int]:
        return [f.id for f in self.queue(name).peek(1 << 30)]


def rig_on(directory: Path, clock: FakeClock | None = None, **options: Any) -> Rig:
    """A rig on a data directory, with a fake clock shared by both."""
    clock = clock or FakeClock()
    return Rig(SqliteRepository(directory, clock), clock, **options)


async def closed(rig: Rig, *, completed: bool = False) -> None:
    await rig.repository.close(completed=completed)


def crashed(rig: Rig) -> None:
    """The process dies after the last cut."""
    rig.repository.abandon()


def copied(source: Path, target: Path, wal: float = 1.0) -> Path:
    """The files as a crash leaves them; ``wal`` is how much of the log reached the disk."""
    target.mkdir()
    for name in ("flow.db", "flow.db-wal"):
        if (source / name).exists():
            shutil.copy(source / name, target / name)
    log = target / "flow.db-wal"
    if log.exists() and wal < 1:
        data = log.read_bytes()
        log.write_bytes(data[: int(len(data) * wal)])
    return target


def run(coroutine: Any) -> Any:
    """Run on a loop of its own, for tests whose examples need one each."""
    with asyncio.Runner() as runner:
        return runner.run(coroutine)
