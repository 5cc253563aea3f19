"""Looking at many messages together finds what looking at each one finds."""

from types import SimpleNamespace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from processors.kafka.bundles import _is_json, _one_line, _plain_lines, _split_valid

_PARTS = [b'{"a":1}', b"1", b"[1,2]", b"[1", b"2]", b"\n", b" ", b"\t", b"\r", b"", b",", b'"\xff"']
_VALUES = st.none() | st.lists(st.sampled_from(_PARTS), max_size=3).map(b"".join)


@settings(max_examples=400, deadline=None)
@given(st.lists(_VALUES, min_size=1, max_size=5))
@example([b'{"a":1},{"a":1}', b"[1", b"2]"])
@example([b"", b"1"])
@example([b"1\n2"])
def test_the_quick_look_agrees_with_the_look_at_each(values):
    records = [SimpleNamespace(value=value) for value in values]
    good, bad = _split_valid(records)
    assert good == [r for r in records if r.value is None or _is_json(r.value)]
    assert bad == [r for r in records if r not in good]
    joined = _plain_lines(good) if good else None
    if joined is not None:
        assert joined == b"\n".join(_one_line(record.value) for record in good)
