from xml.etree import ElementTree

from flowengine.flowtest import find_tests, run_file
from flowengine.flowtest.reports import coverages, file_lines, junit
from tests.flowengine.flowtest.kit import named, played, write

STEPS = {"in": {"make": [named("ada")]}}, {"expect": {"store": 2}}


def test_a_failure_is_a_place_a_rule_and_a_difference(tmp_path):
    lines = list(file_lines(result := played(tmp_path, *STEPS)))
    assert lines[0].startswith(f"{result.path}: 1 failed (")
    assert lines[1].startswith(f"{result.path}:")
    assert lines[2:] == [
        "    expected 2, got 1",
        '    + {"attributes": {"marked": "ada", "name": "ada"}, "content": "ADA"}',
    ]


def test_junit_has_a_case_per_test(tmp_path):
    result = played(tmp_path, *STEPS)
    [suite] = ElementTree.fromstring(junit([result]))
    [case] = suite
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", "1", "0")
    assert (case.get("classname"), case.get("name")) == ("flow", "it")
    assert case.find("failure").get("message") == (
        "test 'it' step 2: 'store' must get what is expected; got something else"
    )
    assert "expected 2, got 1" in case.find("failure").text


def test_junit_shows_a_file_that_cannot_run_as_an_error(tmp_path):
    result = played(tmp_path, {"advance": "\x00"})
    [[case]] = ElementTree.fromstring(junit([result]))
    assert case.find("error").get("message").startswith("test 'it' step 1: 'advance' must be")


def test_coverage_names_what_no_flowfile_has_seen(tmp_path):
    result = played(tmp_path, {"in": {"make": [named("ada")]}})
    [coverage] = coverages([result, result])
    assert coverage.lines()[0].endswith("/flow.json: 4/5 processors, 4/9 relationships")
    assert coverage.missing == ["mark/failure", "rejects", "slow/failure", "store/failure"]


def test_a_retry_is_seen_as_its_relationship(tmp_path):
    replace = {"store": {"emit": [{"fail": "no disk"}, {}]}}
    result = played(tmp_path, {"in": {"store": [named("ada")]}}, replace=replace)
    assert "store/failure" not in result.coverage.missing


def test_tests_are_chosen_by_flow_and_name(tmp_path):
    path = write(tmp_path)
    assert run_file(path, lambda name: name == "flow::it").outcomes
    result = run_file(path, lambda name: False)
    assert (result.outcomes, result.skipped, result.failed) == ([], 1, 0)


def test_files_are_found_by_file_flow_and_folder(tmp_path, monkeypatch):
    path = write(tmp_path)
    monkeypatch.chdir(tmp_path)
    for names in (["flows"], ["flows/tests"], ["flows/flow.json"], ["flow"], [str(path), "flow"]):
        assert [found.resolve() for found in find_tests(names)] == [path]
