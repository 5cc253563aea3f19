"""How routes find the desk, and how they answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import SEEK_END
from typing import Annotated, BinaryIO, cast

from fastapi import Depends, Request
from fastapi.responses import Response, StreamingResponse

from flowengine.control.desk import Desk
from flowengine.control.problems import Problem
from flowengine.flowfile import FlowFile
from flowengine.logs import redacted_json
from flowengine.status import encode

CHUNK = 256 << 10
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_UNSAFE = re.compile(r"[^A-Za-z0-9._ -]")


def desk_of(request: Request) -> Desk:
    """The desk that this app stands before."""
    return cast(Desk, request.app.state.desk)


DeskHere = Annotated[Desk, Depends(desk_of)]


def json(value: object, status: int = 200) -> Response:
    """A JSON answer; what is a known secret does not leave."""
    return Response(
        redacted_json(encode(value)),
        status,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def content_response(
    stream: BinaryIO, flowfile: FlowFile, requested: str | None, filename: str | None = None
) -> Response:
    """A content as a download, or the part of it that a Range header asks for.

    It is never shown as a page: whoever wrote it does not write the viewer's page. How long it is
    says the stream: a decoded content has another size than its text, which may take a while.
    """
    size = stream.seek(0, SEEK_END)
    start, stop = _part(requested, size)
    name = _UNSAFE.sub("_", filename or flowfile.uuid)[:200] or "content"
    headers = {
        "Content-Length": str(stop - start),
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-store",
    }
    partial = requested is not None and stop - start < size
    if partial:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return StreamingResponse(
        _chunks(stream, start, stop),
        206 if partial else 200,
        headers,
        media_type="application/octet-stream",
    )


def _part(requested: str | None, size: int) -> tuple[int, int]:
    """Start and stop of what was asked for; several parts or nonsense is the whole (RFC 9110)."""
    found = _RANGE.fullmatch(requested or "")
    if found is None or not any(found.groups()):
        return 0, size
    first, last = found.groups()
    if not first:
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
    if start >= stop:
        raise Problem(416, f"range must lie within 0-{max(size - 1, 0)}; got {requested!r}")
    return start, stop


def _chunks(stream: BinaryIO, start: int, stop: int) -> Iterator[bytes]:
    with stream:
        stream.seek(start)
        while start < stop and (data := stream.read(min(CHUNK, stop - start))):
            start += len(data)
            yield data
