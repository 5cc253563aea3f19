"""From a file to what the engine runs."""

import json
from typing import Any

import pytest

from flowengine.definition import (
    Backoff,
    BulletinLevel,
    FlowInvalid,
    RetryPolicy,
    Scheduling,
    Sources,
    Strategy,
    load_flow,
)
from flowengine.units import Secret
from tests.flowengine.definition.kit import (
    CLASSES,
    GOOD,
    SOURCES,
    check_text,
    flow_of,
    messages,
    sink,
    source,
    step,
)

INNER: dict[str, Any] = {
    "format": 1,
    "name": "inner",
    "parameters": {"times": {"value": 1}, "target": {}},
    "services": {"cluster": {"type": "Cluster", "properties": {"address": "#{target}"}}},
    "inputs": {"in": {}},
    "outputs": {"out": {"name": "Way out"}},
    "processors": {
        "more": source(properties={"count": "#{times}"}),
        "end": sink(properties={"connection": "cluster"}),
        "step": step(),
    },
    "connections": [
        {"from": "in", "to": "step"},
        {"from": "step", "relationships": ["success"], "to": "out"},
        {"from": "more", "relationships": ["success"], "to": "end"},
    ],
}


def load(folder, value, **options):
    flow, findings = check_text(folder, json.dumps(value), **options)
    assert flow is not None, [str(finding) for finding in findings]
    return flow


def outer(**reference):
    return flow_of(
        {"read": source(), "write": sink()},
        ("read", "success", "lake/in"),
        {"from": "lake/out", "to": "write"},
        groups={"lake": {"flow": "inner.json", "parameters": {"target": "x"}, **reference}},
    )


def with_inner(folder, value=INNER, name="inner.json"):
    (folder / name).write_text(json.dumps(value))


def test_groups_become_prefixes_and_ports_become_processors(tmp_path):
    flow = load(tmp_path, GOOD)
    assert list(flow.processors) == [
        "read", "step", "route", "write", "all", "box/inner", "box/in", "box/out",
    ]  # fmt: skip
    assert [flow.processors[i].type for i in ("all", "box/in", "box/out")] == [
        "Funnel", "InputPort", "OutputPort",
    ]  # fmt: skip
    assert flow.processors["box/inner"].group == ("box",)


def test_connections_are_named_after_their_ends(tmp_path):
    flow = load(tmp_path, GOOD)
    assert [(c.id, c.source, c.destination) for c in flow.connections] == [
        ("read-step", "read", "step"),
        ("step-route", "step", "route"),
        ("route-all", "route", "all"),
        ("route-box/in", "route", "box/in"),
        ("box/out-all", "box/out", "all"),
        ("all-write", "all", "write"),
        ("box/in-inner", "box/in", "box/inner"),
        ("box/inner-out", "box/inner", "box/out"),
    ]


def test_ports_and_funnels_hand_on_success(tmp_path):
    flow = load(tmp_path, GOOD)
    assert flow.connections[5].relationships == ("success",)


def test_settings_of_a_connection_are_numbers(tmp_path):
    connection = load(tmp_path, GOOD).connections[0]
    assert (connection.objects, connection.bytes) == (100, 1 << 20)
    assert connection.expiration_us == 3_600_000_000
    assert connection.prioritizers == ("newest first",)


def test_settings_that_are_not_given_are_the_defaults(tmp_path):
    flow = load(tmp_path, GOOD)
    connection, processor = flow.connections[1], flow.processors["write"]
    assert (connection.objects, connection.bytes, connection.expiration_us) == (
        10_000, 100 << 20, 0,
    )  # fmt: skip
    assert (processor.penalty_us, processor.yield_us) == (30_000_000, 1_000_000)
    assert processor.bulletin_level is BulletinLevel.WARNING
    assert processor.scheduling == Scheduling()
    assert flow.processors["read"].retry == {
        "failure": RetryPolicy(None, Backoff.PENALIZE, 600_000_000)
    }


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"every": "5 sec"}, Scheduling(Strategy.EVERY, every_us=5_000_000)),
        ({"every": "0 sec"}, Scheduling()),
        ({"cron": "0 5 * * *"}, Scheduling(Strategy.CRON, cron="0 5 * * *")),
        ({"once": True, "batch_size": 3}, Scheduling(Strategy.ONCE, batch_size=3)),
    ],
)
def test_scheduling_is_one_strategy(tmp_path, options, expected):
    flow = flow_of({"a": source(scheduling=options), "b": sink()}, ("a", "success", "b"))
    assert load(tmp_path, flow).processors["a"].scheduling == expected


