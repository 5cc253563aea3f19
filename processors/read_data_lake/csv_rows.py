"""CSV and TSV files, by RFC 4180: quoted fields may hold the delimiter, quotes and line ends."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from processors.read_data_lake.lines import Lines
from processors.read_data_lake.records import Broken, BrokenFile, Place, Record


class ColumnType(StrEnum):
    """What the texts of a column stand for."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"


_TRUTH: Final = {"true": True, "false": False, "1": True, "0": False}
_READ: Final[Mapping[ColumnType, Callable[[str], Any]]] = {
    ColumnType.TEXT: str,
    ColumnType.INTEGER: int,
    ColumnType.NUMBER: float,
    ColumnType.BOOLEAN: lambda text: _TRUTH[text.strip().lower()],
}


def typed(name: str, text: str, kind: ColumnType) -> Any:
    """A text as what it stands for; an empty one is a missing value. Raises ValueError."""
    if kind is not ColumnType.TEXT and not text.strip():
        return None
    try:
        return _READ[kind](text)
    except (ValueError, KeyError):
        raise ValueError(f"column {name!r} must be of type {kind}; got {text!r:.80}") from None


class _TooLong(Exception):
    """A row that does not end, perhaps because a quote is missing."""


class CsvReader:
    """The rows of a CSV file as records."""

    schema: Any = None
    filtered = False

    def __init__(
        self,
        lines: Lines,
        place: Place,
        limit: int,
        delimiter: str,
        header: tuple[str, ...],
        types: Mapping[str, ColumnType],
    ) -> None:
        csv.field_size_limit(max(limit, csv.field_size_limit()))
        self._lines, self._limit, self._types = lines, limit, types
        self._raw: list[bytes] = []
        self._held = 0
        self._wrong = ""
        self._row = place.row
        # Not a generator: it would end with the first exception that it raises.
        feed = iter(self._next_line, None)
        self._rows = csv.reader(feed, delimiter=delimiter, strict=True)
        self._names = list(header) or self._header()
        if place.row:
            lines.go_to(place)

    @property
    def place(self) -> Place:
        """How far it has come."""
        return Place(self._row, self._lines.line, self._lines.offset)

    def _next_line(self) -> str | None:
        found = self._lines.read()
        if found is None:
            return None
        line, wrong = found
        self._raw.append(line)
        self._held += len(line)
        if self._held > self._limit:
            raise _TooLong(f"record must not be longer than {self._limit} bytes; got a longer one")
        self._wrong = self._wrong or wrong
        return line.decode("utf-8", "replace")

    def _header(self) -> list[str]:
        try:
            names = next(self._rows, [])
        except (csv.Error, _TooLong) as error:
            raise BrokenFile(f"header must be CSV; got {error}", b"".join(self._raw)) from error
        if self._wrong:
            raise BrokenFile(self._wrong, b"".join(self._raw))
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise BrokenFile(f"header must name each column once; got {twice!r} again")
        return names

    def __iter__(self) -> Iterator[Record | Broken]:
        while True:
            self._raw.clear()
            self._held, self._wrong = 0, ""
            line = self._lines.line + 1
            try:
                values = next(self._rows, None)
            except csv.Error as error:
                values, self._wrong = [], self._wrong or f"row must be CSV; got {error}"
            except _TooLong as error:
                values, self._wrong = [], str(error)
            if values is None:
                return
            if values or self._wrong:
                self._row += 1
                yield self._record(line, values)

    def _record(self, line: int, values: list[str]) -> Record | Broken:
        names = self._names
        wrong = self._wrong
        if not wrong and len(values) != len(names):
            wrong = f"row must have {len(names)} fields; got {len(values)}"
        fields: dict[str, Any] = dict(zip(names, values, strict=False))
        try:
            for name, kind in self._types.items() if not wrong else ():
                if name in fields:
                    fields[name] = typed(name, fields[name], kind)
        except ValueError as error:
            wrong = str(error)
        if wrong:
            return Broken(self._row, line, wrong, b"".join(self._raw).rstrip(b"\r\n"))
        return Record(self._row, line, fields)

    def close(self) -> None:
        """Close the file."""
        self._lines.close()
