"""From pieces to rows and back: what a cut writes of a queue, and what a recovery makes of it."""

from __future__ import annotations

from collections.abc import Iterable

from flowengine.connection import Connection
from flowengine.content import FileContent
from flowengine.piece import ROW_BYTES, ROW_OBJECTS, Piece, Row
from flowengine.repository.store import NewRow, RowInfo, Run, Store


def pieces_of(store: Store, info: RowInfo, connection: Connection) -> Iterable[tuple[Piece, int]]:
    """The living pieces of a stored row, their FlowFiles left on disk, each with its penalty."""
    row = Row(info.id, info.count)
    row.stored = True
    row.dead = list(info.dead)
    row.live -= sum(stop - start for start, stop in info.dead)
    flowfiles = store.flowfiles(info.id) if info.dead else None
    offset = 0
    for run in info.runs:
        for start, stop in living(offset, offset + run.count, info.dead):
            size = run.bytes
            if flowfiles is not None:
                size = sum(f.size for f in flowfiles[start:stop])
            piece = Piece(
                connection,
                run.position + start - offset,
                None,
                size,
                count=stop - start,
                row=row,
                offset=start,
                marked=run.marked,
                files=bool(info.files),
                event_time=run.event_time,
            )
            yield piece, run.penalty_until
        offset += run.count


def grouped(pieces: list[Piece]) -> Iterable[list[Piece]]:
    """Pieces of one connection, as many as fit into one row."""
    group: list[Piece] = []
    objects = size = 0
    for piece in pieces:
        if group and (objects + piece.count > ROW_OBJECTS or size + piece.bytes > ROW_BYTES):
            yield group
            group, objects, size = [], 0, 0
        group.append(piece)
        objects += piece.count
        size += piece.bytes
    if group:
        yield group


def new_row(row: Row, pieces: list[Piece]) -> NewRow:
    """What the writer needs of these pieces, which are in a row from now on."""
    runs, lists, files = [], [], []
    offset = 0
    for piece in pieces:
        flowfiles = piece.flowfiles or []
        piece.row, piece.offset = row, offset
        offset += piece.count
        until = flowfiles[0].penalty_until if piece.marked else 0
        runs.append(
            Run(piece.position, piece.count, piece.bytes, piece.marked, until, piece.event_time)
        )
        lists.append(flowfiles)
        if piece.files:
            files += [f.content.name for f in flowfiles if isinstance(f.content, FileContent)]
    return NewRow(row.id, pieces[0].connection.id, runs, lists, files)


def merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same numbers in as few ranges as possible."""
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(ranges):
        if merged and merged[-1][1] >= start:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged


def living(start: int, stop: int, dead: list[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    """The parts of [start, stop) that no dead range covers."""
    for low, high in merged(dead):
        if high <= start or low >= stop:
            continue
        if start < low:
            yield start, low
        start = max(start, high)
    if start < stop:
        yield start, stop


def counts(rows: Iterable[RowInfo]) -> dict[str, int]:
    """Connection → living FlowFiles."""
    found: dict[str, int] = {}
    for row in rows:
        living = row.count - sum(stop - start for start, stop in row.dead)
        found[row.connection] = found.get(row.connection, 0) + living
    return found
