"""Every flow that we ship has tests, and they hold."""

from pathlib import Path

import pytest

from flowengine.flowtest import find_tests, run_file
from flowengine.flowtest.reports import file_lines

FLOWS = Path(__file__).parents[3] / "flows"
SHIPPED = sorted(FLOWS.glob("*.json"))


@pytest.mark.parametrize("flow", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_flow_has_tests(flow):
    assert (FLOWS / "tests" / flow.name).is_file(), f"flows/tests/{flow.name} must exist"


@pytest.mark.parametrize("path", find_tests([str(FLOWS)]), ids=lambda path: path.stem)
def test_the_tests_of_a_shipped_flow_hold(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # they rest on no working directory
    result = run_file(path)
    assert not result.failed, "\n".join(file_lines(result))
    assert result.coverage.processors <= result.coverage.worked, result.coverage.missing
    assert list(tmp_path.iterdir()) == [], "a flow test must write nowhere"
