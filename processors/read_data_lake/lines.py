"""Lines of a file: NDJSON, and what CSV is made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import orjson

from processors.read_data_lake.compression import DAMAGE
from processors.read_data_lake.records import Broken, BrokenFile, Place, Record

_SKIP = 1 << 20
_BOM = b"\xef\xbb\xbf"


class Lines:
    """The lines of a stream, none of them kept longer than ``limit`` bytes.

    ``line`` and ``offset`` say how much has been read; ``seekable`` whether the offset is one that
    the stream can be sent to.
    """

    def __init__(self, stream: BinaryIO, limit: int, encoding: str, *, seekable: bool) -> None:
        self._stream, self._limit, self._encoding = stream, limit, encoding
        self._seekable = seekable
        self._plain = encoding in ("utf-8", "utf8", "ascii")
        self.line = 0
        self.offset = 0

    def go_to(self, place: Place) -> None:
        """Continue after a place: by its offset, or by reading up to its line."""
        if self._seekable and place.offset:
            self._stream.seek(place.offset)
            self.line, self.offset = place.line, place.offset
            return
        while self.line < place.line and self.read() is not None:
            continue

    def read(self) -> tuple[bytes, str] | None:
        """The next line in UTF-8 and what is wrong with it, or None at the end.

        Raises BrokenFile when the stream is damaged.
        """
        try:
            line = self._next()
        except DAMAGE as error:
            raise BrokenFile(f"file must be readable to its end; got {error}") from error
        if not line:
            return None
        if self.line == 1 and line.startswith(_BOM):
            line = line[len(_BOM) :]
        if len(line) > self._limit and not line.endswith(b"\n"):
            return line, f"record must not be longer than {self._limit} bytes; got a longer line"
        return self._decoded(line)

    def _next(self) -> bytes:
        line = self._stream.readline(self._limit + 1)
        self.line += 1 if line else 0
        self.offset += len(line)
        rest = line
        while len(line) > self._limit and rest and not rest.endswith(b"\n"):
            rest = self._stream.readline(_SKIP)
            self.offset += len(rest)
        return line

    def _decoded(self, line: bytes) -> tuple[bytes, str]:
        try:
            text = line.decode(self._encoding)
        except UnicodeDecodeError as error:
            got = f"byte 0x{line[error.start]:02x} at {error.start}"
            return line, f"line must be {self._encoding}; got {got}. Set the property 'encoding'"
        return (line if self._plain else text.encode()), ""

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()


class NdjsonReader:
    """One JSON object per line; blank lines do not count."""

    schema: Any = None
    filtered = False

    def __init__(self, lines: Lines, place: Place) -> None:
        self._lines = lines
        self._row = place.row
        lines.go_to(place)

    @property
    def place(self) -> Place:
        """How far it has come."""
        return Place(self._row, self._lines.line, self._lines.offset)

    def __iter__(self) -> Iterator[Record | Broken]:
        lines = self._lines
        while (found := lines.read()) is not None:
            line, wrong = found
            raw = line.strip()
            if not raw:
                continue
            self._row += 1
            yield Broken(self._row, lines.line, wrong, raw) if wrong else self._parsed(raw)

    def _parsed(self, raw: bytes) -> Record | Broken:
        try:
            fields = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            reason = f"record must be a JSON object; got {where(error)}"
            return Broken(self._row, self._lines.line, reason, raw)
        return as_record(self._row, self._lines.line, fields, raw)

    def close(self) -> None:
        """Close the file."""
        self._lines.close()


def as_record(row: int, line: int, fields: object, raw: bytes) -> Record | Broken:
    """A JSON value as a record, which only an object is."""
    if isinstance(fields, dict):
        return Record(row, line, fields, raw)
    names = {list: "an array", str: "a text", bool: "true or false", type(None): "null"}
    got = names.get(type(fields), "a number")
    return Broken(row, line, f"record must be a JSON object; got {got}", raw)


def where(error: orjson.JSONDecodeError) -> str:
    """What the parser says, and where in the record."""
    return f"{error.msg} at {error.pos}"
