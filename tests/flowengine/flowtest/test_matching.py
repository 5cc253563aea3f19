from hypothesis import given
from hypothesis import strategies as st

from flowengine.flowtest.matching import difference
from flowengine.flowtest.model import Expected
from flowengine.flowtest.recorder import Arrived


def wanted(**parts: object) -> Expected:
    return Expected.model_validate(parts)


def came(content: str, **attributes: str) -> Arrived:
    return Arrived(attributes, content.encode(), None)


def compared(expected: object, *got: Arrived, ordered: bool = False) -> list[str]:
    return difference(expected, got, 0, ordered=ordered)


def test_only_what_is_named_is_compared():
    assert compared([wanted(attributes={"a": "1"})], came("x", a="1", b="2")) == []


def test_null_is_an_attribute_that_must_be_missing():
    expected = [wanted(attributes={"a": None})]
    assert compared(expected, came("x", b="1")) == []
    assert compared(expected, came("x", a="1"))[1:] == [
        '- {"attributes": {"a": null}}',
        '+ {"attributes": {"a": "1"}}',
    ]


def test_a_record_is_compared_as_a_value_not_as_text():
    assert compared([wanted(record={"a": 1, "b": 2})], came('{"b": 2,  "a": 1}')) == []


def test_records_are_ndjson_or_one_array():
    expected = [wanted(records=[{"a": 1}, {"a": 2}])]
    assert compared(expected, came('{"a":1}\n{"a":2}\n')) == []
    assert compared(expected, came('[{"a":1},{"a":2}]')) == []
    assert compared(expected, came('{"a":2}\n{"a":1}\n')) != []


def test_what_is_no_json_is_shown_as_text():
    assert compared([wanted(record=1)], came("{"))[1:] == [
        '- {"record": 1}',
        '+ {"record": "(no JSON) {"}',
    ]


def test_a_vague_expectation_does_not_take_what_a_precise_one_needs():
    assert compared([wanted(), wanted(content="b")], came("b"), came("a")) == []


@given(st.lists(st.sampled_from("abc")), st.randoms())
def test_order_does_not_matter_unless_asked_for(contents, random):
    shuffled = random.sample(contents, len(contents))
    expected = [wanted(content=content) for content in contents]
    got = [came(content) for content in shuffled]
    assert compared(expected, *got) == []
    assert (compared(expected, *got, ordered=True) == []) == (shuffled == contents)


def test_what_differs_stands_beside_what_came_most_like_it():
    expected = [wanted(content="x", attributes={"a": "1"}), wanted(content="same")]
    got = came("other", a="2"), came("same"), came("x", a="2")
    assert compared(expected, *got) == [
        "expected 2, got 3; 1 as expected",
        '- {"attributes": {"a": "1"}, "content": "x"}',
        '+ {"attributes": {"a": "2"}, "content": "other"}',
        '+ {"attributes": {"a": "2"}, "content": "x"}',
    ]


def test_a_long_flowfile_is_compared_line_by_line():
    record = {f"field_{number}": number for number in range(9)}
    lines = compared([wanted(record=record)], came(str({**record, "field_4": 5}).replace("'", '"')))
    assert [line for line in lines if line[0] in "+-"] == [
        '-     "field_4": 4,',
        '+     "field_4": 5,',
    ]


def test_a_count_shows_what_came():
    assert compared(0, came("[1]", a="x")) == [
        "expected 0, got 1",
        '+ {"attributes": {"a": "x"}, "record": [1]}',
    ]


def test_of_many_only_some_are_shown():
    assert compared([], *[came("x")] * 12)[-1] == "  … 2 more came"
    assert compared([wanted(content="x")] * 13)[-1] == "  … 3 more expected"
