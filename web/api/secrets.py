"""Routes for the encrypted store: secrets go in and never come out."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from web import documents
from web.api import models
from web.api.bodies import StrictRoute
from web.api.common import SiteHere
from web.api.description import answers, nothing
from web.problems import Problem, answer
from web.security.access import EDITOR, VIEWER, CallerHere
from web.site import Site

router = APIRouter(tags=["secrets"], route_class=StrictRoute)


class NewSecret(BaseModel):
    """A value to keep. It is never told again."""

    model_config = ConfigDict(extra="forbid")
    value: str = Field(repr=False, json_schema_extra={"writeOnly": True})


@router.get("/secrets", **VIEWER, **answers(models.Secrets))
async def secrets(site: SiteHere) -> Response:
    """Names of secrets, whether each has a value, and which flows name it.

    ``problem`` says why none can be opened, for example since the key is lost.
    """
    entries = await asyncio.to_thread(site.secrets.entries)
    used = _used_by(site)
    found = [
        {
            "name": name,
            "set": entry.sealed is not None,
            "updated": entry.updated,
            "user": entry.user,
            "used_by": used.get(name, []),
        }
        for name, entry in sorted(entries.items())
    ]
    return answer({"secrets": found, "problem": await asyncio.to_thread(site.secrets.problem)})


def _used_by(site: Site) -> dict[str, list[str]]:
    """Flows whose file or draft names a secret."""
    used: dict[str, list[str]] = {}
    for id in site.files.ids():
        try:
            document = site.drafts.get(id).document
        except Problem:
            continue  # unreadable, or deleted meanwhile
        for name in dict.fromkeys(_named(document)):
            used.setdefault(name, []).append(id)
    return used


def _named(document: documents.Json) -> list[str]:
    entries: list[Any] = list(documents.section_of(document, "parameters").values())
    return [str(one["store"]) for one in entries if isinstance(one, dict) and one.get("store")]


@router.put("/secrets/{name}", status_code=204, **EDITOR, **nothing())
async def put_secret(site: SiteHere, name: str, body: NewSecret, caller: CallerHere) -> Response:
    """Enter a secret, or another value for it. Running flows take it when they start again."""
    await asyncio.to_thread(site.secrets.put, name, body.value, caller.user)
    return Response(status_code=204)


@router.delete("/secrets/{name}", status_code=204, **EDITOR, **nothing(404))
async def remove_secret(site: SiteHere, name: str) -> Response:
    """Forget a secret. Flows that name it do not start again without it."""
    if not await asyncio.to_thread(site.secrets.remove, name):
        raise Problem(404, f"secret must be one of the store; got {name[:100]!r}")
    return Response(status_code=204)
