"""Putting a backup into a data directory, all of it or nothing.

The backup is checked first, then copied beside the store, then put in place under the directory's
lock. The number of the next start is raised beyond any that the replaced store, or a run after the
backup, can have used: no id is ever used twice (E1).
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from pathlib import Path
from typing import Final

from flowengine.errors import EnvironmentFault, RepositoryError
from flowengine.maintenance import CONTENT, STORE
from flowengine.repository.lock import DirectoryLock
from flowengine.repository.store import Cut, Store

STAGE: Final = "restore.new"


def restore_backup(source: Path, directory: Path, *, force: bool = False) -> int:
    """Restore; returns how many FlowFiles the backup has queued.

    Raises RepositoryError for a backup that is damaged or incomplete, EnvironmentFault for a data
    directory that holds a store (unless ``force``), LockedError for one whose flow runs.
    """
    queued = check_backup(source)
    lock = DirectoryLock(directory)
    lock.acquire()
    try:
        if (directory / STORE).exists() and not force:
            raise EnvironmentFault(
                f"data directory {str(directory)!r} must be empty to be restored; got a store in "
                "it; replace it with '--force', which throws its queues away"
            )
        _restore(source, directory)
    except OSError as error:
        raise EnvironmentFault(
            f"data directory {str(directory)!r} must take the backup; got {error.strerror}"
        ) from error
    finally:
        lock.release()
    return queued


def check_backup(source: Path) -> int:
    """Whether a folder holds a whole backup; returns the FlowFiles in it."""
    if not (source / STORE).is_file():
        raise EnvironmentFault(
            f"backup {str(source)!r} must be a folder that `flowengine backup` made; got none"
        )
    store = _open(source / STORE)
    try:
        rows = list(store.rows())
    finally:
        store.close()
    names = {name for row in rows for name in row.files}
    missing = sorted(name for name in names if not (source / CONTENT / name).is_file())
    if missing:
        raise RepositoryError(
            f"backup {str(source)!r} must hold every content file; got {len(missing)} missing, "
            f"such as {missing[0]!r}"
        )
    dead = sum(stop - start for row in rows for start, stop in row.dead)
    return sum(row.count for row in rows) - dead


def _open(path: Path) -> Store:
    """A store that is whole and ours."""
    connection = sqlite3.connect(path)
    try:
        (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        answer = str(error)
    finally:
        connection.close()
    if answer != "ok":
        raise RepositoryError(
            f"backup {str(path.parent)!r} must hold an undamaged store; got {answer}"
        )
    store = Store(path)
    store.prepare()
    return store


def _restore(source: Path, directory: Path) -> None:
    stage = directory / STAGE
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir()
    shutil.copy2(source / STORE, stage / STORE)
    if (source / CONTENT).is_dir():
        shutil.copytree(source / CONTENT, stage / CONTENT)
    _raise_epoch(stage / STORE, directory / STORE)
    for name in (STORE, f"{STORE}-wal", f"{STORE}-shm"):
        (directory / name).unlink(missing_ok=True)
    shutil.rmtree(directory / CONTENT, ignore_errors=True)
    if (stage / CONTENT).is_dir():
        (stage / CONTENT).rename(directory / CONTENT)
    (stage / STORE).rename(directory / STORE)  # last: without it the directory counts as empty
    shutil.rmtree(stage, ignore_errors=True)


def _raise_epoch(new: Path, old: Path) -> None:
    store = Store(new)
    # Starts take longer than a second each, so the time is beyond every number used so far.
    epochs = [int(store.meta().get("epoch", 0)), int(time.time())]
    if old.exists():
        epochs.append(_epoch_of(old))
    store.write(Cut(meta={"epoch": max(epochs)}))
    store.checkpoint(whole=True)
    store.close()


def _epoch_of(path: Path) -> int:
    """The epoch of a store that is to be replaced; 0 for one that cannot be read."""
    try:
        store = Store(path)
    except RepositoryError:
        return 0
    try:
        return int(store.meta().get("epoch", 0))
    except RepositoryError:
        return 0
    finally:
        store.close()
