"""Whatever is in a flow file: it loads, or there are findings with a place. Never a traceback."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowengine.definition import canonical, check_flow
from flowengine.definition.model import FlowDefinition
from flowengine.definition.source import parse_document
from flowengine.findings import errors
from tests.flowengine.definition.kit import GOOD, check_text
from tests.strategies import mutated

MUTATIONS = 500


def good_text() -> str:
    return canonical(FlowDefinition.model_validate(GOOD))


def test_the_good_flow_is_good(tmp_path):
    flow, findings = check_text(tmp_path, json.dumps(GOOD))
    assert findings == []
    assert flow is not None


@pytest.mark.parametrize("part", range(10))
def test_500_malformed_files_give_findings_with_a_place(tmp_path, part):
    rng = random.Random(part)
    broken = 0
    for _ in range(MUTATIONS // 10):
        data = mutated(good_text(), rng)
        flow, findings = check_text(tmp_path, data)
        assert (flow is None) == bool(errors(findings)), data
        for finding in findings:
            assert finding.line >= 1, (finding, data)
            assert finding.column >= 1
            assert "hunter2" not in str(finding)
        broken += flow is None
    assert broken >= MUTATIONS // 10 * 0.7


@given(st.text() | st.binary())
def test_any_text_parses_or_is_a_finding_with_a_place(data):
    text = data if isinstance(data, str) else data.decode("latin-1")
    document, findings = parse_document(text, "f")
    assert all(finding.line >= 1 for finding in findings)
    if not findings:
        assert document.value == json.loads(text.removeprefix("\ufeff"))


def test_a_file_of_random_bytes_is_a_finding(tmp_path):
    for seed in range(50):
        (tmp_path / "flow.json").write_bytes(random.Random(seed).randbytes(200))
        flow, findings = check_flow(tmp_path / "flow.json")
        assert flow is None
        assert findings
