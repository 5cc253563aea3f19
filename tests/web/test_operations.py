"""Draft operations: what they do, their inverses, what is refused."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web.editing import random_operation
from tests.web.serving import pipeline
from web.documents import copied
from web.drafts import text_of
from web.operations import OperationRefused, apply


def grouped() -> dict[str, Any]:
    """in → inner/(in → work → out) → put, with a parameter and a service."""
    return {
        "format": 1,
        "name": "grouped",
        "parameters": {"where": {"value": "out"}},
        "services": {"kafka": {"type": "KafkaConnection"}},
        "processors": {
            "make": {"type": "GenerateRecords"},
            "put": {"type": "PutFile", "properties": {"directory": "#{where}/a ##{where}"}},
        },
        "groups": {
            "inner": {
                "inputs": {"in": {}},
                "outputs": {"out": {}},
                "processors": {"work": {"type": "UpdateAttribute"}},
                "connections": [{"from": "in", "to": "work"}, {"from": "work", "to": "out"}],
            }
        },
        "connections": [
            {"from": "make", "relationships": ["success"], "to": "inner/in"},
            {"from": "inner/out", "to": "put"},
        ],
        "layout": {"make": [0, 0], "inner": [1, 1], "inner/work": [2, 2], "put": [3, 3]},
    }


def test_a_removed_component_takes_its_connections_and_position_along():
    after, _ = apply(pipeline(), [{"op": "remove", "kind": "processors", "id": "mark"}])
    assert "mark" not in after["processors"]
    assert "connections" not in after
    assert after["layout"] == {"make": [0, 0], "put": [720, 0]}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "kind": "processors", "id": "make"},
        {"op": "remove", "kind": "groups", "id": "inner"},
        {"op": "remove", "kind": "inputs", "id": "inner/in"},
        {"op": "remove", "kind": "processors", "id": "inner/work"},
        {"op": "remove", "kind": "connections", "id": "inner/out-put"},
        {"op": "remove", "kind": "services", "id": "kafka"},
        {"op": "rename", "kind": "groups", "id": "inner", "to": "other"},
        {"op": "rename", "kind": "outputs", "id": "inner/out", "to": "inner/done"},
        {"op": "rename", "kind": "parameters", "id": "where", "to": "folder"},
        {"op": "move", "positions": {"put": [9, 9], "inner/work": None}},
        {"op": "set", "kind": "flow", "id": "", "path": ["description"], "value": "new"},
        {
            "op": "set",
            "kind": "processors",
            "id": "put",
            "path": ["retry", "failure", "count"],
            "value": 3,
        },
        {"op": "set", "kind": "processors", "id": "put", "path": ["properties"], "value": None},
        {"op": "set", "kind": "connections", "id": "inner/out-put", "path": ["to"], "value": "x"},
        {
            "op": "add",
            "kind": "processors",
            "id": "inner/more",
            "value": {"type": "LogAttribute"},
            "position": [5, 5],
        },
    ],
)
def test_every_operation_is_taken_back_by_its_inverse(operation):
    before = grouped()
    after, inverses = apply(before, [operation])
    assert after != before
    again, redo = apply(after, inverses)
    assert (again, text_of(again)) == (before, text_of(before))
    assert apply(again, redo)[0] == after


def test_a_renamed_group_takes_its_ends_and_positions_along():
    rename = {"op": "rename", "kind": "groups", "id": "inner", "to": "other"}
    after, _ = apply(grouped(), [rename])
    assert [(c["from"], c["to"]) for c in after["connections"]] == [
        ("make", "other/in"),
        ("other/out", "put"),
    ]
    assert after["layout"] == {"make": [0, 0], "other": [1, 1], "other/work": [2, 2], "put": [3, 3]}


def test_a_renamed_parameter_is_renamed_where_it_is_used_but_not_in_literal_text():
    rename = {"op": "rename", "kind": "parameters", "id": "where", "to": "folder"}
    after, _ = apply(grouped(), [rename])
    assert after["processors"]["put"]["properties"]["directory"] == "#{folder}/a ##{where}"


def test_a_second_connection_between_two_gets_the_id_that_was_asked_for():
    value = {"from": "make", "relationships": ["success"], "to": "mark"}
    add = {"op": "add", "kind": "connections", "id": "again", "value": value}
    after, _ = apply(pipeline(), [add])
    assert after["connections"][2] == {"id": "again", **value}


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (
            {"op": "add", "kind": "processors", "id": "make", "value": {"type": "PutFile"}},
            "processors 'make' must be a new id; got one that is used",
        ),
        (
            {"op": "add", "kind": "funnels", "id": "make", "value": {}},
            "funnels 'make' must be a new id; got one of processors",
        ),
        (
            {"op": "add", "kind": "processors", "id": "Not A Slug", "value": {}},
            "processors 'Not A Slug' must be a slug: 1 to 64 of a-z, 0-9, '-' and '_', with a "
            "letter or digit at both ends; got 'Not A Slug'",
        ),
        (
            {"op": "add", "kind": "processors", "id": "nowhere/x", "value": {}},
            "processors 'nowhere/x' must stand in a group of this flow; got 'nowhere'",
        ),
        (
            {
                "op": "add",
                "kind": "connections",
                "id": "make-gone",
                "value": {"from": "make", "to": "gone"},
            },
            "connection 'make-gone': 'to' must name a component of its group; got 'gone'",
        ),
        (
            {"op": "add", "kind": "connections", "id": "x", "value": {}},
            "connection 'x' must have 'from' and 'to'; got neither",
        ),
        (
            {"op": "set", "kind": "processors", "id": "gone", "path": ["name"], "value": "x"},
            "processors 'gone' must be in the draft; got an unknown id",
        ),
        (
            {"op": "set", "kind": "flow", "id": "", "path": ["processors"], "value": {}},
            "flow property must be one of its own, such as 'description'; got 'processors'",
        ),
        (
            {
                "op": "set",
                "kind": "processors",
                "id": "make",
                "path": ["type", "x"],
                "value": 1,
            },
            "path of 'make' must lead through objects; got 'type', which is none",
        ),
        (
            {"op": "move", "positions": {"gone": [0, 0]}},
            "component 'gone' must be in the draft to move; got an unknown id",
        ),
        (
            {"op": "rename", "kind": "processors", "id": "make", "to": "put"},
            "processors 'make' must get a new id; got 'put', which is used",
        ),
        (
            {"op": "rename", "kind": "processors", "id": "make", "to": "inner/make"},
            "processors 'make' must stay in its group; got 'inner/make'",
        ),
        (
            {
                "op": "add",
                "kind": "parameters",
                "id": "password",
                "value": {"sensitive": True, "value": "hunter2"},
            },
            "parameter 'password' must not hold a value when it is sensitive; name an 'env', a "
            "'file' or a 'store' instead",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(operation, message):
    document = pipeline()
    before = copied(document)
    with pytest.raises(OperationRefused) as refused:
        apply(document, [operation])
    assert str(refused.value) == message
    assert refused.value.pointer == "/operations/0"
    assert document == before


@settings(max_examples=25)
@given(st.integers(0, 2**32))
def test_any_sequence_of_operations_is_taken_back_by_its_inverses(seed):
    chance = random.Random(seed)
    document = grouped()
    done: list[Any] = []
    for _ in range(12):
        after, back = apply(document, [random_operation(document, chance)])
        done.append((document, back))
        document = after
    for before, back in reversed(done):
        document, _ = apply(document, back)
        assert text_of(document) == text_of(before)
