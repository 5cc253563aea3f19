"""Routes that look into running flows: status, queues, contents, logs, provenance."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Header, Path, Query
from starlette.responses import Response, StreamingResponse

from flowengine.control import minutes
from web import logpages, recorded
from web.api import models_running as models
from web.api.bodies import StrictRoute
from web.api.common import FlowId, SiteHere, ask, component
from web.api.description import RUNNER, answers, plain, problems
from web.control import refused
from web.events import full
from web.problems import Problem, answer
from web.security.access import VIEWER

router = APIRouter(tags=["looking"], route_class=StrictRoute)
UUID = re.compile(r"[0-9a-fA-F-]{36}")
_LAST = 1 << 62
_KEPT = ("content-length", "content-range", "content-disposition", "accept-ranges")

_NUMBERS = {"type": "object", "additionalProperties": {"type": "integer"}}
_TEXT = {"type": "string"}
_BYTES = {
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
}
CONTENT: dict[str, Any] = {
    "response_class": Response,
    "responses": {
        200: {"description": "The whole content", **_BYTES},
        206: {"description": "The part that was asked for", **_BYTES},
        **problems(*RUNNER, 416),
    },
}

Microseconds = Annotated[int | None, Query(ge=0, le=_LAST)]
Pairs = Annotated[list[str] | None, Query(max_length=50)]


@router.get("/flows/{id}/status", **VIEWER, **answers(models.FlowStatusAnswer, 404))
async def status(site: SiteHere, id: FlowId) -> Response:
    """State of a flow and, while it runs, everything about it now.

    ``status`` is null, with the ``reason``, while the runner does not answer.
    """
    supervised, now, reason = site.supervisor.flow(id), None, ""
    if supervised.state in ("running", "stopping"):
        try:
            now = full(await supervised.client.status())
        except Problem as problem:
            reason = str(problem)
    shown = {"id": id, "state": supervised.state, "reason": supervised.reason or reason}
    return answer({**shown, "status": now})


@router.get(
    "/flows/{id}/processors/{processor:path}", **VIEWER, **answers(models.ProcessorAnswer, *RUNNER)
)
async def processor(site: SiteHere, id: FlowId, processor: str) -> Response:
    """One running processor: status, settings, bulletins."""
    return await ask(site, id, "GET", f"/processors/{component(processor)}")


@router.get(
    "/flows/{id}/connections/{connection:path}/flowfiles", **VIEWER, **answers("Listing", *RUNNER)
)
async def flowfiles(
    site: SiteHere,
    id: FlowId,
    connection: str,
    limit: Annotated[int, Query(ge=0, le=1000)] = 100,
    newest: bool = False,
    filter: Pairs = None,
    cursor: Annotated[str | None, Query(max_length=60)] = None,
) -> Response:
    """FlowFiles that wait. ``filter=attribute=value`` may be repeated; ``next`` is the cursor of
    the page after."""
    path = f"/connections/{component(connection)}/flowfiles"
    wanted = {"limit": limit, "newest": newest, "attribute": filter, "cursor": cursor}
    return await ask(site, id, "GET", path, wanted)


@router.get(
    "/flows/{id}/connections/{connection:path}/flowfiles/{uuid}/content", **VIEWER, **CONTENT
)
async def content(
    site: SiteHere,
    id: FlowId,
    connection: str,
    uuid: str,
    range: Annotated[str | None, Header(max_length=100)] = None,
) -> Response:
    """A content as a download, streamed; a Range header asks for a part."""
    if not UUID.fullmatch(uuid):
        raise Problem(404, f"FlowFile must be named by its uuid; got {uuid[:60]!r}")
    path = f"/connections/{component(connection)}/flowfiles/{uuid}/content"
    headers = {"Range": range} if range else {}
    stack = AsyncExitStack()
    client = site.supervisor.flow(id).client
    source = await stack.enter_async_context(client.ask("GET", path, headers=headers))
    if source.is_error:
        async with stack:
            raise refused(source.status_code, await source.aread())

    async def body() -> AsyncIterator[bytes]:
        async with stack:
            async for part in source.aiter_raw():
                yield part

    kept = {name: source.headers[name] for name in _KEPT if name in source.headers}
    shown = {**kept, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return StreamingResponse(
        body(), source.status_code, shown, media_type="application/octet-stream"
    )


@router.get("/flows/{id}/bulletins", **VIEWER, **answers(models.Bulletins, *RUNNER))
async def bulletins(
    site: SiteHere,
    id: FlowId,
    component: Annotated[str | None, Query(max_length=1000)] = None,
    after: Annotated[int, Query(ge=0, le=_LAST)] = 0,
) -> Response:
    """Bulletins of the last five minutes, and those of the server about the flow (id below 0)."""
    supervised = site.supervisor.flow(id)
    own = supervised.bulletins if component in (None, "") else []
    found: list[Any] = [msgspec.structs.asdict(one) for one in own]
    if supervised.state == "running":
        params = {"after": after} | ({"component": component} if component else {})
        found += await supervised.client.json("GET", "/bulletins", params=params)
    return answer({"bulletins": sorted(found, key=lambda one: one["time"])})


@router.get("/flows/{id}/logs", **VIEWER, **answers(models.Logs, 404))
async def logs(
    site: SiteHere,
    id: FlowId,
    lines: Annotated[int, Query(ge=1, le=10_000)] = 200,
    cursor: Annotated[str | None, Query(max_length=60)] = None,
) -> Response:
    """The last lines of a flow's log, oldest first; also when it is stopped.

    ``next`` is the cursor of the lines before them.
    """
    found = await asyncio.to_thread(logpages.page, site.config.data_dir(id), lines, cursor)
    return answer({"lines": found.lines, "next": found.next})


@router.get("/flows/{id}/history", **VIEWER, **answers("Series", 404))
async def history(
    site: SiteHere,
    id: FlowId,
    kind: Literal["flow", "processors", "connections"] = "flow",
    component: Annotated[str, Query(max_length=1000)] = "",
    since: Annotated[int, Query(ge=0, le=_LAST)] = 0,
    until: Annotated[int, Query(ge=0, le=_LAST)] = _LAST,
) -> Response:
    """One point a minute of the last 24 hours, of the flow or of one component; also when stopped.

    ``fields`` names the values behind the time of each point; minutes without a run are left out.
    """
    folder = site.config.data_dir(id)
    found = await asyncio.to_thread(minutes.read, folder, kind, component, since, until)
    return answer(msgspec.to_builtins(found))


@router.get("/flows/{id}/counters", **VIEWER, **plain(_NUMBERS, *RUNNER))
async def counters(site: SiteHere, id: FlowId) -> Response:
    """Counters by name."""
    return await ask(site, id, "GET", "/counters")


@router.get("/flows/{id}/state/{processor:path}", **VIEWER, **plain({"type": "object"}, *RUNNER))
async def state(site: SiteHere, id: FlowId, processor: str) -> Response:
    """A processor's durable state."""
    return await ask(site, id, "GET", f"/state/{component(processor)}")


