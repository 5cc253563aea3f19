"""What is wrong between components, said so that one knows what to do."""

import json

import pytest

from flowengine.findings import Severity
from tests.flowengine.definition.kit import (
    GOOD,
    check_text,
    flow_of,
    messages,
    sink,
    source,
    step,
)

PAIR = {"a": source(), "b": sink()}
LEADS = (
    "must lead somewhere; got no connection; "
    "connect it, name it in 'auto_terminate', or give it a 'retry' without count"
)


def one(folder, value, **options):
    """The only finding of a flow."""
    found = messages(folder, value, **options)
    assert len(found) == 1, found
    return found[0]


def test_cycles_are_named_node_by_node(tmp_path):
    flow = flow_of(
        {"in": source(), "a": step(), "b": step(), "c": step()},
        ("in", "success", "b"),
        ("a", "success", "b"),
        ("b", "success", "c"),
        ("c", "success", "a"),
    )
    assert messages(tmp_path, flow) == [
        "connection 'c-a' must not close a cycle; got a → b → c → a; "
        "use 'retry' to try again, or write to a topic and read it in another flow"
    ]


def test_a_cycle_through_a_group_is_a_cycle(tmp_path):
    flow = flow_of(
        {"in": source(), "a": step()},
        ("in", "success", "a"),
        ("a", "success", "g/in"),
        {"from": "g/out", "to": "a"},
        groups={
            "g": {
                "inputs": {"in": {}},
                "outputs": {"out": {}},
                "connections": [{"from": "in", "to": "out"}],
            }
        },
    )
    assert "got a → g/in → g/out → a;" in one(tmp_path, flow)


def test_a_loop_to_oneself_is_a_retry(tmp_path):
    flow = flow_of(
        {"a": source(), "b": step(auto_terminate=["success"])},
        ("a", "success", "b"),
        ("b", "failure", "b"),
    )
    assert one(tmp_path, flow) == (
        "connection 'b-b' must not lead back to its source; got 'b' at both ends; "
        "use 'retry' of the processor, which cannot fill its own queue"
    )


def test_an_unknown_type_is_a_finding_at_the_type(tmp_path):
    flow = flow_of({"a": source(), "b": sink(type="PutFil")}, ("a", "success", "b"))
    _, findings = check_text(tmp_path, json.dumps(flow))
    assert [str(finding) for finding in findings] == [
        f"{tmp_path / 'flow.json'}:1:113: processor 'b' (PutFil): "
        "'type' must be an installed one; got 'PutFil'; did you mean 'PutFile'?"
    ]


def test_a_port_is_no_processor(tmp_path):
    flow = flow_of({"a": source(), "b": {"type": "Funnel"}}, ("a", "success", "b"))
    assert one(tmp_path, flow) == (
        "processor 'b' (Funnel): 'type' must be a processor's; got 'Funnel'; "
        "write it under 'funnels'"
    )


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("c", "connection 'a-c': 'to' must name a component of its group; got 'c'; "
              "there are b, g/in"),
        ("g", "connection 'a-g': 'to' must name a component of its group; got 'g'; "
              "name its port: there is g/in"),
        ("g/inn", "connection 'a-g/inn': 'to' must name an input port of group 'g'; got 'inn'; "
                  "did you mean 'in'?"),
        ("g/x", "connection 'a-g/x': 'to' must name an input port of group 'g'; got 'x'; "
                "connect to what is inside a group through its ports; there is in"),
    ],
)  # fmt: skip
def test_ends_name_components_or_ports(tmp_path, to, message):
    group = {"inputs": {"in": {}}, "processors": {"x": sink()}, "connections": [
        {"from": "in", "to": "x"}]}  # fmt: skip
    flow = flow_of({"a": source(), "b": sink()}, ("a", "success", to), groups={"g": group})
    del flow["processors"]["a"]
    flow["inputs"] = {"a": {}}
    del flow["connections"][0]["relationships"]
    assert one(tmp_path, flow) == message


def test_a_port_has_a_direction(tmp_path):
    flow = flow_of(
        PAIR,
        ("a", "success", "in"),
        {"from": "in", "to": "b"},
        inputs={"in": {}},
    )
    assert one(tmp_path, flow) == (
        "connection 'a-in': 'to' must not be an input port of its own group; got 'in'; "
        "inside its group, a connection starts at an input port"
    )


def test_ids_are_used_once_in_a_group(tmp_path):
    flow = flow_of(PAIR, ("a", "success", "b"), labels={"b": {"text": ""}})
    assert one(tmp_path, flow) == (
        "id 'b' must be used once in its group; got it in 'processors' and in 'labels'"
    )


