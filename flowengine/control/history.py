"""Routes for provenance: what happened to FlowFiles, their lineage, and replay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, TypeVar

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response

from flowengine.control.answers import DeskHere, json
from flowengine.control.desk import Desk
from flowengine.control.problems import Problem
from flowengine.control.queues import pairs
from flowengine.provenance import Event, ProvenanceStore, Recorder
from flowengine.provenance import Query as Search

T = TypeVar("T")
router = APIRouter()


def _recorder(desk: Desk) -> Recorder:
    if desk.recorder is None:
        raise Problem(409, "flow must record provenance for this; got a run that does not")
    return desk.recorder


async def _asked(desk: Desk, question: Callable[[ProvenanceStore], T]) -> T:
    """Ask the store, on a thread."""
    path = _recorder(desk).path

    def there() -> T:
        store = ProvenanceStore(path)
        try:
            return question(store)
        finally:
            store.close()

    return await asyncio.to_thread(there)


@router.get("/provenance")
async def search(
    desk: DeskHere,
    flowfile: str | None = None,
    processor: str | None = None,
    type: str | None = None,
    since: int | None = None,
    until: int | None = None,
    before: int | None = None,
    attribute: Annotated[list[str] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Events, newest first. Times in µs; ``before`` an event id gives the next page."""
    wanted = pairs(attribute)
    query = Search(flowfile, processor, type, since, until, wanted, limit, before)
    return json(await _asked(desk, lambda store: store.search(query)))


@router.get("/provenance/lineage/{uuid}")
async def lineage(desk: DeskHere, uuid: str) -> Response:
    """Events of a FlowFile, its ancestors and its descendants; edges from parent to child."""
    events = await _asked(desk, lambda store: store.lineage(uuid))
    edges = [[parent, event.flowfile] for event in events for parent in event.parents]
    return json({"events": events, "edges": edges})


async def _event(desk: Desk, id: int) -> Event:
    found = await _asked(desk, lambda store: store.event(id))
    if found is None:
        raise Problem(404, f"provenance event must be one that is kept; got {id}")
    return found


@router.get("/provenance/{id}")
async def event(desk: DeskHere, id: int) -> Response:
    """One event; ``content`` is base64, and absent when it was too large to be kept. ``refusal``
    is why it cannot be replayed, null when it can."""
    found = await _event(desk, id)
    refusal = _recorder(desk).refusal(found)
    return json({**msgspec.to_builtins(found), "refusal": refusal})


@router.post("/provenance/{id}/replay")
async def replay(desk: DeskHere, id: int) -> Response:
    """Put what the event saw back into the queue that fed it, as a new FlowFile."""
    recorder = _recorder(desk)
    again = await desk.call(recorder.replay, await _event(desk, id))
    return json({"flowfile": again.uuid})
