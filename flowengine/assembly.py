"""Assembly: the nodes and connections of one flow, built over what its repository holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from flowengine.bulletins import BulletinBoard, ComponentLog
from flowengine.clock import Clock
from flowengine.connection import Connection, Limits
from flowengine.content import FileContent
from flowengine.context import ProcessContext, Surroundings
from flowengine.definition.deploy import snapshot
from flowengine.definition.flat import FlatConnection, FlatProcessor, LoadedFlow
from flowengine.flowfile import FlowFile, IdGenerator
from flowengine.node import Core, Node
from flowengine.prioritizers import sort_key
from flowengine.repository import Recovered, Repository
from flowengine.scheduler import Scheduler
from flowengine.watermarks import CLOCK_TIMER, EVENT_TIMER, HOLD, PROGRESS, WATERMARK, Watermarks


class Assembly:
    """Everything of a running flow that has no task of its own. Used on the engine's loop."""

    def __init__(
        self,
        flow: LoadedFlow,
        repository: Repository,
        recovered: Recovered,
        around: Surroundings,
        board: BulletinBoard,
    ) -> None:
        self.flow = flow
        self.repository = repository
        self.clock: Clock = around.clock
        self.board = board
        self.nodes: dict[str, Node] = {}
        self.connections: dict[str, Connection] = {}
        ids = IdGenerator(repository.open_epoch(flow.text))
        self.core = Core(self.clock, repository, ids, board)
        self.core.ledger.restore(recovered.ledger)
        self.core.counters.update(recovered.counters)
        self.scheduler = Scheduler(self.core, self.clock)
        self.expiring: list[Callable[[Connection, list[FlowFile]], None]] = []
        self._around = around
        self._link(flow, flow.processors)
        around.call, around.counters = self.core.call, self.core.counters
        self._restore_state(recovered)
        repository.attach(self.connections)
        repository.set_definition(flow.text, snapshot(flow))

    def relink(self, flow: LoadedFlow, removed: Iterable[str], replaced: Iterable[str]) -> None:
        """Go on with another definition: nodes that are ``replaced`` are made anew and inherit
        their states, the others stay; all are linked as it says (E18)."""
        for id in removed:
            del self.nodes[id], self.scheduler.contexts[id]
            self.core.faults.pop(id, None)
        present = {flat.id for flat in flow.connections}
        self.connections = {id: c for id, c in self.connections.items() if id in present}
        for node in self.nodes.values():
            node.inputs, node.outputs, node.downstream = [], {}, []
        self.flow = flow
        self.repository.set_definition(flow.text, snapshot(flow))
        self._link(flow, replaced)
        for node in self.nodes.values():
            self.scheduler.wake(node)

    def _link(self, flow: LoadedFlow, made: Iterable[str]) -> None:
        """Make these nodes, and join all by their connections."""
        for id in made:
            self._add_node(flow.processors[id])
        for flat in flow.connections:
            self._join(self._connection(flat), flat)
        self.watermarks = self._around.watermarks = Watermarks(self)
        self._after_cut = self._strong_connections()

    def _add_node(self, flat: FlatProcessor) -> None:
        node = Node(flat, flat.cls(flat.properties), self.clock)
        before = self.nodes.get(flat.id)
        if before is not None:
            node.inherit(before)
        else:
            node.state = self.repository.open_state(flat.id)
        log = ComponentLog(self.board, flat.id, flat.bulletin_level.value)
        self.nodes[flat.id] = node
        self.scheduler.contexts[flat.id] = ProcessContext(node, self._around, log)

    def _connection(self, flat: FlatConnection) -> Connection:
        """The queue of this id with the limits of its definition."""
        connection = self.connections.get(flat.id)
        limits = Limits(flat.objects, flat.bytes, flat.expiration_us)
        if connection is None:
            key = sort_key(flat.prioritizers)
            connection = Connection(flat.id, self.repository, limits, sort_key=key)
            connection.expired = partial(self._expired, connection)
            self.connections[flat.id] = connection
        connection.limits = limits
        return connection

    def _join(self, connection: Connection, flat: FlatConnection) -> None:
        source, destination = self.nodes[flat.source], self.nodes[flat.destination]
        connection.source, connection.destination = flat.source, flat.destination
        for relationship in flat.relationships:
            source.outputs.setdefault(relationship, []).append(connection)
        source.downstream.append(connection)
        destination.inputs.append(connection)
        connection.on_input = partial(self.scheduler.wake_follow, destination)
        connection.on_room = partial(self.scheduler.wake, source)

    def _restore_state(self, recovered: Recovered) -> None:
        for (processor, key), value in recovered.state.items():
            node = self.nodes.get(processor)
            if node is None:
                continue
            if recovered.completed and (node.is_source or key.startswith("$")):
                self.repository.set_state(processor, key, None)  # a finished run starts anew (E19)
            elif not self._restore_time(node, key, value):
                node.state[key] = value

    def _restore_time(self, node: Node, key: str, value: Any) -> bool:
        """Watermarks and what they rest on are part of the cut."""
        if key == PROGRESS:
            node.progress, node.joined = dict(value), True
        elif key == HOLD:
            node.hold = value
        elif key == WATERMARK:
            node.watermark = value
        elif key == EVENT_TIMER:
            node.event_timer = value
        elif key == CLOCK_TIMER:
            node.clock_timer = value
        else:
            return False
        return True

    def _expired(self, connection: Connection, flowfiles: list[FlowFile]) -> None:
        for tell in self.expiring:
            tell(connection, flowfiles)
        self.core.ledger.add("expired", len(flowfiles))
        self.release(flowfiles)

    def release(self, flowfiles: list[FlowFile]) -> None:
        """FlowFiles are gone other than by a session: count, and let go of their files."""
        names = [f.content.name for f in flowfiles if isinstance(f.content, FileContent)]
        if names:
            self.repository.files_changed({name: -names.count(name) for name in set(names)})
        self.repository.set_totals("ledger", self.core.ledger.totals)
        self.repository.end()

    def empty(self, connection: Connection) -> int:
        """Throw away what waits in a connection; returns how many FlowFiles that were."""
        pieces = connection.drain()
        dropped = sum(piece.count for piece in pieces)
        gone = [f for piece in pieces if piece.files for f in connection.members(piece)]
        self.repository.begin([], [])
        connection.settle(pieces)
        self.release(gone)
        self.drop(dropped)
        return dropped

    def _strong_connections(self) -> list[Connection]:
        """Outputs of windows and joins: shown only after the cut that holds the firing (E22)."""
        if not self.repository.durable:
            return []
        nodes = [n for n in self.nodes.values() if n.processor.event_time or n.processor.after_cut]
        strong = [connection for node in nodes for connection in node.downstream]
        for connection in self.connections.values():
            connection.after_cut = connection in strong
        return strong

    def cut_taken(self) -> None:
        """A cut is on disk: what waited for it can be polled."""
        for connection in self._after_cut:
            if connection.ready:
                connection.on_input()

    def ring(self, node: Node) -> None:
        """After a trigger: time may have come further for those who wait for event time."""
        for waiting in self.watermarks.timed:
            if waiting.event_timer is not None and not waiting.queued and waiting.timer_due():
                self.scheduler.wake(waiting)

    def drop(self, count: int) -> None:
        """Count FlowFiles that somebody threw away."""
        if count:
            self.core.ledger.add("dropped", count)
            self.release([])

    @property
    def queued(self) -> int:
        """FlowFiles in all queues, polled ones included."""
        return sum(connection.count for connection in self.connections.values())

    def relieve(self) -> None:
        """The disk has caught up, or failed: look at the sources again."""
        for node in self.nodes.values():
            if node.is_source:
                self.scheduler.wake(node)

    def limit_memory(self, budget: int) -> None:
        """Forget contents that are on disk until the rest fits the budget (E11)."""
        connections = self.connections.values()
        excess = sum(connection.resident for connection in connections) - budget
        for connection in sorted(connections, key=lambda c: -c.resident):
            if excess <= 0:
                break
            excess -= connection.evict(excess)
        if (excess > 0) != self.core.out_of_memory:
            self.core.out_of_memory = excess > 0
            self.relieve()
