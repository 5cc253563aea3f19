"""The canonical form: one text per definition."""

import json

from hypothesis import given

from flowengine.definition import FlowDefinition, canonical, revision
from flowengine.definition.canonical import WIDTH, plain
from flowengine.definition.source import parse_document
from tests.flowengine.definition.kit import GOOD
from tests.strategies import DEFINITIONS

DEFAULTS = {
    "format": 1,
    "name": "f",
    "layout": {},
    "description": "",
    "processors": {
        "a": {
            "properties": {},
            "penalty": "0.5 min",
            "yield": "1000 ms",
            "type": "T",
            "bulletin_level": "warning",
            "scheduling": {"concurrent_tasks": 1, "once": False},
            "retry": {"failure": {"maximum": "600 sec", "backoff": "penalize"}},
        }
    },
    "connections": [
        {
            "to": "b",
            "from": "a",
            "back_pressure": {"objects": 10000, "bytes": "0.09765625 GB"},
            "expiration": "0 ms",
        }
    ],
}


def read(text: str) -> FlowDefinition:
    document, findings = parse_document(text)
    assert findings == []
    return FlowDefinition.model_validate(document.value)


@given(DEFINITIONS)
def test_canonical_text_reads_back_to_the_same_definition_and_the_same_bytes(value):
    definition = FlowDefinition.model_validate(value)
    text = canonical(definition)
    again = read(text)
    assert plain(again) == plain(definition)
    assert canonical(again) == text


def test_keys_have_a_fixed_order_and_defaults_are_left_out():
    assert canonical(FlowDefinition.model_validate(DEFAULTS)) == (
        "{\n"
        '  "format": 1,\n'
        '  "name": "f",\n'
        '  "processors": {\n'
        '    "a": {"type": "T", "retry": {"failure": {}}}\n'
        "  },\n"
        '  "connections": [\n'
        '    {"from": "a", "to": "b"}\n'
        "  ]\n"
        "}\n"
    )


def test_the_layout_stands_last():
    assert list(plain(FlowDefinition.model_validate(GOOD)))[-1] == "layout"


def test_maps_keep_the_order_they_were_written_in():
    value = {"format": 1, "name": "f", "processors": {k: {"type": "T"} for k in ("z", "a", "m")}}
    assert list(plain(FlowDefinition.model_validate(value))["processors"]) == ["z", "a", "m"]


def test_what_fits_in_the_width_stands_on_one_line():
    for length in range(40, 100):
        value = {"format": 1, "name": "f", "services": {"s": {"type": "x" * length}}}
        lines = canonical(FlowDefinition.model_validate(value)).splitlines()
        one_line = '  "services": {"s": {"type": "' + "x" * length + '"}}'
        assert (one_line in lines) == (len(one_line) + 1 <= WIDTH)


def test_other_ways_of_writing_have_the_same_revision():
    text = canonical(FlowDefinition.model_validate(GOOD))
    other = json.dumps(GOOD, indent=7)
    assert revision(canonical(read(other))) == revision(text)
    assert revision(text) != revision(text.replace('"good"', '"bad"'))


def test_text_that_is_not_ascii_stays_readable():
    value = {"format": 1, "name": "f", "description": "Grüße 🙈"}
    assert "Grüße 🙈" in canonical(FlowDefinition.model_validate(value))
