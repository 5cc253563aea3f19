"""Pages of a flow's log, read backwards from its end, through the files that rotation left.

A cursor is the place of a line: the file's inode, which stays when it is renamed, and an offset.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from flowengine.logs import FILES, log_path
from web.problems import Problem

BLOCK = 64 << 10
_CURSOR = re.compile(r"([0-9]{1,20})-([0-9]{1,15})")


@dataclass(frozen=True, slots=True)
class Page:
    """Lines, oldest first, and the cursor of those before them; None at the beginning."""

    lines: list[dict[str, Any]]
    next: str | None


def page(data_dir: Path, limit: int, cursor: str | None = None) -> Page:
    """The last lines of a log before a cursor; the last of all without one.

    Raises Problem 422 for what is no cursor. One whose file is gone has nothing before it.
    """
    found: list[tuple[int, int, bytes]] = []
    for inode, offset, line in _backwards(data_dir, _place(cursor)):
        found.append((inode, offset, line))
        if len(found) > limit:
            break
    kept = found[:limit]
    more = len(found) > limit
    after = f"{kept[-1][0]}-{kept[-1][1]}" if more and kept else None
    return Page([_parsed(line) for _, _, line in reversed(kept)], after)


def _place(cursor: str | None) -> tuple[int, int] | None:
    if cursor is None:
        return None
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise Problem(422, f"cursor must be one of an answer; got {cursor[:60]!r}")
    return int(match.group(1)), int(match.group(2))


def _files(data_dir: Path) -> Iterator[Path]:
    """Newest first."""
    path = log_path(data_dir)
    yield path
    yield from (path.with_name(f"{path.name}.{number}") for number in range(1, FILES))


def _backwards(data_dir: Path, place: tuple[int, int] | None) -> Iterator[tuple[int, int, bytes]]:
    """Inode, offset and text of each line before a place, the last one first."""
    for path in _files(data_dir):
        try:
            with path.open("rb") as stream:
                inode = os.fstat(stream.fileno()).st_ino
                if place is not None and inode != place[0]:
                    continue
                end = stream.seek(0, os.SEEK_END) if place is None else place[1]
                place = None
                yield from ((inode, offset, line) for offset, line in _lines(stream, end))
        except FileNotFoundError:
            continue


def _lines(stream: BinaryIO, end: int) -> Iterator[tuple[int, bytes]]:
    """Offset and text of each whole line that ends before ``end``, the last one first."""
    rest = b""
    while end > 0:
        begin = max(end - BLOCK, 0)
        stream.seek(begin)
        block = stream.read(end - begin) + rest
        parts = block.split(b"\n")
        offset = begin + len(block)
        for part in reversed(parts[1:]):
            offset -= len(part)
            if part:
                yield offset, part
            offset -= 1
        rest, end = parts[0], begin
    if rest:
        yield 0, rest


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        value = line.decode("utf-8", "replace")
    return value if isinstance(value, dict) else {"event": value}