@router.get("/flows/{id}/metrics", **VIEWER, **plain(_TEXT, *RUNNER, media="text/plain"))
async def metrics(site: SiteHere, id: FlowId) -> Response:
    """Figures of a running flow in Prometheus' text format."""
    async with site.supervisor.flow(id).client.ask("GET", "/metrics") as response:
        body = await response.aread()
    return Response(body, response.status_code, media_type="text/plain; version=0.0.4")


# -- provenance --------------------------------------------------------------------------------


@router.get("/flows/{id}/provenance", **VIEWER, **answers(models.Provenance, *RUNNER))
async def provenance(
    site: SiteHere,
    id: FlowId,
    flowfile: Annotated[str | None, Query(max_length=36)] = None,
    processor: Annotated[str | None, Query(max_length=1000)] = None,
    type: Annotated[str | None, Query(max_length=40)] = None,
    since: Microseconds = None,
    until: Microseconds = None,
    cursor: Microseconds = None,
    attribute: Pairs = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Events, newest first. ``next`` is the cursor of the page after."""
    wanted = {
        "flowfile": flowfile,
        "processor": processor,
        "type": type,
        "since": since,
        "until": until,
        "before": cursor,
        "attribute": attribute,
        "limit": limit,
    }
    events = await recorded.search(site, id, wanted)
    after = events[-1]["id"] if len(events) == limit else None
    return answer({"events": events, "next": after})


@router.get("/flows/{id}/provenance/{uuid}/lineage", **VIEWER, **answers(models.Lineage, *RUNNER))
async def lineage(site: SiteHere, id: FlowId, uuid: str) -> Response:
    """Events of a FlowFile, its ancestors and descendants; edges from parent to child."""
    if not UUID.fullmatch(uuid):
        raise Problem(404, f"FlowFile must be named by its uuid; got {uuid[:60]!r}")
    return answer(await recorded.lineage(site, id, uuid))


@router.get("/flows/{id}/provenance/{event}", **VIEWER, **answers(models.ProvenanceEvent, *RUNNER))
async def event(
    site: SiteHere, id: FlowId, event: Annotated[int, Path(ge=0, le=_LAST)]
) -> Response:
    """One event; ``content`` is base64, ``refusal`` why it cannot be replayed."""
    return answer(await recorded.event(site, id, event))