def test_ids_are_slugs(tmp_path):
    flow = flow_of({"My Source!": source()})
    assert messages(tmp_path, flow)[0] == (
        "processor 'My Source!' must be a slug: 1 to 64 of a-z, 0-9, '-' and '_', "
        "with a letter or digit at both ends; got 'My Source!'; write 'my-source'"
    )


def test_a_relationship_must_exist(tmp_path):
    flow = flow_of(PAIR, ("a", "sucess", "b"))
    assert messages(tmp_path, flow) == [
        f"processor 'a' (Source): relationship 'success' {LEADS}",
        "connection 'a-b': relationship must be one of processor 'a' (Source); got 'sucess'; "
        "did you mean 'success'?",
    ]


def test_a_connection_from_a_processor_names_relationships(tmp_path):
    flow = flow_of(PAIR, {"from": "a", "to": "b"})
    assert messages(tmp_path, flow)[1:] == [
        "connection 'a-b': 'relationships' must name at least one relationship; got none; "
        "there are failure, success"
    ]


def test_a_relationship_must_lead_somewhere(tmp_path):
    flow = flow_of({"a": source(auto_terminate=[]), "b": sink()}, ("a", "success", "b"))
    assert one(tmp_path, flow) == f"processor 'a' (Source): relationship 'failure' {LEADS}"


@pytest.mark.parametrize(("count", "number"), [({}, 0), ({"count": 3}, 1)])
def test_only_a_retry_for_ever_handles_a_relationship(tmp_path, count, number):
    flow = flow_of(
        {"a": source(auto_terminate=[], retry={"failure": count}), "b": sink()},
        ("a", "success", "b"),
    )
    assert len(messages(tmp_path, flow)) == number


def test_what_is_connected_does_not_end(tmp_path):
    flow = flow_of(
        {"a": source(auto_terminate=["success", "failure"]), "b": sink()}, ("a", "success", "b")
    )
    assert one(tmp_path, flow) == (
        "processor 'a' (Source): relationship 'success' must not end here while it is connected; "
        "take it out of 'auto_terminate', or out of the connection"
    )


@pytest.mark.parametrize(
    ("key", "value"), [("auto_terminate", ["failure", "x"]), ("retry", {"x": {}})]
)
def test_settings_name_relationships_of_their_processor(tmp_path, key, value):
    flow = flow_of({"a": source(**{key: value}), "b": sink()}, ("a", "success", "b"))
    assert one(tmp_path, flow) == (
        f"processor 'a' (Source): '{key}' must name its own relationships; got 'x'; "
        "there are failure, success"
    )


def test_a_source_takes_no_input(tmp_path):
    flow = flow_of(
        {"a": source(), "b": source(), "c": sink()}, ("a", "success", "b"), ("b", "success", "c")
    )
    assert one(tmp_path, flow) == (
        "processor 'b' (Source) must have no incoming connection, as it is a source; "
        "got one from 'a'"
    )


def test_a_processor_that_needs_input_gets_some(tmp_path):
    flow = flow_of({**PAIR, "c": sink()}, ("a", "success", "b"))
    assert one(tmp_path, flow) == (
        "processor 'c' (Sink) must have an incoming connection; got none; "
        "connect something to it, or remove it"
    )


def test_what_only_a_disabled_source_feeds_is_a_warning(tmp_path):
    flow = flow_of(
        {"a": source(disabled=True), "s": step(), "b": sink()},
        ("a", "success", "s"),
        ("s", "success", "b"),
    )
    _, findings = check_text(tmp_path, json.dumps(flow))
    assert [(f.severity, f.text) for f in findings] == [
        (
            Severity.WARNING,
            "processor 's' (Step) must be reached from a source that is not disabled; got none",
        )
    ]


def test_two_connections_between_the_same_two_need_ids(tmp_path):
    flow = flow_of(
        {"a": source(auto_terminate=[]), "b": sink()}, ("a", "success", "b"), ("a", "failure", "b")
    )
    text = json.dumps(flow, indent=1)
    _, findings = check_text(tmp_path, text)
    assert [finding.text for finding in findings] == [
        "connection 'a-b' must have an id of its own; got the id of another connection in line 17; "
        "give each an explicit 'id', or join them into one connection with both relationships"
    ]
    flow["connections"][1]["id"] = "failures"
    assert messages(tmp_path, flow) == []


def test_ports_of_a_group_are_connected_on_both_sides(tmp_path):
    group: dict = {"inputs": {"in": {}}, "outputs": {"out": {}}}
    flow = flow_of(PAIR, ("a", "success", "b"), groups={"g": group})
    assert messages(tmp_path, flow) == [
        "input port 'g/in' must have an outgoing connection; got none; connect it, or remove it",
        "input port 'g/in' must have an incoming connection; got none; "
        "connect something to it, or remove it",
        "output port 'g/out' must have an outgoing connection; got none; connect it, or remove it",
        "output port 'g/out' must have an incoming connection; got none; "
        "connect something to it, or remove it",
    ]


