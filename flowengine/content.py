"""Content: the bytes of a FlowFile, in memory or in a file of the content directory.

Up to ``INLINE_LIMIT`` the content is a plain ``bytes`` object and travels inside its FlowFile.
Above that it is a :class:`FileContent`, a reference to a file that is streamed and never read
whole by the engine. Files are named like FlowFiles (E1), synced before the session that made
them commits, and unlinked after the cut that drops their last reference (E16).
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

import msgspec

from flowengine.errors import RepositoryError

INLINE_LIMIT = 1 << 20


class FileContent(msgspec.Struct, gc=False, array_like=True, frozen=True, tag="file"):
    """A content that lies in the content directory.

    name: file name inside the directory
    size: length in bytes
    """

    name: str
    size: int

    def __len__(self) -> int:
        return self.size


Content: TypeAlias = bytes | FileContent


class ContentStore:
    """The content directory. Safe to use from any thread: each file is written by one session."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def path(self, content: FileContent) -> Path:
        return self.directory / content.name

    def open(self, content: Content) -> BinaryIO:
        """A readable binary stream; the caller closes it.

        Raises RepositoryError naming the file when it is missing or unreadable.
        """
        if isinstance(content, bytes):
            return io.BytesIO(content)
        try:
            return cast(BinaryIO, self.path(content).open("rb"))
        except OSError as error:
            raise RepositoryError(
                f"content file {str(self.path(content))!r} must be readable; got {error.strerror}. "
                "Restore it from a backup, or empty the queue that holds its FlowFile"
            ) from error

    def read(self, content: Content) -> bytes:
        """The whole content; for contents in files only when the caller needs them whole."""
        if isinstance(content, bytes):
            return content
        with self.open(content) as stream:
            return stream.read()

    def create(self, number: int) -> ContentWriter:
        """A new content file named after a fresh id."""
        self.directory.mkdir(parents=True, exist_ok=True)
        return ContentWriter(self.directory / f"{number:024x}")

    def sync_directory(self) -> None:
        """Make the names of new files durable."""
        descriptor = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def names(self) -> set[str]:
        """Names of all files in the directory."""
        if not self.directory.is_dir():
            return set()
        return {entry.name for entry in os.scandir(self.directory)}

    def unlink(self, name: str) -> None:
        (self.directory / name).unlink(missing_ok=True)


class ContentWriter(io.RawIOBase):
    """Writes one content; what stays small never becomes a file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._buffer = bytearray()
        self._file: BinaryIO | None = None
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        length = len(data)
        self.size += length
        if self._file is None and self.size <= INLINE_LIMIT:
            self._buffer += data
            return length
        with self._writable():
            if self._file is None:
                self._file = cast(BinaryIO, self._path.open("wb"))
                self._file.write(self._buffer)
                self._buffer = bytearray()
            self._file.write(data)
        return length

    def finish(self) -> Content:
        """Sync and close the file, if there is one; returns what a FlowFile holds."""
        if self._file is None:
            return bytes(self._buffer)
        with self._writable():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        return FileContent(self._path.name, self.size)

    @contextmanager
    def _writable(self) -> Iterator[None]:
        """A full disk is no fault of the FlowFile: sources stop, the trigger is repeated."""
        try:
            yield
        except OSError as error:
            self.discard()
            raise RepositoryError(
                f"content directory {str(self._path.parent)!r} must be writable; got "
                f"{error.strerror}. Make room: the flow goes on by itself, nothing queued is lost"
            ) from error

    def discard(self) -> None:
        """Throw away what was written."""
        if self._file is not None:
            with suppress(OSError):  # what is still buffered may not fit on the disk either
                self._file.close()
            self._path.unlink(missing_ok=True)
