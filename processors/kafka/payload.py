"""One FlowFile's content as Kafka messages: whole, or many by demarcator, JSON array or NDJSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import BinaryIO, Final

import msgspec

from flowengine.errors import DefinitionError

PART_BYTES: Final = 4 << 20


class Splitting(StrEnum):
    """How many messages a content holds."""

    WHOLE = "one message"
    DEMARCATOR = "demarcator"
    JSON_ARRAY = "JSON array"
    NDJSON = "NDJSON"


class PayloadError(DefinitionError):
    """A content that cannot be split into messages."""


_raw = msgspec.json.Decoder(msgspec.Raw)
_array = msgspec.json.Decoder(list[msgspec.Raw])


def split(content: bytes, how: Splitting, demarcator: bytes = b"") -> list[bytes]:
    """The messages of a content that lies in memory. Empty tokens and blank lines are skipped.

    Raises PayloadError.
    """
    if how is Splitting.WHOLE:
        return [content]
    if how is Splitting.DEMARCATOR:
        return [token for token in content.split(demarcator) if token]
    if how is Splitting.NDJSON:
        return check_lines(content.split(b"\n"), 1)
    try:
        return [bytes(element) for element in _array.decode(content)]
    except msgspec.DecodeError as error:
        raise PayloadError(f"content must be a JSON array; got {error}") from None


def split_stream(
    stream: BinaryIO, how: Splitting, demarcator: bytes = b"", part: int = PART_BYTES
) -> Iterator[list[bytes]]:
    """The messages of a content that is read in parts; each list holds about ``part`` bytes.

    A JSON array is read whole. Raises PayloadError.
    """
    if how in (Splitting.WHOLE, Splitting.JSON_ARRAY):
        yield split(stream.read(), how)
        return
    mark = b"\n" if how is Splitting.NDJSON else demarcator
    check = _line_checker() if how is Splitting.NDJSON else _not_empty
    rest = b""
    while read := stream.read(part):
        *tokens, rest = (rest + read).split(mark)
        yield check(tokens)
    yield check([rest])


def check_lines(lines: list[bytes], first: int) -> list[bytes]:
    """The lines that are not blank, each one JSON value; ``first`` is the number of the first."""
    messages = []
    for number, line in enumerate(lines, first):
        if line := line.strip():
            try:
                _raw.decode(line)
            except msgspec.DecodeError as error:
                raise PayloadError(f"line {number} must be one JSON value; got {error}") from None
            messages.append(line)
    return messages


def _line_checker() -> Callable[[list[bytes]], list[bytes]]:
    seen = 0

    def check(lines: list[bytes]) -> list[bytes]:
        nonlocal seen
        seen += len(lines)
        return check_lines(lines, seen - len(lines) + 1)

    return check


def _not_empty(tokens: list[bytes]) -> list[bytes]:
    return [token for token in tokens if token]