def test_several_tasks_of_what_only_computes_are_a_warning(tmp_path):
    tasks = {"concurrent_tasks": 4}
    flow = flow_of(
        {"a": source(scheduling=tasks), "s": step(scheduling=tasks), "b": sink()},
        ("a", "success", "s"),
        ("s", "success", "b"),
    )
    assert one(tmp_path, flow) == (
        "processor 's' (Step): 'concurrent_tasks' should be 1, as this type only computes; got 4; "
        "run a second runner to use another core"
    )


def test_several_tasks_of_what_keeps_order_are_an_error(tmp_path):
    serial = {"type": "Serial", "scheduling": {"concurrent_tasks": 2}}
    flow = flow_of(
        {"a": source(), "s": {**serial, "auto_terminate": ["success"]}}, ("a", "success", "s")
    )
    assert one(tmp_path, flow) == (
        "processor 's' (Serial): 'concurrent_tasks' must be 1, as this type keeps order; got 2"
    )


@pytest.mark.parametrize(
    ("cron", "message"),
    [
        ("* * *", "be a cron expression such as '0 * * * *' (wrong number of fields)"),
        ("61 * * * *", "be a cron expression such as '0 * * * *' (bad minute)"),
        ("0 0 30 2 *", "be a cron expression such as '0 * * * *' (bad day-of-month)"),
    ],
)
def test_cron_expressions_are_checked(tmp_path, cron, message):
    flow = flow_of({"a": source(scheduling={"cron": cron}), "b": sink()}, ("a", "success", "b"))
    found = one(tmp_path, flow)
    assert found == f"processor 'a' (Source): 'scheduling.cron' must {message}; got '{cron}'"


def test_a_question_mark_of_nifi_is_a_star_here(tmp_path):
    options = {"cron": "0 20 14 ? * MON-FRI"}
    flow = flow_of({"a": source(scheduling=options), "b": sink()}, ("a", "success", "b"))
    assert one(tmp_path, flow).endswith("got '0 20 14 ? * MON-FRI'; write '*' for '?'")


def test_scheduling_has_one_strategy(tmp_path):
    options = {"cron": "* * * * *", "once": True}
    flow = flow_of({"a": source(scheduling=options), "b": sink()}, ("a", "success", "b"))
    assert one(tmp_path, flow) == (
        "processor 'a' (Source): 'scheduling' must choose one strategy; got 'cron' and 'once'"
    )


def test_prioritizers_are_known_ones(tmp_path):
    entry = {"from": "a", "relationships": ["success"], "to": "b", "prioritizers": ["newest"]}
    assert one(tmp_path, flow_of(PAIR, entry)) == (
        "connection 'a-b': prioritizer must be a known one; got 'newest'; "
        "did you mean 'newest first'?"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("clster", "got 'clster'; did you mean 'cluster'?"),
        ("other", "got 'other', which is a Other"),
    ],
)
def test_a_service_has_the_right_type(tmp_path, name, message):
    services = {
        "cluster": {"type": "Cluster", "properties": {"address": "x"}},
        "other": {"type": "Other"},
    }
    flow = flow_of(
        {"a": source(), "b": sink(properties={"connection": name})},
        ("a", "success", "b"),
        services=services,
    )
    assert one(tmp_path, flow) == (
        "processor 'b' (Sink): property 'connection' must name a service of type 'Cluster'; "
        + message
    )


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"mode": "fats"}, "property 'mode' must be 'fast' or 'slow'; got 'fats'; "
                           "did you mean 'fast'?"),
        ({"rate": "fast"}, "property 'rate' must be a data rate such as '1 MB'; got 'fast'"),
        ({"duration": 5}, "property 'duration' must be a duration such as '30 sec'; got 5"),
        ({"values": {"a": 1}}, "property 'values.a' must be text; got 1"),
        ({"values": []}, "property 'values' must be an object; got an array"),
        ({"items": [1, "x"]}, "property 'items.1' must be a whole number; got 'x'"),
        ({"mod": "fast"}, "property 'mod' must be a known one; did you mean 'mode'?"),
        ({"values": {"a": "#{no}"}},
         "property 'values.a' must name a declared parameter; got '#{no}'; "
         "declare it, or write '##{' for the text"),
    ],
)  # fmt: skip
def test_properties_break_rules_by_name(tmp_path, properties, message):
    flow = flow_of(
        {"a": source(), "s": step(properties=properties, auto_terminate=["success", "failure"])},
        ("a", "success", "s"),
    )
    assert one(tmp_path, flow) == f"processor 's' (Step): {message}"


