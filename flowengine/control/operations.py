"""What a person may do to single processors and queues of a running flow.

All functions run on the engine's loop. They raise Problem with what is wrong and what to do.
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Mapping
from itertools import islice
from typing import Any

import msgspec
from pydantic import ValidationError

from flowengine.connection import Connection
from flowengine.content import FileContent
from flowengine.control.problems import Problem
from flowengine.engine import Engine
from flowengine.flowfile import FlowFile, parse_uuid
from flowengine.node import Node
from flowengine.processor import ProcessorProperties

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}")
MOST_STATE = 1000  # values of a processor's state that are shown
SCAN = 0.05  # s that a search in a queue may hold the engine


def node_of(engine: Engine, id: str) -> Node:
    """The processor of this id, or Problem 404."""
    try:
        return engine.assembly.nodes[id]
    except KeyError:
        raise _unknown(engine, "processor", id) from None


def connection_of(engine: Engine, id: str) -> Connection:
    """The connection of this id, or Problem 404."""
    try:
        return engine.assembly.connections[id]
    except KeyError:
        raise _unknown(engine, "connection", id) from None


def _unknown(engine: Engine, kind: str, id: str) -> Problem:
    return Problem(404, f"flow {engine.flow.name!r} must have the {kind}; got {id!r}")


# -- processors --------------------------------------------------------------------------------


def start(engine: Engine, id: str, *, triggers: int | None = None) -> str:
    """Start a processor, for ever or for some triggers; returns its state."""
    node_of(engine, id)
    engine.start(id, triggers=triggers)
    return "starting"


def stop(engine: Engine, id: str) -> str:
    """Stop a processor; returns its state."""
    node_of(engine, id)
    engine.stop(id)
    return engine.assembly.nodes[id].status


def terminate(engine: Engine, id: str) -> int:
    """Stop a processor and cancel its triggers, which roll back; returns how many those were."""
    node = node_of(engine, id)
    engine.stop(id)
    active = node.active
    engine.assembly.scheduler.cancel(node)
    return active


def disable(engine: Engine, id: str) -> str:
    """Let a stopped processor refuse to start, until it is enabled or the flow starts again."""
    node = node_of(engine, id)
    if not node.flat.disabled:
        _must_be_stopped(node, "be disabled")
        engine.stop(id)  # it may be waiting for a service before it runs
        node.flat = dataclasses.replace(node.flat, disabled=True)
    return node.status


def enable(engine: Engine, id: str) -> str:
    """Let a disabled processor be started again; it stays stopped."""
    node = node_of(engine, id)
    if node.flat.disabled:
        node.flat = dataclasses.replace(node.flat, disabled=False)
    return node.status


def clear_state(engine: Engine, id: str) -> int:
    """Forget a stopped processor's durable state; returns how many keys that were."""
    node = node_of(engine, id)
    _must_be_stopped(node, "clear its state")
    names = list(node.state)
    for key in names:
        engine.repository.set_state(id, key, None)
        node.state.put(key, None)
    node.completed = False
    engine.repository.end()
    return len(names)


def _must_be_stopped(node: Node, purpose: str) -> None:
    if node.running or node.active:
        raise Problem(
            409,
            f"processor {node.id!r} must be stopped to {purpose}; got {node.status}",
            processor=node.id,
        )


def set_properties(engine: Engine, id: str, changes: Mapping[str, Any]) -> bool:
    """Give a processor other property values until the flow starts again; null takes the default.

    Returns True when a running processor took them at once, False when a stopped one will. The
    definition is not changed. Raises Problem 409 when the processor must be stopped for it.
    """
    node = node_of(engine, id)
    values = {name: v for name, v in {**node.flat.values, **changes}.items() if v is not None}
    properties = _validated(node, values)
    if node.flat.cls.relationships_for(properties).keys() != node.flat.relationships.keys():
        raise Problem(
            409,
            f"processor {id!r} must keep its relationships while the flow runs; got a change of "
            "them. Edit the definition and deploy it",
            processor=id,
        )
    live = bool(node.running or node.active)
    if live and not node.processor.reconfigure(properties):
        _must_be_stopped(node, "change these properties")
    if not live:
        node.processor = node.flat.cls(properties)
    node.flat = dataclasses.replace(node.flat, properties=properties, values=values)
    return live


def _validated(node: Node, values: Mapping[str, Any]) -> ProcessorProperties:
    try:
        return node.flat.cls.Properties.model_validate(values)
    except ValidationError as error:
        problems = [
            {"property": ".".join(map(str, one["loc"])), "problem": one["msg"]}
            for one in error.errors(include_url=False, include_input=False)
        ]
        first = problems[0]
        raise Problem(
            422,
            f"processor {node.id!r} ({node.flat.type}): property {first['property']!r} "
            f"{first['problem'].removeprefix('Value error, ')}",
            processor=node.id,
            problems=problems,
        ) from None


