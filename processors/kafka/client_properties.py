"""The aiokafka client properties that a KafkaConnection may set, and which client takes which.

Written out so that a flow is checked without importing aiokafka; a test compares the names with
aiokafka's own. What a processor decides itself (acks, group, serializers, …) is not among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final, Literal, TypeAlias

ClientKind: TypeAlias = Literal["admin", "consumer", "producer"]
ClientValue: TypeAlias = bool | int | float | str

_COMMON: Final = frozenset(
    {
        "client_id",
        "connections_max_idle_ms",
        "metadata_max_age_ms",
        "request_timeout_ms",
        "retry_backoff_ms",
        "sasl_kerberos_domain_name",
        "sasl_kerberos_service_name",
    }
)
BY_KIND: Final[Mapping[ClientKind, frozenset[str]]] = {
    "admin": _COMMON,
    "consumer": _COMMON
    | {
        "check_crcs",
        "client_rack",
        "consumer_timeout_ms",
        "exclude_internal_topics",
        "fetch_max_bytes",
        "fetch_max_wait_ms",
        "fetch_min_bytes",
        "isolation_level",
        "max_partition_fetch_bytes",
        "rebalance_timeout_ms",
    },
    "producer": _COMMON | {"linger_ms", "max_batch_size", "transaction_timeout_ms"},
}
KNOWN: Final = frozenset[str]().union(*BY_KIND.values())

# What is set elsewhere, and where: the answer to "why is this property refused?".
ELSEWHERE: Final[Mapping[str, str]] = {
    "acks": "'delivery_guarantee' of PublishKafka",
    "auto_commit_interval_ms": "nothing: offsets are committed once they are safe",
    "auto_offset_reset": "'auto_offset_reset' of ConsumeKafka",
    "bootstrap_servers": "'bootstrap_servers' of this service",
    "compression_type": "'compression' of PublishKafka",
    "enable_auto_commit": "nothing: offsets are committed once they are safe",
    "enable_idempotence": "'delivery_guarantee' of PublishKafka",
    "group_id": "'group_id' of ConsumeKafka",
    "group_instance_id": "'static_member_id' of ConsumeKafka",
    "heartbeat_interval_ms": "'heartbeat_interval' of ConsumeKafka",
    "max_poll_interval_ms": "'max_poll_interval' of ConsumeKafka",
    "max_poll_records": "'max_poll_records' of ConsumeKafka",
    "max_request_size": "'max_request_size' of PublishKafka",
    "sasl_mechanism": "'sasl_mechanism' of this service",
    "sasl_plain_password": "'sasl_password' of this service",
    "sasl_plain_username": "'sasl_username' of this service",
    "security_protocol": "'security_protocol' of this service",
    "session_timeout_ms": "'session_timeout' of ConsumeKafka",
    "transactional_id": "'transactional_id' of PublishKafka",
}


def refusal(name: str) -> str | None:
    """Why a client property is refused; None when it may be set."""
    if name in KNOWN:
        return None
    plain = name.replace(".", "_").replace("-", "_").lower()
    if plain in ELSEWHERE:
        return f"must not be set here; got {name!r}; use {ELSEWHERE[plain]}"
    close = [plain] if plain in KNOWN else get_close_matches(plain, KNOWN, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(sorted(KNOWN))}"
    return f"must be one that aiokafka knows; got {name!r}; {hint}"


def chosen(kind: ClientKind, properties: Mapping[str, ClientValue]) -> dict[str, ClientValue]:
    """Those properties that this kind of client takes."""
    return {name: value for name, value in properties.items() if name in BY_KIND[kind]}
