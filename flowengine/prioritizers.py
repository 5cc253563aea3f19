"""The order in which a connection with prioritizers hands out FlowFiles. Source: NiFi §1.4."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

from flowengine.flowfile import FlowFile

SortKey: TypeAlias = Callable[[FlowFile, int], tuple[object, ...]]

_INTEGER = re.compile(r"-?\d+")


def _first_in_first_out(flowfile: FlowFile, position: int) -> object:
    return position


def _newest(flowfile: FlowFile, position: int) -> object:
    return (-flowfile.lineage_start, -flowfile.id)


def _oldest(flowfile: FlowFile, position: int) -> object:
    return (flowfile.lineage_start, flowfile.id)


def _priority(flowfile: FlowFile, position: int) -> object:
    """Integers before text, integers by value, a missing attribute last."""
    value = flowfile.attributes.get("priority")
    if value is None:
        return (2, 0, "")
    text = value.strip()
    if _INTEGER.fullmatch(text):
        return (0, int(text), "")
    return (1, 0, value)


PRIORITIZERS: dict[str, Callable[[FlowFile, int], object]] = {
    "first in first out": _first_in_first_out,
    "newest first": _newest,
    "oldest first": _oldest,
    "priority attribute": _priority,
}


def sort_key(names: Sequence[str]) -> SortKey | None:
    """One key for several prioritizers in order; None when there are none."""
    if not names:
        return None
    keys = [PRIORITIZERS[name] for name in names]
    return lambda flowfile, position: tuple(key(flowfile, position) for key in keys)
