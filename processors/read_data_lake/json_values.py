"""JSON files: one object, several, or an array of them, read piece by piece."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from json import JSONDecodeError, JSONDecoder
from typing import Any, BinaryIO

import orjson

from processors.read_data_lake.compression import DAMAGE
from processors.read_data_lake.lines import as_record, where
from processors.read_data_lake.records import Broken, BrokenFile, Place, Record

_CHUNK = 1 << 18
_REST = 1 << 20
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = JSONDecoder(strict=False)


class JsonReader:
    """The objects of a JSON file. Never more than one chunk and one record are in memory.

    The standard library's decoder finds where a value ends, also in half a file; orjson then says
    whether it is right.
    """

    schema: Any = None
    filtered = False

    def __init__(self, stream: BinaryIO, limit: int, encoding: str, place: Place) -> None:
        self._stream, self._limit = stream, limit
        self._decode = codecs.getincrementaldecoder(encoding)("strict").decode
        self._text = ""
        self._at = 0
        self._ended = False
        self._row = 0
        self._line = 1
        self._skip = place.row

    @property
    def place(self) -> Place:
        """How far it has come."""
        return Place(max(self._row, self._skip), self._line)

    def __iter__(self) -> Iterator[Record | Broken]:
        for item in self._values():
            if item.row > self._skip:
                yield item

    def _values(self) -> Iterator[Record | Broken]:
        self._fill(_CHUNK)
        if self._text.startswith("\ufeff"):
            self._at = 1
        inside = False
        while True:
            mark = self._peek()
            if not mark and not inside:
                return
            if mark == "[" and not inside:
                inside = True
                self._at += 1
                if self._peek() == "]":
                    inside = False
                    self._at += 1
                continue
            yield self._value()
            if inside:
                inside = self._separator()

    def _separator(self) -> bool:
        """After an element: whether the array goes on."""
        mark = self._peek()
        if mark not in (",", "]"):
            got = repr(mark) if mark else "the end of the file"
            raise self._broken(f"array must go on with ',' or end with ']'; got {got}")
        self._at += 1
        return mark == ","

    def _value(self) -> Record | Broken:
        line = self._line
        end = self._end_of_value()
        raw = self._text[self._at : end].encode("utf-8", "surrogatepass")
        self._line += self._text.count("\n", self._at, end)
        self._at = end
        self._row += 1
        try:
            fields = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            return Broken(self._row, line, f"record must be a JSON object; got {where(error)}", raw)
        return as_record(self._row, line, fields, raw)

    def _end_of_value(self) -> int:
        while True:
            problem = ""
            try:
                _, end = _DECODER.raw_decode(self._text, self._at)
            except JSONDecodeError as error:
                at = f"{error.msg} at {error.pos - self._at}"
                end, problem = len(self._text), f"record must be a JSON object; got {at}"
            except RecursionError:
                end, problem = len(self._text), "record must not be nested so deep; got too deep"
            # A number at the end of the chunk may go on in the next one.
            if end < len(self._text) or self._ended:
                break
            if len(self._text) - self._at > self._limit:
                problem = f"record must not be longer than {self._limit} bytes; got a longer one"
                break
            self._fill(max(_CHUNK, len(self._text) - self._at))
        if problem:
            raise self._broken(problem)
        return end

    def _peek(self) -> str:
        """The next character that is no white space, or an empty text at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            end = match.end() if match else self._at
            self._line += self._text.count("\n", self._at, end)
            self._at = end
            if end < len(self._text):
                return self._text[end]
            if self._ended:
                return ""
            self._fill(_CHUNK)

    def _fill(self, size: int) -> None:
        try:
            data = self._stream.read(size)
        except DAMAGE as error:
            raise self._broken(f"file must be readable to its end; got {error}") from error
        self._ended = not data
        try:
            more = self._decode(data, self._ended)
        except UnicodeDecodeError as error:
            got = f"byte 0x{error.object[error.start]:02x}"
            reason = f"file must be {error.encoding}; got {got}. Set the property 'encoding'"
            raise self._broken(reason) from error
        self._text, self._at = self._text[self._at :] + more, 0

    def _broken(self, reason: str) -> BrokenFile:
        self._row = max(self._row, self._skip)
        rest = self._text[self._at : self._at + _REST]
        return BrokenFile(reason, rest.encode("utf-8", "replace"))

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
