"""Requests that aiokafka lacks: sizes of partitions, static members, the controller."""

# mypy: disallow-subclassing-any=False
# ruff: noqa: D101 - what is sent and what comes back are described at the request

from __future__ import annotations

from typing import ClassVar

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Array,
    Boolean,
    Bytes,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    String,
    TaggedFields,
)

_TEXT = String("utf-8")


class DescribeGroupsResponse(Response):
    """Version 4: with the instance id of each member (KIP-345)."""

    API_KEY = 15
    API_VERSION = 4
    SCHEMA: ClassVar[Schema] = Schema(
        ("throttle_time_ms", Int32),
        (
            "groups",
            Array(
                ("error_code", Int16),
                ("group", _TEXT),
                ("state", _TEXT),
                ("protocol_type", _TEXT),
                ("protocol", _TEXT),
                (
                    "members",
                    Array(
                        ("member_id", _TEXT),
                        ("instance_id", _TEXT),
                        ("client_id", _TEXT),
                        ("client_host", _TEXT),
                        ("member_metadata", Bytes),
                        ("member_assignment", Bytes),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
    )


class DescribeGroupsStruct(RequestStruct):
    API_KEY = 15
    API_VERSION = 4
    RESPONSE_TYPE = DescribeGroupsResponse
    SCHEMA: ClassVar[Schema] = Schema(
        ("groups", Array(_TEXT)), ("include_authorized_operations", Boolean)
    )


class DescribeGroups(Request[DescribeGroupsStruct]):
    """Members of groups; to be sent to their coordinator."""

    API_KEY = 15

    def __init__(self, groups: list[str]) -> None:
        self._groups = groups

    def build(self, request_struct_class: type[DescribeGroupsStruct]) -> DescribeGroupsStruct:
        return request_struct_class(self._groups, False)


class DescribeLogDirsResponse(Response):
    API_KEY = 35
    API_VERSION = 1
    SCHEMA: ClassVar[Schema] = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            Array(
                ("error_code", Int16),
                ("log_dir", _TEXT),
                (
                    "topics",
                    Array(
                        ("name", _TEXT),
                        (
                            "partitions",
                            Array(
                                ("partition", Int32),
                                ("size", Int64),
                                ("offset_lag", Int64),
                                ("is_future", Boolean),
                            ),
                        ),
                    ),
                ),
            ),
        ),
    )


class DescribeLogDirsStruct(RequestStruct):
    API_KEY = 35
    API_VERSION = 1
    RESPONSE_TYPE = DescribeLogDirsResponse
    SCHEMA: ClassVar[Schema] = Schema(("topics", Array(("topic", _TEXT), ("parts", Array(Int32)))))


class DescribeLogDirs(Request[DescribeLogDirsStruct]):
    """Sizes on one broker of all its partitions."""

    API_KEY = 35

    def build(self, request_struct_class: type[DescribeLogDirsStruct]) -> DescribeLogDirsStruct:
        return request_struct_class(None)


_COMPACT = CompactString("utf-8")
_REPLICAS = CompactArray(("replica_id", Int32), ("log_end_offset", Int64), ("tags", TaggedFields))


class DescribeQuorumResponse(Response):
    API_KEY = 55
    API_VERSION = 0
    SCHEMA: ClassVar[Schema] = Schema(
        ("error_code", Int16),
        (
            "topics",
            CompactArray(
                ("topic", _COMPACT),
                (
                    "partitions",
                    CompactArray(
                        ("partition", Int32),
                        ("error_code", Int16),
                        ("leader_id", Int32),
                        ("leader_epoch", Int32),
                        ("high_watermark", Int64),
                        ("current_voters", _REPLICAS),
                        ("observers", _REPLICAS),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class DescribeQuorumStruct(RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = 55
    API_VERSION = 0
    RESPONSE_TYPE = DescribeQuorumResponse
    SCHEMA: ClassVar[Schema] = Schema(
        (
            "topics",
            CompactArray(
                ("topic", _COMPACT),
                ("partitions", CompactArray(("partition", Int32), ("tags", TaggedFields))),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class DescribeQuorum(Request[DescribeQuorumStruct]):
    """Who is the controller: what metadata says of it is any broker (KIP-595)."""

    API_KEY = 55

    def build(self, request_struct_class: type[DescribeQuorumStruct]) -> DescribeQuorumStruct:
        return request_struct_class([("__cluster_metadata", [(0, {})], {})], {})
