import io
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowengine.testing import ProcessorRunner, check_processor
from processors.records.convert_record import ConvertRecord

ROWS = (
    b'{"id":1,"name":"Ada","tags":["a"],"at":{"x":1.5}}\n{"id":2,"name":null,"tags":[],"at":null}'
)


def convert(content, attributes=None, **properties):
    with ProcessorRunner(ConvertRecord, **properties) as test:
        test.enqueue(content, attributes)
        test.run()
        done = [test.content(f) for f in test.transferred("success")]
        failed = test.transferred("failure")
        return (done[0] if done else None), (failed[0] if failed else None)


def message(content, attributes=None, **properties):
    done, failed = convert(content, attributes, **properties)
    assert done is None
    return failed.attributes["error.message"].removeprefix(
        "processor 'processor' (ConvertRecord): "
    )


def test_it_keeps_the_contract_of_processors():
    check_processor(ConvertRecord)


@pytest.mark.parametrize("between", ["json", "ndjson", "avro", "parquet", "arrow"])
def test_records_survive_the_way_through_each_format(between):
    there, _ = convert(ROWS, output_format=between)
    back, _ = convert(there, output_format="ndjson")
    assert back == ROWS


def test_nested_values_are_json_in_csv():
    csv, _ = convert(ROWS, output_format="csv")
    assert csv == b'id,name,tags,at\n1,"Ada","[""a""]","{""x"":1.5}"\n2,,"[]",\n'


def test_equal_records_are_equal_bytes():
    assert convert(ROWS, output_format="avro")[0] == convert(ROWS, output_format="avro")[0]


def test_an_object_over_several_lines_is_one_record():
    assert convert(b'{\n "a": 1\n}', output_format="json")[0] == b'[{"a":1}]'


def test_a_broken_line_is_named():
    assert message(b'{"a":1}\n\n{"a":', output_format="json").startswith(
        "record 2, line 3: must be JSON; got unexpected end of data"
    )


def test_a_broken_file_leaves_its_neighbours_alone():
    with ProcessorRunner(ConvertRecord, output_format="json") as test:
        for content in ('{"a":1}', '{"a":', '{"a":2}'):
            test.enqueue(content)
        test.run()
        assert [test.content(f) for f in test.transferred("success")] == [
            b'[{"a":1}]',
            b'[{"a":2}]',
        ]
        [failed] = test.transferred("failure")
        assert failed.attributes["error.class"] == "RecordError"
        assert (failed.attributes["error.record"], failed.attributes["error.line"]) == ("1", "1")
        assert test.content(failed) == b'{"a":'


def test_a_record_that_is_no_object_is_named():
    assert message(b'[{"a":1}, 5]') == "record 2: must be a JSON object; got 5"


def test_a_field_whose_type_changes_is_named():
    assert message(b'[{"a":1},{"a":2},{"a":"x"},{"a":"y"}]', output_format="parquet") == (
        "record 3: field 'a' must have the type it has in the records before; got 'x'"
    )


def test_a_row_of_csv_with_too_few_values_is_named():
    assert message(b"a,b\n1,2\n3\n", input_format="csv") == (
        "record 2: must have 2 values; got 1: '3'"
    )


@pytest.mark.parametrize(
    ("content", "what"),
    [(b"PAR1 no", "Parquet"), (b"Obj\x01no", "Avro"), (b"ARROW1no", "Arrow IPC")],
)
def test_a_broken_file_says_what_it_should_be(content, what):
    assert message(content).startswith(f"content must be {what}; got ")


def test_a_content_without_a_format_asks_for_one():
    assert message(b"a;b") == (
        "content must be JSON, NDJSON, Avro, Parquet or Arrow; got b'a;b'. Set 'input_format'"
    )


def test_csv_is_recognised_by_its_name():
    assert convert(b"a\n1\n", {"filename": "x.csv"}, output_format="json")[0] == b'[{"a":1}]'


def test_csv_without_inference_stays_text():
    got, _ = convert(b"a,b\n007,\n", input_format="csv", csv_infer=False, output_format="json")
    assert got == b'[{"a":"007","b":""}]'


def test_a_schema_makes_times_and_decimals_of_texts():
    schema = {
        "type": "record",
        "name": "r",
        "fields": [
            {"name": "t", "type": {"type": "long", "logicalType": "timestamp-micros"}},
            {
                "name": "d",
                "type": {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2},
            },
        ],
    }
    content = b'{"t":"2024-01-01T10:00:00+02:00","d":"1.50"}'
    got, _ = convert(content, record_schema=schema, output_format="parquet")
    table = pq.read_table(io.BytesIO(got))
    assert table.schema.field("t").type == pa.timestamp("us", tz="UTC")
    assert table.to_pylist()[0]["d"] == Decimal("1.50")
    assert table.to_pylist()[0]["t"].isoformat() == "2024-01-01T08:00:00+00:00"


def test_a_value_that_does_not_fit_the_schema_is_named():
    schema = {"properties": {"n": {"type": "integer"}}}
    assert message(b'[{"n":1},{"n":"x"}]', record_schema=schema) == (
        "record 2: field 'n' must be int64; got 'x'"
    )


def test_a_required_field_must_be_there():
    schema = {"properties": {"n": {"type": "integer"}}, "required": ["n"]}
    assert message(b'[{"n":1},{}]', record_schema=schema) == (
        "record 2: field 'n' must have a value; got none"
    )


def test_an_unusable_schema_is_refused():
    with pytest.raises(ValueError, match="field 'n' must have one type beside null; got \\[\\]"):
        ConvertRecord.Properties.model_validate({"record_schema": {"properties": {"n": {}}}})


def test_field_names_that_avro_does_not_know_are_named():
    assert message(b'[{"a b":1}]', output_format="avro") == (
        "field name must be letters, digits and '_' for Avro; got 'a b'"
    )


def test_an_empty_flowfile_passes_or_is_dropped():
    assert convert(b"", output_format="json") == (b"[]", None)
    assert convert(b"", output_format="json", include_empty=False) == (None, None)


_VALUES = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text()
_OBJECTS = st.lists(st.dictionaries(st.text(), _VALUES | st.lists(_VALUES), min_size=1), max_size=5)


@settings(max_examples=50, deadline=None)
@given(_OBJECTS)
def test_json_through_lines_and_back_is_the_same(rows):
    import orjson

    lines, _ = convert(orjson.dumps(rows), output_format="ndjson")
    assert orjson.loads(convert(lines, output_format="json")[0]) == rows
