"""What the catalogue tells forms: dependent properties, topics, words of expressions."""

from __future__ import annotations

from typing import Any

import pytest

from web.inspector import catalogue


@pytest.fixture(scope="module")
def types() -> dict[str, dict[str, Any]]:
    found = catalogue()
    return {one["type"]: one["schema"] for one in (*found["processors"], *found["services"])}


def _values(schema: dict[str, Any], name: str) -> list[Any]:
    part = schema["properties"][name]
    named = schema.get("$defs", {}).get(part.get("$ref", "").rpartition("/")[2], part)
    return [True, False] if named.get("type") == "boolean" else list(named["enum"])


def test_a_property_depends_on_values_that_the_others_can_have(types: dict[str, Any]) -> None:
    dependent = [
        (schema, wanted)
        for schema in types.values()
        for part in schema.get("properties", {}).values()
        for wanted in [part.get("x-depends-on")]
        if wanted
    ]
    assert len(dependent) > 10
    for schema, wanted in dependent:
        for name, values in wanted.items():
            assert set(values) <= set(_values(schema, name))


def test_topics_are_offered_where_a_connection_is_named(types: dict[str, Any]) -> None:
    topics = types["ConsumeKafka"]["properties"]["topics"]
    assert types["ConsumeKafka"]["properties"][topics["x-topics"]]["service"] == "KafkaConnection"
    assert types["PublishKafka"]["properties"]["topic"]["x-topics"] == "connection"


def test_words_of_expressions_carry_their_arguments() -> None:
    words = catalogue()["expressions"]
    filters = {one["name"]: one for one in words["filters"]}
    assert filters["default"]["signature"] == "(replacement, empty=False)"
    assert filters["upper"]["description"] == "In capital letters."
    assert "now" in {one["name"] for one in words["functions"]}
