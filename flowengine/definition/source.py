"""JSON text whose every key and value knows its line and column.

A scanner of our own: the well-kept JSON libraries throw positions away, and those that keep them
neither report duplicate keys nor refuse what JSON forbids. Strings are read by the standard
library. What is read is plain data; depth is bounded, so no text can exhaust the stack.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from json import JSONDecodeError, JSONDecoder
from pathlib import Path
from typing import Any, TypeAlias

from flowengine.findings import Finding, Severity

MAX_BYTES = 16 << 20
MAX_DEPTH = 64
JsonPath: TypeAlias = tuple[str | int, ...]

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORD = re.compile(r"[A-Za-z_$+-][\w$.+-]*")
_STRINGS = JSONDecoder()
_WORDS = {"true": True, "false": False, "null": None}
_LEAST, _GREATEST = -(1 << 63), (1 << 63) - 1
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(slots=True)
class Document:
    """A JSON value and the places of its parts.

    file:   name for messages; empty for a definition built in code
    values: offset of each value by its path
    keys:   offset of each object key by the path of its value
    """

    file: str
    text: str
    value: Any = None
    values: dict[JsonPath, int] = field(default_factory=dict)
    keys: dict[JsonPath, int] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)

    def locate(self, path: JsonPath, *, key: bool = False) -> tuple[int, int]:
        """Line and column of the value at ``path`` (or of its key); else of what encloses it."""
        if not self.values:
            return (0, 0)
        if key and path in self.keys:
            return self.position(self.keys[path])
        while path and path not in self.values:
            path = path[:-1]
        return self.position(self.values.get(path, 0))

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, of an offset in the text."""
        if not self.lines:
            self.lines = [0, *(match.end() for match in re.finditer("\n", self.text))]
        line = bisect_right(self.lines, offset)
        return (line, offset - self.lines[line - 1] + 1)

    def finding(
        self,
        path: JsonPath,
        message: str,
        *,
        remedy: str = "",
        component: str = "",
        severity: Severity = Severity.ERROR,
        key: bool = False,
    ) -> Finding:
        """A finding about the value (or the key) at ``path``."""
        line, column = self.locate(path, key=key)
        return Finding(self.file, line, column, pointer(path), component, severity, message, remedy)


def pointer(path: JsonPath) -> str:
    """A path as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def show(value: Any, limit: int = 60) -> str:
    """A value as a message shows it: short, in JSON's words, collections by their kind."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "an array"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def read_document(path: Path, name: str | None = None) -> tuple[Document, list[Finding]]:
    """Read a JSON file. With findings of severity error, the document's value must not be used."""
    document = Document(str(path) if name is None else name, "")
    try:
        data = _read(path)
    except OSError as error:
        reason = error.strerror or str(error)
        finding = document.finding((), f"flow file must be readable; got {reason.lower()}")
        return document, [finding]
    except ValueError as error:  # a name that no file can have, such as one with a NUL
        return document, [document.finding((), f"flow file must have a usable name; got {error}")]
    if len(data) > MAX_BYTES:
        message = f"flow file must be at most {MAX_BYTES >> 20} MB; got more"
        return document, [document.finding((), message)]
    return _decode(document.file, data)


def parse_document(text: str, file: str = "") -> tuple[Document, list[Finding]]:
    """Parse JSON text; the findings are the syntax error, or all duplicate keys and bad numbers."""
    document = Document(file, text.removeprefix("\ufeff"))
    scanner = _Scanner(document)
    try:
        document.value = scanner.document()
    except _SyntaxError as error:
        line, column = document.position(error.offset)
        scanner.findings.append(Finding(file, line, column, "", "", Severity.ERROR, str(error)))
    return document, scanner.findings


