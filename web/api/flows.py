"""Routes for flow files: list, create, read, replace, delete, check."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from flowengine.definition.model import slugify
from flowengine.errors import FlowEngineError
from web.api import models
from web.api.bodies import StrictRoute
from web.api.common import FlowId, IfMatch, SiteHere, expected, json_text
from web.api.description import answers, nothing
from web.documents import masked
from web.flowfiles import FlowText, read_text, refuse_unreadable, unknown
from web.problems import Problem, answer, problems_of
from web.security.access import EDITOR, VIEWER
from web.site import Site

router = APIRouter(tags=["flows"], route_class=StrictRoute)
_PATIENCE = 5.0  # s that a list waits for figures


class NewFlow(BaseModel):
    """A flow to create: empty, or from a definition as data or as text."""

    model_config = ConfigDict(extra="forbid")
    id: str = Field(max_length=600)
    definition: dict[str, Any] | None = None
    text: str | None = None


class NewText(BaseModel):
    """What a flow's file shall hold: data or text."""

    model_config = ConfigDict(extra="forbid")
    definition: dict[str, Any] | None = None
    text: str | None = None


@router.get("/flows", **VIEWER, **answers(models.Flows))
async def flows(
    site: SiteHere,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
    cursor: Annotated[str, Query(max_length=600)] = "",
) -> Response:
    """Flows by id, with state, what is undeployed, errors, queued FlowFiles, bulletins.

    ``next`` is the cursor of the page after.
    """
    ids = [id for id in await asyncio.to_thread(site.files.ids) if id > cursor]
    after = ids[limit - 1] if len(ids) > limit else None
    return answer({"flows": await summaries(site, ids[:limit]), "next": after})


async def summaries(site: Site, ids: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """What is shown of each flow in a list. Figures that nobody tells in time are None."""
    if ids is None:
        ids = await asyncio.to_thread(site.files.ids)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_summary(site, id)) for id in ids]
    return [found for task in tasks if (found := task.result()) is not None]


async def _summary(site: Site, id: str) -> dict[str, Any] | None:
    try:
        file, brief = site.files.read(id), site.brief(id)
    except Problem:
        return None  # it was deleted meanwhile
    document = file.document or {}
    about = {key: str(document.get(key) or "") for key in ("name", "description")}
    figures = {"errors": None, "queued": None, "bulletins": 0}
    try:
        async with asyncio.timeout(_PATIENCE):
            figures = await _figures(site, id)
    except (TimeoutError, FlowEngineError):
        pass  # a slow runner or check must not keep the list
    return {**brief, **about, "name": about["name"] or id, **figures}


async def _figures(site: Site, id: str) -> dict[str, Any]:
    supervised = site.supervisor.flow(id)
    bulletins = len(supervised.bulletins)
    queued = 0
    if supervised.state == "running":
        status = await supervised.client.status()
        queued = status.queued
        bulletins += sum(one.bulletin is not None for one in status.processors.values())
    errors = await _errors(site, id)
    return {"errors": errors, "queued": queued, "bulletins": bulletins}


async def _errors(site: Site, id: str) -> int:
    file = site.files.read(id)
    if file.document is None:
        return len(file.findings)
    draft = site.drafts.get(id)
    found = await site.checked(id, draft.text, draft.document)
    return sum(one["severity"] == "error" for one in found["problems"])


@router.post("/flows", status_code=201, **EDITOR, **answers(models.FlowText, 409, status=201))
async def create(site: SiteHere, body: NewFlow) -> Response:
    """Create a flow. Unknown processor types are kept; a wrong structure is 422 with places."""
    text = _text(body.definition, body.text)
    if text is None:
        text = orjson.dumps({"format": 1, "name": slugify(body.id) or "flow"}).decode()
    try:
        exists = site.files.exists(body.id)
    except Problem:
        raise Problem(
            422,
            "flow id must be letters, digits, '-' and '_', with '.' between folder and name; "
            f"got {body.id[:80]!r}",
        ) from None
    if exists:
        raise Problem(409, f"flow id must be a new one; got {body.id!r}, which is used")
    refuse_unreadable(read_text(text, f"{body.id}.json"))
    found = site.files.write(body.id, text)
    site.tell_state(body.id)
    headers = {"ETag": f'"{found.revision}"', "Location": f"flows/{body.id}"}
    return answer(_shown(body.id, found), 201, **headers)


def _text(definition: dict[str, Any] | None, text: str | None) -> str | None:
    if definition is not None and text is not None:
        raise Problem(422, "flow must be given as definition or as text; got both")
    return json_text(definition) if definition is not None else text


def _shown(id: str, found: FlowText) -> dict[str, Any]:
    masking = found.document is not None and masked(found.document) is not found.document
    return {
        "id": id,
        "definition": masked(found.document) if found.document is not None else None,
        "text": "" if masking else found.canonical or found.text,
        "revision": found.revision,
        "problems": problems_of(found.findings),
    }


@router.get("/flows/{id}", **VIEWER, **answers(models.FlowText, 404))
async def read(site: SiteHere, id: FlowId) -> Response:
    """The file of a flow."""
    found = site.files.read(id)
    return answer(_shown(id, found), ETag=f'"{found.revision}"')


@router.put("/flows/{id}", **EDITOR, **answers(models.FlowText, 404, 412, 428))
async def replace(site: SiteHere, id: FlowId, body: NewText, if_match: IfMatch = None) -> Response:
    """Replace the file of a flow. It runs when it is deployed; an edited draft stays."""
    wanted = expected(if_match, "revision")
    current = site.files.read(id).revision
    if wanted != current:
        raise Problem(
            412,
            f"flow {id!r} must have the revision {wanted[:64]!r}; got another one meanwhile",
            current=current,
        )
    text = _text(body.definition, body.text)
    if text is None:
        raise Problem(422, "flow must be given as definition or as text; got neither")
    refuse_unreadable(read_text(text, f"{id}.json"))
    found = site.files.write(id, text)
    site.tell_state(id)
    return answer(_shown(id, found), ETag=f'"{found.revision}"')


@router.delete("/flows/{id}", status_code=204, **EDITOR, **nothing(404, 409))
async def delete(site: SiteHere, id: FlowId) -> Response:
    """Delete a stopped flow's file and draft. Its versions and data directory stay."""
    if site.supervisor.flow(id).active:
        raise Problem(409, f"flow {id!r} must be stopped to be deleted; got a running one")
    site.files.delete(id)
    site.store.forget(id)
    site.drafts.forget(id)
    site.supervisor.forget(id)
    site.hub.tell("flow", {"id": id, "state": "removed"})
    return Response(status_code=204)


@router.post("/validate", **VIEWER, **answers(models.Checked, 404))
async def validate(
    site: SiteHere,
    text: Annotated[str, Body(embed=True, description="A flow definition.")],
    flow: Annotated[str, Body(description="Flow in whose place it stands.")] = "draft",
) -> Response:
    """All findings of a definition that is nowhere yet."""
    found = read_text(text, f"{flow}.json")
    if found.canonical is None:
        return answer({"problems": problems_of(found.findings)})
    try:
        checked = await site.checked(flow, text, {})
    except Problem as problem:
        if problem.status == 404:
            raise unknown(flow) from None
        raise
    return answer(checked)
