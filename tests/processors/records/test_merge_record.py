import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowengine.testing import ProcessorRunner, check_processor
from processors.records.merge_record import MergeRecord

SECOND = 1_000_000


def merge(**properties):
    return ProcessorRunner(MergeRecord, **properties)


def got(test):
    return [
        (test.content(f).decode(), f.attributes["merge.reason"]) for f in test.transferred("merged")
    ]


def later(test, seconds=0.1):
    """As much later as the processor waits before it looks again."""
    test.clock.advance(int(seconds * SECOND))
    test.run()


def test_it_keeps_the_contract_of_processors():
    check_processor(MergeRecord)


def test_a_bin_waits_in_the_queue_until_it_has_enough():
    with merge(minimum_records=2) as test:
        test.enqueue('{"n":1}')
        test.run()
        assert (got(test), test.queued) == ([], 1)
        test.enqueue('{"n":2}')
        later(test)
        assert got(test) == [('{"n":1}\n{"n":2}', "minimum reached")]
        assert (test.queued, dict(test.state["since"])) == (0, {})


def test_a_bin_that_is_too_old_is_handed_on_as_it_is():
    with merge(minimum_records=5, maximum_age="10 sec") as test:
        test.enqueue('{"n":1}')
        test.run()
        later(test, 9)
        assert got(test) == []
        assert test.node.clock_timer == test.clock.wall() + SECOND
        later(test, 1)
        assert got(test) == [('{"n":1}', "maximum age")]
        assert test.transferred("merged")[0].attributes["merge.bin.age"] == "10000"
        assert test.node.clock_timer is None


def test_the_age_counts_on_over_a_restart():
    with merge(minimum_records=5, maximum_age="10 sec") as test:
        test.enqueue('{"n":1}')
        test.run()
        test.clock.advance(6 * SECOND)
        test.restart()
        test.run()
        assert (got(test), test.queued) == ([], 1)
        later(test, 4)
        assert got(test) == [('{"n":1}', "maximum age")]


def test_a_bin_never_holds_more_than_it_may():
    with merge(minimum_records=3, maximum_records=3) as test:
        for content in ('[{"n":1},{"n":2}]', '[{"n":3},{"n":4}]', '[{"n":5}]'):
            test.enqueue(content)
        test.run()
        assert got(test) == [('[{"n":1},{"n":2}]', "full"), ('[{"n":3},{"n":4},{"n":5}]', "full")]


def test_a_bin_is_bounded_in_bytes():
    with merge(minimum_records=9, maximum_records=9, maximum_size="14 B") as test:
        for n in range(3):
            test.enqueue(f'{{"n":{n}}}')
        test.run()
        assert got(test) == [('{"n":0}\n{"n":1}', "full")]


def test_the_oldest_bin_goes_when_there_are_too_many():
    with merge(minimum_records=9, maximum_bins=2, key="{{ k }}") as test:
        for k in "abc":
            test.enqueue(f'{{"k":"{k}"}}', k=k)
            later(test)
        assert got(test) == [('{"k":"a"}', "too many bins")]
        assert test.queued == 2


def test_what_waits_never_fills_the_queue_for_ever():
    with merge(minimum_records=99, maximum_waiting=3) as test:
        for n in range(4):
            test.enqueue(f'{{"n":{n}}}')
        test.run()
        assert [reason for _, reason in got(test)] == ["too many waiting"]
        assert test.queued == 0


def test_a_record_that_does_not_fit_fails_alone():
    with merge(minimum_records=3, output_format="parquet") as test:
        for content in ('{"n":1}', '{"n":"x"}', '{"n":2}'):
            test.enqueue(content)
        test.run()
        [failed] = test.transferred("failure")
        assert test.content(failed) == b'{"n":"x"}'
        assert failed.attributes["error.message"] == (
            "processor 'processor' (MergeRecord): field 'n' must have the type it has in the "
            "records before; got 'x'"
        )
        assert test.transferred("merged")[0].attributes["merge.count"] == "2"


def test_what_cannot_be_read_fails_and_the_rest_is_merged():
    with merge(minimum_records=2) as test:
        for content in ('{"n":1}', "{", '{"n":2}'):
            test.enqueue(content)
        test.run()
        assert got(test) == [('{"n":1}\n{"n":2}', "minimum reached")]
        assert len(test.transferred("failure")) == 1


def test_originals_name_the_merged_flowfile_which_has_the_earliest_times():
    with merge(minimum_records=2) as test:
        first = test.enqueue('{"n":1}')
        later(test)
        test.enqueue('{"n":2}')
        later(test)
        [made] = test.transferred("merged")
        assert {f.attributes["merge.uuid"] for f in test.transferred("original")} == {made.uuid}
        assert made.ingest_time == first.ingest_time


def test_minima_above_maxima_are_refused():
    with pytest.raises(
        ValueError,
        match="property 'minimum_records' must not be above 'maximum_records'; got 2 and 1",
    ):
        MergeRecord.Properties.model_validate({"minimum_records": 2, "maximum_records": 1})


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4), st.booleans()), max_size=25),
    st.integers(1, 6),
)
def test_nothing_is_lost_doubled_or_put_out_of_order(arrivals, least):
    with merge(minimum_records=least, maximum_records=6, key="{{ k }}") as test:
        sent: dict[str, list] = {k: [] for k in "abc"}
        number = 0
        for k, count, pause in arrivals:
            rows = [{"k": k, "n": number + i} for i in range(count)]
            number += count
            sent[k] += rows
            test.enqueue(orjson.dumps(rows), k=k)
            if pause:
                later(test)
        later(test, 61)
        later(test, 61)
        found: dict[str, list] = {k: [] for k in "abc"}
        for made in test.transferred("merged"):
            found[made.attributes["k"]] += orjson.loads(test.content(made))
        assert (found, test.queued) == (sent, 0)
        assert len(test.transferred("original")) == len(arrivals)
