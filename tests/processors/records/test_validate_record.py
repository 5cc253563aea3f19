import orjson
import pytest

from flowengine.testing import ProcessorRunner, check_processor
from processors.records.validate_record import ValidateRecord

SCHEMA = {"properties": {"n": {"type": "integer"}}, "required": ["n"]}


def validate(content, schema=SCHEMA, **properties):
    with ProcessorRunner(ValidateRecord, schema_definition=schema, **properties) as test:
        test.enqueue(content)
        test.run()
        return {
            name: [(test.content(f), f.attributes) for f in test.transferred(name)]
            for name in ("valid", "invalid", "failure")
        }


def test_it_keeps_the_contract_of_processors():
    check_processor(ValidateRecord)


def test_records_are_separated_and_each_reason_has_a_number_and_a_place():
    got = validate('[{"n":1},{"n":"x"},{}]')
    assert got["valid"][0][0] == b'[{"n":1}]'
    content, attributes = got["invalid"][0]
    assert content == b'[{"n":"x"},{}]'
    assert orjson.loads(attributes["record.errors"]) == [
        {"record": 2, "path": "/n", "reason": '"x" is not of type "integer"'},
        {"record": 3, "path": "", "reason": '"n" is a required property'},
    ]


def test_a_flowfile_of_one_kind_goes_on_unchanged():
    assert validate('[ {"n":1} ]')["valid"][0][0] == b'[ {"n":1} ]'
    got = validate('[ {"n":""} ]')
    assert (got["invalid"][0][0], got["valid"]) == (b'[ {"n":""} ]', [])


def test_no_record_is_no_invalid_record():
    assert validate("[]")["valid"][0][1]["record.count"] == "0"


def test_formats_are_checked_unless_told_otherwise():
    schema = {"properties": {"at": {"format": "date-time"}}}
    assert len(validate('{"at":"soon"}', schema)["invalid"]) == 1
    assert len(validate('{"at":"soon"}', schema, check_formats=False)["valid"]) == 1


def test_times_of_a_table_are_seen_as_json():
    schema = {"properties": {"day": {"format": "date", "type": "string"}}}
    got = validate("day\n2024-02-29\n", schema, input_format="csv")
    assert len(got["valid"]) == 1


def test_what_cannot_be_read_is_a_failure_and_not_invalid():
    got = validate('{"n":1}\n{')
    assert got["invalid"] == []
    assert got["failure"][0][1]["error.line"] == "2"


@pytest.mark.parametrize("place", ["https://127.0.0.1/s.json", "file:///etc/passwd"])
def test_a_schema_may_not_name_what_is_elsewhere(place):
    with pytest.raises(ValueError, match="must be a JSON Schema; got "):
        ValidateRecord.Properties.model_validate({"schema_definition": {"$ref": place}})


def test_a_schema_must_be_one():
    with pytest.raises(ValueError, match="must be a JSON Schema; got 5 is not"):
        ValidateRecord.Properties.model_validate({"schema_definition": {"type": 5}})
