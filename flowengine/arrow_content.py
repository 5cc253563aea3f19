"""Decoded content: records as an Arrow table that becomes text only when a sink or viewer asks.

A chain of record processors hands tables on: nothing is parsed or serialised between two hops.
The size of such a content is that of its Arrow stream (E16), which is also what a cut stores; the
writer thread makes it, and only for what waits. After a restart the table is a view of what was
stored. Above ``INLINE_LIMIT`` the stream lies in a content file and is mapped, not read.

A slice keeps the whole table that it is from in memory. Where that is much more than the slice is,
the slice is written out at once, so that what a queue is said to hold is what it holds.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from io import SEEK_SET, BytesIO, RawIOBase
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from flowengine.arrow_text import TextForm, chunks
from flowengine.errors import RepositoryError

_WASTE: Final = 2  # times its size that a content may keep alive, and this much:
_LITTLE: Final = 1 << 16
_SPOOLED: Final = 1 << 20


class Held:
    """A table, its Arrow stream, or both; each made from the other when asked for."""

    __slots__ = ("_stream", "_table")

    def __init__(self, table: Any = None, stream: bytes | None = None) -> None:
        self._table, self._stream = table, stream

    @property
    def table(self) -> Any:
        """The table; a view of the stream, where there is one."""
        if self._table is None:
            import pyarrow as pa

            self._table = pa.ipc.open_stream(pa.py_buffer(self._stream)).read_all()
        return self._table

    @property
    def stream(self) -> bytes:
        """The Arrow stream. It is not kept: who asks for it is about to store it."""
        if self._stream is not None:
            return self._stream
        return b"".join(chunks(self._table, TextForm("arrow")))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held) and bool(self.table.equals(other.table))

    __hash__ = None  # type: ignore[assignment]


class ArrowContent(msgspec.Struct, array_like=True, tag="arrow"):
    """A decoded content that lies in memory. Immutable by convention.

    form: what its text is
    size: of its Arrow stream in bytes
    """

    form: TextForm
    size: int
    held: Held

    def __len__(self) -> int:
        return self.size

    @property
    def table(self) -> Any:
        """The records."""
        return self.held.table

    def text(self) -> bytes:
        """The bytes that a sink or a viewer gets; made anew by each call."""
        return b"".join(chunks(self.table, self.form))


def in_memory(table: Any, form: TextForm, size: int) -> ArrowContent:
    """A content of a table whose Arrow stream has this size."""
    held = Held(table)
    if table.get_total_buffer_size() > _WASTE * size + _LITTLE:
        held = Held(stream=held.stream)
    return ArrowContent(form, size, held)


def stream_size(table: Any) -> int:
    """Bytes of a table's Arrow stream, without writing it."""
    import pyarrow as pa

    sink = pa.MockOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return int(sink.size())


def write_stream(table: Any, sink: Any) -> None:
    """Write a table's Arrow stream to something that has ``write``, batch by batch."""
    import pyarrow as pa

    output = pa.PythonFile(sink, mode="w")
    with pa.ipc.new_stream(output, table.schema) as writer:
        writer.write_table(table)


def mapped(path: Path) -> Any:
    """The table in a content file, without reading it. Raises RepositoryError."""
    import pyarrow as pa

    try:
        return pa.ipc.open_stream(pa.memory_map(str(path))).read_all()
    except (OSError, pa.ArrowException) as error:
        raise RepositoryError(
            f"content file {str(path)!r} must hold a readable Arrow stream; got {error}. "
            "Restore it from a backup, or empty the queue that holds its FlowFile"
        ) from error


class TextStream(RawIOBase):
    """The text of a table as a stream one can seek in; made when first asked for, not in memory.

    The table is at hand from the start, so a file that is unlinked meanwhile stays readable.
    """

    def __init__(self, table: Any, form: TextForm) -> None:
        super().__init__()
        self._table, self._form = table, form
        self._made: IO[bytes] | None = None

    @property
    def _text(self) -> IO[bytes]:
        if self._made is None:
            self._made = _spooled(chunks(self._table, self._form))
        return self._made

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        return self._text.read(-1 if size is None else size)

    def readinto(self, buffer: Any) -> int:
        data = self._text.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        self._text.seek(offset, whence)
        return self._text.tell()

    def tell(self) -> int:
        return self._text.tell()

    def close(self) -> None:
        if self._made is not None:
            self._made.close()
        super().close()


def _spooled(parts: Iterator[bytes]) -> IO[bytes]:
    stream: IO[bytes] = tempfile.SpooledTemporaryFile(_SPOOLED)  # noqa: SIM115 - closed by its user
    for part in parts:
        stream.write(part)
    stream.seek(0)
    return stream


def text_stream(content: ArrowContent) -> IO[bytes]:
    """The text of a content in memory as a stream."""
    return BytesIO(content.text())


def enc_hook(value: Any) -> Any:
    """For msgspec: a held table is stored as its Arrow stream."""
    if isinstance(value, Held):
        return value.stream
    raise TypeError(f"a FlowFile must hold values that can be stored; got {type(value).__name__}")


def dec_hook(kind: type, value: Any) -> Any:
    """For msgspec: the way back."""
    if kind is Held:
        return Held(stream=value)
    raise NotImplementedError(kind)
