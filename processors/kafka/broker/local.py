"""The broker behind ``bootstrap_servers: local``: it outlives the command that starts it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from flowengine.errors import EnvironmentFault
from processors.kafka.broker.archive import adopt_recording
from processors.kafka.broker.artifacts import KAFKA_VERSION, Advance
from processors.kafka.broker.cluster import (
    PROBE_PAUSE,
    READY_PATIENCE,
    STOP_PATIENCE,
    Cluster,
    brokers_of,
    java_command,
    throw_away,
)
from processors.kafka.broker.node import Node, node_folder, not_ready
from processors.kafka.broker.ports import HOST, is_free
from processors.kafka.broker.probe import brokers_known_to
from processors.kafka.broker.process import end_processes, wait_for_end
from processors.kafka.broker.state import (
    LocalBroker,
    LocalNode,
    find_local,
    load_state,
    locked,
    save_state,
    state_file,
)

USUAL_PORT = 9092


@dataclass(frozen=True)
class StartRequest:
    """What ``flowengine kafka start`` was asked for.

    ``brokers`` None is as many as the last time, or one; ``port`` None is 9092 or any free one.
    """

    brokers: int | None = None
    port: int | None = None
    jars: Path | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    fresh: bool = False
    ready_patience: float = READY_PATIENCE


@dataclass(frozen=True)
class Started:
    """The running cluster; whether this call started it, or else which nodes it had to revive."""

    broker: LocalBroker
    by_us: bool
    revived: tuple[int, ...] = ()


def start_local(
    home: Path, request: StartRequest, advance: Advance = lambda count: None
) -> Started:
    """Start the local cluster unless it runs. Processes of a start that was cut off are ended.

    Raises EnvironmentFault when it cannot run, or already runs otherwise than asked for.
    """
    with locked(home):
        running = find_local(home)
        if running and _answers(running):
            _check_same(running, request)
            return _revive(home, running, request)
        if running:
            _end(home, running)
        if request.fresh:
            throw_away(home / "cluster")
        return Started(_start(home, request, advance), by_us=True)


def stop_local(home: Path) -> LocalBroker | None:
    """Stop the local cluster; the one that ran, or None. A stale state file is removed."""
    with locked(home):
        broker = load_state(home)
        if broker is None:
            return None
        was_alive = bool(broker.alive)
        _end(home, broker)
        return broker if was_alive else None


def _answers(broker: LocalBroker) -> bool:
    return any(brokers_known_to(node.internal) for node in broker.alive)


def _check_same(running: LocalBroker, request: StartRequest) -> None:
    wrong = []
    if request.brokers and len(running.nodes) != request.brokers:
        wrong.append(f"{len(running.nodes)} instead of {request.brokers} brokers")
    if request.port and running.nodes[0].port != request.port:
        wrong.append(f"port {running.nodes[0].port} instead of {request.port}")
    if request.fresh:
        wrong.append("its topics")
    if wrong:
        raise EnvironmentFault(
            "kafka broker 'local' must be stopped to start it differently; got a running one "
            f"with {' and '.join(wrong)}; run `flowengine kafka stop` first"
        )


def _start(home: Path, request: StartRequest, advance: Advance) -> LocalBroker:
    began = time.time()
    cluster = Cluster(
        home / "cluster",
        brokers=request.brokers or brokers_of(home / "cluster") or 1,
        port=_choose_port(request.port),
        properties=request.properties,
        jars=request.jars,
        advance=advance,
        dies_with_parent=False,
        ready_patience=request.ready_patience,
    )
    try:
        # Noted before it is ready: if we are killed meanwhile, the next start or stop ends it.
        cluster.start_with(lambda: save_state(home, _described(cluster, began)))
    except EnvironmentFault:
        state_file(home).unlink(missing_ok=True)
        raise
    broker = _described(cluster, began)
    save_state(home, broker)
    return broker


def _revive(home: Path, running: LocalBroker, request: StartRequest) -> Started:
    """Start again, on their old ports, the nodes that somebody killed beside the running ones."""
    alive = set(running.alive)
    dead = tuple(node.number for node in running.nodes if node not in alive)
    if not dead:
        return Started(running, by_us=False)
    command = java_command(request.jars)
    nodes = []
    for known in running.nodes:
        if known not in alive:
            node = Node(known.number, _folder(running, known), command, dies_with_parent=False)
            node.spawn()
            known = replace(known, process=node.identity or known.process)
        nodes.append(known)
    revived = replace(running, nodes=tuple(nodes))
    save_state(home, revived)
    _wait_for_all(revived, request.ready_patience)
    return Started(revived, by_us=False, revived=dead)


def _wait_for_all(broker: LocalBroker, patience: float) -> None:
    deadline = time.monotonic() + patience
    for node in broker.nodes:
        while brokers_known_to(node.internal) < len(broker.nodes):
            ended = wait_for_end(node.process, PROBE_PAUSE)
            if ended or time.monotonic() > deadline:
                got = "an ended process" if ended else "no answer"
                folder = _folder(broker, node)
                raise EnvironmentFault(not_ready(node.number, node.port, patience, got, folder))


def _folder(broker: LocalBroker, node: LocalNode) -> Path:
    return node_folder(broker.directory, node.number)


def _choose_port(wanted: int | None) -> int:
    if wanted is None:
        return USUAL_PORT if is_free(USUAL_PORT) else 0
    if not is_free(wanted):
        raise EnvironmentFault(
            f"kafka port {wanted} on {HOST} must be free; got one in use; "
            "leave `--port` out to take any free one"
        )
    return wanted


def _described(cluster: Cluster, began: float) -> LocalBroker:
    nodes = []
    for node, ports in zip(cluster.nodes, cluster.ports, strict=True):
        if node.identity is not None:
            nodes.append(LocalNode(node.number, node.identity, ports.client, ports.internal))
    return LocalBroker(
        version=KAFKA_VERSION,
        cluster_id=cluster.cluster_id,
        bootstrap=cluster.bootstrap,
        directory=cluster.directory,
        started=began,
        nodes=tuple(nodes),
        recording=cluster.nodes[0].recording,
    )


def _end(home: Path, broker: LocalBroker) -> None:
    """Signal all nodes at once, since a broker that stops talks to its controllers."""
    clean = end_processes([node.process for node in broker.nodes], STOP_PATIENCE)
    if clean and broker.recording:
        adopt_recording(broker.recording)
    state_file(home).unlink(missing_ok=True)