def _read(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _decode(file: str, data: bytes) -> tuple[Document, list[Finding]]:
    try:
        return parse_document(data.decode("utf-8"), file)
    except UnicodeDecodeError as error:
        document = Document(file, data[: error.start].decode("utf-8"))
        line, column = document.position(len(document.text))
        message = f"flow file must be UTF-8; got byte 0x{data[error.start]:02x}"
        finding = Finding(
            file, line, column, "", "", Severity.ERROR, message, "save it again as UTF-8"
        )
        return document, [finding]


def _string_problem(error: JSONDecodeError, start: int) -> tuple[str, int]:
    """Message and offset of what is wrong with a string; at its start where its end is missing."""
    if error.msg.startswith("Unterminated"):
        return "JSON string must end with a double quote; got the end of the text", start
    if error.msg.startswith("Invalid control"):
        character = show(error.doc[error.pos])
        return f"JSON string must hold no raw control character; got {character}", error.pos
    escape = show(error.doc[error.pos : error.pos + 6].partition('"')[0])
    return f"JSON string must use the escapes of JSON; got {escape}", error.pos


class _SyntaxError(Exception):
    """The text is no JSON from ``offset`` on."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class _Scanner:
    """One pass over the text of one document."""

    def __init__(self, document: Document) -> None:
        self.target = document
        self.text = document.text
        self.findings: list[Finding] = []

    def document(self) -> Any:
        value, end = self._value(self._skip(0), ())
        end = self._skip(end)
        if end < len(self.text):
            raise _SyntaxError(f"JSON must end after its value; got {self._next(end)}", end)
        return value

    def _skip(self, offset: int) -> int:
        match = _SPACE.match(self.text, offset)
        return match.end() if match else offset

    def _next(self, offset: int) -> str:
        """What stands at an offset, for a message."""
        if offset >= len(self.text):
            return "the end of the text"
        word = _WORD.match(self.text, offset)
        return show(word.group() if word else self.text[offset], 40)

    def _value(self, offset: int, path: JsonPath) -> tuple[Any, int]:
        self.target.values[path] = offset
        if len(path) > MAX_DEPTH:
            raise _SyntaxError(f"JSON must be nested at most {MAX_DEPTH} deep; got more", offset)
        start = self.text[offset : offset + 1]
        if start == "{":
            return self._object(offset, path)
        if start == "[":
            return self._array(offset, path)
        if start == '"':
            return self._string(offset, path)
        if match := _NUMBER.match(self.text, offset):
            return self._number(match, path), match.end()
        word = _WORD.match(self.text, offset)
        if word and word.group() in _WORDS:
            return _WORDS[word.group()], word.end()
        raise _SyntaxError(f"JSON value must stand here; got {self._next(offset)}", offset)

    def _string(self, offset: int, path: JsonPath) -> tuple[str, int]:
        try:
            value, end = _STRINGS.raw_decode(self.text, offset)
        except JSONDecodeError as error:
            message, position = _string_problem(error, offset)
            raise _SyntaxError(message, position) from error
        if _SURROGATE.search(value):
            message = "JSON string must be valid Unicode; got half of a surrogate pair"
            self._report(path, message, offset)
            value = _SURROGATE.sub("\ufffd", value)
        return value, end

    def _number(self, match: re.Match[str], path: JsonPath) -> int | float:
        if match.group(1) or match.group(2):
            number = float(match.group())
            if math.isfinite(number):
                return number
        elif len(match.group()) <= 20 and _LEAST <= int(match.group()) <= _GREATEST:
            return int(match.group())
        rule = "must be within 64 bits"
        self._report(path, f"JSON number {rule}; got {show(match.group(), 40)}", match.start())
        return 0

    def _report(self, path: JsonPath, message: str, offset: int, remedy: str = "") -> None:
        line, column = self.target.position(offset)
        self.findings.append(
            Finding(
                self.target.file, line, column, pointer(path), "", Severity.ERROR, message, remedy
            )
        )

    def _array(self, offset: int, path: JsonPath) -> tuple[list[Any], int]:
        items: list[Any] = []
        offset = self._skip(offset + 1)
        if self.text[offset : offset + 1] == "]":
            return items, offset + 1
        while True:
            value, offset = self._value(offset, (*path, len(items)))
            items.append(value)
            offset, ended = self._separator(offset, "]", "array")
            if ended:
                return items, offset

    def _object(self, offset: int, path: JsonPath) -> tuple[dict[str, Any], int]:
        members: dict[str, Any] = {}
        offset = self._skip(offset + 1)
        if self.text[offset : offset + 1] == "}":
            return members, offset + 1
        while True:
            key, offset = self._key(offset, path, members)
            members[key], offset = self._value(offset, (*path, key))
            offset, ended = self._separator(offset, "}", "object")
            if ended:
                return members, offset

    def _key(self, offset: int, path: JsonPath, members: Mapping[str, Any]) -> tuple[str, int]:
        if self.text[offset : offset + 1] != '"':
            message = f"JSON key must be text in double quotes; got {self._next(offset)}"
            raise _SyntaxError(message, offset)
        key, end = self._string(offset, path)
        if key in members:
            first, _ = self.target.locate((*path, key), key=True)
            message = f"JSON key {show(key)} must stand once in its object; got it again"
            self._report((*path, key), message, offset, f"the first is in line {first}")
        self.target.keys.setdefault((*path, key), offset)
        end = self._skip(end)
        if self.text[end : end + 1] != ":":
            message = f"JSON key {show(key)} must be followed by ':'; got {self._next(end)}"
            raise _SyntaxError(message, end)
        return key, self._skip(end + 1)

    def _separator(self, offset: int, closing: str, kind: str) -> tuple[int, bool]:
        """Where the next item starts, or the end of the collection and True."""
        offset = self._skip(offset)
        mark = self.text[offset : offset + 1]
        if mark == closing:
            return offset + 1, True
        if mark != ",":
            message = f"JSON {kind} must go on with ',' or '{closing}'; got {self._next(offset)}"
            raise _SyntaxError(message, offset)
        after = self._skip(offset + 1)
        if self.text[after : after + 1] == closing:
            raise _SyntaxError(f"JSON {kind} must not end with ','; got ',{closing}'", offset)
        return after, False
