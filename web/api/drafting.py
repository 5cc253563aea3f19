"""Routes for drafts, deploying and versions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt
from starlette.responses import Response

from web import deploying
from web.api import models
from web.api.bodies import StrictRoute
from web.api.common import FlowId, IfMatch, SiteHere, expected_number, json_text
from web.api.description import answers
from web.diff import changes
from web.documents import Json, masked
from web.flowfiles import read_text
from web.problems import Problem, answer
from web.security.access import EDITOR, VIEWER, CallerHere
from web.site import Site
from web.store import Version

router = APIRouter(tags=["drafts"], route_class=StrictRoute)
_LAST = 1 << 53

Kind = Literal[
    "processors",
    "groups",
    "funnels",
    "inputs",
    "outputs",
    "labels",
    "services",
    "parameters",
    "connections",
]
Id = Annotated[str, Field(min_length=1, max_length=1000)]
Number = StrictInt | StrictFloat
Position = Annotated[list[Number], Field(min_length=2, max_length=2)]
Positions = dict[str, Position | None]


class _Operation(BaseModel):
    model_config = ConfigDict(extra="forbid")
    undo: bool = Field(False, description="Refuse it when somebody else changed the same thing.")


class Add(_Operation):
    """Add a component."""

    op: Literal["add"]
    kind: Kind
    id: Id
    value: dict[str, Any]
    position: Position | None = None
    index: int | None = Field(None, ge=0, le=100_000, description="Place in its section.")


class Remove(_Operation):
    """Remove a component with its connections and positions."""

    op: Literal["remove"]
    kind: Kind
    id: Id
    before: Any = None


class Set(_Operation):
    """Set, or with null unset, one value inside a component."""

    op: Literal["set"]
    kind: Kind | Literal["flow"]
    id: str = Field("", max_length=1000)
    path: Annotated[list[str | StrictInt], Field(min_length=1, max_length=20)]
    value: Any = None
    before: Any = None
    index: int | None = Field(None, ge=0, le=100_000, description="Place among the keys.")


class Move(_Operation):
    """Move components on the canvas; null takes a position away."""

    op: Literal["move"]
    positions: Positions
    before: Positions = {}
    index: dict[str, Annotated[int, Field(ge=0, le=100_000)]] = Field(
        {}, description="Place in the layout of what has no position yet."
    )


class Rename(_Operation):
    """Give a component another id in the same group."""

    op: Literal["rename"]
    kind: Kind
    id: Id
    to: Id


Operation = Annotated[Add | Remove | Set | Move | Rename, Field(discriminator="op")]


class Edit(BaseModel):
    """Operations that a client made on the draft of number ``base``."""

    model_config = ConfigDict(extra="forbid")
    client: str = Field(min_length=1, max_length=100)
    base: int = Field(ge=0, le=_LAST)
    operations: list[Operation] = Field(min_length=1, max_length=2000)


@router.get("/flows/{id}/draft", **VIEWER, **answers(models.DraftAnswer, 404))
async def draft(site: SiteHere, id: FlowId) -> Response:
    """The draft with its problems."""
    found = site.drafts.get(id)
    shown = await site.draft_answer(found)
    return answer(shown, ETag=f'"{shown["seq"]}"')


@router.post("/flows/{id}/draft/operations", **EDITOR, **answers(models.EditAnswer, 404, 409))
async def operations(site: SiteHere, id: FlowId, body: Edit, caller: CallerHere) -> Response:
    """Apply operations. 409 with ``conflicts`` when somebody else has changed the same thing."""
    given = [one.model_dump(exclude_unset=True) for one in body.operations]
    json_text(given)
    edited, outcome, merged = site.drafts.edit(id, body.client, caller.user, body.base, given)
    if outcome.conflicts:
        raise Problem(
            409,
            f"operations on flow {id!r} must not meet changes of others; "
            f"got {len(outcome.conflicts)}. Take mine or theirs, with the base {edited.seq}",
            conflicts=outcome.conflicts,
            seq=edited.seq,
            merged=merged,
            document=masked(edited.document),
        )
    reset = body.base < edited.kept_since
    found: dict[str, Any] = {
        "seq": edited.seq,
        "inverses": outcome.inverses,
        "applied": outcome.applied,
        "merged": merged,
        "reset": reset,
    }
    if merged or reset:
        found["document"] = masked(edited.document)
    version, text, document = site.store.deployed(id), edited.text, edited.document
    found["ahead"] = version is None or text != version.text
    found |= await site.checked(id, text, document)
    return answer(found, ETag=f'"{found["seq"]}"')


@router.delete("/flows/{id}/draft", **EDITOR, **answers(models.DraftAnswer, 404))
async def discard(site: SiteHere, id: FlowId, client: str = "") -> Response:
    """Make the draft what the file is."""
    return answer(await site.draft_answer(site.drafts.discard(id, client[:100])))


@router.get("/flows/{id}/diff", **VIEWER, **answers(models.Diff, 404))
async def diff(
    site: SiteHere,
    id: FlowId,
    from_: Annotated[str, Query(alias="from", max_length=20)] = "deployed",
    to: Annotated[str, Query(max_length=20)] = "draft",
) -> Response:
    """Changes between two of: ``deployed``, ``draft``, ``file``, or the number of a version."""
    before, after = _document(site, id, from_), _document(site, id, to)
    return answer({"from": from_, "to": to, "changes": changes(masked(before), masked(after))})


def _document(site: Site, id: str, which: str) -> Json:
    if which == "draft":
        return site.drafts.get(id).document
    if which == "file":
        return site.files.read(id).document or {}
    version = site.store.deployed(id) if which == "deployed" else _version(site, id, which)
    return (read_text(version.text).document or {}) if version is not None else {}


def _version(site: Site, id: str, number: str) -> Version:
    known = number.isdecimal() and len(number) < 12
    version = site.store.version(id, int(number)) if known else None
    if version is None:
        raise Problem(
            404, f"version of flow {id!r} must be one that was deployed; got {number[:20]!r}"
        )
    return version


class Choices(BaseModel):
    """What a deploy shall do where it would lose something."""

    model_config = ConfigDict(extra="forbid")
    removed: Literal["", "drain", "drop"] = ""
    overwrite: bool = False


@router.post("/flows/{id}/deploy", **EDITOR, **answers(models.DeployedAnswer, 404, 409, 412, 428))
async def deploy(
    site: SiteHere,
    id: FlowId,
    caller: CallerHere,
    body: Annotated[Choices | None, Body()] = None,
    if_match: IfMatch = None,
) -> Response:
    """Make the draft the running definition; queues of connections that stay are kept."""
    seq, chosen = expected_number(if_match, "draft"), body or Choices()
    done = await deploying.deploy(
        site, id, seq, caller.user, removed=chosen.removed, overwrite=chosen.overwrite
    )
    return answer(_deployed(done))


def _deployed(done: deploying.Deployed) -> Json:
    """The new version and, of a running flow that went on, which processors started anew."""
    version = done.version
    return {
        "version": version.number,
        "revision": version.revision,
        "restarted": done.restarted,
    }


@router.get("/flows/{id}/versions", **VIEWER, **answers(models.Versions, 404))
async def versions(
    site: SiteHere,
    id: FlowId,
    cursor: Annotated[int, Query(ge=1, le=_LAST)] = _LAST,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """Deployed versions, newest first; ``next`` is the cursor of the page after."""
    found = site.store.versions(id, cursor, limit)
    after = found[-1].number if len(found) == limit and found[-1].number > 1 else None
    return answer({"versions": [_about(one) for one in found], "next": after})


def _about(version: Version) -> Json:
    names = ("number", "revision", "user", "time", "restored")
    return {name: getattr(version, name) for name in names}


@router.get("/flows/{id}/versions/{number}", **VIEWER, **answers(models.VersionText, 404))
async def version(site: SiteHere, id: FlowId, number: str) -> Response:
    """One deployed version."""
    found = _version(site, id, number)
    document = read_text(found.text).document
    return answer({**_about(found), "text": found.text, "definition": document})


@router.post(
    "/flows/{id}/versions/{number}/restore", **EDITOR, **answers(models.DeployedAnswer, 404, 409)
)
async def restore(
    site: SiteHere,
    id: FlowId,
    number: str,
    caller: CallerHere,
    body: Annotated[Choices | None, Body()] = None,
) -> Response:
    """Deploy an old version as a new one. 409 while the draft holds undeployed edits."""
    old, chosen = _version(site, id, number), body or Choices()
    done = await deploying.restore(site, id, old.number, caller.user, removed=chosen.removed)
    return answer(_deployed(done))