def test_properties_are_typed_values_with_parameters_in_them(tmp_path):
    flow = load(tmp_path, GOOD)
    properties = flow.processors["step"].properties
    assert (properties.mode, properties.rate.amount, properties.size) == ("slow", 5, 2 << 20)
    assert flow.processors["write"].properties.password == Secret("hunter2")
    assert flow.services["cluster"].properties.address == "local"
    assert flow.parameters == {"rate": "5"}


def test_values_from_outside_win(tmp_path):
    flow = load(tmp_path, GOOD, parameters={"rate": "7", "secret": "other"})
    assert flow.processors["step"].properties.rate.amount == 7
    assert flow.processors["write"].properties.password == Secret("other")


def test_relationships_depend_on_properties(tmp_path):
    assert set(load(tmp_path, GOOD).processors["route"].relationships) == {
        "left", "right", "unmatched",
    }  # fmt: skip


def test_an_output_of_the_flow_itself_ends_what_arrives_there(tmp_path):
    flow = flow_of({"a": source()}, ("a", "success", "out"), outputs={"out": {}})
    loaded = load(tmp_path, flow)
    assert loaded.processors["out"].auto_terminate == {"success"}
    assert [finding.text for finding in loaded.findings] == [
        "output port 'out' must have an outgoing connection; got none; "
        "what arrives there ends there, unless another flow refers to this one"
    ]


def test_another_file_is_a_group_with_its_own_parameters_and_services(tmp_path):
    with_inner(tmp_path)
    flow = load(tmp_path, outer(parameters={"target": "there", "times": 4}))
    assert flow.processors["lake/more"].properties.count == 4
    assert flow.processors["lake/end"].properties.connection == "lake/cluster"
    assert flow.services["lake/cluster"].properties.address == "there"
    assert flow.processors["lake/out"].name == "Way out"
    assert flow.processors["lake/out"].auto_terminate == frozenset()
    assert [path.name for path in flow.files] == ["flow.json", "inner.json"]


def test_two_references_to_one_file_are_two_groups(tmp_path):
    with_inner(tmp_path)
    value = outer()
    value["groups"]["sea"] = {"flow": "inner.json", "parameters": {"target": "y"}}
    value["connections"] += [
        {"from": "lake/out", "to": "sea/in"},
        {"from": "sea/out", "to": "write"},
    ]
    flow = load(tmp_path, value)
    assert flow.services["sea/cluster"].properties.address == "y"


def test_groups_see_the_services_around_them(tmp_path):
    value = flow_of(
        {"read": source()},
        ("read", "success", "g/in"),
        services={"cluster": {"type": "Cluster", "properties": {"address": "x"}}},
        groups={
            "g": {
                "inputs": {"in": {}},
                "processors": {"end": sink(properties={"connection": "cluster"})},
                "connections": [{"from": "in", "to": "end"}],
            }
        },
    )
    assert load(tmp_path, value).processors["g/end"].properties.connection == "cluster"


def test_parameters_pass_through_a_reference(tmp_path):
    with_inner(tmp_path)
    value = outer(parameters={"target": "#{place}:#{port}"})
    value["parameters"] = {"place": {"value": "host"}, "port": {"value": 9092}}
    flow = load(tmp_path, value)
    assert flow.services["lake/cluster"].properties.address == "host:9092"


def test_a_finding_in_a_referenced_file_names_that_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    broken = step(properties={"mode": "fats"})
    inner = {**INNER, "processors": {**INNER["processors"], "step": broken}}
    (tmp_path / "inner.json").write_text(json.dumps(inner, indent=1))
    (tmp_path / "outer.json").write_text(json.dumps(outer()))
    with pytest.raises(FlowInvalid) as caught:
        load_flow("outer.json", classes=CLASSES)
    assert str(caught.value) == (
        "inner.json:51:13: processor 'lake/step' (Step): property 'mode' must be 'fast' or 'slow'; "
        "got 'fats'; did you mean 'fast'?"
    )


def test_a_reference_must_name_a_file(tmp_path):
    assert messages(tmp_path, outer(flow="gone.json")) == [
        "group 'lake': 'flow' must name a flow file; got 'gone.json'; "
        f"the path is relative to {str(tmp_path)!r}"
    ]


def test_a_reference_stays_in_the_folder_of_flows(tmp_path):
    (tmp_path / "flows").mkdir()
    with_inner(tmp_path)
    assert messages(tmp_path / "flows", outer(flow="../inner.json")) == [
        f"group 'lake': 'flow' must stay inside folder {str(tmp_path / 'flows')!r}; "
        "got '../inner.json'"
    ]


