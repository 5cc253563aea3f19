"""What a new definition does to the queues and states of the old one (E18).

A runner stores the :func:`snapshot` of the flow it runs beside its queues. When it starts with
another definition, :func:`compare` lists what the old queues and states would lose, so that
somebody chooses: drain them, or drop them with a count.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flowengine.definition.flat import FlatProcessor, LoadedFlow
from flowengine.errors import DefinitionError

_VERSION = 1


class Keeps(StrEnum):
    """What the state of a processor holds that nothing else can tell."""

    NOTHING = ""
    POSITION = "position"
    WINDOWS = "windows"


class ChangeKind(StrEnum):
    """What happened to a component between two definitions."""

    CONNECTION_REMOVED = "connection removed"
    CONNECTION_MOVED = "connection moved"
    PROCESSOR_REMOVED = "processor removed"
    PROCESSOR_RENAMED = "processor renamed"
    TYPE_CHANGED = "type changed"
    PROPERTIES_CHANGED = "properties changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference that touches a queue or a state.

    component: id in the old definition
    successor: id in the new definition; empty when there is none
    names:     the properties that changed
    """

    kind: ChangeKind
    component: str
    successor: str = ""
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        detail = f" → {self.successor!r}" if self.successor not in ("", self.component) else ""
        names = f" ({', '.join(self.names)})" if self.names else ""
        return f"{self.kind}: {self.component!r}{detail}{names}"


def snapshot(flow: LoadedFlow) -> str:
    """What :func:`compare` must know of a flow, as JSON text without secrets."""
    processors = {
        processor.id: {
            "type": processor.type,
            "properties": dict(processor.values),
            "keeps": _keeps(processor),
        }
        for processor in flow.processors.values()
    }
    connections = {c.id: [c.source, c.destination] for c in flow.connections}
    return json.dumps(
        {
            "snapshot": _VERSION,
            "revision": flow.revision,
            "processors": processors,
            "connections": connections,
        },
        ensure_ascii=False,
        sort_keys=True,
        default=str,  # a secret is written as it shows itself: ******
    )


def _keeps(processor: FlatProcessor) -> Keeps:
    if processor.cls.event_time or processor.cls.after_cut:
        return Keeps.WINDOWS
    return Keeps.POSITION if processor.cls.is_source() else Keeps.NOTHING


def keeps_of(old: str, processor: str) -> Keeps:
    """What the state of a processor of a snapshot's flow held."""
    entry = _parse(old)["processors"].get(processor, {})
    return Keeps(entry.get("keeps", ""))


def compare(old: str, new: LoadedFlow) -> list[Change]:
    """The changes from the flow of a snapshot to another; empty when nothing can be lost.

    Raises DefinitionError when ``old`` is no snapshot of this program.
    """
    before, after = _parse(old), json.loads(snapshot(new))
    renamed = _renamed(before["processors"], after["processors"])
    return [
        *_connection_changes(before["connections"], after["connections"]),
        *_processor_changes(before["processors"], after["processors"], renamed),
    ]


def _parse(old: str) -> Any:
    try:
        value = json.loads(old)
    except ValueError as error:
        raise DefinitionError(f"snapshot of a flow must be JSON; got {error}") from error
    if not isinstance(value, dict) or value.get("snapshot") != _VERSION:
        raise DefinitionError(f"snapshot of a flow must be of version {_VERSION}; got another")
    return value


def _connection_changes(
    before: Mapping[str, list[str]], after: Mapping[str, list[str]]
) -> Iterator[Change]:
    for identity, ends in before.items():
        if identity not in after:
            yield Change(ChangeKind.CONNECTION_REMOVED, identity)
        elif after[identity] != ends:
            yield Change(ChangeKind.CONNECTION_MOVED, identity, identity)


def _processor_changes(
    before: Mapping[str, Any], after: Mapping[str, Any], renamed: Mapping[str, str]
) -> Iterator[Change]:
    for identity, old in before.items():
        new = after.get(identity)
        if identity in renamed:
            yield Change(ChangeKind.PROCESSOR_RENAMED, identity, renamed[identity])
        elif new is None:
            yield Change(ChangeKind.PROCESSOR_REMOVED, identity)
        elif new["type"] != old["type"]:
            yield Change(ChangeKind.TYPE_CHANGED, identity, identity)
        elif names := _different(old["properties"], new["properties"]):
            yield Change(ChangeKind.PROPERTIES_CHANGED, identity, identity, names)


def _different(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    names = sorted({*old, *new})
    return tuple(
        name for name in names if (name in old, old.get(name)) != (name in new, new.get(name))
    )


def _renamed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    """Processors that are gone → the only new one of the same type and properties."""
    gone = [identity for identity in before if identity not in after]
    came = [identity for identity in after if identity not in before]
    found = {}
    for identity in gone:
        same = [other for other in came if after[other] == before[identity]]
        rivals = [other for other in gone if before[other] == before[identity]]
        if len(same) == 1 and len(rivals) == 1:
            found[identity] = same[0]
    return found
