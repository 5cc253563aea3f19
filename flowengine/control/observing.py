"""Routes that look: status and its stream, bulletins, counters, state, logs, metrics, health."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse

from flowengine import metrics
from flowengine.control import operations
from flowengine.control.answers import DeskHere, json
from flowengine.control.problems import Problem
from flowengine.control.refusals import problem_response
from flowengine.logs import log_path, tail

router = APIRouter()


@router.get("/status")
async def status(desk: DeskHere) -> Response:
    """The whole flow now; ``held`` is set when the engine does not answer and this is older."""
    return json(await desk.status())


@router.get("/status/stream")
async def stream(desk: DeskHere) -> Response:
    """Server-sent events: ``snapshot``, then one ``delta`` a second with what changed."""
    return StreamingResponse(
        desk.events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


@router.get("/processors/{id:path}")
async def processor(desk: DeskHere, id: str) -> Response:
    """One processor: status, settings, bulletins."""
    now = (await desk.status()).processors.get(id)
    if now is None:
        operations.node_of(desk.engine, id)
    settings = operations.describe(desk.engine, id)
    return json({"status": now, "settings": settings, "bulletins": desk.engine.board.list(id)})


@router.get("/bulletins")
async def bulletins(desk: DeskHere, component: str | None = None, after: int = 0) -> Response:
    """Bulletins of the last five minutes, of one component or all, with an id above ``after``."""
    return json([one for one in desk.engine.board.list(component) if one.id > after])


@router.get("/counters")
async def counters(desk: DeskHere) -> Response:
    """Counters by name."""
    return json((await desk.status()).counters)


@router.get("/state/{processor:path}")
async def state(desk: DeskHere, processor: str) -> Response:
    """A processor's durable state as of its last commit."""
    return json(await desk.call(operations.state_of, desk.engine, processor))


@router.get("/logs")
async def logs(desk: DeskHere, lines: Annotated[int, Query(ge=1, le=10_000)] = 100) -> Response:
    """The last lines of the log, oldest first."""
    return json(await asyncio.to_thread(tail, log_path(desk.data_dir), lines))


@router.get("/metrics")
async def prometheus(desk: DeskHere) -> Response:
    """Figures for Prometheus, in its text format."""
    return Response(metrics.exposition(await desk.status()), media_type=metrics.CONTENT_TYPE)


@router.get("/health/live")
async def live() -> Response:
    """200 while the process answers."""
    return json({"live": True})


@router.get("/health/ready")
async def ready(desk: DeskHere) -> Response:
    """200 when the flow can work; 503 with the reasons when not."""
    now = await desk.status()
    reasons = [now.problem, *now.faults.values(), *now.service_problems.values()]
    if now.held is not None:
        reasons.append(f"engine must answer; got held by {now.held.processor}")
    if now.state == "stopping":
        reasons.append("flow must run; got stopping")
    known = [reason for reason in reasons if reason]
    if known:
        return problem_response(503, "flow must be ready", reasons=known)
    return json({"ready": True})


@router.get("/{path:path}", include_in_schema=False)
async def nothing(path: str) -> Response:
    """Everything else."""
    raise Problem(404, f"path must be a route of the control API; got {'/' + path!r}")
