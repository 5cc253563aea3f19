"""Several people on one draft: what merges, what asks."""

from __future__ import annotations

import pytest

from tests.web.serving import pipeline
from web.merging import merge
from web.operations import apply


def rename(id, to):
    return {"op": "rename", "kind": "processors", "id": id, "to": to}


def remove(id, **more):
    return {"op": "remove", "kind": "processors", "id": id, **more}


def name(id, value, before=None, **more):
    return {
        "op": "set",
        "kind": "processors",
        "id": id,
        "path": ["name"],
        "value": value,
        "before": before,
        **more,
    }


def connect(one, other):
    value = {"from": one, "relationships": ["success"], "to": other}
    return {"op": "add", "kind": "connections", "id": f"{one}-{other}", "value": value}


def merged(mine, theirs):
    document, _ = apply(pipeline(), theirs)
    return merge(document, mine, theirs)


def test_changes_of_different_properties_merge():
    outcome = merged([name("make", "mine")], [name("put", "theirs")])
    assert outcome.conflicts == []
    names = [outcome.document["processors"][id].get("name") for id in ("make", "put")]
    assert names == ["mine", "theirs"]


def test_the_same_property_asks_mine_or_theirs_and_changes_nothing():
    mine = name("make", "mine")
    outcome = merged([mine, name("put", "x")], [name("make", "theirs")])
    assert outcome.conflicts == [{"op": mine, "theirs": "theirs", "mine": "mine"}]
    assert outcome.document["processors"]["make"]["name"] == "theirs"
    assert "name" not in outcome.document["processors"]["put"]
    assert outcome.applied == []


def test_the_same_change_of_both_is_no_conflict():
    assert merged([name("make", "same")], [name("make", "same")]).conflicts == []


def test_my_operation_follows_a_component_that_others_have_renamed():
    outcome = merged([name("make", "mine"), connect("make", "put")], [rename("make", "source")])
    assert outcome.conflicts == []
    assert outcome.document["processors"]["source"]["name"] == "mine"
    assert outcome.document["connections"][2]["from"] == "source"
    assert [one["id"] for one in outcome.applied] == ["source", "source-put"]


@pytest.mark.parametrize(
    ("mine", "theirs", "shown"),
    [
        ([name("make", "mine")], [remove("make")], None),
        ([remove("put")], [connect("make", "put")], ["make-put"]),
        ([connect("make", "put")], [remove("put")], None),
        ([rename("make", "one")], [rename("put", "one")], None),
    ],
)
def test_what_needs_or_destroys_the_work_of_others_asks(mine, theirs, shown):
    outcome = merged(mine, theirs)
    assert [conflict["op"] for conflict in outcome.conflicts] == mine
    if shown is not None:
        assert outcome.conflicts[0]["theirs"] == shown


def test_what_both_have_removed_is_gone_once():
    outcome = merged([remove("put")], [remove("put")])
    assert (outcome.conflicts, outcome.inverses) == ([], [])


def test_a_move_of_what_is_gone_is_left_out():
    move = {"op": "move", "positions": {"put": [1, 1], "make": [2, 2]}}
    outcome = merged([move], [remove("put")])
    assert outcome.document["layout"]["make"] == [2, 2]
    assert "put" not in outcome.document["layout"]


def test_undo_is_refused_when_somebody_else_has_changed_the_same_thing_since():
    document, inverses = apply(pipeline(), [name("make", "mine")])
    document, _ = apply(document, [name("make", "theirs", "mine")])
    outcome = merge(document, inverses, [])
    assert [one["theirs"] for one in outcome.conflicts] == ["theirs"]


def test_undo_of_what_others_have_removed_since_is_a_conflict():
    document, inverses = apply(pipeline(), [rename("make", "mine")])
    document, _ = apply(document, [remove("mine")])
    outcome = merge(document, inverses, [])  # mine has heard of it: nobody did anything since
    assert [one["op"] for one in outcome.conflicts] == inverses


def test_after_a_choice_mine_is_taken():
    document, _ = apply(pipeline(), [name("make", "theirs")])
    outcome = merge(document, [name("make", "mine")], [])
    assert outcome.document["processors"]["make"]["name"] == "mine"
