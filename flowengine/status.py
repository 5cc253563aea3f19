"""Status: what a running flow looks like now, as plain values that can leave the engine's loop.

A snapshot is taken on the engine's loop and costs about 30 µs per processor. It is made only while
somebody asks (``flowengine.control.desk``), so an unwatched flow pays nothing for it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from copy import copy
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from flowengine.bulletins import Bulletin
from flowengine.connection import Connection
from flowengine.statistics import Totals
from flowengine.window_status import WindowsStatus, windows_status

if TYPE_CHECKING:
    from flowengine.engine import Engine
    from flowengine.node import Node

T = TypeVar("T")


class ProcessorStatus(msgspec.Struct, omit_defaults=True):
    """One processor. Times in µs, sizes in bytes; ``recent`` is the last five minutes.

    state:     disabled, completed, running, stopping or stopped
    runs_on:   loop, task or thread: where its trigger is called
    active:    triggers under way now
    yielding:  µs until it may be triggered again
    queued:    FlowFiles that wait for it, penalized ones included
    penalized: of these, how many wait for the end of a penalty
    blocked:   a connection downstream is full
    isolating: the batch is kept small because the cause of an error is being looked for (E5)
    failures:  triggers that failed in a row
    reported:  figures of its own, such as assignment and lag
    windows:   of a processor with windows: what is open, and what they wait for
    bulletin:  its last one of the last five minutes
    """

    id: str
    name: str
    type: str
    state: str
    group: tuple[str, ...] = ()
    runs_on: str = "loop"
    active: int = 0
    yielding: int = 0
    queued: int = 0
    penalized: int = 0
    blocked: bool = False
    isolating: bool = False
    failures: int = 0
    recent: Totals = msgspec.field(default_factory=Totals)
    total: Totals = msgspec.field(default_factory=Totals)
    reported: dict[str, Any] = {}
    windows: WindowsStatus | None = None
    bulletin: Bulletin | None = None


class ConnectionStatus(msgspec.Struct, omit_defaults=True):
    """One connection. ``percent`` is the fuller of its two bounds; ``objects`` and ``limit_bytes``
    are those bounds, 0 is none."""

    id: str
    source: str
    destination: str
    relationships: tuple[str, ...]
    queued: int = 0
    bytes: int = 0
    in_flight: int = 0
    penalized: int = 0
    percent: float = 0.0
    full: bool = False
    objects: int = 0
    limit_bytes: int = 0


class Held(msgspec.Struct):
    """Somebody holds the engine's loop. ``duration`` in µs, so far."""

    processor: str | None
    duration: int


class FlowStatus(msgspec.Struct, omit_defaults=True):
    """A whole flow. ``started_at`` and ``as_of`` are wall time in µs.

    state:            running, stopping or completed
    ledger, balance:  E28; a balance other than 0 is a bug of the engine
    problem:          why the repository cannot write
    faults:           processor → why it cannot read what is stored
    service_problems: controller service → why it is not enabled
    sources_wait:     backlog, memory or fault: why no source may make anything
    cuts:             cuts since the start
    resident, budget: bytes of FlowFiles in memory, and how many may be (E11)
    held:             set when the engine did not answer: the rest is as of ``as_of``
    """

    flow: str
    revision: str
    pid: int
    state: str
    started_at: int
    as_of: int
    uptime: int
    queued: int
    ledger: dict[str, int]
    balance: int
    processors: dict[str, ProcessorStatus]
    connections: dict[str, ConnectionStatus]
    counters: dict[str, int] = {}
    problem: str | None = None
    faults: dict[str, str] = {}
    service_problems: dict[str, str] = {}
    sources_wait: str | None = None
    cuts: int = 0
    resident: int = 0
    budget: int = 0
    held: Held | None = None


