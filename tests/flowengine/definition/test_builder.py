"""Flows built in code."""

import json
from pathlib import Path

import pytest

from flowengine.definition import Flow, FlowInvalid, check_flow, load_flow, new_flow, save_text
from flowengine.definition.builder import as_json
from flowengine.errors import DefinitionError
from tests.flowengine.definition.kit import CLASSES, Cluster, Mode, Sink, Source, Step


def pipeline() -> Flow:
    flow = Flow("built", "In code.")
    count = flow.parameter("count", 3)
    read = flow.add("read", Source, {"auto_terminate": ["failure"]}, count=count)
    step = flow.add("step", Step, {"retry": {Step.failure: {}}}, mode=Mode.SLOW)
    write = flow.add("write", Sink, {"auto_terminate": ["success"]}, connection="cluster")
    flow.service("cluster", Cluster, address="x")
    flow.connect(read, "success", step, expiration="1 h")
    flow.connect(step, Step.success, write)
    return flow.place(read=(0, 0), step=(1, 2))


def test_a_flow_in_code_is_loaded_with_classes_that_are_not_installed():
    flow = pipeline().load()
    assert list(flow.processors) == ["read", "step", "write"]
    assert flow.processors["read"].properties.count == 3
    assert flow.path is None


def test_values_from_outside_reach_a_flow_in_code():
    assert pipeline().load({"count": "9"}).processors["read"].properties.count == 9


def test_what_is_saved_is_the_same_flow(tmp_path):
    flow = pipeline()
    flow.save(tmp_path / "built.json")
    assert (tmp_path / "built.json").read_text() == flow.text()
    assert load_flow(tmp_path / "built.json", classes=CLASSES).text == flow.text()
    assert [path.name for path in tmp_path.iterdir()] == ["built.json"]


def test_groups_ports_and_funnels_can_be_built():
    flow = Flow("f")
    flow.add("a", Source, {"auto_terminate": ["failure"]})
    group = flow.group("g", name="Box")
    group.connect(group.port("in", "input"), (), group.port("out", "output"))
    flow.connect("a", "success", "g/in").connect("g/out", (), flow.funnel("f"))
    flow.connect("f", (), flow.add("z", Sink, {"auto_terminate": ["success"]}))
    assert list(flow.load().processors) == ["a", "z", "f", "g/in", "g/out"]


def test_a_reference_is_relative_to_the_base(tmp_path):
    pipeline().save(tmp_path / "built.json")
    flow = Flow("f")
    flow.refer("inner", "built.json", count=5)
    flow._classes.update(CLASSES)
    assert flow.load(base=tmp_path).processors["inner/read"].properties.count == 5


def test_findings_of_a_flow_in_code_point_into_it():
    flow = Flow("f")
    flow.add("a", Source, count="x")
    with pytest.raises(FlowInvalid) as caught:
        flow.load()
    assert str(caught.value).splitlines()[-1] == (
        "/processors/a/properties/count: "
        "processor 'a' (Source): property 'count' must be a whole number; got 'x'"
    )


def test_an_id_is_added_once():
    flow = Flow("f")
    flow.add("a", Source)
    with pytest.raises(DefinitionError) as caught:
        flow.add("a", Sink)
    assert str(caught.value) == "id 'a' must be used once under 'processors'; got it again"


def test_a_wrong_name_is_a_finding_at_once():
    with pytest.raises(FlowInvalid, match="flow: 'name' must be a slug"):
        Flow("Not a slug").text()


def test_property_values_are_json_data():
    assert as_json({"a": (Mode.FAST, Path("x"), None, 1.5)}) == {"a": ["fast", "x", None, 1.5]}
    with pytest.raises(DefinitionError) as caught:
        as_json([{1}])
    assert str(caught.value) == (
        "property value must be text, a number, true, false, null, a list or a mapping; got a set"
    )


def test_a_file_is_replaced_as_a_whole(tmp_path):
    (tmp_path / "f").write_text("old")
    save_text(tmp_path / "f", "new\n")
    assert (tmp_path / "f").read_bytes() == b"new\n"


def test_a_new_flow_is_canonical(tmp_path):
    text = new_flow("mine")
    assert json.loads(text)["name"] == "mine"
    assert new_flow("mine") == text
    save_text(tmp_path / "mine.json", text)
    _, findings = check_flow(tmp_path / "mine.json")
    assert [f for f in findings if "key" in f.message] == []
