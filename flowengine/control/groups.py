"""Commands for all processors of a group, and of the groups inside it, in one step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import Response

from flowengine.control import operations
from flowengine.control.answers import DeskHere, json
from flowengine.control.problems import Problem
from flowengine.engine import Engine

router = APIRouter()

Verb = Literal["start", "stop", "run-once", "enable", "disable", "terminate", "clear-state"]


@router.post("/groups/{id:path}/{verb}")
async def command(desk: DeskHere, id: str, verb: Verb) -> Response:
    """What may be said to a processor, to all of a group. Disabled ones are left out of a start.

    Those that would refuse make the group refuse: 409 names them and nothing has happened.
    """
    return json({"processors": await desk.call(_told, desk.engine, id, verb)})


def members(engine: Engine, group: str) -> list[str]:
    """Ids of the processors in a group, or Problem 404."""
    found = [name for name in engine.assembly.nodes if name.startswith(f"{group}/")]
    if not found or not group:
        raise Problem(404, f"flow {engine.flow.name!r} must have the group; got {group!r}")
    return found


def _told(engine: Engine, group: str, verb: Verb) -> dict[str, Any]:
    names = members(engine, group)
    nodes = engine.assembly.nodes
    if verb in ("start", "run-once"):
        names = [name for name in names if not nodes[name].flat.disabled]
    if verb in ("run-once", "disable", "clear-state"):
        busy = [name for name in names if nodes[name].running or nodes[name].active]
        _refuse(group, verb, busy)
    for name in names:
        _DO[verb](engine, name)
    return {name: nodes[name].status for name in names}


def _refuse(group: str, verb: str, busy: list[str]) -> None:
    if busy:
        raise Problem(
            409,
            f"group {group!r} must be stopped to {verb.replace('-', ' ')}; "
            f"got running: {', '.join(map(repr, busy))}",
            processors=busy,
        )


_DO: Mapping[str, Callable[[Engine, str], object]] = {
    "start": operations.start,
    "stop": operations.stop,
    "run-once": lambda engine, name: operations.start(engine, name, triggers=1),
    "enable": operations.enable,
    "disable": operations.disable,
    "terminate": operations.terminate,
    "clear-state": operations.clear_state,
}
