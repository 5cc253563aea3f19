"""What ``flowengine kafka …`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich import box
from rich.markup import escape
from rich.table import Table

from processors.kafka.broker.state import LocalBroker

if TYPE_CHECKING:
    from processors.kafka.admin import Group, Topic
    from processors.kafka.messages import Message


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column)
    return table


def _row(table: Table, *cells: object) -> None:
    table.add_row(*(escape(str(cell)) for cell in cells))


def nodes_table(broker: LocalBroker) -> Table:
    """The processes of the local cluster."""
    table = _table("node", "port", "pid", "memory", "state")
    alive = set(broker.alive)
    for node in broker.nodes:
        memory = f"{node.process.resident_bytes / 1e6:.0f} MB" if node in alive else "-"
        state = "running" if node in alive else "ended"
        _row(table, node.number, node.port, node.process.pid, memory, state)
    return table


def status_fields(broker: LocalBroker) -> dict[str, Any]:
    """The same for programs; memory in bytes, uptime in seconds."""
    alive = set(broker.alive)
    return {
        "running": True,
        "version": broker.version,
        "bootstrap": broker.bootstrap,
        "cluster_id": broker.cluster_id,
        "directory": str(broker.directory),
        "uptime": round(broker.uptime, 3),
        "nodes": [
            {
                "number": node.number,
                "port": node.port,
                "pid": node.process.pid,
                "memory": node.process.resident_bytes if node in alive else 0,
                "running": node in alive,
            }
            for node in broker.nodes
        ],
    }


def topics_table(topics: Sequence[Topic]) -> Table:
    """One topic a row."""
    table = _table("topic", "partitions", "replication")
    for topic in topics:
        _row(table, topic.name, len(topic.partitions), topic.replication)
    return table


def partitions_table(topic: Topic) -> Table:
    """One partition a row; begin and end are its first and its next offset."""
    table = _table("partition", "leader", "replicas", "in sync", "begin", "end", "messages")
    for each in topic.partitions:
        leader = each.leader if each.leader >= 0 else "none"
        copies = (_numbers(each.replicas), _numbers(each.in_sync))
        _row(table, each.number, leader, *copies, each.begin, each.end, each.end - each.begin)
    return table


def members_table(group: Group) -> Table:
    """Who is in a group, and what each reads; an idle member has nothing to read."""
    table = _table("member", "host", "partitions")
    for member in group.members:
        partitions = " ".join(f"{topic}-{number}" for topic, number in member.partitions)
        _row(table, member.client_id, member.host, partitions or "idle")
    if not group.members:
        _row(table, "no members", "", "")
    return table


def positions_table(group: Group) -> Table:
    """How far a group is."""
    table = _table("topic", "partition", "committed", "end", "lag", "member")
    readers = {each: member.client_id for member in group.members for each in member.partitions}
    for at in group.positions:
        committed = "-" if at.committed is None else at.committed
        reader = readers.get((at.topic, at.partition), "-")
        _row(table, at.topic, at.partition, committed, at.end, at.lag, reader)
    return table


def message_line(message: Message, headers: bool = False) -> str:
    """Partition, offset, key, value, timestamp with tabs between; `-` for no key, no value.

    Headers, when they are asked for, follow as ``name=value``.
    """
    moment = datetime.fromtimestamp(message.timestamp / 1000, UTC)
    texts = (_text(message.key), _text(message.value))
    time = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    pairs = [f"{name}={_text(value)}" for name, value in message.headers] if headers else []
    return "\t".join([str(message.partition), str(message.offset), *texts, time, *pairs])


def _text(raw: bytes | None) -> str:
    return "-" if raw is None else raw.decode(errors="backslashreplace")


def _numbers(values: Sequence[int]) -> str:
    return ", ".join(map(str, values))
