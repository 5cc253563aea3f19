"""The flow definition, format 1: read, check, write, build."""

from flowengine.definition.builder import Flow, new_flow, save_text
from flowengine.definition.canonical import canonical, revision
from flowengine.definition.deploy import Change, ChangeKind, compare, snapshot
from flowengine.definition.flat import (
    Backoff,
    BulletinLevel,
    FlatConnection,
    FlatProcessor,
    FlatService,
    LoadedFlow,
    RetryPolicy,
    Scheduling,
    Strategy,
)
from flowengine.definition.load import (
    Options,
    check_flow,
    load_definition,
    load_flow,
    load_text,
)
from flowengine.definition.model import FlowDefinition
from flowengine.definition.parameters import Sources
from flowengine.definition.schema import json_schema, properties_schema
from flowengine.findings import Finding, FlowInvalid, Severity

__all__ = [
    "Backoff",
    "BulletinLevel",
    "Change",
    "ChangeKind",
    "Finding",
    "FlatConnection",
    "FlatProcessor",
    "FlatService",
    "Flow",
    "FlowDefinition",
    "FlowInvalid",
    "LoadedFlow",
    "Options",
    "RetryPolicy",
    "Scheduling",
    "Severity",
    "Sources",
    "Strategy",
    "canonical",
    "check_flow",
    "compare",
    "json_schema",
    "load_definition",
    "load_flow",
    "load_text",
    "new_flow",
    "properties_schema",
    "revision",
    "save_text",
    "snapshot",
]
