"""UpdateCounter: which counter, by how much, and what is no number."""

import pytest
from pydantic import ValidationError

from flowengine.testing import ProcessorRunner, check_processor
from processors.update_counter import UpdateCounter


def test_it_keeps_the_contract_of_a_processor():
    check_processor(UpdateCounter)


def test_by_default_it_counts_flowfiles():
    with ProcessorRunner(UpdateCounter, counter="seen") as test:
        for _ in range(3):
            test.enqueue()
        test.run()
        assert test.counters == {"seen": 3}
        assert len(test.transferred("success")) == 3


def test_the_delta_may_be_a_number_and_negative():
    with ProcessorRunner(UpdateCounter, counter="left", delta=-2) as test:
        test.enqueue()
        test.enqueue()
        test.run()
        assert test.counters == {"left": -4}


def test_counter_and_delta_come_from_the_flowfile():
    with ProcessorRunner(UpdateCounter, counter="of {{ who }}", delta="{{ n }}") as test:
        for who, number in (("a", "1"), ("b", "5"), ("a", "-3")):
            test.enqueue(who=who, n=number)
        test.run()
        assert test.counters == {"of a": -2, "of b": 5}


def test_only_the_flowfile_without_a_number_fails():
    with ProcessorRunner(UpdateCounter, counter="n", delta="{{ n }}") as test:
        for number in ("1", "1.5", "2"):
            test.enqueue(n=number)
        test.enqueue(m="1")
        test.run()
        assert test.counters == {"n": 3}
        messages = [f.attributes["error.message"] for f in test.transferred("failure")]
        assert messages == [
            "expression '{{ n }}' must give a whole number; got '1.5'",
            "property 'delta' expression '{{ n }}' must read attributes that the FlowFile has; "
            "got no 'n'; 'default' replaces a missing one",
        ]


def test_a_delta_that_is_no_number_is_found_at_validation():
    with pytest.raises(ValidationError) as caught:
        UpdateCounter.Properties.model_validate({"counter": "n", "delta": "many"})
    assert caught.value.errors()[0]["msg"] == "must be a whole number; got 'many'"
