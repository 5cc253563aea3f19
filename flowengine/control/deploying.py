"""The route that gives a running flow another definition (E18)."""

from __future__ import annotations

import asyncio
import dataclasses

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel

from flowengine.control import address
from flowengine.control.answers import DeskHere, json
from flowengine.control.desk import Desk
from flowengine.control.problems import Problem
from flowengine.definition.flat import LoadedFlow
from flowengine.logs import register_secrets, secrets_of
from flowengine.redeploy import Choice, NeedsRestart, QueuesRemain, redeploy

LONGEST = 90.0  # s: to drain what is removed and to end what is changed

router = APIRouter()


class Deploy(BaseModel):
    """A definition for the running flow, and what becomes of queues that it no longer has."""

    text: str
    removed: Choice = Choice.REFUSE


@router.post("/deploy")
async def deploy(desk: DeskHere, body: Deploy) -> Response:
    """Go on with another definition: only what changed starts anew, queues stay.

    409 with ``removed`` when removed queues hold FlowFiles and nobody chose; 409 with ``restart``
    when the runner has to be started anew for it; 422 for an invalid definition.
    """
    flow = await asyncio.to_thread(_loaded, desk, body.text)
    try:
        restarted = await desk.call(redeploy, desk.engine, flow, body.removed, timeout=LONGEST)
    except QueuesRemain as error:
        raise Problem(409, str(error), removed=error.held) from None
    except NeedsRestart as error:
        raise Problem(409, str(error), restart=True) from None
    register_secrets(secrets_of(flow))
    _announce(desk, flow)
    return json({"revision": flow.revision, "restarted": restarted})


def _loaded(desk: Desk, text: str) -> LoadedFlow:
    if desk.reload is None:
        raise Problem(
            409, "runner must know how to read definitions; got one without", restart=True
        )
    flow, findings = desk.reload(text)
    if flow is None:
        problems = [dataclasses.asdict(finding) for finding in findings]
        raise Problem(422, f"flow must be valid; got {len(problems)} findings", problems=problems)
    return flow


def _announce(desk: Desk, flow: LoadedFlow) -> None:
    """``runner.json`` says which revision runs."""
    runner = address.read_runner(desk.data_dir)
    if runner is not None:
        runner = msgspec.structs.replace(runner, revision=flow.revision)
        address.write_runner(desk.data_dir, runner)
