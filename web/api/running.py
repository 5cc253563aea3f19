"""Routes that start, stop and command flows, processors and queues."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Body, Path
from starlette.responses import Response

from web import deploying
from web.api.common import FlowId, SiteHere, ask, component
from web.problems import Problem, answer
from web.runner import Supervised
from web.security.access import OPERATOR, CallerHere
from web.site import Site

router = APIRouter(tags=["running"])
PATIENCE = 3.0  # s that a start or stop is waited for before it is answered


@router.post("/flows/{id}/start", **OPERATOR)
async def start(site: SiteHere, id: FlowId, caller: CallerHere) -> Response:
    """Start the deployed definition; the file's, if nothing was deployed. No effect when running.

    The answer comes when it runs, has failed, or after three seconds with the state of then.
    """
    return await _started(site, id, caller.user, once=False)


@router.post("/flows/{id}/run-once", **OPERATOR)
async def run_once(site: SiteHere, id: FlowId, caller: CallerHere) -> Response:
    """Run until nothing is left to do, then stop. No effect when running."""
    return await _started(site, id, caller.user, once=True)


async def _started(site: Site, id: str, user: str, *, once: bool) -> Response:
    if site.store.deployed(id) is None:
        await deploying.deploy_file(site, id, user)
    supervised = site.supervisor.start(id, once=once)
    await supervised.settled(PATIENCE)
    return _state(supervised)


def _state(supervised: Supervised) -> Response:
    return answer({"id": supervised.id, "state": supervised.state, "reason": supervised.reason})


@router.post("/flows/{id}/stop", **OPERATOR)
async def stop(
    site: SiteHere, id: FlowId, drain: Annotated[bool, Body(embed=True)] = True
) -> Response:
    """Stop a flow; with ``drain`` queues may empty themselves first. Nothing is lost either way."""
    supervised = site.supervisor.flow(id)
    supervised.stop(drain=drain)
    await supervised.settled(PATIENCE)
    return _state(supervised)


# -- processors and groups ---------------------------------------------------------------------


@router.post("/flows/{id}/processors/{processor:path}/start", **OPERATOR)
async def start_processor(site: SiteHere, id: FlowId, processor: str) -> Response:
    """Start a processor until the flow stops."""
    return await ask(site, id, "POST", f"/processors/{component(processor)}/start")


@router.post("/flows/{id}/processors/{processor:path}/stop", **OPERATOR)
async def stop_processor(site: SiteHere, id: FlowId, processor: str) -> Response:
    """Stop a processor; its queues stay."""
    return await ask(site, id, "POST", f"/processors/{component(processor)}/stop")


@router.post("/flows/{id}/processors/{processor:path}/run-once", **OPERATOR)
async def trigger(site: SiteHere, id: FlowId, processor: str) -> Response:
    """Trigger a stopped processor once."""
    return await ask(site, id, "POST", f"/processors/{component(processor)}/run-once")


@router.post("/flows/{id}/processors/{processor:path}/terminate", **OPERATOR)
async def terminate(site: SiteHere, id: FlowId, processor: str, force: bool = False) -> Response:
    """Stop a processor and roll back what it is doing; the runner may start anew without it."""
    path = f"/processors/{component(processor)}/terminate"
    return await ask(site, id, "POST", path, {"force": force})


@router.post("/flows/{id}/processors/{processor:path}/clear-state", **OPERATOR)
async def clear_state(site: SiteHere, id: FlowId, processor: str) -> Response:
    """Forget a stopped processor's durable state."""
    return await ask(site, id, "POST", f"/processors/{component(processor)}/clear-state")


@router.post("/flows/{id}/groups/{group:path}/start", **OPERATOR)
async def start_group(site: SiteHere, id: FlowId, group: str) -> Response:
    """Start all processors in a group and in the groups inside it."""
    return await _all_of(site, id, group, "start")


@router.post("/flows/{id}/groups/{group:path}/stop", **OPERATOR)
async def stop_group(site: SiteHere, id: FlowId, group: str) -> Response:
    """Stop all processors in a group and in the groups inside it."""
    return await _all_of(site, id, group, "stop")


async def _all_of(site: Site, id: str, group: str, verb: str) -> Response:
    component(group)
    client = site.supervisor.flow(id).client
    status = await client.status()
    members = [name for name in status.processors if name.startswith(f"{group}/")]
    if not members:
        raise Problem(404, f"flow {id!r} must have the group; got {group!r}")
    states: dict[str, Any] = {}
    for name in members:
        answered = await client.json("POST", f"/processors/{component(name)}/{verb}")
        states[name] = answered["state"]
    return answer({"processors": states})


# -- queues, counters, replay ------------------------------------------------------------------


@router.post("/flows/{id}/connections/{connection:path}/empty", **OPERATOR)
async def empty(site: SiteHere, id: FlowId, connection: str) -> Response:
    """Throw away what waits in a connection; the ledger counts it as dropped."""
    return await ask(site, id, "POST", f"/connections/{component(connection)}/empty")


@router.post("/flows/{id}/counters/{name}/reset", **OPERATOR)
async def reset_counter(site: SiteHere, id: FlowId, name: str) -> Response:
    """Set a counter to 0."""
    return await ask(site, id, "POST", f"/counters/{quote(name, safe='')}/reset")


@router.post("/flows/{id}/provenance/{event}/replay", **OPERATOR)
async def replay(
    site: SiteHere, id: FlowId, event: Annotated[int, Path(ge=0, le=1 << 62)]
) -> Response:
    """Put what an event saw back into the queue that fed it."""
    return await ask(site, id, "POST", f"/provenance/{event}/replay")
