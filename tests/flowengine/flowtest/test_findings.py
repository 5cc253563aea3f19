import json

import pytest

from flowengine.flowtest import run_file
from flowengine.flowtest.reading import read_tests
from tests.flowengine.flowtest.kit import FLOW, problems, write


def messages(found: list[str]) -> list[str]:
    return [line.partition(" ")[2] for line in found]


def test_an_unknown_key_has_its_place_and_a_remedy(tmp_path):
    path = tmp_path / "t.json"
    path.write_text(
        '{"flow": "f.json", "tests": [\n {"name": "a", "steps": [{"advence": "1 s"}]}]}'
    )
    _, findings = read_tests(path)
    assert [str(finding) for finding in findings] == [
        f"{path}:2:27: test 'a' step 1: key 'advence' must be a known one; did you mean 'advance'?",
    ]


def test_unknown_keys_inside_of_a_step_are_found_too(tmp_path):
    steps = {"in": {"make": [{"contents": "x"}]}}, {"expect": {"store": [{"atributes": {}}]}}
    assert messages(problems(tmp_path, *steps)) == [
        "test 'it' step 1: key 'contents' must be a known one; did you mean 'content'?",
        "test 'it' step 2: key 'atributes' must be a known one; did you mean 'attributes'?",
    ]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"advance": "soon"}, "'advance' must be a duration such as '30 sec'; got 'soon'"),
        ({"watermark": "soon"}, "'watermark' must be a time such as '2024-01-01T00:00:00Z', a "
         "distance such as '+10 s', or whole µs since the epoch; got 'soon'"),
        ({"watermark": "2024-01-01T00:00:00"}, "'watermark' must name its offset, as in "
         "'2024-01-01T00:00:00Z'; got '2024-01-01T00:00:00'"),
        ({"eof": 3}, "'eof' must be the name of a source, or an array of names; got 3"),
        ({"kill": False}, "'kill' must be true; got false"),
        ({"expect": {"store": -1}}, "'store' must be at least 0; got -1"),
        ({"expect": {"store": [{"content": "a", "record": 1}]}},
         "must have at most one of 'content', 'record' and 'records'; got content and record"),
        ({"advance": "1 s", "kill": True}, "must have exactly one of 'in', 'advance', 'watermark', "
         "'eof', 'expect', 'queued', 'counters', 'kill' and 'restart'; got 'advance' and 'kill'"),
        ({"in": {"nobody": [{}]}}, "'in' must name a processor or a connection of the flow; "
         "got 'nobody'; there are make, make-mark, mark, mark-rejects, mark-slow, rejects, slow, "
         "slow-store, store"),
        ({"expect": {"store/sucess": 1}}, "'expect' must name a processor or "
         "processor/relationship of the flow; got 'store/sucess'; did you mean 'store/success'?"),
        ({"queued": {"slow": 1}}, "'queued' must name a connection of the flow; got 'slow'; "
         "did you mean 'mark-slow'?"),
        ({"eof": "mark"}, "a source that the test replaces must be named; got 'mark'; "
         "did you mean 'make'?"),
        ({"in": {"make": [{"relationship": "x"}]}},
         "relationship of 'make' must be one of its own; got 'x'; there is success"),
    ],
)  # fmt: skip
def test_what_a_step_says_wrong_is_a_finding(tmp_path, step, message):
    assert messages(problems(tmp_path, step)) == [f"test 'it' step 1: {message}"]


def test_nothing_happens_inside_of_a_killed_flow(tmp_path):
    steps = {"kill": True}, {"in": {"make": [{}]}}, {"advance": "1 s"}, {"restart": True}
    assert messages(problems(tmp_path, *steps)) == [
        "test 'it' step 2: 'in' must stand before 'kill' or after 'restart'; got it between"
    ]


@pytest.mark.parametrize(
    ("replace", "message"),
    [
        ({"stor": {"sink": True}}, "'replace' must name a processor of the flow; got 'stor'; "
         "did you mean 'store'?"),
        ({"mark": {"source": True}}, "no connection must lead to 'mark' for it to be a source; "
         "got one"),
        ({"make": {"sink": True}},
         "a connection must lead to 'make' for it to be a sink; got none"),
        ({"store": {"emit": {"relationship": "done"}}}, "relationship of 'store' must be one of "
         "its own; got 'done'; there are failure, success"),
    ],
)  # fmt: skip
def test_a_replacement_that_does_not_fit_is_a_finding(tmp_path, replace, message):
    assert messages(problems(tmp_path, replace=replace)) == [f"test 'it': {message}"]


def test_a_replacement_is_of_one_kind(tmp_path):
    found = problems(tmp_path, replace={"store": {"sink": True, "emit": {}}})
    assert messages(found) == [
        "test 'it': 'store' must have exactly one of 'source', 'sink' and 'emit'; "
        "got 'sink' and 'emit'"
    ]


def test_what_needs_a_service_must_be_replaced(tmp_path):
    publish = {
        "type": "PublishKafka",
        "properties": {"connection": "kafka", "topic": "t"},
        "auto_terminate": ["success", "failure"],
    }
    flow = {
        **FLOW,
        "services": {"kafka": {"type": "KafkaConnection"}},
        "processors": {**FLOW["processors"], "rejects": publish},
    }
    path = write(tmp_path, flow=flow)
    data = json.loads(path.read_text())
    del data["replace"]["rejects"]
    path.write_text(json.dumps(data))
    assert [finding.text for finding in run_file(path).findings] == [
        "test 'it': processor 'rejects' (PublishKafka), which needs the service 'kafka', must be "
        'replaced; got none; add "replace": {"rejects": {"sink": true}}'
    ]


def test_findings_of_the_flow_itself_are_shown(tmp_path):
    flow = {**FLOW, "processors": {**FLOW["processors"], "make": {"type": "GenerateRecord"}}}
    [message] = messages(problems(tmp_path, flow=flow))
    assert "got 'GenerateRecord'; did you mean 'GenerateRecords'?" in message


def test_a_file_that_is_no_json_is_a_finding(tmp_path):
    path = tmp_path / "t.json"
    path.write_text("{")
    result = run_file(path)
    assert result.failed == 1
    assert [finding.line for finding in result.findings] == [1]
