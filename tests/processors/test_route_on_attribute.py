"""RouteOnAttribute: strategies, clones, and what no predicate can answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flowengine.testing import ProcessorRunner, check_processor
from processors.route_on_attribute import RouteOnAttribute

ROUTES = {"even": "n | int % 2 == 0", "big": "n | int > 5", "three": "n | int % 3 == 0"}


def routed(numbers: list[int], **properties) -> dict[str, list[int]]:
    """Relationship → numbers that arrive there."""
    with ProcessorRunner(RouteOnAttribute, **{"routes": ROUTES, **properties}) as test:
        for number in numbers:
            test.enqueue(n=str(number))
        test.run()
        assert test.queued == 0
        return {
            name: [int(f.attributes["n"]) for f in test.transferred(name)] for name in test.outputs
        }


def problem(**properties) -> str:
    """The message of the one mistake in the properties."""
    with pytest.raises(ValidationError) as caught:
        RouteOnAttribute.Properties.model_validate(properties)
    [error] = caught.value.errors()
    return error["msg"]


def test_it_keeps_the_contract_of_a_processor():
    check_processor(RouteOnAttribute)


def test_each_match_gets_the_flowfile_in_order():
    assert routed([1, 2, 6, 8, 9]) == {
        "even": [2, 6, 8],
        "big": [6, 8, 9],
        "three": [6, 9],
        "unmatched": [1],
        "failure": [],
    }


def test_the_first_route_gets_the_original_and_the_others_clones():
    with ProcessorRunner(RouteOnAttribute, routes=ROUTES) as test:
        original = test.enqueue(b"content", n="6")
        test.run()
        ids = [test.transferred(name)[0].id for name in ROUTES]
        assert ids[0] == original.id
        assert len(set(ids)) == 3
        assert [test.content(test.transferred(name)[0]) for name in ROUTES] == [b"content"] * 3


def test_each_flowfile_carries_the_name_of_its_route():
    with ProcessorRunner(RouteOnAttribute, routes=ROUTES) as test:
        test.enqueue(n="6")
        test.enqueue(n="1")
        test.run()
        for name in (*ROUTES, "unmatched"):
            [flowfile] = test.transferred(name)
            assert flowfile.attributes["route"] == name
            assert type(flowfile.attributes["route"]) is str


def test_all_must_match():
    assert routed([2, 6, 8, 12], strategy="all must match") == {
        "matched": [6, 12],
        "unmatched": [2, 8],
        "failure": [],
    }


def test_any_may_match():
    assert routed([1, 2, 9], strategy="any may match") == {
        "matched": [2, 9],
        "unmatched": [1],
        "failure": [],
    }


def test_relationships_follow_the_strategy():
    properties = RouteOnAttribute.Properties.model_validate({"routes": ROUTES})
    found = RouteOnAttribute.relationships_for(properties)
    assert list(found) == ["even", "big", "three", "unmatched", "failure"]
    assert found["even"].description == "FlowFiles with n | int % 2 == 0."
    assert [name for name, one in found.items() if one.failure] == ["failure"]


def test_only_the_flowfile_that_a_predicate_cannot_answer_for_fails():
    with ProcessorRunner(RouteOnAttribute, routes={"x": "a == '1'", "y": "b == '1'"}) as test:
        test.enqueue(a="1", b="1")
        test.enqueue(a="1")
        test.enqueue(a="0", b="1")
        test.run()
        assert len(test.transferred("x")) == 1
        assert len(test.transferred("y")) == 2
        [failed] = test.transferred("failure")
        assert failed.attributes["error.message"] == (
            "property 'routes.y' predicate \"b == '1'\" must read attributes that the FlowFile "
            "has; got no 'b'; 'default' replaces a missing one"
        )


@given(st.lists(st.integers(0, 20), max_size=30))
def test_nothing_is_lost_and_each_match_is_served(numbers):
    tests = {"even": lambda n: n % 2 == 0, "big": lambda n: n > 5, "three": lambda n: n % 3 == 0}
    expected = {name: list(filter(matches, numbers)) for name, matches in tests.items()}
    rest = [n for n in numbers if not any(matches(n) for matches in tests.values())]
    assert routed(numbers) == {**expected, "unmatched": rest, "failure": []}


def test_a_route_needs_a_name_of_its_own():
    assert problem(routes={"unmatched": "a == '1'"}) == (
        "must differ from matched, unmatched, failure; got 'unmatched'"
    )
    assert problem(routes={" x": "a == '1'"}) == (
        "must be a relationship's name without blanks around it; got ' x'"
    )


def test_at_least_one_route_is_needed():
    assert "at least 1 item" in problem(routes={})
