"""Provenance of a flow, asked of its runner; of its file where nobody runs it.

History outlives the run: what a stopped flow did can still be searched. Only a replay needs the
runner, since it puts something into a queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from flowengine.logs import redacted_json
from flowengine.provenance import Event, ProvenanceStore, Query
from flowengine.provenance.recorder import FILE
from web.problems import Problem
from web.site import Site

T = TypeVar("T")
_NONE: list[Event] = []
STOPPED = "flow must run to replay a provenance event; got a stopped one"


async def search(site: Site, flow: str, wanted: Mapping[str, Any]) -> list[Any]:
    """Events, newest first, without contents. ``wanted`` are parameters of the control API."""
    given = {key: value for key, value in wanted.items() if value is not None}
    if _runs(site, flow):
        found: list[Any] = await _ask(site, flow, "", given)
        return found
    pairs = dict(_pair(one) for one in given.pop("attribute", ()))
    query = Query(**given, attributes=pairs)
    events = await _from_file(site, flow, lambda store: store.search(query), _NONE)
    return list(_plain(events))


async def lineage(site: Site, flow: str, uuid: str) -> Any:
    """Events of a FlowFile, its ancestors and descendants; edges from parent to child."""
    if _runs(site, flow):
        return await _ask(site, flow, f"/lineage/{uuid}")
    events = await _from_file(site, flow, lambda store: store.lineage(uuid), _NONE)
    edges = [[parent, event.flowfile] for event in events for parent in event.parents]
    return {"events": _plain(events), "edges": edges}


async def event(site: Site, flow: str, id: int) -> Any:
    """One event with its content, and why it cannot be replayed. Raises Problem 404."""
    if _runs(site, flow):
        return await _ask(site, flow, f"/{id}")
    found = await _from_file(site, flow, lambda store: store.event(id), None)
    if found is None:
        raise Problem(404, f"provenance event must be one that is kept; got {id}")
    return _plain(found) | {"refusal": STOPPED}


def _runs(site: Site, flow: str) -> bool:
    return site.supervisor.flow(flow).state in ("running", "stopping")


async def _ask(site: Site, flow: str, path: str, params: Mapping[str, Any] | None = None) -> Any:
    client = site.supervisor.flow(flow).client
    return await client.json("GET", f"/provenance{path}", params=params or {})


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Problem(422, f"attribute must be written as name=value; got {text[:100]!r}")
    return name, value


def _plain(value: list[Event] | Event) -> Any:
    """JSON data; a known secret does not leave."""
    return msgspec.json.decode(redacted_json(msgspec.json.encode(value)))


async def _from_file(
    site: Site, flow: str, question: Callable[[ProvenanceStore], T], nothing: T
) -> T:
    """Ask the file on a thread; ``nothing`` where nothing was ever recorded."""
    path = site.config.data_dir(flow) / FILE

    def there() -> T:
        if not path.exists():
            return nothing
        store = ProvenanceStore(path)
        try:
            return question(store)
        finally:
            store.close()

    return await asyncio.to_thread(there)
