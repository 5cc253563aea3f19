"""Routes that start, stop and command flows, processors and queues."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Body, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from web import deploying, resetting
from web.api import models
from web.api import models_running as figures
from web.api.bodies import StrictRoute
from web.api.common import FlowId, SiteHere, ask, component
from web.api.description import RUNNER, answers
from web.problems import answer
from web.runner import Supervised
from web.security.access import OPERATOR, CallerHere
from web.site import Site

router = APIRouter(tags=["running"], route_class=StrictRoute)
_COMMANDED = answers(figures.Commanded, *RUNNER)
PATIENCE = 3.0  # s that a start or stop is waited for before it is answered


@router.post("/flows/{id}/start", **OPERATOR, **answers(models.FlowState, 404))
async def start(site: SiteHere, id: FlowId, caller: CallerHere) -> Response:
    """Start the deployed definition; the file's, if nothing was deployed. No effect when running.

    The answer comes when it runs, has failed, or after three seconds with the state of then.
    """
    return await _started(site, id, caller.user, once=False)


@router.post("/flows/{id}/run-once", **OPERATOR, **answers(models.FlowState, 404))
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


@router.post("/flows/{id}/stop", **OPERATOR, **answers(models.FlowState, 404))
async def stop(
    site: SiteHere, id: FlowId, drain: Annotated[bool, Body(embed=True)] = True
) -> Response:
    """Stop a flow; with ``drain`` queues may empty themselves first. Nothing is lost either way."""
    supervised = site.supervisor.flow(id)
    supervised.stop(drain=drain)
    await supervised.settled(PATIENCE)
    return _state(supervised)


class ResetFlow(BaseModel):
    """What a stopped flow shall forget.

    offsets: where consumers go on: earliest, latest, or a time such as 2025-01-31T12:00
    """

    model_config = ConfigDict(extra="forbid")
    queues: bool = False
    state: bool = False
    offsets: str | None = Field(None, min_length=1, max_length=60, pattern=r"^[^-]")


@router.post("/flows/{id}/reset", **OPERATOR, **answers(models.ResetDone, 404, 409))
async def reset(site: SiteHere, id: FlowId, body: ResetFlow) -> Response:
    """Forget queues, states or positions of a stopped flow. What is forgotten is lost."""
    done = await resetting.reset(
        site, id, queues=body.queues, state=body.state, offsets=body.offsets
    )
    return answer({"done": done})


# -- processors and groups ---------------------------------------------------------------------


@router.post("/flows/{id}/processors/{processor:path}/start", **OPERATOR, **_COMMANDED)
async def start_processor(site: SiteHere, id: FlowId, processor: str) -> Response:
    """Start a processor until the flow stops."""
    return await ask(site, id, "POST", f"/processors/{component(processor)}/start")


@router.post("/flows/{id}/processors/{processor:path}/stop", **OPERATOR, **_COMMANDED)
async def stop_processor(site: SiteHere, id: FlowId, processor: str) -> Response:
    """Stop a processor; its queues stay."""
    return await ask(site, id, "POST", f"/processors/{component(processor)}/stop")


@router.post("/flows/{id}/processors/{processor:path}/run-once", **OPERATOR, **_COMMANDED)
async def trigger(site: SiteHere, id: FlowId, processor: str) -> Response:
    """Trigger a stopped processor once."""
    return await ask(site, id, "POST", f"/processors/{component(processor)}/run-once")


@router.post("/flows/{id}/processors/{processor:path}/terminate", **OPERATOR, **_COMMANDED)
async def terminate(site: SiteHere, id: FlowId, processor: str, force: bool = False) -> Response:
    """Stop a processor and roll back what it is doing; the runner may start anew without it."""
    path = f"/processors/{component(processor)}/terminate"
    return await ask(site, id, "POST", path, {"force": force})


@router.post(
    "/flows/{id}/processors/{processor:path}/clear-state",
    **OPERATOR,
    **answers(figures.Cleared, *RUNNER),
)
async def clear_state(site: SiteHere, id: FlowId, processor: str) -> Response:
    """Forget a stopped processor's durable state."""
    return await ask(site, id, "POST", f"/processors/{component(processor)}/clear-state")


@router.post(
    "/flows/{id}/processors/{processor:path}/disable",
    **OPERATOR,
    **_COMMANDED,
)
async def disable(site: SiteHere, id: FlowId, processor: str) -> Response:
    """Let a stopped processor refuse to start until it is enabled or the flow starts again."""
    return await ask(site, id, "POST", f"/processors/{component(processor)}/disable")


@router.post(
    "/flows/{id}/processors/{processor:path}/enable",
    **OPERATOR,
    **_COMMANDED,
)
async def enable(site: SiteHere, id: FlowId, processor: str) -> Response:
    """Let a disabled processor be started again; it stays stopped."""
    return await ask(site, id, "POST", f"/processors/{component(processor)}/enable")


Verb = Literal["start", "stop", "run-once", "enable", "disable", "terminate", "clear-state"]


@router.post(
    "/flows/{id}/groups/{group:path}/{verb}",
    **OPERATOR,
    **answers(figures.GroupCommanded, *RUNNER),
)
async def command_group(site: SiteHere, id: FlowId, group: str, verb: Verb) -> Response:
    """Command all processors in a group and in the groups inside it; disabled ones do not start.

    409 with ``processors`` when some would refuse: then nothing has happened.
    """
    return await ask(site, id, "POST", f"/groups/{component(group)}/{verb}")


# -- queues, counters, replay ------------------------------------------------------------------


@router.post(
    "/flows/{id}/connections/{connection:path}/empty",
    **OPERATOR,
    **answers(figures.Dropped, *RUNNER),
)
async def empty(site: SiteHere, id: FlowId, connection: str) -> Response:
    """Throw away what waits in a connection; the ledger counts it as dropped."""
    return await ask(site, id, "POST", f"/connections/{component(connection)}/empty")


@router.post(
    "/flows/{id}/counters/{name}/reset", **OPERATOR, **answers(figures.CounterReset, *RUNNER)
)
async def reset_counter(site: SiteHere, id: FlowId, name: str) -> Response:
    """Set a counter to 0."""
    return await ask(site, id, "POST", f"/counters/{quote(name, safe='')}/reset")


@router.post(
    "/flows/{id}/provenance/{event}/replay", **OPERATOR, **answers(figures.Replayed, *RUNNER)
)
async def replay(
    site: SiteHere, id: FlowId, event: Annotated[int, Path(ge=0, le=1 << 62)]
) -> Response:
    """Put what an event saw back into the queue that fed it."""
    return await ask(site, id, "POST", f"/provenance/{event}/replay")