def describe(engine: Engine, id: str) -> dict[str, Any]:
    """What a processor is set to; secrets hide themselves."""
    flat = node_of(engine, id).flat
    return {
        "id": flat.id,
        "name": flat.name,
        "type": flat.type,
        "group": list(flat.group),
        "comments": flat.comments,
        "properties": flat.properties.model_dump(mode="json"),
        "relationships": sorted(flat.relationships),
        "auto_terminate": sorted(flat.auto_terminate),
        "scheduling": {
            "strategy": flat.scheduling.strategy.value,
            "every": flat.scheduling.every_us,
            "cron": flat.scheduling.cron,
            "concurrent_tasks": flat.scheduling.concurrent_tasks,
            "batch_size": flat.scheduling.batch_size,
        },
        "penalty": flat.penalty_us,
        "yield": flat.yield_us,
    }


def state_of(engine: Engine, id: str) -> dict[str, Any]:
    """A processor's durable state; of a large one the first values."""
    return dict(islice(node_of(engine, id).state.items(), MOST_STATE))


# -- queues ------------------------------------------------------------------------------------


class Listed(msgspec.Struct, omit_defaults=True):
    """A FlowFile in a queue. Times are wall time in µs; ``age`` is µs since its entry.

    place:   0 is the next to be polled
    in_file: its content lies in a file
    """

    place: int
    uuid: str
    size: int
    age: int
    entry_time: int
    lineage_start: int
    attributes: dict[str, str]
    event_time: int | None = None
    penalty_until: int = 0
    attempts: int = 0
    in_file: bool = False


class Listing(msgspec.Struct):
    """Part of a queue. ``complete`` is False when the search ended before the queue did; ``next``
    is the cursor for what comes after then."""

    connection: str
    queued: int
    flowfiles: list[Listed]
    complete: bool
    next: str | None = None


def peek(
    engine: Engine,
    id: str,
    limit: int,
    *,
    newest: bool,
    attributes: Mapping[str, str],
    cursor: str | None = None,
) -> Listing:
    """FlowFiles that wait in a connection and have these attributes; none is taken out.

    cursor: uuid of the last one that was seen; when it has gone on, so have those before it
    """
    connection = connection_of(engine, id)
    now = engine.clock.wall()
    until = time.perf_counter() + SCAN
    waiting = connection.count - connection.in_flight
    found: list[Listed] = []
    seen, begin = cursor, _after(connection, cursor, newest=newest)
    for index, flowfile in enumerate(connection.browse(newest=newest)):
        if index < begin:
            continue
        if len(found) >= limit or (index % 64 == 63 and time.perf_counter() > until):
            return Listing(id, connection.count, found, False, seen)
        seen = flowfile.uuid
        if attributes.items() <= flowfile.attributes.items():
            found.append(_listed(flowfile, waiting - 1 - index if newest else index, now))
    return Listing(id, connection.count, found, True)


def _after(connection: Connection, cursor: str | None, *, newest: bool) -> int:
    """How many FlowFiles of a queue come before what follows the cursor."""
    if cursor is None:
        return 0
    if not UUID.fullmatch(cursor):
        raise Problem(422, f"cursor must be one of an answer; got {cursor[:60]!r}")
    number, count = parse_uuid(cursor), 0
    for count, flowfile in enumerate(connection.browse(newest=newest), 1):
        if flowfile.id == number:
            return count
    return count if newest else 0


def _listed(flowfile: FlowFile, place: int, now: int) -> Listed:
    return Listed(
        place,
        flowfile.uuid,
        flowfile.size,
        now - flowfile.entry_time,
        flowfile.entry_time,
        flowfile.lineage_start,
        flowfile.attributes,
        flowfile.event_time,
        flowfile.penalty_until,
        flowfile.attempts,
        isinstance(flowfile.content, FileContent),
    )


def find(engine: Engine, id: str, uuid: str) -> FlowFile:
    """A FlowFile that waits in a connection, or Problem 404."""
    number = parse_uuid(uuid) if UUID.fullmatch(uuid) else -1
    for flowfile in connection_of(engine, id).browse():
        if flowfile.id == number:
            return flowfile
    raise Problem(
        404,
        f"connection {id!r} must hold the FlowFile; got {uuid!r}, which has gone on or never was "
        "here",
    )


def empty(engine: Engine, id: str) -> int:
    """Throw away what waits in a connection; returns how many FlowFiles that were."""
    return engine.assembly.empty(connection_of(engine, id))


def reset_counter(engine: Engine, name: str) -> int:
    """Set a counter to 0; returns what it was."""
    counters = engine.assembly.core.counters
    if name not in counters:
        raise Problem(404, f"flow {engine.flow.name!r} must have the counter; got {name!r}")
    value, counters[name] = counters[name], 0
    engine.repository.set_totals("counters", counters)
    engine.repository.end()
    return value
