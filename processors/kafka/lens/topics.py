"""Brokers and topics as the lens shows them, and making, deleting, writing topics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aiokafka.admin import NewTopic
from aiokafka.errors import for_code

from flowengine.inspection import InspectionError, Refusal
from processors.kafka.admin import known_everywhere
from processors.kafka.lens.client import Cluster, Fields, Place, no_topic
from processors.kafka.lens.groups import committed_on

_TOPIC: Final = 1  # source of a value that somebody set on the topic itself
_EXISTS, _MISSING = 36, 3
_MASK: Final = "******"


async def describe_cluster(cluster: Cluster) -> Fields:
    """Cluster id, controller, brokers."""
    found = await cluster.brokers()
    controller = found["controller_id"]
    return {
        "cluster_id": found["cluster_id"],
        "controller": controller,
        "brokers": [
            {
                "id": each["node_id"],
                "host": each["host"],
                "port": each["port"],
                "rack": each["rack"],
                "controller": each["node_id"] == controller,
            }
            for each in sorted(found["brokers"], key=lambda each: int(each["node_id"]))
        ],
    }


async def list_topics(cluster: Cluster, internal: bool = False) -> Fields:
    """All topics with partitions, copies, records and bytes."""
    found = await cluster.topics()
    shown = [fields for fields in found.values() if internal or not fields["is_internal"]]
    bounds = await cluster.bounds(shown)
    sizes = await cluster.sizes(_nodes(shown))
    return {"topics": [_brief(fields, bounds, sizes) for fields in shown]}


def _nodes(topics: list[Fields]) -> list[int]:
    leaders = {each["leader"] for fields in topics for each in fields["partitions"]}
    return sorted(leaders - {-1})


def _brief(
    fields: Fields, bounds: Mapping[Place, tuple[int, int]], sizes: Mapping[Any, int]
) -> Any:
    name, partitions = fields["topic"], fields["partitions"]
    spans = [bounds.get((name, each["partition"])) for each in partitions]
    bytes_ = [sizes.get((each["leader"], name, each["partition"])) for each in partitions]
    known = [span for span in spans if span is not None]
    measured = [size for size in bytes_ if size is not None]
    return {
        "name": name,
        "internal": fields["is_internal"],
        "partitions": len(partitions),
        "replication": max((len(each["replicas"]) for each in partitions), default=0),
        "under_replicated": sum(len(each["isr"]) < len(each["replicas"]) for each in partitions),
        "records": sum(end - first for first, end in known) if len(known) == len(spans) else None,
        "size": sum(measured) if len(measured) == len(bytes_) else None,
    }


async def describe_topic(cluster: Cluster, name: str) -> Fields:
    """Partitions with offsets and bytes, configuration, groups that have a position."""
    fields = await cluster.topic(name)
    bounds = await cluster.bounds([fields])
    sizes = await cluster.sizes(_nodes([fields]))
    return {
        "name": name,
        "internal": fields["is_internal"],
        "partitions": [
            _partition(name, each, bounds, sizes)
            for each in sorted(fields["partitions"], key=lambda each: int(each["partition"]))
        ],
        "config": [_setting(entry) for entry in await cluster.settings(name)],
        "groups": await committed_on(cluster, name),
    }


def _partition(
    name: str, fields: Fields, bounds: Mapping[Place, tuple[int, int]], sizes: Mapping[Any, int]
) -> Fields:
    number = fields["partition"]
    first, end = bounds.get((name, number), (None, None))
    return {
        "partition": number,
        "leader": fields["leader"],
        "replicas": fields["replicas"],
        "in_sync": sorted(fields["isr"]),
        "first": first,
        "end": end,
        "size": sizes.get((fields["leader"], name, number)),
    }


def _setting(entry: Fields) -> Fields:
    """One value of the configuration; a sensitive one is never shown, whatever the broker says."""
    source = entry.get("config_source")
    sensitive = bool(entry["is_sensitive"])
    return {
        "name": entry["config_names"],
        "value": _MASK if sensitive else entry["config_value"],
        "default": entry["is_default"] if source is None else source != _TOPIC,
        "read_only": bool(entry["read_only"]),
        "sensitive": sensitive,
    }


async def create_topic(
    cluster: Cluster,
    name: str,
    partitions: int,
    replication_factor: int | None = None,
    config: Mapping[str, str] | None = None,
) -> Fields:
    """Make a topic; without a replication factor the broker's default."""
    topic = NewTopic(name, partitions, replication_factor or 1, topic_configs=dict(config or {}))
    if replication_factor is None:
        topic.replication_factor = -1  # its constructor refuses "the broker's default"
    answer = await cluster.admin.create_topics([topic])
    ((_, code, message),) = answer.topic_errors
    if code == _EXISTS:
        raise InspectionError(
            Refusal.CONFLICT, f"kafka topic {name!r} must be new; got one that exists"
        )
    if code:
        reason = (message or for_code(code).__name__).rstrip(".")
        raise InspectionError(
            Refusal.INVALID, f"kafka topic {name!r} must be one that can be created; got {reason}"
        )
    await known_everywhere(cluster.admin, name, partitions)
    return {"name": name}


async def delete_topic(cluster: Cluster, name: str) -> Fields:
    """Delete a topic with all its records."""
    answer = await cluster.admin.delete_topics([name])
    ((_, code),) = answer.topic_error_codes
    if code == _MISSING:
        raise no_topic(name, await cluster.topics())
    if code:
        raise InspectionError(
            Refusal.INVALID,
            f"kafka topic {name!r} must be one that can be deleted; got {for_code(code).__name__}",
        )
    return {}
