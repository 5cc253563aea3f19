import pytest

from flowengine.cli.parameters import parameters, parse_pairs
from flowengine.errors import DefinitionError, EnvironmentFault, FlowEngineError


def write(folder, name, text):
    file = folder / name
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.json", '{"count": 3, "on": true, "name": "a b"}'),
        ("p.toml", 'count = 3\non = true\nname = "a b"\n'),
        ("p.env", "# comment\n\ncount=3\non = true\nname=a b\n"),
    ],
)
def test_a_file_may_be_json_toml_or_lines(tmp_path, name, text):
    file = write(tmp_path, name, text)
    assert parameters([], file) == {"count": "3", "on": "true", "name": "a b"}


def test_options_win_over_the_file_and_the_last_one_wins(tmp_path):
    file = write(tmp_path, "p.env", "a=1\nb=2\n")
    assert parameters(["b=3", "b=4", "c=x=y"], file) == {"a": "1", "b": "4", "c": "x=y"}


def test_a_pair_needs_a_name_and_an_equals_sign():
    for pair in ("a", "=1"):
        with pytest.raises(DefinitionError) as caught:
            parse_pairs([pair])
        assert str(caught.value) == f"option '--set' must be name=value; got {pair!r}"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "p.json",
            "{hunter2",
            "parameter file {file!r} must be valid JSON; got an error at line 1",
        ),
        ("p.toml", "hunter2", "parameter file {file!r} must be valid TOML; got an error"),
        ("p.json", "[]", "parameter file {file!r} must hold one object; got list"),
        (
            "p.json",
            '{"a": []}',
            "parameter file {file!r}: parameter 'a' must be text, a number, true or false; "
            "got list",
        ),
        (
            "p.env",
            "a=1\nhunter2\n",
            "{file}:2: line must be name=value or a comment; got no equals sign",
        ),
    ],
)
def test_a_mistake_is_named_without_the_values(tmp_path, name, text, message):
    file = write(tmp_path, name, text)
    with pytest.raises(FlowEngineError) as caught:
        parameters([], file)
    assert str(caught.value) == message.replace("{file!r}", repr(str(file))).replace(
        "{file}", str(file)
    )


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(EnvironmentFault, match="must be readable UTF-8 text; got "):
        parameters([], tmp_path / "nowhere.json")
