"""One owner per data directory (E17)."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import orjson

from flowengine.errors import EnvironmentFault, LockedError


class DirectoryLock:
    """An advisory lock on ``<data directory>/lock``; the kernel frees it when the owner dies."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "lock"
        self._file: TextIO | None = None

    def acquire(self) -> None:
        """Take the lock. Raises LockedError naming the owner's pid and start time."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = self.path.open("a+")
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise self._locked() from None
        try:
            file.truncate(0)
            file.write(orjson.dumps({"pid": os.getpid(), "started": int(time.time())}).decode())
            file.flush()
        except OSError as error:
            with suppress(OSError):  # closing tries to write once more
                file.close()
            raise self._unwritable(error) from error
        self._file = file

    def _unwritable(self, error: OSError) -> EnvironmentFault:
        return EnvironmentFault(
            f"data directory {str(self.path.parent)!r} must be writable; got {error.strerror}. "
            "Make room or allow writing, or choose another --data-dir"
        )

    def owner(self) -> dict[str, int]:
        """What the owner wrote about itself; empty when nobody has."""
        try:
            return dict(orjson.loads(self.path.read_bytes()))
        except (OSError, orjson.JSONDecodeError):
            return {}

    def _locked(self) -> LockedError:
        owner = self.owner()
        return LockedError(
            f"data directory {str(self.path.parent)!r} must have one owner; got a second runner "
            f"while pid {owner.get('pid', '?')} runs on it. Stop that one, or choose another "
            "--data-dir"
        )

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            self._file.close()
            self._file = None
