"""What the API answers about running flows: figures of the runner, in the runner's own shapes."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, WithJsonSchema

from flowengine.bulletins import Bulletin
from flowengine.control.minutes import Series
from flowengine.control.operations import Listing
from flowengine.status import FlowStatus
from web.api.models import Answer, Json, State

REFERENCE = "#/components/schemas/{name}"
_STRUCTS = (FlowStatus, Bulletin, Listing, Series)


def runner_schemas() -> dict[str, Any]:
    """JSON Schemas of what a runner answers, by name: made from its own types, so never stale."""
    _, found = msgspec.json.schema_components(_STRUCTS, ref_template=REFERENCE)
    return dict(found)


def _as(name: str, *, null: bool = False) -> WithJsonSchema:
    shape: Json = {"$ref": REFERENCE.format(name=name)}
    return WithJsonSchema({"anyOf": [shape, {"type": "null"}]} if null else shape)


class FlowStatusAnswer(Answer):
    """State of a flow. ``status`` is null while its runner does not answer."""

    id: str
    state: State
    reason: str
    status: Annotated[Any, _as("FlowStatus", null=True)]


class ProcessorAnswer(Answer):
    """One running processor: figures, settings, bulletins."""

    status: Annotated[Any, _as("ProcessorStatus", null=True)]
    settings: Json
    bulletins: list[Annotated[Any, _as("Bulletin")]]


class Commanded(Answer):
    """The state of a processor after a command.

    terminated: triggers that were rolled back
    without:    the runner starts anew without this processor
    """

    state: str
    terminated: int | None = None
    without: str | None = None


class GroupCommanded(Answer):
    """The state of each processor of a group after a command."""

    processors: dict[str, str]


class Cleared(Answer):
    """How many keys of state were forgotten."""

    cleared: int


class Dropped(Answer):
    """How many FlowFiles were thrown away."""

    dropped: int


class CounterReset(Answer):
    """What a counter was."""

    was: int


class Replayed(Answer):
    """The FlowFile that a replay made."""

    flowfile: str


class Bulletins(Answer):
    """Bulletins, oldest first; the server's own have an id below 0."""

    bulletins: list[Annotated[Any, _as("Bulletin")]]


class Logs(Answer):
    """Lines of a log, oldest first. ``next`` is the cursor of the lines before them."""

    lines: list[Json]
    next: str | None


class ProvenanceEvent(BaseModel):
    """One thing that happened to a FlowFile. Keys at their default are left out.

    content: base64; refusal: why it cannot be replayed
    """

    id: int = 0
    time: int
    type: str
    processor: str
    flowfile: str
    relationship: str | None = None
    connection: str | None = None
    attributes: dict[str, str] = {}
    size: int = 0
    content: str | None = None
    event_time: int | None = None
    ingest_time: int = 0
    parents: list[str] = []
    refusal: str | None = None


class Provenance(Answer):
    """Events, newest first."""

    events: list[ProvenanceEvent]
    next: int | None


class Lineage(Answer):
    """Events of a family of FlowFiles, and edges from parent to child."""

    events: list[ProvenanceEvent]
    edges: list[list[str]]


# -- types and checks --------------------------------------------------------------------------


class Catalogue(BaseModel):
    """Installed types, each with JSON Schema, documentation and examples.

    broken: type → why it cannot be imported
    """

    processors: list[Json]
    services: list[Json]
    broken: dict[str, str]


class ExpressionCheck(BaseModel):
    """Whether an expression compiles; ``offset`` of what is wrong, else its value."""

    ok: bool
    error: str | None = None
    offset: int | None = None
    value: Any = None
    attributes: list[str] = []


class Step(BaseModel):
    """A step of a verification."""

    name: str
    ok: bool
    message: str


class Steps(Answer):
    """All steps, up to the first failure."""

    steps: list[Step]
