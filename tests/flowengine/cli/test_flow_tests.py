import subprocess
import sys
from pathlib import Path

import pytest

from tests.flowengine.flowtest.kit import named, write

WAREHOUSE = Path(__file__).parents[3] / "flows" / "tests" / "warehouse.json"


def test_all_flows_are_tested_when_none_is_named(shell, place):
    write(place, {"in": {"make": [named("ada")]}}, {"expect": {"store": 1}})
    result = shell("test")
    assert result.code == 0
    assert result.out.startswith("flows/tests/flow.json: 1 passed (")
    assert result.err.startswith("1 test in 1 file: all passed (")


def test_a_failed_test_ends_with_1_and_its_place(shell, place):
    write(place, {"expect": {"store": 1}})
    result = shell("test", "flow")
    assert result.code == 1
    assert (
        "flows/tests/flow.json:20:7: test 'it' step 1: 'store' must get what is expected; "
        "got something else\n    expected 1, got 0\n" in result.out
    )
    assert result.err.startswith("1 test in 1 file: 1 failed (")


def test_a_keyword_that_fits_no_test_is_an_error(shell, place):
    write(place)
    result = shell("test", "-k", "nothing")
    assert result.code == 1
    assert result.err == (
        "error: flow tests must be at least one with 'nothing' in its name; got none\n"
    )


def test_a_flow_without_tests_is_an_error(shell, place):
    result = shell("test", "nowhere")
    assert result.code == 1
    assert result.err == (
        "error: flow test must be a file, a folder or a flow that has tests; got 'nowhere'; "
        "looked for 'tests/nowhere.json' and 'nowhere.json' and 'flows/tests/nowhere.json'\n"
    )


def test_junit_and_coverage_are_written(shell, place):
    write(place)
    result = shell("test", "flows", "--junit", "out/junit.xml", "--coverage")
    assert result.code == 0
    assert (place / "out" / "junit.xml").read_text().startswith("<?xml")
    assert "flows/flow.json: 0/5 processors, 0/9 relationships\n" in result.out


@pytest.mark.slow
def test_a_window_with_sql_leaves_nothing_behind_that_its_library_complains_of(tmp_path):
    line = [sys.executable, "-m", "flowengine", "test", str(WAREHOUSE)]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr.startswith("4 tests in 1 file: all passed (")
    assert len(done.stderr.splitlines()) == 1
