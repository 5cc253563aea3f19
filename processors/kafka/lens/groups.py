"""Consumer groups as the lens shows them: members, positions, lag; going back or forward."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import for_code
from aiokafka.protocol.admin import DeleteGroupsRequest
from aiokafka.protocol.commit import OffsetCommitRequest

from flowengine.inspection import InspectionError, Refusal
from processors.kafka.admin import PASSING
from processors.kafka.lens.client import Cluster, Fields, Place, raise_for
from processors.kafka.lens.protocol import DescribeGroups

NO_GENERATION = -1  # of a commit by somebody who is no member
DEAD = "Dead"
UNKNOWN = "Unknown"  # of a group whose coordinator has just ended
CONSUMER = "consumer"  # protocol of groups whose assignments we can read
_UNKNOWN_MEMBER, _NOT_EMPTY, _MISSING = 25, 68, 69


async def list_groups(cluster: Cluster) -> Fields:
    """All groups with members, topics and lag."""
    names = await cluster.groups()
    topics = await cluster.topics()
    found = await asyncio.gather(*[_both(cluster, name) for name in names])
    wanted = {place for one in found for place in _places(*one)}
    bounds = await cluster.bounds(_only(topics, wanted))
    return {"groups": [_brief(fields, committed, bounds) for fields, committed in found]}


async def _both(cluster: Cluster, name: str) -> tuple[Fields, dict[Place, int]]:
    """A group whose coordinator has just ended is shown without what only that knows."""
    try:
        fields, _ = await described(cluster, name)
        return fields, await _committed(cluster, name)
    except PASSING:
        return {"group": name, "state": UNKNOWN, "protocol_type": "", "members": []}, {}


def _places(fields: Fields, committed: Mapping[Place, int]) -> set[Place]:
    """Partitions that a group reads, or has a position on."""
    read = [each for member in members_of(fields) for each in member["partitions"]]
    return {(each["topic"], each["partition"]) for each in read} | committed.keys()


def _brief(
    fields: Fields, committed: Mapping[Place, int], bounds: Mapping[Place, tuple[int, int]]
) -> Fields:
    places = _places(fields, committed)
    lags = [_lag(committed.get(place), bounds.get(place)) or 0 for place in places]
    return {
        "id": fields["group"],
        "state": fields["state"],
        "protocol": fields["protocol_type"],
        "members": len(fields["members"]),
        "topics": sorted({topic for topic, _ in places}),
        "lag": sum(lags) if fields["state"] != UNKNOWN else None,
    }


async def described(cluster: Cluster, name: str) -> tuple[Fields, int]:
    """What a group's coordinator says of it, and who that is."""

    async def ask(node: int) -> tuple[Fields, int]:
        answer = await cluster.send(node, DescribeGroups([name]))
        (fields,) = answer["groups"]
        raise_for(fields["error_code"], f"group {name!r}")
        return fields, node

    return await cluster.at_coordinator(name, ask)


async def _committed(cluster: Cluster, name: str) -> dict[Place, int]:
    async def ask(node: int) -> dict[Place, int]:
        found = await cluster.admin.list_consumer_group_offsets(name, node)
        return {(each.topic, each.partition): at.offset for each, at in found.items()}

    return await cluster.at_coordinator(name, ask)


async def committed_on(cluster: Cluster, topic: str) -> list[str]:
    """Groups that have a committed position on a topic."""
    names = await cluster.groups()
    found = await asyncio.gather(*[_both(cluster, name) for name in names])
    return [
        fields["group"]
        for fields, committed in found
        if any(place[0] == topic for place in committed)
    ]


async def describe_group(cluster: Cluster, name: str) -> Fields:
    """Members with their partitions, and committed position and lag per partition."""
    fields, coordinator = await described(cluster, name)
    committed = await _committed(cluster, name)
    if fields["state"] == DEAD and not committed:
        raise await _no_group(cluster, name)
    members = members_of(fields)
    readers = {
        (each["topic"], each["partition"]): member["id"]
        for member in members
        for each in member["partitions"]
    }
    places = sorted(readers.keys() | committed.keys())
    bounds = await cluster.bounds(_only(await cluster.topics(), places))
    return {
        "id": name,
        "state": fields["state"],
        "coordinator": coordinator,
        "protocol": fields["protocol_type"],
        "assignor": fields["protocol"],
        "members": members,
        "offsets": [
            _offset(place, committed.get(place), bounds.get(place), readers.get(place))
            for place in places
        ],
    }


def members_of(fields: Fields) -> list[Fields]:
    """Members of a described group with what each reads."""
    consumers = fields["protocol_type"] == CONSUMER
    found = [_member(each, consumer=consumers) for each in fields["members"]]
    return sorted(found, key=lambda each: (str(each["client_id"]), str(each["id"])))


def _member(fields: Fields, *, consumer: bool) -> Fields:
    partitions: list[Fields] = []
    raw = fields["member_assignment"]  # empty while the group rebalances
    if raw and consumer:
        assignment = ConsumerProtocolMemberAssignment.decode(raw).assignment
        places = sorted((topic, number) for topic, numbers in assignment for number in numbers)
        partitions = [{"topic": topic, "partition": number} for topic, number in places]
    return {
        "id": fields["member_id"],
        "client_id": fields["client_id"],
        "host": fields["client_host"].lstrip("/"),
        "instance_id": fields["instance_id"],
        "idle": not partitions,
        "partitions": partitions,
    }


