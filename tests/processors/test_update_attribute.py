"""UpdateAttribute: values, deletion, failures of single FlowFiles, and what it remembers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flowengine.testing import ProcessorRunner, check_processor
from processors.update_attribute import UpdateAttribute

NAMES = st.sampled_from(["a", "b", "c", "kafka.topic"])
ATTRIBUTES = st.dictionaries(NAMES, st.text(max_size=5))


def updated(before: dict[str, str], **properties) -> dict[str, str]:
    """The attributes of one FlowFile afterwards."""
    with ProcessorRunner(UpdateAttribute, **properties) as test:
        test.enqueue(b"content", before)
        test.run()
        [flowfile] = test.transferred("success")
        assert test.content(flowfile) == b"content"
        return flowfile.attributes


def problem(**properties) -> str:
    """The message of the one mistake in the properties."""
    with pytest.raises(ValidationError) as caught:
        UpdateAttribute.Properties.model_validate(properties)
    [error] = caught.value.errors()
    return error["msg"]


def test_it_keeps_the_contract_of_a_processor():
    check_processor(UpdateAttribute)


def test_a_literal_and_an_expression_are_set_together():
    set_ = {"fixed": "x", "joined": "{{ a }}-{{ b }}", "upper": "{{ a | upper }}"}
    assert updated({"a": "p", "b": "q"}, attributes=set_) == {
        "a": "p",
        "b": "q",
        "fixed": "x",
        "joined": "p-q",
        "upper": "P",
    }


def test_expressions_see_the_flowfile_as_it_came_in():
    swapped = updated({"a": "1", "b": "2"}, attributes={"a": "{{ b }}", "b": "{{ a }}"})
    assert swapped == {"a": "2", "b": "1"}


def test_attributes_are_deleted_by_name_and_by_pattern():
    given = {"a": "1", "tmp.x": "2", "tmp.y": "3", "atmp.": "4"}
    assert updated(given, delete=["a", "missing"], delete_matching=r"tmp\..*") == {"atmp.": "4"}


def test_what_is_deleted_and_set_is_set():
    assert updated({"a": "1", "b": "2"}, delete_matching=".*", attributes={"b": "{{ a }}"}) == {
        "b": "1"
    }


def test_without_properties_nothing_changes():
    assert updated({"a": "1"}) == {"a": "1"}


def test_the_flowfile_that_came_in_is_not_changed():
    with ProcessorRunner(UpdateAttribute, attributes={"a": "2", "b": "{{ a }}"}) as test:
        before = test.enqueue(b"", {"a": "1"})
        test.run()
        assert before.attributes == {"a": "1"}


def test_only_the_flowfile_without_a_value_fails_and_order_holds():
    with ProcessorRunner(UpdateAttribute, attributes={"b": "{{ a }}", "c": "x"}) as test:
        for number in range(5):
            test.enqueue(b"", {"z": "0"} if number == 2 else {"a": str(number)})
        test.run()
        assert [f.attributes["b"] for f in test.transferred("success")] == ["0", "1", "3", "4"]
        [failed] = test.transferred("failure")
        assert failed.attributes == {
            "z": "0",
            "error.class": "ExpressionError",
            "error.message": "property 'attributes.b' expression '{{ a }}' must read attributes "
            "that the FlowFile has; got no 'a'; 'default' replaces a missing one",
            "error.processor": "processor",
            "error.attempt": "1",
        }


def test_remembered_values_go_on_after_a_restart():
    properties: dict[str, Any] = {
        "attributes": {"n": "{{ state.n | int + 1 }}", "seen": "{{ state.seen }}{{ letter }}"},
        "store_state": True,
        "initial_state": {"n": "0", "seen": ""},
    }
    with ProcessorRunner(UpdateAttribute, **properties) as test:
        test.enqueue(letter="a")
        test.enqueue(letter="b")
        test.run()
        test.restart()
        test.enqueue(letter="c")
        test.run()
        got = [(f.attributes["n"], f.attributes["seen"]) for f in test.transferred("success")]
        assert got == [("1", "a"), ("2", "ab"), ("3", "abc")]
        assert test.state == {"n": "3", "seen": "abc"}
        assert "state.n" not in test.transferred("success")[0].attributes


def test_a_flowfile_that_fails_is_not_remembered():
    properties: dict[str, Any] = {
        "attributes": {"sum": "{{ state.sum | int + amount | int }}"},
        "store_state": True,
        "initial_state": {"sum": "0"},
    }
    with ProcessorRunner(UpdateAttribute, **properties) as test:
        for amount in ("1", "many", "2"):
            test.enqueue(amount=amount)
        test.run()
        assert [f.attributes["sum"] for f in test.transferred("success")] == ["1", "3"]
        assert len(test.transferred("failure")) == 1


@given(ATTRIBUTES, ATTRIBUTES, st.sets(NAMES))
def test_the_result_is_the_input_without_the_deleted_and_with_the_set(before, literals, deleted):
    literals = {name: value.replace("{", "") for name, value in literals.items()}
    expected = {k: v for k, v in before.items() if k not in deleted} | literals
    assert updated(before, attributes=literals, delete=sorted(deleted)) == expected


def test_a_broken_pattern_is_found_at_validation():
    assert problem(delete_matching="(") == (
        "must be a regular expression; got '(' (missing ), unterminated subpattern at position 0)"
    )


def test_initial_state_needs_store_state_and_a_variable():
    assert problem(attributes={"a": "1"}, initial_state={"a": "0"}) == (
        "must be empty unless 'store_state' is true; got {'a': '0'}"
    )
    assert problem(attributes={"a": "1"}, store_state=True, initial_state={"b": "0"}) == (
        "must name attributes that 'attributes' sets; got 'b'"
    )
