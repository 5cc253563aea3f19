import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from flowengine.session import PART_OBJECTS
from flowengine.testing import ProcessorRunner, check_processor
from processors.records.split_record import SplitRecord


def lines(count):
    return b"\n".join(orjson.dumps({"n": n}) for n in range(count))


def test_it_keeps_the_contract_of_processors():
    check_processor(SplitRecord)


def test_many_splits_are_made_in_parts():
    with ProcessorRunner(SplitRecord, records_per_split=1) as test:
        test.enqueue(lines(2500))
        test.run(1)
        assert len(test.transferred("splits")) == PART_OBJECTS
        assert (test.queued, len(test.transferred("original"))) == (1, 0)
        test.run(5)
        assert len(test.transferred("splits")) == 2500
        assert (test.queued, len(test.transferred("original"))) == (0, 1)


def test_a_restart_between_two_parts_goes_on_where_it_was():
    with ProcessorRunner(SplitRecord, records_per_split=1) as test:
        test.enqueue(lines(1500))
        test.run(1)
        test.restart()
        test.run(5)
        splits = test.transferred("splits")
        indices = [int(f.attributes["fragment.index"]) for f in splits]
        assert indices == list(range(1500))
        assert [orjson.loads(test.content(f))["n"] for f in splits] == indices


def test_splits_share_the_identifier_that_the_original_has():
    with ProcessorRunner(SplitRecord, records_per_split=2) as test:
        flowfile = test.enqueue(lines(3))
        test.run()
        [original] = test.transferred("original")
        named = {f.attributes["fragment.identifier"] for f in test.transferred("splits")}
        assert named == {flowfile.uuid} == {original.attributes["fragment.identifier"]}


def test_a_broken_flowfile_gives_no_split_at_all():
    with ProcessorRunner(SplitRecord, records_per_split=1, output_format="arrow") as test:
        test.enqueue('[{"a":1},{"a":"x"}]')
        test.enqueue('[{"a":1}]')
        test.run()
        assert len(test.transferred("splits")) == 1
        [failed] = test.transferred("failure")
        assert failed.attributes["error.message"] == (
            "processor 'processor' (SplitRecord): record 2: field 'a' must have the type it has "
            "in the records before; got 'x'"
        )


def test_a_content_without_records_is_split_into_nothing():
    with ProcessorRunner(SplitRecord, records_per_split=1) as test:
        test.enqueue(b"[]")
        test.run()
        [original] = test.transferred("original")
        assert original.attributes["fragment.count"] == "0"
        assert test.transferred("splits") == []


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 40), st.integers(1, 7), st.sampled_from(["ndjson", "arrow", "csv"]))
def test_no_record_is_lost_or_doubled(count, size, form):
    with ProcessorRunner(SplitRecord, records_per_split=size, output_format=form) as test:
        test.enqueue(lines(count))
        test.run()
        counts = [int(f.attributes["record.count"]) for f in test.transferred("splits")]
        assert sum(counts) == count
        assert all(one == size for one in counts[:-1])
