"""Tiny processors and helpers for tests of flow definitions."""

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from flowengine.definition import LoadedFlow, Options, Sources, check_flow
from flowengine.findings import Finding
from flowengine.processor import (
    ControllerService,
    InputRequirement,
    Processor,
    ProcessorProperties,
    Relationship,
    Service,
)
from flowengine.units import DataSize, Duration, Rate, Secret, parse_duration, parse_size


class Mode(StrEnum):
    FAST = "fast"
    SLOW = "slow"


class Source(Processor):
    """Makes FlowFiles."""

    input = InputRequirement.FORBIDDEN

    class Properties(ProcessorProperties):
        count: int = Field(1, ge=0)
        path: str = ""
        attributes: dict[str, str] = {}

    success = Relationship("What was made.")
    failure = Relationship("What could not be made.", failure=True)

    async def on_trigger(self, context, session):
        pass


class Step(Processor):
    """Hands on."""

    class Properties(ProcessorProperties):
        mode: Mode = Mode.FAST
        rate: Rate | None = None
        size: DataSize = parse_size("1 MB")
        duration: Duration = parse_duration("1 sec")
        values: dict[str, str] = {}
        items: list[int] = []

    success = Relationship("Done.")
    failure = Relationship("Not done.", failure=True)


class Route(Processor):
    """Has a relationship per route."""

    class Properties(ProcessorProperties):
        routes: dict[str, str]

    unmatched = Relationship("The rest.")

    @classmethod
    def relationships_for(cls, properties: Any) -> Mapping[str, Relationship]:
        own = {name: Relationship(name=name) for name in properties.routes}
        return {**cls.relationships, **own}


class Serial(Processor):
    """Keeps order."""

    serial = True
    success = Relationship("Done.")


class Sink(Processor):
    """Ends a flow, with a service and a secret."""

    class Properties(ProcessorProperties):
        connection: Annotated[str, Service("Cluster")] | None = None
        password: Secret | None = None
        secrets: dict[str, Secret] = {}
        target: str = "out"

    success = Relationship("Written.")

    async def on_trigger(self, context, session):
        pass


class Cluster(ControllerService):
    """Where to connect to."""

    class Properties(ProcessorProperties):
        address: str
        password: Secret | None = None


class Other(ControllerService):
    """Another kind of service."""


CLASSES = {cls.__name__: cls for cls in (Source, Step, Route, Serial, Sink, Cluster, Other)}

GOOD: dict[str, Any] = {
    "format": 1,
    "name": "good",
    "parameters": {"rate": {"value": 5}, "secret": {"sensitive": True, "env": "SECRET"}},
    "services": {"cluster": {"type": "Cluster", "properties": {"address": "local"}}},
    "processors": {
        "read": {"type": "Source", "properties": {"count": 3}, "retry": {"failure": {}}},
        "step": {
            "type": "Step",
            "properties": {"mode": "slow", "rate": "#{rate}", "size": "2 MB", "items": [1, 2]},
            "auto_terminate": ["failure"],
            "scheduling": {"every": "5 sec"},
            "penalty": "10 sec",
        },
        "route": {
            "type": "Route",
            "properties": {"routes": {"left": "a", "right": "b"}},
            "auto_terminate": ["unmatched"],
        },
        "write": {
            "type": "Sink",
            "properties": {"connection": "cluster", "password": "#{secret}"},
            "auto_terminate": ["success"],
        },
    },
    "funnels": {"all": {}},
    "groups": {
        "box": {
            "inputs": {"in": {}},
            "outputs": {"out": {}},
            "processors": {"inner": {"type": "Step", "auto_terminate": ["failure"]}},
            "connections": [
                {"from": "in", "to": "inner"},
                {"from": "inner", "relationships": ["success"], "to": "out"},
            ],
        }
    },
    "connections": [
        {
            "from": "read",
            "relationships": ["success"],
            "to": "step",
            "back_pressure": {"objects": 100, "bytes": "1 MB"},
            "expiration": "1 h",
            "prioritizers": ["newest first"],
        },
        {"from": "step", "relationships": ["success"], "to": "route"},
        {"from": "route", "relationships": ["left"], "to": "all"},
        {"from": "route", "relationships": ["right"], "to": "box/in"},
        {"from": "box/out", "to": "all"},
        {"from": "all", "to": "write"},
    ],
    "labels": {"note": {"text": "Hello"}},
    "layout": {"read": [0, 0], "box/inner": [10, 20.5]},
}

SOURCES = Sources(environment={"SECRET": "hunter2"})


def check_text(
    folder: Path, text: str | bytes, **options: Any
) -> tuple[LoadedFlow | None, list[Finding]]:
    """Write a flow to ``flow.json`` and check it; messages name the file so."""
    path = folder / "flow.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    flow, findings = check_flow(path, Options(classes=CLASSES, sources=SOURCES, **options))
    return flow, list(findings)


def messages(folder: Path, value: Any, **options: Any) -> list[str]:
    """The findings of a flow given as data, without their places."""
    text = value if isinstance(value, str) else json.dumps(value)
    _, findings = check_text(folder, text, **options)
    return [finding.text for finding in findings]


def flow_of(processors: dict[str, Any], *connections: Any, **keys: Any) -> dict[str, Any]:
    """A flow; a connection is ``(from, relationship, to)`` or an entry as in the file."""
    entries = [
        entry
        if isinstance(entry, dict)
        else {"from": entry[0], "relationships": [entry[1]], "to": entry[2]}
        for entry in connections
    ]
    return {"format": 1, "name": "f", "processors": processors, "connections": entries, **keys}


def source(**keys: Any) -> dict[str, Any]:
    return {"type": "Source", "auto_terminate": ["failure"], **keys}


def step(**keys: Any) -> dict[str, Any]:
    return {"type": "Step", "auto_terminate": ["failure"], **keys}


def sink(**keys: Any) -> dict[str, Any]:
    return {"type": "Sink", "auto_terminate": ["success"], **keys}
