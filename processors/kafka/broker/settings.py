"""The ``server.properties`` of a small node, and its log settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from processors.kafka.broker.ports import HOST
from processors.kafka.broker.security import Security

MOST_REPLICAS = 3


@dataclass(frozen=True)
class NodePorts:
    """The ports of one node: ``client`` for users, ``internal`` between brokers, ``controller``."""

    client: int
    internal: int
    controller: int


# A broker for one machine: few threads, quick rebalances, quick detection of a killed neighbour.
SMALL = {
    "process.roles": "broker,controller",
    "auto.create.topics.enable": "false",
    "background.threads": "2",
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "log.cleaner.dedupe.buffer.size": "2097152",  # its default, 128 MB, needs a larger heap
    "num.io.threads": "2",
    "num.network.threads": "1",
    "num.recovery.threads.per.data.dir": "1",
    "offsets.topic.num.partitions": "1",
    "replica.lag.time.max.ms": "5000",
    "share.coordinator.state.topic.num.partitions": "1",
    "transaction.state.log.num.partitions": "1",
}

LOGGING = """\
status = error
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {directory}/broker.log
appender.file.filePattern = {directory}/broker.%i.log
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{ISO8601}} %p %m (%c{{1}})%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 2
rootLogger.level = WARN
rootLogger.appenderRef.file.ref = file
"""


def node_settings(
    node: int,
    ports: Sequence[NodePorts],
    directory: Path,
    security: Security,
    extra: Mapping[str, str],
) -> dict[str, str]:
    """All settings of node ``node`` (counted from 1) in a cluster with these ports.

    ``extra`` wins over everything else.
    """
    own = ports[node - 1]
    voters = [f"{number}@{HOST}:{each.controller}" for number, each in enumerate(ports, start=1)]
    return {
        **SMALL,
        **_listeners(own, security),
        **_replication(len(ports)),
        **security.properties(directory.parent / "certificates"),
        "node.id": str(node),
        "controller.quorum.voters": ",".join(voters),
        "log.dirs": str(directory / "data"),
        **extra,
    }


def _listeners(own: NodePorts, security: Security) -> dict[str, str]:
    client = f"CLIENT://{HOST}:{own.client}"
    internal = f"INTERNAL://{HOST}:{own.internal}"
    protocols = ["CONTROLLER:PLAINTEXT", "INTERNAL:PLAINTEXT"]
    return {
        "listeners": f"{client},{internal},CONTROLLER://{HOST}:{own.controller}",
        "advertised.listeners": f"{client},{internal}",
        "listener.security.protocol.map": ",".join(
            [f"CLIENT:{security.protocol.upper()}", *protocols]
        ),
        "inter.broker.listener.name": "INTERNAL",
        "controller.listener.names": "CONTROLLER",
    }


def _replication(nodes: int) -> dict[str, str]:
    """Three replicas of which two must be in sync, as far as there are nodes for it."""
    replicas, in_sync = str(min(nodes, MOST_REPLICAS)), str(2 if nodes >= MOST_REPLICAS else 1)
    return {
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.replication.factor": replicas,
    }


def properties_text(settings: Mapping[str, str]) -> str:
    """A Java properties file; a backslash starts an escape there."""
    lines = (f"{name}={_escaped(value)}\n" for name, value in sorted(settings.items()))
    return "".join(lines)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n")
