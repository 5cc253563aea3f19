"""Row filters: one text, three answers that must agree."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.read_data_lake.filters import UNKNOWN, RowFilter

RECORD = {"a": 5, "s": "x", "none": None, "t": True, "f": False, "o.c": 1, "a b": 2}


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("a == 5", True),
        ("5 == a", True),
        ("6 > a", True),
        ("a < 5", False),
        ("a >= -5 and s == 'x'", True),
        ("a > 5 or s != 'x'", False),
        ("not a > 5", True),
        ("a in (1, 5)", True),
        ("a not in [1, 5]", False),
        ("a in ()", False),
        ("none is None", True),
        ("a is not None", True),
        ("missing is None", True),
        ("none == 1", False),
        ("not none == 1", False),
        ("none == 1 or a == 5", True),
        ("not (none == 1 and a == 6)", True),
        ("t", True),
        ("not f and t", True),
        ("t == true", True),
        ("o.c == 1", True),
        ("column['a b'] == 2", True),
    ],
)
def test_a_record_passes_when_the_filter_is_true(text, passes):
    assert RowFilter(text).matches(RECORD.get) is passes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a ==", "must be comparisons such as \"age >= 18 and country in ('NL', 'BE')\""),
        ("1 < a < 5", 'must not chain comparisons: write "a > 1 and a < 5"'),
        ("a == b", "must compare a column with a text, a number, true, false or None"),
        ("f(a) == 1", "must compare a column with a value; a name with spaces is column['a b']"),
        ("a is 1", "must use 'is' with None only"),
        ("a in 'x'", "must use 'in' with values in brackets"),
        ("a == None", "must compare with one value; use 'is None' for missing ones"),
        ("not " * 60 + "a", "must not be nested deeper than 50"),
        ("(" * 500 + "a" + ")" * 500, "must be comparisons such as"),
        ("a == 1j", "must compare a column with a text, a number, true, false or None"),
    ],
)
def test_what_is_no_filter_is_refused(text, message):
    with pytest.raises(ValueError, match="must") as caught:
        RowFilter(text)
    assert str(caught.value).startswith(message)


def test_values_that_cannot_be_compared_are_an_error():
    with pytest.raises(ValueError, match="comparable") as caught:
        RowFilter("s > 1").matches(RECORD.get)
    assert str(caught.value) == "column 's' must be comparable with 1; got 'x'"


def test_columns_are_named_once_each():
    assert RowFilter("a == 1 or o.c > 2 and a < 3").columns == ["a", "o.c"]


@pytest.mark.parametrize(
    ("text", "possible"),
    [
        ("year == 2026", True),
        ("year == 2025", False),
        ("year == 2025 and n > 1", False),
        ("year == 2025 or n > 1", True),
        ("not n is None", True),
        ("n is None", True),
        ("not (year == 2026 or n > 1)", False),
    ],
)
def test_a_file_is_passed_over_only_when_no_row_can_pass(text, possible):
    assert RowFilter(text).possible({"year": 2026}) is possible


NAMES = st.sampled_from(["a", "b"])
VALUES = st.integers(-2, 2)
LEAVES = st.one_of(
    st.builds(
        "{} {} {}".format, NAMES, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), VALUES
    ),
    st.builds("{} in ({}, {})".format, NAMES, VALUES, VALUES),
    st.builds("{} is None".format, NAMES),
)
FILTERS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=5,
)
ROWS = st.lists(
    st.fixed_dictionaries({"a": st.none() | VALUES, "b": st.none() | VALUES}), max_size=8
)


@given(FILTERS, ROWS)
def test_arrow_chooses_the_same_rows(text: str, rows: list[dict[str, Any]]):
    import pyarrow as pa
    import pyarrow.compute as pc

    schema = pa.schema([("a", pa.int64()), ("b", pa.int64())])
    chosen = RowFilter(text)
    expression = chosen.arrow(pc.field, lambda name, value: pc.scalar(value))
    table = pa.Table.from_pylist(rows, schema=schema).filter(expression)
    assert table.to_pylist() == [row for row in rows if chosen.matches(row.get)]


@given(FILTERS, ROWS)
def test_a_file_that_is_passed_over_holds_no_row_that_passes(text: str, rows: list[dict[str, Any]]):
    chosen = RowFilter(text)
    for row in rows:
        if chosen.matches(row.get):
            assert chosen.possible({"a": row["a"]})
            assert chosen.possible({})


def test_unknown_is_not_missing():
    assert RowFilter("a is None").matches(lambda name: UNKNOWN) is False
