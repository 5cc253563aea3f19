"""Routes that look into running flows: status, queues, contents, logs, provenance."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Path, Query
from starlette.responses import Response, StreamingResponse

from flowengine.logs import log_path, tail
from web.api.common import FlowId, SiteHere, ask, component
from web.control import refused
from web.events import full
from web.problems import Problem, answer
from web.security.access import VIEWER

router = APIRouter(tags=["looking"])
UUID = re.compile(r"[0-9a-fA-F-]{36}")
_LAST = 1 << 62
_KEPT = ("content-length", "content-range", "content-disposition", "accept-ranges")

Microseconds = Annotated[int | None, Query(ge=0, le=_LAST)]
Pairs = Annotated[list[str] | None, Query(max_length=50)]


@router.get("/flows/{id}/status", **VIEWER)
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


@router.get("/flows/{id}/processors/{processor:path}", **VIEWER)
async def processor(site: SiteHere, id: FlowId, processor: str) -> Response:
    """One running processor: status, settings, bulletins."""
    return await ask(site, id, "GET", f"/processors/{component(processor)}")


@router.get("/flows/{id}/connections/{connection:path}/flowfiles", **VIEWER)
async def flowfiles(
    site: SiteHere,
    id: FlowId,
    connection: str,
    limit: Annotated[int, Query(ge=0, le=1000)] = 100,
    newest: bool = False,
    filter: Pairs = None,
) -> Response:
    """FlowFiles that wait. ``filter=attribute=value`` may be repeated."""
    path = f"/connections/{component(connection)}/flowfiles"
    wanted = {"limit": limit, "newest": newest, "attribute": filter}
    return await ask(site, id, "GET", path, wanted)


@router.get("/flows/{id}/connections/{connection:path}/flowfiles/{uuid}/content", **VIEWER)
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


@router.get("/flows/{id}/bulletins", **VIEWER)
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


@router.get("/flows/{id}/logs", **VIEWER)
async def logs(
    site: SiteHere, id: FlowId, lines: Annotated[int, Query(ge=1, le=10_000)] = 200
) -> Response:
    """The last lines of a flow's log, oldest first; also when it is stopped."""
    supervised = site.supervisor.flow(id)
    if supervised.state == "running":
        return answer(
            {"lines": await supervised.client.json("GET", "/logs", params={"lines": lines})}
        )
    path = log_path(site.config.data_dir(id))
    found = await asyncio.to_thread(tail, path, lines) if path.exists() else []
    return answer({"lines": found})


@router.get("/flows/{id}/counters", **VIEWER)
async def counters(site: SiteHere, id: FlowId) -> Response:
    """Counters by name."""
    return await ask(site, id, "GET", "/counters")


@router.get("/flows/{id}/state/{processor:path}", **VIEWER)
async def state(site: SiteHere, id: FlowId, processor: str) -> Response:
    """A processor's durable state."""
    return await ask(site, id, "GET", f"/state/{component(processor)}")


@router.get("/flows/{id}/metrics", **VIEWER)
async def metrics(site: SiteHere, id: FlowId) -> Response:
    """Figures of a running flow in Prometheus' text format."""
    async with site.supervisor.flow(id).client.ask("GET", "/metrics") as response:
        body = await response.aread()
    return Response(body, response.status_code, media_type="text/plain; version=0.0.4")


# -- provenance --------------------------------------------------------------------------------


@router.get("/flows/{id}/provenance", **VIEWER)
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
    given = {key: value for key, value in wanted.items() if value is not None}
    client = site.supervisor.flow(id).client
    events = await client.json("GET", "/provenance", params=given)
    after = events[-1]["id"] if len(events) == limit else None
    return answer({"events": events, "next": after})


@router.get("/flows/{id}/provenance/{uuid}/lineage", **VIEWER)
async def lineage(site: SiteHere, id: FlowId, uuid: str) -> Response:
    """Events of a FlowFile, its ancestors and descendants; edges from parent to child."""
    if not UUID.fullmatch(uuid):
        raise Problem(404, f"FlowFile must be named by its uuid; got {uuid[:60]!r}")
    return await ask(site, id, "GET", f"/provenance/lineage/{uuid}")


@router.get("/flows/{id}/provenance/{event}", **VIEWER)
async def event(
    site: SiteHere, id: FlowId, event: Annotated[int, Path(ge=0, le=_LAST)]
) -> Response:
    """One event; ``content`` is base64."""
    return await ask(site, id, "GET", f"/provenance/{event}")
