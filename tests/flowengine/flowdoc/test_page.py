"""The printable documentation of flows, as data and as a page that stands alone."""

import json
import re
from pathlib import Path

import pytest

from flowengine.cli import run_command
from flowengine.definition.model import FlowDefinition
from flowengine.flowdoc import document_body, document_page
from flowengine.flowdoc.drawing import draw, fitting
from flowengine.flowdoc.sections import masked, section

FLOWS = Path(__file__).parents[3] / "flows"
SHIPPED = sorted(path.stem for path in FLOWS.glob("*.json"))


def definition(name):
    return FlowDefinition.model_validate(json.loads((FLOWS / f"{name}.json").read_text()))


@pytest.mark.parametrize("name", SHIPPED)
def test_every_component_of_a_shipped_flow_is_drawn_and_described(name):
    flow = definition(name)
    body = document_body(flow)
    for box in draw(flow).boxes:
        if box.kind in ("processor", "reference", "group"):
            assert f'id="{box.id}"' in body, box.id
    for parameter in flow.parameters:
        assert f"<code>{parameter}</code>" in body


def test_groups_are_boxes_around_what_is_in_them():
    boxes = {box.id: box for box in draw(definition("users-consumer")).boxes}
    group, inner = boxes["shared"], boxes["shared/throttle-first"]
    assert group.x < inner.x
    assert inner.x + inner.width < group.x + group.width
    assert group.y < inner.y
    assert inner.y + inner.height < group.y + group.height


def test_a_queue_shows_its_limits():
    queues = section(definition("users-consumer")).inner[0].queues
    assert (queues[0].source, queues[0].objects, queues[0].bytes) == ("first", "1", "100 MB")
    assert (queues[0].expiration, queues[0].prioritizers) == ("never", "first in, first out")


def test_relationships_say_where_they_lead():
    processors = {one.id: one for one in section(definition("users-producer")).processors}
    assert dict(processors["publish"].outcomes) == {
        "success": "ends here",
        "failure": "retried for ever first (yield, at most 10 min)",
    }
    assert dict(processors["throttle"].outcomes)["success"] == "to publish"


def test_defaults_are_shown_as_such():
    publish = next(one for one in section(definition("users-producer")).processors)
    values = {one.name: one for one in publish.values}
    assert (values["maximum_rate"].text, values["maximum_rate"].is_default) == ("1", False)
    assert any(one.is_default for one in publish.values)


def test_an_unknown_type_is_shown_with_what_is_given():
    flow = FlowDefinition.model_validate(
        {"format": 1, "name": "x", "processors": {"a": {"type": "Odd", "properties": {"b": 7}}}}
    )
    (component,) = section(flow).processors
    assert not component.known
    assert [(one.name, one.text) for one in component.values] == [("b", "7")]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("sasl_password", "x", "******"),
        ("sasl_password", "#{door}", "#{door}"),
        (
            "properties",
            {"a": {"api_token": "x", "id": "y"}},
            '{"a": {"api_token": "******", "id": "y"}}',
        ),
        ("topics", ["a", "b"], '["a", "b"]'),
        ("monkey", "x", "x"),
    ],
)
def test_what_looks_like_a_secret_is_masked(name, value, text):
    assert masked(name, value) == text


def test_long_names_end_with_dots():
    assert fitting("short", 100) == "short"
    assert fitting("a name that is far too long", 72) == "a name th…"


def test_the_page_stands_alone():
    page = document_page(definition("users-producer"))
    assert "<style>" in page
    assert not re.search(r"<(link|script|img)\b|https?://|url\((?!#)", page)


def test_the_command_writes_the_page(tmp_path, capsys):
    file = tmp_path / "out.html"
    flow = str(FLOWS / "users-producer.json")
    assert run_command(["docs", "--flow", flow, "--output", str(file)]) == 0
    assert capsys.readouterr().out == f"wrote {file}\n"
    assert "<h1>users-producer</h1>" in file.read_text()


def test_the_command_names_what_is_wrong_in_a_broken_flow(tmp_path, capsys):
    flow = tmp_path / "broken.json"
    flow.write_text('{"format": 1, "name": 7}')
    assert run_command(["docs", "--flow", str(flow)]) == 1
    assert "broken.json:1:23" in capsys.readouterr().err