def _offset(
    place: Place, committed: int | None, bounds: tuple[int, int] | None, member: str | None
) -> Fields:
    first, end = bounds or (None, None)
    return {
        "topic": place[0],
        "partition": place[1],
        "committed": committed,
        "first": first,
        "end": end,
        "lag": _lag(committed, bounds),
        "member": member,
    }


def _lag(committed: int | None, bounds: tuple[int, int] | None) -> int | None:
    """Records still to read; of a group that has committed nothing: all there are."""
    if bounds is None:
        return None
    first, end = bounds
    return max(0, end - max(first if committed is None else committed, first))


def _only(topics: Mapping[str, Fields], places: Iterable[Place]) -> list[Fields]:
    """Metadata of these partitions, as far as they still exist."""
    wanted: dict[str, set[int]] = {}
    for topic, number in places:
        wanted.setdefault(topic, set()).add(number)
    return [
        {**topics[name], "partitions": [p for p in topics[name]["partitions"] if _in(p, numbers)]}
        for name, numbers in wanted.items()
        if name in topics
    ]


def _in(partition: Fields, numbers: set[int]) -> bool:
    return partition["partition"] in numbers


async def _no_group(cluster: Cluster, name: str) -> InspectionError:
    names = (await cluster.groups())[:20]
    return InspectionError(
        Refusal.UNKNOWN, f"kafka group {name!r} must exist; got only {', '.join(names) or 'none'}"
    )


# -- going elsewhere -----------------------------------------------------------------------------


async def reset_group(cluster: Cluster, group: str, topic: str, to: Any) -> Fields:
    """Move a group's committed positions on a topic. Refused while it has live members.

    to: earliest, latest, µs since the epoch, or partition → offset
    """
    fields = await cluster.topic(topic)
    described_, _ = await described(cluster, group)
    if described_["members"]:
        raise _live(group, [each["client_id"] for each in described_["members"]])
    before = await _committed(cluster, group)
    after = await _targets(cluster, fields, to)
    await _commit(cluster, group, topic, after)
    return {
        "offsets": [
            {"partition": number, "before": before.get((topic, number)), "after": offset}
            for number, offset in sorted(after.items())
        ]
    }


async def _targets(cluster: Cluster, fields: Fields, to: Any) -> dict[int, int]:
    bounds = await cluster.bounds([fields])
    if to == "earliest":
        return {number: first for (_, number), (first, _) in bounds.items()}
    if to == "latest":
        return {number: end for (_, number), (_, end) in bounds.items()}
    if isinstance(to, int):
        found = await cluster.offsets([fields], -(-to // 1000))
        return {number: found.get((t, number), end) for (t, number), (_, end) in bounds.items()}
    chosen = {int(number): int(offset) for number, offset in to.items()}
    for number, offset in chosen.items():
        _check_target(fields["topic"], number, offset, bounds)
    return chosen


def _check_target(
    topic: str, number: int, offset: int, bounds: Mapping[Place, tuple[int, int]]
) -> None:
    if (topic, number) not in bounds:
        numbers = ", ".join(str(each) for _, each in sorted(bounds))
        rule = f"partition of kafka topic {topic!r} must be one of {numbers}; got {number}"
        raise InspectionError(Refusal.INVALID, rule)
    first, end = bounds[topic, number]
    if not first <= offset <= end:
        rule = f"offset in partition {number} must be {first} to {end}; got {offset}"
        raise InspectionError(Refusal.INVALID, rule)


async def _commit(cluster: Cluster, group: str, topic: str, offsets: Mapping[int, int]) -> None:
    entries = [(number, offset, "") for number, offset in offsets.items()]

    async def ask(node: int) -> list[int]:
        request = OffsetCommitRequest(group, NO_GENERATION, "", -1, [(topic, entries)])
        answer = await cluster.send(node, request)
        return [each["error_code"] for found in answer["topics"] for each in found["partitions"]]

    for code in await cluster.at_coordinator(group, ask):
        if code == _UNKNOWN_MEMBER:
            raise _live(group, ["one that has just joined"])
        raise_for(code, f"group {group!r} must take new offsets")


def _live(group: str, members: Iterable[str]) -> InspectionError:
    return InspectionError(
        Refusal.CONFLICT,
        f"kafka group {group!r} must have no live member for this; got "
        f"{', '.join(sorted(members))}. Stop them first",
    )


async def delete_group(cluster: Cluster, group: str) -> Fields:
    """Forget a group with its positions. Refused while it has live members."""

    async def ask(node: int) -> int:
        answer = await cluster.send(node, DeleteGroupsRequest([group]))
        code: int = answer["results"][0]["error_code"]
        if code not in (0, _NOT_EMPTY, _MISSING):
            raise for_code(code)(f"group {group!r}")
        return code

    code = await cluster.at_coordinator(group, ask)
    if code == _MISSING:
        raise await _no_group(cluster, group)
    if code == _NOT_EMPTY:
        raise _live(group, ["some"])
    return {}
