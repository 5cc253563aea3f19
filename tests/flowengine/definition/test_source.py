"""JSON text with places, and what is wrong with it."""

import pytest

from flowengine.definition.source import Document, parse_document, pointer, read_document, show


def problems(text: str) -> list[str]:
    return [str(finding) for finding in parse_document(text, "f.json")[1]]


def test_every_value_and_key_knows_its_line_and_column():
    document, findings = parse_document('{\n  "a": [1,\n    {"b": true}]\n}')
    assert findings == []
    assert document.value == {"a": [1, {"b": True}]}
    assert document.locate(("a",), key=True) == (2, 3)
    assert document.locate(("a", 1, "b")) == (3, 11)


def test_the_place_of_something_missing_is_what_encloses_it():
    document, _ = parse_document('{"a": {"b": 1}}')
    assert document.locate(("a", "x", "y")) == (1, 7)


def test_columns_count_characters_not_bytes():
    document, _ = parse_document('{"ä": "🙈", "b": 1}')
    assert document.locate(("b",)) == (1, 17)


def test_a_definition_built_in_code_has_no_lines():
    assert Document("", "", {"a": 1}).locate(("a",)) == (0, 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f.json:1:1: JSON value must stand here; got the end of the text"),
        ("{", "f.json:1:2: JSON key must be text in double quotes; got the end of the text"),
        ("{a: 1}", "f.json:1:2: JSON key must be text in double quotes; got 'a'"),
        ('{"a" 1}', "f.json:1:6: JSON key 'a' must be followed by ':'; got '1'"),
        ('{"a": 1 "b"', "f.json:1:9: JSON object must go on with ',' or '}'; got '\"'"),
        ("[1,]", "f.json:1:3: JSON array must not end with ','; got ',]'"),
        ("[1] x", "f.json:1:5: JSON must end after its value; got 'x'"),
        ("[01]", "f.json:1:3: JSON array must go on with ',' or ']'; got '1'"),
        ("[NaN]", "f.json:1:2: JSON value must stand here; got 'NaN'"),
        ("[-Infinity]", "f.json:1:2: JSON value must stand here; got '-Infinity'"),
        ("[1e999]", "f.json:1:2: JSON number must be within 64 bits; got '1e999'"),
        ("// no", "f.json:1:1: JSON value must stand here; got '/'"),
        ('["a', "f.json:1:2: JSON string must end with a double quote; got the end of the text"),
        ('["a\nb"]', "f.json:1:4: JSON string must hold no raw control character; got '\\n'"),
        ('["\\x41"]', "f.json:1:3: JSON string must use the escapes of JSON; got '\\\\x41'"),
        (
            '["\\ud800"]',
            "f.json:1:2: JSON string must be valid Unicode; got half of a surrogate pair",
        ),
        (
            '{"a": 1,\n "a": 2}',
            "f.json:2:2: JSON key 'a' must stand once in its object; got it again; "
            "the first is in line 1",
        ),
    ],
)
def test_what_is_no_json_is_said_with_its_place(text, message):
    assert problems(text) == [message]


def test_a_huge_number_does_not_take_for_ever():
    assert problems("9" * 1_000_000)[0].startswith("f.json:1:1: JSON number must be within 64 bits")


def test_deep_nesting_is_a_finding_and_no_recursion_error():
    assert problems("[" * 100_000) == ["f.json:1:66: JSON must be nested at most 64 deep; got more"]


def test_all_duplicate_keys_are_found():
    assert len(problems('{"a": 1, "a": 2, "b": {"c": 1, "c": 2, "c": 3}}')) == 3


def test_a_byte_order_mark_is_no_error():
    assert parse_document("\ufeff[1]")[0].value == [1]


def test_a_file_that_is_not_there_is_a_finding(tmp_path):
    _, findings = read_document(tmp_path / "no.json", "no.json")
    assert [str(f) for f in findings] == [
        "no.json: flow file must be readable; got no such file or directory"
    ]


def test_a_folder_is_no_flow_file(tmp_path):
    _, findings = read_document(tmp_path, "dir")
    assert [str(f) for f in findings] == ["dir: flow file must be readable; got is a directory"]


def test_other_encodings_are_findings_with_their_place(tmp_path):
    (tmp_path / "f").write_bytes('{"a":\n "ü"}'.encode("latin-1"))
    _, findings = read_document(tmp_path / "f", "f")
    assert [str(f) for f in findings] == [
        "f:2:3: flow file must be UTF-8; got byte 0xfc; save it again as UTF-8"
    ]


def test_a_huge_file_is_not_read_whole(tmp_path):
    with (tmp_path / "f").open("wb") as stream:
        stream.truncate(1 << 34)
    _, findings = read_document(tmp_path / "f", "f")
    assert [str(f) for f in findings] == ["f: flow file must be at most 16 MB; got more"]


def test_pointers_escape_what_rfc_6901_asks():
    assert pointer(("a/b", 0, "c~d")) == "/a~1b/0/c~0d"


def test_long_values_are_cut_in_messages():
    assert len(show("x" * 1000)) == 60
