"""Routes for users, tokens and the audit log."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from web.api import models
from web.api.bodies import StrictRoute
from web.api.common import SiteHere
from web.api.description import answers, nothing
from web.problems import Problem, answer
from web.security.access import ADMIN, VIEWER, CallerHere

router = APIRouter(tags=["people"], route_class=StrictRoute)
_LAST = 1 << 53


class NewUser(BaseModel):
    """A user's role and password."""

    model_config = ConfigDict(extra="forbid")
    role: str = Field(max_length=20)
    password: str = Field(max_length=1000)


class NewToken(BaseModel):
    """What a token is for."""

    model_config = ConfigDict(extra="forbid")
    label: str = Field("", max_length=100)


@router.get("/users", **ADMIN, **answers(models.Users))
async def users(site: SiteHere) -> Response:
    """Names and roles of all users."""
    found = site.accounts.users()
    return answer({"users": [{"name": name, "role": role.label} for name, role in found.items()]})


@router.put("/users/{name}", status_code=204, **ADMIN, **nothing())
async def put_user(site: SiteHere, name: str, body: NewUser) -> Response:
    """Add a user, or give one another role and password."""
    site.accounts.put_user(name, body.role, body.password)
    return Response(status_code=204)


@router.delete("/users/{name}", status_code=204, **ADMIN, **nothing(404))
async def remove_user(site: SiteHere, name: str) -> Response:
    """Forget a user with all sessions and tokens."""
    if not site.accounts.remove_user(name):
        raise Problem(404, f"user must be a known one; got {name[:80]!r}")
    return Response(status_code=204)


@router.post("/tokens", status_code=201, **VIEWER, **answers(models.MadeToken, status=201))
async def make_token(site: SiteHere, body: NewToken, caller: CallerHere) -> Response:
    """A token of one's own for scripts. It is shown this once."""
    return answer({"token": site.accounts.make_token(caller.user, body.label)}, 201)


@router.get("/audit", **ADMIN, **answers(models.Audit))
async def audit(
    site: SiteHere,
    cursor: Annotated[int, Query(ge=1, le=_LAST)] = _LAST,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Who changed what, newest first. ``next`` is the cursor of the page after."""
    rows = site.store.all("select * from audit where id<? order by id desc limit ?", cursor, limit)
    found = [dict(row) for row in rows]
    return answer({"entries": found, "next": found[-1]["id"] if len(found) == limit else None})
