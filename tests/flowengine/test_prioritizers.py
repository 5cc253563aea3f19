"""The order of prioritizers (NiFi §1.4)."""

from hypothesis import given
from hypothesis import strategies as st

from flowengine.prioritizers import PRIORITIZERS, sort_key
from tests.processors_for_tests import flowfile

VALUES = st.none() | st.integers(-50, 50).map(str) | st.text("ab1.- ", max_size=3)


def key(names, priority=None, number=1, position=0, entry=0):
    attributes = {} if priority is None else {"priority": priority}
    made = sort_key(names)
    assert made is not None
    return made(flowfile(number, attributes=attributes, entry_time=entry), position)


def test_without_prioritizers_there_is_no_key():
    assert sort_key([]) is None


@given(st.lists(VALUES, min_size=2, max_size=8))
def test_any_two_priorities_can_be_compared_and_none_is_last(values):
    ordered = sorted(values, key=lambda value: key(["priority attribute"], value))
    missing = [value for value in ordered if value is None]
    assert ordered[len(ordered) - len(missing) :] == missing


@given(st.integers(), st.integers())
def test_integers_are_ordered_by_value(a, b):
    first, second = (key(["priority attribute"], str(n)) for n in (a, b))
    assert (first < second) == (a < b)
    assert first < key(["priority attribute"], "text")


def test_equal_ages_are_ordered_by_id():
    assert key(["oldest first"], number=1) < key(["oldest first"], number=2)
    assert key(["newest first"], number=2) < key(["newest first"], number=1)


def test_first_in_first_out_breaks_ties_of_the_ones_before():
    names = ["priority attribute", "first in first out"]
    assert key(names, "1", position=3) < key(names, "1", position=4)
    assert key(names, "0", position=9) < key(names, "1", position=4)
    assert set(PRIORITIZERS) >= set(names)
