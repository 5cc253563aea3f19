"""One content, many messages."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.kafka.payload import PayloadError, Splitting, split, split_stream


def test_a_demarcator_skips_empty_tokens_and_adds_nothing_at_the_end():
    assert split(b"onexxtwoxxxxthreexx", Splitting.DEMARCATOR, b"xx") == [b"one", b"two", b"three"]


def test_lines_of_json_are_messages_and_blank_ones_are_not():
    assert split(b'{"a":1}\r\n\n [2] \n"x"', Splitting.NDJSON) == [b'{"a":1}', b"[2]", b'"x"']


def test_a_line_that_is_no_json_is_named():
    with pytest.raises(PayloadError) as caught:
        split(b'{"a":1}\n{"a":', Splitting.NDJSON)
    assert str(caught.value) == "line 2 must be one JSON value; got Input data was truncated"


def test_elements_of_an_array_keep_their_bytes():
    array = b'[ {"a" : 1.50}, null, "\\u00fc" ]'
    assert split(array, Splitting.JSON_ARRAY) == [b'{"a" : 1.50}', b"null", b'"\\u00fc"']


def test_what_is_no_array_is_refused():
    with pytest.raises(PayloadError) as caught:
        split(b'{"a":1}', Splitting.JSON_ARRAY)
    assert str(caught.value) == ("content must be a JSON array; got Expected `array`, got `object`")


def test_a_bad_line_far_into_a_stream_has_its_number():
    stream = io.BytesIO(b"1\n" * 100 + b"oops\n")
    with pytest.raises(PayloadError, match=r"^line 101 must be one JSON value; got "):
        list(split_stream(stream, Splitting.NDJSON, part=7))


@given(st.lists(st.binary(max_size=9)), st.sampled_from([b"\n", b"ab", b"aa"]), st.integers(1, 9))
def test_a_stream_in_parts_gives_the_messages_of_the_whole(tokens, mark, part):
    content = mark.join(tokens)
    parts = split_stream(io.BytesIO(content), Splitting.DEMARCATOR, mark, part)
    messages = [message for part in parts for message in part]
    assert messages == split(content, Splitting.DEMARCATOR, mark)
