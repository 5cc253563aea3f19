"""Routes for what waits in connections."""

from __future__ import annotations

from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Header, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from flowengine.control import operations
from flowengine.control.answers import DeskHere, content_response, json
from flowengine.control.problems import Problem
from flowengine.engine import Engine
from flowengine.flowfile import FlowFile

router = APIRouter()


@router.get("/connections/{id:path}/flowfiles")
async def flowfiles(
    desk: DeskHere,
    id: str,
    limit: Annotated[int, Query(ge=0, le=1000)] = 100,
    newest: bool = False,
    attribute: Annotated[list[str] | None, Query()] = None,
    cursor: str | None = None,
) -> Response:
    """FlowFiles that wait, oldest or newest first. ``attribute=name=value`` may be repeated."""
    wanted = pairs(attribute)

    def look() -> Any:
        return operations.peek(
            desk.engine, id, limit, newest=newest, attributes=wanted, cursor=cursor
        )

    return json(await desk.call(look))


def pairs(texts: list[str] | None) -> dict[str, str]:
    """Attributes that a query asks for, each written ``name=value``."""
    return dict(_pair(text) for text in texts or ())


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Problem(422, f"query parameter 'attribute' must be name=value; got {text!r}")
    return name, value


@router.get("/connections/{id:path}/flowfiles/{uuid}/content")
async def content(
    desk: DeskHere, id: str, uuid: str, range: Annotated[str | None, Header()] = None
) -> Response:
    """A content as a download; a Range header asks for a part."""
    flowfile, stream = await desk.call(_open, desk.engine, id, uuid)
    name = flowfile.attributes.get("filename")
    return await run_in_threadpool(content_response, stream, flowfile, range, name)


def _open(engine: Engine, id: str, uuid: str) -> tuple[FlowFile, BinaryIO]:
    """Opened where it was found: a file that is unlinked meanwhile stays readable."""
    flowfile = operations.find(engine, id, uuid)
    return flowfile, engine.assembly.core.contents.open(flowfile.content)


@router.post("/connections/{id:path}/empty")
async def empty(desk: DeskHere, id: str) -> Response:
    """Throw away what waits in a connection."""
    return json({"dropped": await desk.call(operations.empty, desk.engine, id)})
