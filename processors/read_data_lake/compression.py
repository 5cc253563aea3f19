"""Compressed files, by suffix or setting. Only zstd needs pyarrow, lz4 too."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from enum import StrEnum
from typing import BinaryIO, Final, cast


class Compression(StrEnum):
    """How a file is compressed."""

    AUTO = "auto"
    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"
    BZ2 = "bz2"
    XZ = "xz"
    LZ4 = "lz4"


SUFFIXES: Final = {
    ".gz": Compression.GZIP,
    ".zst": Compression.ZSTD,
    ".bz2": Compression.BZ2,
    ".xz": Compression.XZ,
    ".lz4": Compression.LZ4,
}
# What the codecs raise for damaged bytes; gzip's own error is an OSError, like Arrow's.
DAMAGE: Final = (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError)


def split_suffix(path: str) -> tuple[str, Compression]:
    """A path without the suffix of its compression, and the compression."""
    lower = path.lower()
    for suffix, compression in SUFFIXES.items():
        if lower.endswith(suffix):
            return path[: -len(suffix)], compression
    return path, Compression.NONE


def decompress(stream: BinaryIO, compression: Compression) -> BinaryIO:
    """The stream of plain bytes; closing it closes what lies beneath."""
    if compression in (Compression.NONE, Compression.AUTO):
        return stream
    plain = _Closing(_codec(stream, compression), stream)
    return cast(BinaryIO, io.BufferedReader(plain, 1 << 18))


def _codec(stream: BinaryIO, compression: Compression) -> BinaryIO:
    if compression is Compression.GZIP:
        return cast(BinaryIO, gzip.GzipFile(fileobj=stream))
    if compression is Compression.BZ2:
        return cast(BinaryIO, bz2.BZ2File(stream))
    if compression is Compression.XZ:
        return cast(BinaryIO, lzma.LZMAFile(stream))
    import pyarrow

    return cast(BinaryIO, pyarrow.CompressedInputStream(stream, compression.value))


class _Closing(io.RawIOBase):
    """A codec and the file beneath it, closed together."""

    def __init__(self, codec: BinaryIO, stream: BinaryIO) -> None:
        super().__init__()
        self._codec, self._stream = codec, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._codec.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._codec.close()
            self._stream.close()
        super().close()
