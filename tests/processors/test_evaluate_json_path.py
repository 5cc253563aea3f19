"""EvaluateJsonPath: paths, destinations, what is missing, null, and what is no JSON."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flowengine.testing import ProcessorRunner, check_processor
from processors.evaluate_json_path import MISSING, EvaluateJsonPath, compile_path

DOCUMENT = {
    "name": "Ada",
    "age": 36,
    "ratio": 0.5,
    "admin": True,
    "none": None,
    "tags": ["x", "y"],
    "address": {"city": "London", "zip code": "W1"},
    "größe": 1,
}


def attributes(paths: dict[str, str], content: object = DOCUMENT, **properties) -> dict[str, str]:
    """The attributes of the one FlowFile that matched."""
    with ProcessorRunner(EvaluateJsonPath, paths=paths, **properties) as test:
        test.enqueue(json.dumps(content))
        test.run()
        [flowfile] = test.transferred("matched")
        return flowfile.attributes


def failure(content: bytes | str, path: str = "$.a", **properties) -> tuple[str, str]:
    """Class and message of the one failure; the content is unchanged."""
    with ProcessorRunner(EvaluateJsonPath, paths={"a": path}, **properties) as test:
        given = test.enqueue(content)
        test.run()
        [failed] = test.transferred("failure")
        assert failed.content == given.content
        return failed.attributes["error.class"], failed.attributes["error.message"]


def content(path: str, **properties) -> tuple[str, bytes]:
    """Where the FlowFile went and its content, with the content as destination."""
    chosen = {"paths": {"x": path}, "destination": "flowfile-content", **properties}
    with ProcessorRunner(EvaluateJsonPath, **chosen) as test:
        test.enqueue(json.dumps(DOCUMENT))
        test.run()
        [(name, flowfile)] = [(n, f) for n in test.outputs for f in test.transferred(n)]
        return name, test.content(flowfile)


def test_it_keeps_the_contract_of_a_processor():
    check_processor(EvaluateJsonPath)


def test_scalars_become_text():
    paths = {name: f"$.{name}" for name in ("name", "age", "ratio", "admin", "größe")}
    assert attributes(paths) == {
        "name": "Ada",
        "age": "36",
        "ratio": "0.5",
        "admin": "true",
        "größe": "1",
    }


def test_names_in_quotes_and_indexes_are_followed():
    paths = {"zip": "$['address']['zip code']", "first": "$.tags[0]", "last": "$.tags[-1]"}
    assert attributes(paths) == {"zip": "W1", "first": "x", "last": "y"}


def test_paths_to_several_values_give_a_list():
    paths = {"all": "$.tags[*]", "none": "$..nothing", "chosen": "$.tags[?@ == 'y']"}
    assert attributes(paths, return_type="json") == {
        "all": '["x","y"]',
        "none": "[]",
        "chosen": '["y"]',
    }


def test_null_is_written_as_asked():
    assert attributes({"n": "$.none"}) == {"n": ""}
    assert attributes({"n": "$.none"}, null_value="the string 'null'") == {"n": "null"}


@pytest.mark.parametrize("path", ["$.name[0]", "$.missing", "$.tags.x", "$.tags[2]", "$.age.x"])
def test_a_path_that_leads_nowhere_gives_the_empty_text(path):
    assert attributes({"n": path}) == {"n": ""}


def test_a_missing_value_may_be_skipped():
    assert attributes({"n": "$.missing", "name": "$.name"}, path_not_found="skip") == {
        "name": "Ada"
    }


def test_a_missing_value_may_be_warned_of():
    with ProcessorRunner(EvaluateJsonPath, paths={"n": "$.missing"}, path_not_found="warn") as test:
        test.enqueue("{}")
        test.run()
        assert [bulletin.message for bulletin in test.bulletins] == [
            "processor 'processor' (EvaluateJsonPath) path '$.missing' of 'n' must lead to a "
            "value; got none"
        ]


def test_the_content_is_replaced_by_the_value():
    assert content("$.address") == ("matched", b'{"city":"London","zip code":"W1"}')
    assert content("$.name") == ("matched", b"Ada")
    assert content("$.none") == ("matched", b"")
    assert content("$.missing") == ("unmatched", json.dumps(DOCUMENT).encode())


def test_a_scalar_is_asked_for_and_an_object_found():
    assert failure('{"a": {}}') == (
        "ValueError",
        "path '$.a' of 'a' must lead to one text, number, true, false or null; got an object; "
        "set 'return_type' to json",
    )


@pytest.mark.parametrize("bad", [b"", b"{", b"\xff\xfe", b'"\xff"', b"NaN", b"[" * 5000])
def test_what_is_no_json_fails_and_says_so(bad):
    kind, message = failure(bad)
    assert kind == "JSONDecodeError"
    assert "line 1 column" in message


def test_content_that_is_too_large_fails():
    assert failure('{"a": "' + "x" * 2000 + '"}', maximum_size="1 KB") == (
        "ValueError",
        "content must be at most 1 KB; got 2009 B; raise 'maximum_size'",
    )


def test_only_the_bad_one_of_many_fails():
    with ProcessorRunner(EvaluateJsonPath, paths={"n": "$.n"}) as test:
        for text in ('{"n": 1}', "{", '{"n": 3}'):
            test.enqueue(text)
        test.run()
        assert [f.attributes["n"] for f in test.transferred("matched")] == ["1", "3"]
        assert len(test.transferred("failure")) == 1


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("name", "it must begin with $"),
        ("$.a[", "unexpected end of query"),
        ("$.a[?nope(@)]", "function 'nope' is not defined"),
    ],
)
def test_a_broken_path_is_found_at_validation(path, reason):
    with pytest.raises(ValidationError) as caught:
        EvaluateJsonPath.Properties.model_validate({"paths": {"x": path}})
    [error] = caught.value.errors()
    assert error["loc"] == ("paths", "x")
    assert error["msg"] == f"must be a JSONPath such as '$.user.name'; got {path!r} ({reason})"


def test_the_content_takes_one_path():
    with pytest.raises(ValidationError) as caught:
        EvaluateJsonPath.Properties.model_validate(
            {"paths": {"a": "$.a", "b": "$.b"}, "destination": "flowfile-content"}
        )
    assert caught.value.errors()[0]["msg"] == (
        "must be flowfile-attribute with several paths; got 'flowfile-content'"
    )


STEPS = st.lists(st.sampled_from([".a", ".b", "[0]", "[1]", "[-1]", "['a']"]), max_size=4)
VALUES = st.recursive(
    st.none() | st.integers(0, 3) | st.text("ab", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
    max_leaves=8,
)


@given(STEPS, VALUES)
def test_simple_paths_mean_what_the_library_says(steps, document):
    import jsonpath

    path = "$" + "".join(steps)
    found = jsonpath.compile(path).findall(document)
    assert compile_path(path)(document) == (found[0] if found else MISSING)


def test_simple_paths_do_not_import_the_library():
    probe = (
        "import sys; from processors.evaluate_json_path import compile_path;"
        "compile_path('$.a.b[0]'); print('jsonpath' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    assert (result.stdout.strip(), result.stderr) == ("False", "")