def test_flows_in_subfolders_may_refer_to_each_other(tmp_path):
    (tmp_path / "flows" / "deep").mkdir(parents=True)
    with_inner(tmp_path / "flows")
    load(tmp_path / "flows" / "deep", outer(flow="../inner.json"))


def test_a_cycle_of_references_is_named(tmp_path):
    first = flow_of({}, groups={"g": {"flow": "b.json"}})
    with_inner(tmp_path, flow_of({}, groups={"g": {"flow": "flow.json"}}), "b.json")
    assert messages(tmp_path, first) == [
        "group 'g/g': 'flow' must not lead back to its own file; got flow.json → b.json → flow.json"
    ]


def test_references_that_multiply_are_stopped(tmp_path):
    for number in range(20):
        groups = {side: {"flow": f"{number + 1}.json"} for side in ("a", "b", "c")}
        with_inner(tmp_path, flow_of({}, groups=groups if number < 19 else {}), f"{number}.json")
    found = messages(tmp_path, flow_of({}, groups={"g": {"flow": "0.json"}}))
    assert "flow must have at most 2000 groups; got more" in found


def test_the_values_that_a_reference_passes_must_be_wanted(tmp_path):
    with_inner(tmp_path)
    found = messages(tmp_path, outer(parameters={"target": "x", "tims": 3}))
    assert found == [
        "group 'lake': parameter 'tims' must be one of the flow it refers to; did you mean 'times'?"
    ]


def test_a_reference_must_give_what_has_no_value(tmp_path):
    with_inner(tmp_path)
    assert (
        messages(tmp_path, outer(parameters={}))
        == [
            "parameter 'target' must have a value; got none; "
            "give it a 'value', or set it from outside: --set target=…",
            "service 'lake/cluster': property 'address' must be text; got '#{target}'",
        ][:1]
    )


def test_a_secret_passes_through_a_reference_only_as_a_secret(tmp_path):
    inner = flow_of(
        {"a": source(), "b": sink(properties={"password": "#{key}"})},
        ("a", "success", "b"),
        parameters={"key": {"sensitive": True}},
    )
    with_inner(tmp_path, inner)
    value = flow_of(
        {},
        groups={"g": {"flow": "inner.json", "parameters": {"key": "#{mine}"}}},
        parameters={"mine": {"sensitive": True, "env": "SECRET"}},
    )
    assert load(tmp_path, value).processors["g/b"].properties.password == Secret("hunter2")
    value["groups"]["g"]["parameters"]["key"] = "hunter2"
    assert messages(tmp_path, value) == [
        "group 'g': parameter 'key' must be given a sensitive parameter; got open text; "
        "write '#{name}' of a sensitive parameter of this flow"
    ]


def test_no_secret_shows_in_what_was_loaded(tmp_path):
    flow = load(tmp_path, GOOD)
    assert "hunter2" not in repr(flow)
    assert "hunter2" not in flow.text


def test_a_flow_that_cannot_run_raises_all_its_findings(tmp_path):
    (tmp_path / "f.json").write_text('{"format": 2, "nam": "f"}')
    with pytest.raises(FlowInvalid) as caught:
        load_flow(tmp_path / "f.json", sources=SOURCES)
    assert [finding.text for finding in caught.value.findings] == [
        "flow: key 'name' must be given; got none",
        "flow: 'format' must be 1; got 2",
        "flow: key 'nam' must be a known one; did you mean 'name'?",
    ]


def test_a_missing_environment_variable_is_a_finding(tmp_path):
    (tmp_path / "f.json").write_text(json.dumps(GOOD))
    with pytest.raises(FlowInvalid) as caught:
        load_flow(tmp_path / "f.json", classes=CLASSES, sources=Sources(environment={}))
    assert [finding.text for finding in caught.value.findings] == [
        "parameter 'secret' must be set by environment variable 'SECRET'; got none; export SECRET"
    ]


@pytest.mark.parametrize("name", ["", ".", "/", "\0", "x" * 5000, "a/" * 300, "~", "ß\u2028"])
def test_names_that_no_file_can_have_are_findings(tmp_path, name):
    value = flow_of(
        {},
        groups={"g": {"flow": name}},
        parameters={"p": {"file": name or "."}, "e": {"env": name or "\0"}},
    )
    found = messages(tmp_path, value)
    assert [text.partition(" must ")[0] for text in found] == [
        "group 'g': 'flow'",
        "parameter 'p'",
        "parameter 'e'",
    ]