def snapshot(engine: Engine) -> FlowStatus:
    """The status now. Call it on the engine's loop."""
    assembly = engine.assembly
    core, clock = assembly.core, engine.clock
    last = {bulletin.component: bulletin for bulletin in engine.board.list()}
    connections = _connections(engine)
    queued = sum(connection.queued for connection in connections.values())
    wall, now = clock.wall(), clock.monotonic()
    return FlowStatus(
        flow=engine.flow.name,
        revision=engine.flow.revision,
        pid=os.getpid(),
        state=_state(engine),
        started_at=engine.started_at,
        as_of=wall,
        uptime=wall - engine.started_at,
        queued=queued,
        ledger=dict(core.ledger.totals),
        balance=core.ledger.balance(queued),
        processors={
            node.id: _processor(engine, node, last.get(node.id), now)
            for node in assembly.nodes.values()
        },
        connections=connections,
        counters=dict(core.counters),
        problem=engine.repository.problem,
        faults=dict(core.faults),
        service_problems=dict(engine.service_problems),
        sources_wait=_sources_wait(engine),
        cuts=getattr(engine.repository, "cuts", 0),
        resident=sum(connection.resident for connection in assembly.connections.values()),
        budget=engine.memory_budget,
    )


def _state(engine: Engine) -> str:
    if engine.stopping:
        return "stopping"
    return "completed" if engine.completed else "running"


def _sources_wait(engine: Engine) -> str | None:
    core = engine.assembly.core
    if core.faults:
        return "fault"
    if core.out_of_memory:
        return "memory"
    return "backlog" if engine.repository.backlogged else None


def _processor(engine: Engine, node: Node, bulletin: Bulletin | None, now: int) -> ProcessorStatus:
    assembly = engine.assembly
    figures = dict(node.processor.status(assembly.scheduler.contexts[node.id]))
    windows = figures.pop("windows", None)
    recent = node.statistics.window(now)
    total = copy(node.statistics.total)
    total.add(recent)
    waiting = [connection.statistics() for connection in node.inputs]
    return ProcessorStatus(
        id=node.id,
        name=node.flat.name,
        type=node.flat.type,
        state=node.status,
        group=tuple(node.flat.group),
        runs_on="task" if node.is_async else "thread" if node.blocking else "loop",
        active=node.active,
        yielding=max(node.yield_until - now, 0),
        queued=sum(one.queued for one in waiting),
        penalized=sum(one.penalized for one in waiting),
        blocked=node.blocked(),
        isolating=node.limit < node.batch_size,
        failures=node.failures,
        recent=recent,
        total=total,
        reported={**node.reported, **figures},
        windows=windows and windows_status(windows, node, assembly.watermarks, assembly.nodes),
        bulletin=copy(bulletin),
    )


def _connections(engine: Engine) -> dict[str, ConnectionStatus]:
    ends = {flat.id: flat for flat in engine.flow.connections}
    found = {}
    for id, connection in engine.assembly.connections.items():
        flat = ends[id]
        found[id] = _connection(connection, flat.source, flat.destination, flat.relationships)
    return found


def _connection(
    connection: Connection, source: str, destination: str, relationships: tuple[str, ...]
) -> ConnectionStatus:
    now = connection.statistics()
    return ConnectionStatus(
        id=connection.id,
        source=source,
        destination=destination,
        relationships=relationships,
        queued=now.queued,
        bytes=now.bytes,
        in_flight=now.in_flight,
        penalized=now.penalized,
        percent=round(now.percent, 1),
        full=now.full,
        objects=int(connection.limits.objects),
        limit_bytes=int(connection.limits.bytes),  # sizes print themselves as text
    )


class StatusDelta(msgspec.Struct, omit_defaults=True):
    """What changed since the snapshot before: figures of the flow, and components as a whole.

    flow: every field of FlowStatus except ``processors`` and ``connections`` that changed
    """

    flow: dict[str, Any] = {}
    processors: dict[str, ProcessorStatus] = {}
    connections: dict[str, ConnectionStatus] = {}


def delta(old: FlowStatus, new: FlowStatus) -> StatusDelta:
    """The changes that make ``new`` out of ``old``. A deploy changes the revision: send a
    snapshot then, since a delta cannot say that a component is gone."""
    names = [n for n in FlowStatus.__struct_fields__ if n not in ("processors", "connections")]
    return StatusDelta(
        {n: getattr(new, n) for n in names if getattr(new, n) != getattr(old, n)},
        _changed(old.processors, new.processors),
        _changed(old.connections, new.connections),
    )


def _changed(old: Mapping[str, T], new: Mapping[str, T]) -> dict[str, T]:
    return {id: value for id, value in new.items() if old.get(id) != value}


def encode(value: object) -> bytes:
    """JSON; what a processor reports and JSON has no form for is written as text."""
    return _encoder.encode(value)


_encoder = msgspec.json.Encoder(enc_hook=str)
