"""Content: the bytes of a FlowFile, in memory or in a file of the content directory.

Up to ``INLINE_LIMIT`` the content is a plain ``bytes`` object and travels inside its FlowFile.
Above that it is a :class:`FileContent`, a reference to a file that is streamed and never read
whole by the engine. Files are named like FlowFiles (E1), synced before the session that made
them commits, and unlinked after the cut that drops their last reference (E16).

Records may be held decoded: an :class:`ArrowContent` in memory, or a file that holds an Arrow
stream. Whoever reads or opens such a content gets its text; ``table`` gives what it is made from.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, cast

import msgspec

from flowengine.arrow_content import ArrowContent, TextStream, mapped, text_stream
from flowengine.arrow_text import TextForm, chunks
from flowengine.errors import RepositoryError

INLINE_LIMIT = 1 << 20


class FileContent(msgspec.Struct, gc=False, array_like=True, frozen=True, tag="file"):
    """A content that lies in the content directory.

    name: file name inside the directory
    size: length in bytes
    form: None where the file holds the bytes themselves; else it holds an Arrow stream, and this
          is what its text is
    """

    name: str
    size: int
    form: TextForm | None = None

    def __len__(self) -> int:
        return self.size


Content: TypeAlias = bytes | FileContent | ArrowContent


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
        if isinstance(content, ArrowContent):
            return cast(BinaryIO, text_stream(content))
        if content.form is not None:
            return cast(BinaryIO, TextStream(mapped(self.path(content)), content.form))
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
        if isinstance(content, FileContent) and content.form is not None:
            return b"".join(chunks(mapped(self.path(content)), content.form))
        with self.open(content) as stream:
            return stream.read()

    def table(self, content: Content) -> Any:
        """The Arrow table of a decoded content; None for one that is bytes."""
        if isinstance(content, ArrowContent):
            return content.table
        if isinstance(content, FileContent) and content.form is not None:
            return mapped(self.path(content))
        return None

    def create(self, number: int, before_file: Callable[[], None] = lambda: None) -> ContentWriter:
        """A new content named after a fresh id.

        before_file: called when it grows beyond what stays in memory
        """
        return ContentWriter(self.directory / f"{number:024x}", before_file)

    def sync(self, contents: Iterable[FileContent]) -> None:
        """Make new files and their names durable (E16)."""
        with writable(self.directory):
            for path in (*map(self.path, contents), self.directory):
                descriptor = os.open(path, os.O_RDONLY)
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


@contextmanager
def writable(directory: Path) -> Iterator[None]:
    """Raise RepositoryError for a content directory that cannot be written, with the remedy."""
    try:
        yield
    except OSError as error:
        raise RepositoryError(
            f"content directory {str(directory)!r} must be writable; got {error.strerror}. Make "
            "room: the flow goes on by itself, nothing queued is lost"
        ) from error


class ContentWriter(io.RawIOBase):
    """Writes one content; what stays small never becomes a file."""

    def __init__(self, path: Path, before_file: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._path = path
        self._before_file = before_file
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
        if self._file is None:
            self._before_file()
        with self._writable():
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = cast(BinaryIO, self._path.open("wb"))
                self._file.write(self._buffer)
                self._buffer = bytearray()
            self._file.write(data)
        return length

    def finish(self) -> bytes | FileContent:
        """Close the file, if there is one; returns what a FlowFile holds. It is not synced."""
        if self._file is None:
            return bytes(self._buffer)
        with self._writable():
            self._file.close()
        return FileContent(self._path.name, self.size)

    @contextmanager
    def _writable(self) -> Iterator[None]:
        """A full disk is no fault of the FlowFile: sources stop, the trigger is repeated."""
        try:
            with writable(self._path.parent):
                yield
        except RepositoryError:
            self.discard()
            raise

    def discard(self) -> None:
        """Throw away what was written."""
        if self._file is not None:
            with suppress(OSError):  # what is still buffered may not fit on the disk either
                self._file.close()
            self._path.unlink(missing_ok=True)
