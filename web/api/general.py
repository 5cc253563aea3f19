"""Routes that belong to no single flow: version, catalogue, checks, events, health."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from flowengine.metrics import CONTENT_TYPE
from web import documents
from web.api import models
from web.api import models_running as running
from web.api.bodies import StrictRoute
from web.api.common import FlowId, SiteHere
from web.api.description import answers, plain
from web.exposition import exposition
from web.flowfiles import unknown
from web.problems import Problem, answer, problem_response
from web.security.access import EDITOR, VIEWER, CallerHere
from web.site import Site
from web.streams import EventStream

router = APIRouter(tags=["general"], route_class=StrictRoute)


def program_version() -> str:
    """Version of the installed program."""
    try:
        return installed_version("flowengine")
    except PackageNotFoundError:
        return "unknown"


@router.get("/version", **VIEWER, **answers(models.ProgramVersion))
async def version(caller: CallerHere) -> Response:
    """The program's version, and who asks."""
    return answer({"version": program_version(), "user": caller.user, "role": caller.role.label})


@router.get("/openapi.json", include_in_schema=False, **VIEWER)
async def description(request: Request) -> Response:
    """This API's OpenAPI document."""
    return answer(request.app.openapi())


@router.get("/catalogue", **VIEWER, **answers(running.Catalogue))
async def catalogue(site: SiteHere) -> Response:
    """Installed processors and services, with JSON Schema, relationships, examples."""
    return answer(await site.inspection.catalogue())


# -- checks ------------------------------------------------------------------------------------


class Check(BaseModel):
    """An expression or predicate to check and, with attributes, to evaluate."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(max_length=70_000)
    kind: Literal["expression", "predicate"] = "expression"
    attributes: dict[str, str] | None = None


@router.post("/expressions/check", **VIEWER, **answers(running.ExpressionCheck))
async def check(site: SiteHere, body: Check) -> Response:
    """Whether it compiles (``offset`` of what is wrong), and its value for the attributes."""
    return answer(await site.inspection.expression(body.text, body.kind, body.attributes))


class Verify(BaseModel):
    """A service or processor of a flow's draft to check against the world."""

    model_config = ConfigDict(extra="forbid")
    flow: str = Field(max_length=600)
    service: str | None = Field(None, max_length=1000)
    processor: str | None = Field(None, max_length=1000)


@router.post("/verify", **EDITOR, **answers(running.Steps, 404))
async def verify(site: SiteHere, body: Verify) -> Response:
    """Check the configuration step by step, up to the first failure. Nothing is saved."""
    if (body.service is None) == (body.processor is None):
        raise Problem(422, "verify must name a service or a processor; got both or none")
    if not site.files.exists(body.flow):
        raise unknown(body.flow)
    draft, name = site.drafts.get(body.flow), body.service or body.processor or ""
    text = draft.text or orjson.dumps(draft.document).decode()
    found = await site.inspection.verify(body.flow, text, name)
    if found.get("unknown"):
        raise Problem(404, f"draft of flow {body.flow!r} must have the component; got {name!r}")
    return answer({"steps": found["steps"]})


@router.get("/flows/{id}/parameters", **VIEWER, **answers(models.Parameters, 404))
async def parameters(site: SiteHere, id: FlowId) -> Response:
    """Parameters of the draft, who refers to them, and whether a value is there.

    The value of a sensitive one is never told.
    """
    document = site.drafts.get(id).document
    entries = documents.section_of(document, "parameters").items()
    return answer({"parameters": [_parameter(site, id, document, *one) for one in entries]})


def _parameter(
    site: Site, flow: str, document: documents.Json, name: str, entry: Any
) -> dict[str, Any]:
    entry = entry if isinstance(entry, dict) else {}
    source = next((key for key in ("value", "env", "file", "store") if entry.get(key)), None)
    sensitive = bool(entry.get("sensitive"))
    return {
        "name": name,
        "description": entry.get("description", ""),
        "sensitive": sensitive,
        "source": source,
        "where": entry.get(source) if source not in (None, "value") else None,
        "set": _is_set(site, flow, source, entry),
        "value": None if sensitive else entry.get("value"),
        "referenced_by": sorted(_referring(document, name)),
    }


def _is_set(site: Site, flow: str, source: str | None, entry: dict[str, Any]) -> bool:
    if source == "env":
        return str(entry["env"]) in os.environ
    if source == "store":
        return str(entry["store"]) in site.secrets
    if source == "file":
        return (site.files.path_of(flow).parent / str(entry["file"])).is_file()
    return source == "value"


def _referring(document: documents.Json, name: str) -> set[str]:
    """Ids of processors, services and group references that use a parameter."""
    mark = f"#{{{name}}}".encode()
    found: set[str] = set()
    for groups, body in documents.bodies(document):
        for kind in ("processors", "services", "groups"):
            for slug, entry in documents.section_of(body, kind).items():
                inside = isinstance(entry, dict) and kind == "groups" and "flow" not in entry
                if not inside and mark in orjson.dumps(entry):
                    found.add(documents.joined(groups, slug))
    return found


@router.get("/metrics", **VIEWER, **plain({"type": "string"}, media="text/plain"))
async def metrics(site: SiteHere) -> Response:
    """Figures of all running flows in Prometheus' text format; ``flow`` is the flow's id."""
    return Response(await exposition(site), media_type=CONTENT_TYPE)


# -- events ------------------------------------------------------------------------------------


@router.get("/events", **VIEWER, **answers("", 404, media="text/event-stream"))
async def events(
    site: SiteHere, flow: Annotated[str | None, Query(max_length=600)] = None
) -> Response:
    """Server-sent events: with a flow its ``snapshot``, then ``status`` deltas once a second,
    ``bulletin`` and ``draft``; always ``flow`` when the state of one changes."""
    if flow is not None and not site.files.exists(flow):
        raise unknown(flow)
    return EventStream(site.hub, flow, _first(site, flow))


def _first(site: Site, flow: str | None) -> Callable[[], Awaitable[bytes]]:
    async def first() -> bytes:
        return await site.hub.first(flow) if flow is not None else b""

    return first


# -- health ------------------------------------------------------------------------------------

health = APIRouter(tags=["health"], route_class=StrictRoute)


@health.get("/health/live", openapi_extra={"x-role": "anybody"}, **answers(models.Live))
async def live() -> Response:
    """200 while the server answers."""
    return answer({"live": True})


@health.get("/health/ready", openapi_extra={"x-role": "anybody"}, **answers(models.Ready))
async def ready(site: SiteHere) -> Response:
    """200 when the server can work; 503 when it is ending or its folder is gone."""
    if site.closing.is_set() or not site.files.folder.is_dir():
        return problem_response(503, "server must be ready; got one that ends, or has no flows")
    return answer({"ready": True})
