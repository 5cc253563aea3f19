"""What a new definition does to old queues (E18)."""

import copy
import json

import pytest

from flowengine.definition import FlowDefinition, compare, load_definition, snapshot
from flowengine.errors import DefinitionError
from tests.flowengine.definition.kit import CLASSES, GOOD, SOURCES


def load(change=lambda value: None, parameters=None):
    value = copy.deepcopy(GOOD)
    change(value)
    definition = FlowDefinition.model_validate(value)
    return load_definition(definition, classes=CLASSES, sources=SOURCES, parameters=parameters)


def changes(change, parameters=None):
    return [str(found) for found in compare(snapshot(load()), load(change, parameters))]


def rename(value, old, new):
    value["processors"] = {new if k == old else k: v for k, v in value["processors"].items()}
    for connection in value["connections"]:
        for end in ("from", "to"):
            connection[end] = new if connection[end] == old else connection[end]


def test_the_same_flow_changes_nothing():
    assert changes(lambda value: None) == []


def test_what_looks_different_only_changes_nothing():
    def change(value):
        value["layout"] = {}
        value["processors"]["read"]["name"] = "Reader"

    assert changes(change) == []


def test_a_renamed_processor_is_recognised_and_its_queues_are_removed():
    assert changes(lambda value: rename(value, "step", "stage")) == [
        "connection removed: 'read-step'",
        "connection removed: 'step-route'",
        "processor renamed: 'step' → 'stage'",
    ]


def test_a_removed_processor_is_named():
    def change(value):
        del value["processors"]["step"]
        value["connections"][0]["to"] = "route"
        del value["connections"][1]

    assert changes(change) == [
        "connection removed: 'read-step'",
        "connection removed: 'step-route'",
        "processor removed: 'step'",
    ]


def test_an_id_with_other_ends_has_moved():
    def change(value):
        value["connections"][3]["id"] = "route-all"
        value["connections"][2]["id"] = "other"

    assert changes(change) == [
        "connection moved: 'route-all'",
        "connection removed: 'route-box/in'",
    ]


def test_changed_properties_are_named_parameters_included():
    assert changes(lambda value: None, {"rate": "8"}) == ["properties changed: 'step' (rate)"]


def test_a_changed_type_is_named():
    def change(value):
        value["processors"]["step"] = {
            "type": "Route", "properties": {"routes": {"success": "x"}},
            "auto_terminate": ["unmatched"],
        }  # fmt: skip

    assert changes(change) == ["type changed: 'step'"]


def test_a_snapshot_holds_no_secret():
    assert "hunter2" not in snapshot(load())


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1}', json.dumps({"snapshot": 99})])
def test_what_is_no_snapshot_is_refused(text):
    with pytest.raises(DefinitionError, match="snapshot of a flow must be"):
        compare(text, load())
