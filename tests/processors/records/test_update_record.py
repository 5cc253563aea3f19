import pytest

from flowengine.testing import ProcessorRunner, check_processor
from processors.records.update_record import UpdateRecord


def update(content, attributes=None, **properties):
    with ProcessorRunner(UpdateRecord, **properties) as test:
        test.enqueue(content, attributes)
        test.run()
        failed = test.transferred("failure")
        if failed:
            return failed[0].attributes["error.message"]
        return test.content(test.transferred("success")[0]).decode()


def test_it_keeps_the_contract_of_processors():
    check_processor(UpdateRecord)


def test_each_expression_reads_the_record_as_it_came():
    got = update('{"a":"1","b":"2"}', fields={"a": "{{ b }}", "b": "{{ a }}"})
    assert got == '{"a":"2","b":"1"}'


def test_nested_fields_are_set_and_removed():
    got = update('{"a":{"b":1,"c":2}}', fields={"a.d": "{{ a.b }}"}, remove=["a.c", "x.y"])
    assert got == '{"a":{"b":1,"d":"1"}}'


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", "7", "7"),
        ("number", "1.5", "1.5"),
        ("boolean", "True", "true"),
        ("json", '{"x":[1]}', '{"x":[1]}'),
        ("integer", "", "null"),
    ],
)
def test_values_have_types(kind, text, value):
    got = update("{}", {"v": text}, fields={"a": "{{ v }}"}, types={"a": kind})
    assert got == f'{{"a":{value}}}'


def test_a_value_of_another_type_is_named_with_its_record():
    got = update('{"v":"1"}\n{"v":"x"}', fields={"a": "{{ v }}"}, types={"a": "integer"})
    assert got == (
        "processor 'processor' (UpdateRecord): record 2: field 'a' must be of type integer; got 'x'"
    )


def test_a_missing_value_is_named_with_its_record():
    got = update('{"v":"1"}\n{"w":"x"}', fields={"a": "{{ v }}"})
    assert got.startswith("processor 'processor' (UpdateRecord): record 2: field 'a': ")


def test_shared_records_are_not_changed_in_place():
    with ProcessorRunner(UpdateRecord, fields={"a.b": "2"}) as test:
        flowfile = test.enqueue('{"a":{"b":1}}')
        test.queue.put([flowfile], flowfile.size)
        test.run()
        contents = [test.content(f) for f in test.transferred("success")]
        assert contents == [b'{"a":{"b":"2"}}'] * 2
        assert test.cls is UpdateRecord


def test_types_must_be_those_of_fields():
    with pytest.raises(
        ValueError, match="property 'types' must name fields that 'fields' sets; got 'a'"
    ):
        UpdateRecord.Properties.model_validate({"types": {"a": "integer"}})
