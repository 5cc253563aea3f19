"""Backup: one consistent cut of a data directory, also while its flow runs.

The moment of the cut is taken on the repository's writer thread, between two cuts: there a read
transaction on the store is opened and the content files get a second name (a hard link) in the
backup. That takes milliseconds. The store is copied after that from the read transaction, while
the flow goes on; what it unlinks meanwhile lives on under the second name.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

from flowengine.control.desk import Desk
from flowengine.control.problems import Problem
from flowengine.engine import Engine
from flowengine.repository import SqliteRepository

STORE = "flow.db"
CONTENT = "content"
MOMENT = 60.0  # s that flushing and linking may take


class Snapshot:
    """A moment of a data directory that is held until it is copied."""

    def __init__(self, directory: Path, target: Path) -> None:
        self._target = target
        self._store = sqlite3.connect(
            directory / STORE, isolation_level=None, check_same_thread=False
        )
        self._store.execute("BEGIN")
        self._store.execute("SELECT count(*) FROM sqlite_master").fetchone()  # opens the snapshot
        self.files = link_files(directory / CONTENT, target / CONTENT)

    def copy(self) -> dict[str, Any]:
        """Copy the store; returns what the backup holds."""
        path = self._target / STORE
        copy = sqlite3.connect(path)
        try:
            self._store.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
        finally:
            copy.close()
            self._store.close()
        _sync(path)
        return {"to": str(self._target), "files": self.files, "bytes": path.stat().st_size}


def link_files(source: Path, target: Path) -> int:
    """Give every content file a second name; copies where the disk is another one."""
    if not source.is_dir():
        return 0
    target.mkdir(exist_ok=True)
    count = 0
    for entry in os.scandir(source):
        try:
            os.link(entry.path, target / entry.name)
        except OSError:
            shutil.copy2(entry.path, target / entry.name)
        count += 1
    return count


def _sync(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def backup_stopped(directory: Path, target: Path) -> dict[str, Any]:
    """Back up a data directory that no runner uses; the caller holds its lock."""
    make_target(target)
    return Snapshot(directory, target).copy()


async def backup_running(desk: Desk, target: Path) -> dict[str, Any]:
    """Back up the desk's flow while it runs. Raises Problem when that cannot be."""
    await asyncio.to_thread(make_target, target)
    snapshot = await desk.call(_between_cuts, desk.engine, target, timeout=MOMENT)
    copied: dict[str, Any] = await asyncio.to_thread(snapshot.copy)
    return copied


async def _between_cuts(engine: Engine, target: Path) -> Snapshot:
    repository = engine.repository
    if not isinstance(repository, SqliteRepository):
        raise Problem(409, "repository must be on disk for a backup; got one in memory")
    await repository.flush()
    if repository.problem:
        raise Problem(503, repository.problem)
    return await repository.between_cuts(partial(Snapshot, repository.directory, target))


def make_target(target: Path) -> None:
    """A new or empty directory for a backup. Raises Problem for any other."""
    if not target.is_absolute():
        raise Problem(422, f"backup directory must be an absolute path; got {str(target)!r}")
    try:
        target.mkdir(parents=True, exist_ok=True)
        used = any(target.iterdir())
    except OSError as error:
        raise Problem(
            422, f"backup directory {str(target)!r} must be writable; got {error.strerror}"
        ) from error
    if used:
        raise Problem(409, f"backup directory {str(target)!r} must be empty; got files in it")
