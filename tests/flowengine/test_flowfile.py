"""FlowFiles never change, and their ids are never used twice (E1)."""

import threading

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from flowengine.content import FileContent
from flowengine.flowfile import FlowFile, IdGenerator, format_uuid, parse_uuid
from tests.processors_for_tests import flowfile


@given(st.integers(0, 2**64 - 1))
def test_a_uuid_is_the_id_written_differently(number):
    text = format_uuid(number)
    assert parse_uuid(text) == number
    assert (len(text), text[14], text[19]) == (36, "8", "8")


def test_ids_of_a_later_start_are_greater_than_all_of_an_earlier_one():
    first, second = IdGenerator(1), IdGenerator(2)
    assert max(first.take_many(1_000_000)) < second.take()


def test_ids_taken_by_many_threads_are_all_different():
    ids, taken = IdGenerator(1), []

    def take():
        taken.extend([ids.take() for _ in range(2000)])
        taken.extend(ids.take_many(500))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(taken)) == len(taken) == 10_000


def test_a_change_of_attributes_makes_a_new_flowfile_that_shares_the_content():
    old = flowfile(1, attributes={"a": "1", "b": "2"})
    new = old.with_attributes({"b": "3"}).without_attributes(["a", "never there"])
    assert (old.attributes, new.attributes) == ({"a": "1", "b": "2"}, {"b": "3"})
    assert new.content is old.content
    assert new.uuid == old.uuid


def test_replacing_attributes_keeps_every_other_field():
    fields = FlowFile.__struct_fields__
    old = FlowFile(1, {}, b"c", 1, 2, 3, 4, 5, 6, 7, 8, 9)
    new = old.replacing({"a": "b"})
    assert [n for n in fields if getattr(new, n) != getattr(old, n)] == ["attributes"]


def test_a_new_content_brings_its_size():
    assert flowfile(1, size=9).with_content(b"abc").size == 3
    assert flowfile(1, size=9).with_content(FileContent("f", 1 << 30)).size == 1 << 30


def test_event_times_are_a_span():
    assert flowfile(1).with_event_time(5).event_last == 5
    spread = flowfile(1).with_event_time(5, 9)
    assert (spread.event_time, spread.event_last) == (5, 9)


@given(st.binary(max_size=20) | st.builds(FileContent, st.text(max_size=5), st.integers(0, 2**50)))
def test_a_flowfile_comes_back_from_its_encoding(content):
    made = flowfile(3, attributes={"ü": "x"}).with_content(content).with_cursor(4)
    data = msgspec.msgpack.encode([made])
    assert msgspec.msgpack.decode(data, type=list[FlowFile]) == [made]