def test_a_missing_property_is_found_at_the_type(tmp_path):
    flow = flow_of({"a": source(), "r": {"type": "Route", "auto_terminate": ["unmatched"]}},
                   ("a", "success", "r"))  # fmt: skip
    _, findings = check_text(tmp_path, json.dumps(flow, indent=1))
    place = f"{tmp_path / 'flow.json'}:12:12"
    assert [str(finding) for finding in findings] == [
        f"{place}: processor 'r' (Route): property 'routes' must be given; got none"
    ]


SECRET = {"key": {"sensitive": True, "env": "SECRET"}, "open": {"value": "x"}}


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"password": "hunter2"}, "property 'password' must be a sensitive parameter; "
         "got open text; declare a parameter with 'sensitive' and 'env', write its '#{name}' here"),
        ({"password": "#{open}"}, "property 'password' must be a sensitive parameter; "
         "got open text; declare a parameter with 'sensitive' and 'env', write its '#{name}' here"),
        ({"secrets": {"a": "#{key}", "b": "x"}}, "property 'secrets.b' must be a sensitive "
         "parameter; got open text; declare a parameter with 'sensitive' and 'env', "
         "write its '#{name}' here"),
        ({"target": "#{key}"}, "property 'target' must be of a secret type "
         "to take a sensitive parameter; got a secret"),
        ({"target": "a#{key}"}, "property 'target' must be a sensitive parameter as a whole; "
         "got '#{key}' inside other text"),
        ({"password": "a#{key}"}, "property 'password' must be a sensitive parameter as a whole; "
         "got '#{key}' inside other text"),
    ],
)  # fmt: skip
def test_secrets_never_stand_in_the_open(tmp_path, properties, message):
    flow = flow_of(
        {"a": source(), "b": sink(properties=properties)},
        ("a", "success", "b"),
        parameters=SECRET,
    )
    found = one(tmp_path, flow)
    assert found == f"processor 'b' (Sink): {message}"


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ({}, "have a value; got none; give it a 'value', or set it from outside: --set p=…"),
        ({"value": 1, "env": "X"}, "have one source; got 'value' and 'env'"),
        ({"value": "x", "sensitive": True},
         "not stand in the file when it is sensitive; got 'value'; "
         "name an 'env', a 'file' or a 'store'"),
        ({"env": "NO"}, "be set by environment variable 'NO'; got none; export NO"),
        ({"file": "no"}, "be readable from file 'no'; got no such file or directory"),
        ({"store": "x", "sensitive": True},
         "be held by the encrypted store as 'x'; got no open store; set it from outside instead"),
    ],
)  # fmt: skip
def test_parameters_have_one_source_that_is_there(tmp_path, parameter, message):
    flow = flow_of(PAIR, ("a", "success", "b"), parameters={"p": parameter})
    assert one(tmp_path, flow) == f"parameter 'p' must {message}"


def test_parameters_from_outside_must_be_declared(tmp_path):
    flow = flow_of(PAIR, ("a", "success", "b"), parameters={"rate": {"value": 1}})
    assert one(tmp_path, flow, parameters={"rat": "2"}) == (
        "flow: parameter 'rat' set from outside must be declared in the flow; did you mean 'rate'?"
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("##{x}", "#{x}"),
        ("###{open}", "#x"),
        ("a#{open}b#{open}", "axbx"),
        ("# {open} #", "# {open} #"),
        ("#{open", "#{open"),
    ],
)
def test_references_can_be_escaped(tmp_path, text, value):
    flow = flow_of(
        {"a": source(properties={"path": text}), "b": sink()},
        ("a", "success", "b"),
        parameters={"open": {"value": "x"}},
    )
    loaded, findings = check_text(tmp_path, json.dumps(flow))
    assert findings == []
    assert loaded is not None
    assert loaded.processors["a"].properties.path == value


def test_a_parameter_may_stand_in_a_file_beside_the_flow(tmp_path):
    (tmp_path / "key").write_text("s3cret\n")
    flow = flow_of(
        {"a": source(), "b": sink(properties={"password": "#{p}"})},
        ("a", "success", "b"),
        parameters={"p": {"file": "key", "sensitive": True}},
    )
    loaded, _ = check_text(tmp_path, json.dumps(flow))
    assert loaded is not None
    assert loaded.processors["b"].properties.password.reveal() == "s3cret"


def test_all_findings_are_collected_in_the_order_of_the_text(tmp_path):
    text = (
        json.dumps(GOOD, indent=2)
        .replace('"Route"', '"Rout"')
        .replace('"slow"', '"slo"')
        .replace('"to": "write"', '"to": "wrte"')
        .replace('"penalty"', '"penalti"')
    )
    _, findings = check_text(tmp_path, text)
    assert [finding.component for finding in findings] == ["step", "step", "route", "all-wrte"]
    assert [finding.line for finding in findings] == sorted(finding.line for finding in findings)
