"""Routes that change something: processors, counters, the runner itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Body
from fastapi.responses import Response

from flowengine.control import operations
from flowengine.control.answers import DeskHere, json
from flowengine.control.backup import backup_running
from flowengine.control.desk import Desk
from flowengine.control.problems import Problem
from flowengine.repository import MemoryRepository

TERMINATE = 1.0  # s that the engine has to do it by itself

router = APIRouter()


@router.post("/processors/{id:path}/start")
async def start(desk: DeskHere, id: str) -> Response:
    """Start a processor; no effect when it runs."""
    return json({"state": await desk.call(operations.start, desk.engine, id)})


@router.post("/processors/{id:path}/stop")
async def stop(desk: DeskHere, id: str) -> Response:
    """Stop a processor; its queues stay. No effect when it is stopped."""
    return json({"state": await desk.call(operations.stop, desk.engine, id)})


@router.post("/processors/{id:path}/run-once")
async def run_once(desk: DeskHere, id: str) -> Response:
    """Trigger a stopped processor once."""
    return json({"state": await desk.call(lambda: operations.start(desk.engine, id, triggers=1))})


@router.post("/processors/{id:path}/terminate")
async def terminate(desk: DeskHere, id: str, force: bool = False) -> Response:
    """Stop a processor and roll back what it is doing.

    When it holds the engine and never gives it back, the runner starts anew without it: 202. With
    the memory repository that throws away what is queued, and needs ``force``.
    """
    operations.node_of(desk.engine, id)
    try:
        cancelled = await desk.call(operations.terminate, desk.engine, id, timeout=TERMINATE)
    except Problem as problem:
        if problem.status != 503 or problem.more.get("processor") != id:
            raise
        return _restart(desk, id, force=force)
    return json({"state": "stopped", "terminated": cancelled})


def _restart(desk: Desk, id: str, *, force: bool) -> Response:
    if isinstance(desk.engine.repository, MemoryRepository) and not force:
        raise Problem(
            409,
            f"processor {id!r} must give the engine back to be terminated without a restart; got "
            "an endless trigger over a memory repository, whose queues a restart throws away. "
            "Ask with force=true to do so",
            processor=id,
        )
    answer = json({"state": "restarting", "without": id}, 202)
    after = BackgroundTasks()
    after.add_task(desk.restart, id)
    answer.background = after
    return answer


@router.post("/processors/{id:path}/disable")
async def disable(desk: DeskHere, id: str) -> Response:
    """Let a stopped processor refuse to start until it is enabled or the flow starts again."""
    return json({"state": await desk.call(operations.disable, desk.engine, id)})


@router.post("/processors/{id:path}/enable")
async def enable(desk: DeskHere, id: str) -> Response:
    """Let a disabled processor be started again; it stays stopped."""
    return json({"state": await desk.call(operations.enable, desk.engine, id)})


@router.post("/processors/{id:path}/clear-state")
async def clear_state(desk: DeskHere, id: str) -> Response:
    """Forget a stopped processor's durable state."""
    return json({"cleared": await desk.call(operations.clear_state, desk.engine, id)})


@router.post("/processors/{id:path}/properties")
async def properties(
    desk: DeskHere, id: str, changes: Annotated[dict[str, Any], Body()]
) -> Response:
    """Give a processor other values until the flow starts again; null takes the default."""
    live = await desk.call(operations.set_properties, desk.engine, id, changes)
    settings = operations.describe(desk.engine, id)
    return json({"live": live, "properties": settings["properties"]})


@router.post("/counters/{name:path}/reset")
async def reset(desk: DeskHere, name: str) -> Response:
    """Set a counter to 0."""
    return json({"was": await desk.call(operations.reset_counter, desk.engine, name)})


@router.post("/stop")
async def stop_flow(desk: DeskHere, drain: bool = True) -> Response:
    """Stop the runner: with ``drain`` queues may empty themselves first. Nothing is lost."""

    def request() -> None:
        engine = desk.engine
        if not engine.stopping:
            engine.request_stop()
        if not drain:
            engine.request_stop()

    await desk.call(request)
    return json({"state": "stopping"}, 202)


@router.post("/backup")
async def backup(desk: DeskHere, to: Path) -> Response:
    """Write one consistent cut into a new directory."""
    return json(await backup_running(desk, to))
