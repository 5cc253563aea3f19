"""Records as the lens shows and writes them, and the filters of a live tail."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import orjson
from jsonpath import JSONPath, JSONPathError
from jsonpath import compile as compile_path

from flowengine.inspection import InspectionError, Refusal

Fields: TypeAlias = dict[str, Any]
MOST: Final = 64 << 10  # bytes of a value that are shown
MOST_HEX: Final = MOST >> 1  # bytes that are shown in hexadecimal
MOST_HEADER: Final = 4 << 10
_KINDS: Final = {0: "create", 1: "log append"}


def shown(record: Any) -> Fields:
    """A record as JSON data. What is not UTF-8 stands under ``…_hex``."""
    value = record.value
    cut = value is not None and len(value) > MOST
    found: Fields = {
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp * 1000,
        "timestamp_type": _KINDS.get(record.timestamp_type, "none"),
        **_text("key", record.key),
        **_text("value", value),
        "value_truncated": cut,
        "headers": [[name, _header(data)] for name, data in record.headers],
        "size": len(value or b""),
    }
    if "value_hex" in found:
        found["value_truncated"] = len(value) > MOST_HEX
    return found


def _text(name: str, data: bytes | None) -> Fields:
    if data is None:
        return {name: None}
    part = data[:MOST]
    try:
        return {name: part.decode()}
    except UnicodeDecodeError as error:
        if len(data) > MOST and error.start > MOST - 4:  # only the last letter was cut
            return {name: part[: error.start].decode()}
        return {name: None, f"{name}_hex": data[:MOST_HEX].hex()}


def _header(data: bytes | None) -> str | None:
    return None if data is None else data[:MOST_HEADER].decode(errors="backslashreplace")


def composed(text: str | None, encoding: str, what: str) -> bytes | None:
    """The bytes of a key or value that a person wrote. Raises InspectionError."""
    if text is None:
        return None
    try:
        if encoding == "hex":
            return bytes.fromhex(text)
        if encoding == "json":
            orjson.loads(text)
        return text.encode()
    except ValueError as error:
        rule = f"{what} of a record must be {encoding}; got {text!r:.80}: {error}"
        raise InspectionError(Refusal.INVALID, rule) from None


# -- filters -------------------------------------------------------------------------------------


class Filter:
    """Which records are shown: all that each given part fits. ``*`` in a text is anything.

    key:     text of the key
    headers: name and text; a text of None asks only that the header is there
    path:    something in the JSON value that is there, and ``equals`` it where that is given
    """

    def __init__(
        self,
        key: str | None = None,
        headers: Sequence[tuple[str, str | None]] = (),
        path: str | None = None,
        equals: str | None = None,
    ) -> None:
        if equals is not None and path is None:
            rule = "filter 'equals' must come with a 'path'; got none"
            raise InspectionError(Refusal.INVALID, rule)
        self._checks = [_header_check(*pair) for pair in headers]
        if key is not None:
            self._checks.append(_key_check(key))
        if path is not None:
            self._checks.append(_path_check(path, equals))

    def fits(self, record: Any) -> bool:
        """Whether a record is shown."""
        return all(check(record) for check in self._checks)


def _wildcard(text: str) -> Callable[[bytes | None], bool]:
    pattern = re.compile(".*".join(map(re.escape, text.split("*"))).encode(), re.DOTALL)
    return lambda data: data is not None and pattern.fullmatch(data) is not None


def _key_check(text: str) -> Callable[[Any], bool]:
    fits = _wildcard(text)
    return lambda record: fits(record.key)


def _header_check(name: str, text: str | None) -> Callable[[Any], bool]:
    fits = _wildcard("*" if text is None else text)
    return lambda record: any(own == name and fits(data) for own, data in record.headers)


def _path_check(text: str, equals: str | None) -> Callable[[Any], bool]:
    path = parsed_path(text)
    wanted = _wanted(equals)

    def check(record: Any) -> bool:
        try:
            found = path.findall(orjson.loads(record.value or b""))
        except (orjson.JSONDecodeError, JSONPathError):
            return False
        return any(_same(each, equals, wanted) for each in found)

    return check


def parsed_path(text: str) -> JSONPath:
    """A JSON path. Raises InspectionError; filters inside a path could run for ever."""
    rule = f"filter 'path' must be a JSON path such as $.user.name; got {text!r:.100}"
    if "?" in text:
        raise InspectionError(Refusal.INVALID, f"{rule}. Filters in it are not taken here")
    try:
        path = compile_path(text)
    except (JSONPathError, RecursionError, ValueError):
        raise InspectionError(Refusal.INVALID, rule) from None
    if not isinstance(path, JSONPath):
        raise InspectionError(Refusal.INVALID, rule)
    return path


def _wanted(equals: str | None) -> Any:
    try:
        return orjson.loads(equals or "null")
    except orjson.JSONDecodeError:
        return equals


def _same(found: Any, equals: str | None, wanted: Any) -> bool:
    """Equal as JSON, or as a text without its quotes; true is not 1."""
    if equals is None or found == equals:
        return True
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)


def header_filters(texts: Sequence[str]) -> list[tuple[str, str | None]]:
    """``name=value`` or ``name``."""
    pairs = [text.partition("=") for text in texts]
    return [(name, value if mark else None) for name, mark, value in pairs]


def headers_of(headers: Mapping[str, str]) -> list[tuple[str, bytes]]:
    """Headers as Kafka takes them."""
    return [(name, text.encode()) for name, text in headers.items()]
