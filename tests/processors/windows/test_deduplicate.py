"""Deduplicate: each key passes once within a duration."""

import json

import pytest
from pydantic import ValidationError

from flowengine.testing import check_processor
from processors.windows import Deduplicate
from tests.processors.windows.feeding import Feed


def dedupe(**properties) -> Feed:
    return Feed(Deduplicate, **{"key_fields": ["id"], "within": "10 ms", **properties})


def test_it_keeps_the_contract_of_a_processor():
    check_processor(Deduplicate)


def test_a_key_passes_once_within_the_duration():
    with dedupe() as feed:
        for time in (0, 9, 10, 15, 20):
            feed.record({"id": 1, "t": time})
        assert feed.times("unique") == [[0], [10], [20]]
        assert feed.times("duplicate") == [[9], [15]]


def test_of_one_content_each_record_goes_its_way():
    with dedupe() as feed:
        feed.batch({"id": 1, "t": 0}, {"id": 2, "t": 1}, {"id": 1, "t": 2})
        assert feed.times("unique") == [[0, 1]]
        assert feed.times("duplicate") == [[2]]


def test_whole_records_are_compared_without_a_key():
    with Feed(Deduplicate, within="1 sec") as feed:
        feed.record({"t": 1}).record({"t": 1}).record({"t": 2})
        assert feed.times("unique") == [[1], [2]]


def test_flowfiles_are_compared_by_attributes_without_reading_them():
    with Feed(Deduplicate, unit="flowfile", key="{{ name }}", time="ingest", time_field="") as feed:
        for name in ("a", "b", "a"):
            feed.runner.enqueue(b"\x00no json", name=name)
        feed.runner.run(5)
        assert [f.attributes["name"] for f in feed.out("unique")] == ["a", "b"]
        assert [f.attributes["name"] for f in feed.out("duplicate")] == ["a"]


def test_keys_are_forgotten_when_nothing_in_time_can_meet_them():
    with dedupe() as feed:
        feed.record({"id": 1, "t": 0}).record({"id": 2, "t": 5})
        feed.reach(12).record({"id": 3, "t": 13})
        assert [name for name in feed.runner.state if name[:2] == "~k"] == ["~k2", "~k3"]


def test_what_cannot_be_judged_is_late():
    with dedupe() as feed:
        feed.record({"id": 1, "t": 0}).reach(50).record({"id": 1, "t": 3})
        assert feed.times("late") == [[3]]


def test_a_rolled_back_trigger_has_seen_nothing():
    with dedupe() as feed:
        feed.runner.enqueue(json.dumps({"id": 1, "t": 0}))
        session = feed.runner.session()
        feed.runner.node.processor.on_trigger(feed.runner.context, session)
        session.rollback()
        feed.runner.run()
        assert feed.times("unique") == [[0]]


def test_processing_time_counts_from_the_first():
    with dedupe(time="processing", time_field="") as feed:
        feed.record({"id": 1, "t": 0}).wait(9).record({"id": 1, "t": 1}).wait(1)
        feed.record({"id": 1, "t": 2})
        assert feed.times("unique") == [[0], [2]]


def test_the_unit_flowfile_needs_a_key():
    with pytest.raises(ValidationError, match="must have a key over attributes with unit"):
        Deduplicate.Properties.model_validate({"unit": "flowfile"})
