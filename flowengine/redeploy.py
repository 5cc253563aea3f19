"""Giving a running flow another definition: only what changed starts anew (E18).

1. What a change touches is stopped and waited for: changed and removed processors, users of changed
   services, and both ends of removed connections. Everything else goes on.
2. Between two triggers, in one step on the engine's loop, nodes and connections are replaced and
   linked anew. Queues keep their FlowFiles, processors of the same id their state and figures.
3. A cut stores the new definition together with what became of the old queues.

What cannot be done in place raises NeedsRestart before anything has changed; the runner then has to
be started anew over its queues: a queue with other ends or prioritizers, a processor of another
type, open windows or the position of a source that would be lost, event time that has to be tracked
in queues that did not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from flowengine.changeover import lost_message, lost_states
from flowengine.definition.deploy import snapshot
from flowengine.definition.flat import FlatProcessor, FlatService, LoadedFlow
from flowengine.errors import DefinitionError, EnvironmentFault
from flowengine.keeping import ProcessorKeeper, ServiceKeeper, ended
from flowengine.services import service_names
from flowengine.watermarks import CLOCK_TIMER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowengine.engine import Engine

Keeper = ProcessorKeeper | ServiceKeeper
PATIENCE = 30_000_000  # µs for triggers to end, and for removed queues to empty themselves


class Choice(StrEnum):
    """What becomes of FlowFiles in connections that are gone."""

    REFUSE = "refuse"
    DROP = "drop"
    DRAIN = "drain"


class NeedsRestart(DefinitionError):
    """The new definition cannot be given to the running flow."""


class QueuesRemain(DefinitionError):
    """Removed connections hold FlowFiles, and nobody chose what becomes of them.

    held: connection → FlowFiles
    """

    def __init__(self, message: str, held: dict[str, int]) -> None:
        super().__init__(message)
        self.held = held


@dataclass(slots=True)
class Difference:
    """What a deploy touches, by id.

    relabelled: processors of which only name, comments or bulletin level changed
    """

    added: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    relabelled: set[str] = field(default_factory=set)
    services: set[str] = field(default_factory=set)
    connections: set[str] = field(default_factory=set)

    @property
    def replaced(self) -> set[str]:
        """Processors whose node is made anew."""
        return self.added | self.changed


def difference(old: LoadedFlow, new: LoadedFlow) -> Difference:
    """What differs. ``connections`` are the removed ones."""
    found = Difference()
    names = {*old.services, *new.services}
    found.services = {name for name in names if not _same_service(old, new, name)}
    found.added = set(new.processors) - set(old.processors)
    found.removed = set(old.processors) - set(new.processors)
    for id in set(old.processors) & set(new.processors):
        before, after = old.processors[id], new.processors[id]
        if not _same(before, after) or found.services.intersection(service_names(after.properties)):
            found.changed.add(id)
        elif before != after:
            found.relabelled.add(id)
    present = {flat.id for flat in new.connections}
    found.connections = {flat.id for flat in old.connections} - present
    return found


def _same_service(old: LoadedFlow, new: LoadedFlow, name: str) -> bool:
    before, after = old.services.get(name), new.services.get(name)
    if before is None or after is None:
        return False
    return _service_key(before) == _service_key(after)


def _service_key(flat: FlatService) -> object:
    return flat.cls, flat.properties


def _same(before: FlatProcessor, after: FlatProcessor) -> bool:
    """Whether a processor runs alike; names and comments do not matter to it."""
    return _bare(before) == _bare(after)


def _bare(flat: FlatProcessor) -> FlatProcessor:
    return dataclasses.replace(flat, name="", comments="", group=(), values={})


async def redeploy(engine: Engine, new: LoadedFlow, choice: Choice = Choice.REFUSE) -> list[str]:
    """Let a running engine go on with another definition; returns which processors started anew.

    Raises QueuesRemain when a choice is needed, NeedsRestart when the runner must be started anew,
    EnvironmentFault when something does not end in time; the old definition runs on then.
    """
    async with engine.deploying:
        if engine.stopping:
            raise NeedsRestart(f"flow {new.name!r} must be running to be deployed; got a stop")
        touched = difference(engine.flow, new)
        _refuse_impossible(engine, new, touched)
        _refuse_held(engine, new, touched, choice)
        with _stopped(engine) as stopped:
            if choice is Choice.DRAIN:
                await _drain(engine, touched, stopped)
            await _stop(engine, _touched_now(engine, touched), stopped)
            _refuse_held(engine, new, touched, choice)
            retired = _apply(engine, new, touched)
        await ended(retired)
        await engine.repository.flush()
        return sorted(touched.replaced)


# -- what is refused ---------------------------------------------------------------------------


def _refuse_impossible(engine: Engine, new: LoadedFlow, touched: Difference) -> None:
    """Raise NeedsRestart for what has to go through a start."""
    for reason in _reasons(engine, new, touched):
        raise NeedsRestart(f"flow {new.name!r} must be started anew: {reason}")


def _reasons(engine: Engine, new: LoadedFlow, touched: Difference) -> Iterator[str]:
    old = {flat.id: flat for flat in engine.flow.connections}
    tracking = _tracking(new)
    for flat in new.connections:
        before = old.get(flat.id)
        if before is None:
            continue
        if (before.source, before.destination) != (flat.source, flat.destination):
            yield f"connection {flat.id!r} joins others now"
        if before.prioritizers != flat.prioritizers:
            yield f"connection {flat.id!r} has other prioritizers"
        if flat.id in tracking and not engine.assembly.connections[flat.id].tracks_time:
            yield f"connection {flat.id!r} must track event time now"
    for id in touched.changed:
        node = engine.assembly.nodes[id]
        if node.flat.cls is not new.processors[id].cls:
            yield f"processor {id!r} is of another type"


def _tracking(flow: LoadedFlow) -> set[str]:
    """Connections above a processor that asks for event time."""
    above: dict[str, list[tuple[str, str]]] = {}
    for flat in flow.connections:
        above.setdefault(flat.destination, []).append((flat.id, flat.source))
    waiting = [id for id, flat in flow.processors.items() if flat.cls(flat.properties).event_time]
    found: set[str] = set()
    while waiting:
        for connection, source in above.get(waiting.pop(), ()):
            if connection not in found:
                found.add(connection)
                waiting.append(source)
    return found


def _refuse_lost(engine: Engine, new: LoadedFlow) -> None:
    """Raise QueuesRemain when open windows or the position of a source would be lost."""
    nodes = engine.assembly.nodes

    def names(processor: str) -> set[str]:
        node = nodes[processor]
        marks = {CLOCK_TIMER} if node.waits_for_time or node.hold is not None else set()
        return marks | set(islice(node.state, 1))

    lost = lost_states(snapshot(engine.flow), names, new)
    if lost:
        raise QueuesRemain(lost_message(new, lost), dict.fromkeys(lost, 1))


def _refuse_held(engine: Engine, new: LoadedFlow, touched: Difference, choice: Choice) -> None:
    """Raise QueuesRemain when removed queues hold something and nobody chose."""
    queues = engine.assembly.connections
    held = {id: queues[id].count for id in sorted(touched.connections) if queues[id].count}
    if choice is not Choice.DROP:
        _refuse_lost(engine, new)
    if held and choice is Choice.REFUSE:
        listed = ", ".join(f"{id} ({count})" for id, count in held.items())
        raise QueuesRemain(
            f"flow {engine.flow.name!r} must keep the connections that hold FlowFiles; got a "
            f"definition without {listed}. Choose to drain or to drop them",
            held,
        )


# -- stopping what is touched ------------------------------------------------------------------


@contextmanager
def _stopped(engine: Engine) -> Iterator[set[str]]:
    """Collects processors that were stopped for a deploy; they go on at the end, whatever it is."""
    stopped: set[str] = set()
    try:
        yield stopped
    finally:
        for id in stopped & engine.keepers.keys():
            if not engine.stopping and not engine.node(id).flat.disabled:
                engine.keepers[id].start()


def _touched_now(engine: Engine, touched: Difference) -> set[str]:
    """Running processors that have to stand still while the flow is linked anew."""
    gone = [engine.assembly.connections[id] for id in touched.connections]
    ends = {end for queue in gone for end in (queue.source, queue.destination)}
    return touched.changed | touched.removed | ends


async def _stop(engine: Engine, names: Iterable[str], stopped: set[str]) -> None:
    keepers = [engine.keepers[name] for name in names]
    for keeper in keepers:
        if keeper.wanted.is_set():
            stopped.add(keeper.node.id)
        keeper.stop()
    deadline = engine.clock.monotonic() + PATIENCE
    for keeper in keepers:
        await engine.clock.wait(keeper.idle, max(0, deadline - engine.clock.monotonic()))
        if not keeper.idle.is_set():
            raise EnvironmentFault(
                f"processor {keeper.node.id!r} ({keeper.node.flat.type}) must end what it does to "
                "be deployed anew; got no end in 30 s. Terminate it, or try again"
            )


async def _drain(engine: Engine, touched: Difference, stopped: set[str]) -> None:
    """Let removed queues empty themselves: nothing comes in any more, all below goes on."""
    queues = [engine.assembly.connections[id] for id in touched.connections]
    below = {queue.destination for queue in queues}  # these must go on to empty theirs
    await _stop(engine, {queue.source for queue in queues} - below, stopped)
    deadline = engine.clock.monotonic() + PATIENCE
    while held := sum(queue.count for queue in queues):
        left = deadline - engine.clock.monotonic()
        if left <= 0 or engine.stopping:
            raise EnvironmentFault(
                f"removed connections must empty themselves within 30 s; got {held} FlowFiles "
                "left. Start what is below them, try again, or choose to drop"
            )
        await engine.next_trigger(left)


# -- the one step ------------------------------------------------------------------------------


def _apply(engine: Engine, new: LoadedFlow, touched: Difference) -> list[Keeper]:
    """Replace and link everything; on the loop, without a wait."""
    assembly = engine.assembly
    for id in touched.connections:
        assembly.empty(assembly.connections[id])
    retired: list[Keeper] = []
    retired += [engine.keepers.pop(id) for id in touched.removed | touched.changed]
    retired += [engine.services.pop(id) for id in touched.services & set(engine.services)]
    for keeper in retired:
        keeper.retire()
    assembly.relink(new, touched.removed, touched.replaced)
    for id in touched.relabelled:
        flat = new.processors[id]
        assembly.nodes[id].flat = dataclasses.replace(
            flat, properties=assembly.nodes[id].flat.properties
        )
    was_off = {id for id in touched.changed if engine.flow.processors[id].disabled}
    engine.flow = new
    for id in touched.services & set(new.services):
        engine.add_service_keeper(new.services[id])
        engine.employ_service(new.services[id])
    for id in touched.replaced:
        engine.add_keeper(assembly.nodes[id])
        engine.employ(assembly.nodes[id], wanted=id in touched.added | was_off)
    return retired
