"""Flow definitions that are no flow definitions: refused with a place, never a 500."""

from __future__ import annotations

import json
import random

import pytest

from tests.web.serving import pipeline

TEXT = json.dumps(pipeline(), indent=2)
NONSENSE = [
    "",
    " ",
    "null",
    "[]",
    "3",
    '"flow"',
    "{",
    "}",
    "{}",
    "\ufeff{}",
    "[" * 5000,
    "{" * 5000,
]
NONSENSE += ['{"format": 1e999}', '{"format": 1, "format": 1}', '{"format": NaN}', "\u0000"]
PIECES = ["{", "}", "[", "]", ",", '"', ":", "1", "null", "true", "\\", "\n", "-", "\u2028", "é"]


def mutated(chance: random.Random) -> str:
    """A definition in which something small is wrong."""
    text = TEXT
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(text))
        kind = chance.randrange(4)
        length = chance.randint(1, 12)
        if kind == 0:
            text = text[:at] + text[at + length :]
        elif kind == 1:
            text = text[:at] + chance.choice(PIECES) + text[at:]
        elif kind == 2:
            text = text[:at] + text[at : at + length] + text[at:]
        else:
            text = text[:at]
        text = text or "{"
    return text


def refused(answer) -> None:
    """A 422 of which every problem has a place."""
    assert answer.status_code == 422, answer.text
    problems = answer.json()["problems"]
    assert problems
    for one in problems:
        assert one["message"]
        assert one["line"] >= 1, one
        assert one["column"] >= 1, one


def test_fuzzed_uploads_are_refused_with_a_place(server):
    chance = random.Random(8)
    outcomes = set()
    for number in range(80):
        answer = server.ask("POST", "/flows", json={"id": f"u{number}", "text": mutated(chance)})
        outcomes.add(answer.status_code)
        if answer.status_code != 201:
            refused(answer)
    assert outcomes == {201, 422}  # some mutations only change a name


@pytest.mark.parametrize("text", NONSENSE)
def test_nonsense_is_refused_with_a_place(server, text):
    refused(server.ask("POST", "/flows", json={"id": "nonsense", "text": text}))


def values(value, path=()):
    """Every place of a JSON value."""
    yield path
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from values(inner, (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@pytest.mark.parametrize("new", [None, -1, "", [], {"x": [1]}, 10**40])
def test_a_value_of_the_wrong_kind_anywhere_is_no_500(server, new):
    for number, path in enumerate(values(pipeline())):
        body = json.dumps({"id": f"v{number}", "definition": replaced(pipeline(), path, new)})
        answer = server.ask(
            "POST", "/flows", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in (201, 422), (path, answer.text)
        if answer.status_code == 201:
            server.ask("DELETE", f"/flows/v{number}")


@pytest.mark.parametrize("body", [b"\xff\xfe", b"{", b'{"id": "x", "text": "\xed\xa0\x80"}'])
def test_a_body_that_is_no_json_is_a_problem(server, body):
    headers = {"Content-Type": "application/json"}
    answer = server.ask("POST", "/flows", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
