import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowengine.testing import ProcessorRunner, check_processor
from processors.records.merge_record import MergeRecord
from processors.records.split_record import SplitRecord

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


def fragment(test, index, count, content=None, name="a"):
    names = {
        "fragment.identifier": name,
        "fragment.index": str(index),
        "fragment.count": str(count),
    }
    return test.enqueue(content or f'{{"n":{index}}}', names)


def messages(test):
    return [f.attributes["error.message"].partition("): ")[2] for f in test.transferred("failure")]


def test_fragments_are_put_together_in_order_once_all_are_there():
    with merge(strategy="defragment") as test:
        for index in (2, 0):
            fragment(test, index, 3)
        fragment(test, 0, 1, '{"n":9}', name="b")
        test.run()
        assert got(test) == [('{"n":9}', "all fragments")]
        assert test.queued == 2
        fragment(test, 1, 3)
        later(test)
        assert got(test)[1] == ('{"n":0}\n{"n":1}\n{"n":2}', "all fragments")
        assert test.queued == 0


def test_fragments_wait_over_a_restart_and_fail_together_when_one_never_comes():
    with merge(strategy="defragment", maximum_age="10 sec") as test:
        fragment(test, 0, 3)
        fragment(test, 2, 3)
        test.run()
        test.clock.advance(6 * SECOND)
        test.restart()
        later(test, 4)
        assert messages(test) == [
            "all 3 fragments of 'a' must come; got 2 before maximum age" for _ in range(2)
        ]
        assert (got(test), test.queued) == ([], 0)


def test_the_oldest_fragments_fail_when_there_are_too_many_wholes():
    with merge(strategy="defragment", maximum_bins=2) as test:
        for name in "abc":
            fragment(test, 0, 2, name=name)
            test.run()
            test.clock.advance(SECOND)
        assert messages(test) == ["all 2 fragments of 'a' must come; got 1 before too many bins"]


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({}, "attribute 'fragment.identifier' must name what it is a fragment of; got none"),
        (
            {"fragment.identifier": "a", "fragment.index": "2", "fragment.count": "2"},
            "attributes 'fragment.index' and 'fragment.count' must be a number below another; "
            "got '2' and '2'",
        ),
        (
            {"fragment.identifier": "a", "fragment.index": "0", "fragment.count": "3"},
            "fragment 0 of 'a' must come once; got another one",
        ),
        (
            {"fragment.identifier": "a", "fragment.index": "1", "fragment.count": "4"},
            "fragments of 'a' must agree on their number; got 4 and 3",
        ),
    ],
)
def test_what_is_no_fragment_of_a_whole_fails_alone(attributes, message):
    with merge(strategy="defragment") as test:
        fragment(test, 0, 3)
        test.enqueue('{"n":1}', attributes)
        test.run()
        assert messages(test) == [message]
        assert test.queued == 1


def test_fragments_that_do_not_fit_together_fail_together():
    with merge(strategy="defragment", output_format="parquet") as test:
        fragment(test, 0, 2, '{"n":1}')
        fragment(test, 1, 2, '{"n":"x"}')
        test.run()
        assert len(messages(test)) == 2
        assert (got(test), test.queued) == ([], 0)


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(5)), st.integers(1, 5))
def test_what_is_split_and_merged_is_what_it_was(order, size):
    content = b"\n".join(b'{"n":%d}' % n for n in range(5))
    with (
        ProcessorRunner(SplitRecord, records_per_split=size) as cut,
        merge(strategy="defragment") as test,
    ):
        cut.enqueue(content)
        cut.run()
        splits = cut.transferred("splits")
        for place in order[: len(splits)] if len(splits) == 5 else range(len(splits)):
            test.enqueue(cut.content(splits[place]), splits[place].attributes)
            later(test)
        assert [text for text, _ in got(test)] == [content.decode()]


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
