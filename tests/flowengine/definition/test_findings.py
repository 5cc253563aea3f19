"""Findings: what, where, and what to do."""

import doctest

from flowengine.definition import builder
from flowengine.findings import Finding, FlowInvalid, Severity, errors, in_order


def finding(file="f.json", line=1, column=2, **changes):
    fields = {"path": "/a", "component": "a", "severity": Severity.ERROR, "message": "m"}
    return Finding(file, line, column, **{**fields, **changes})


def test_a_finding_is_written_like_a_compiler_does():
    assert str(finding(remedy="do it")) == "f.json:1:2: m; do it"


def test_a_warning_says_so():
    assert str(finding(severity=Severity.WARNING)) == "f.json:1:2: warning: m"


def test_without_a_text_the_path_is_the_place():
    assert str(finding(file="", line=0)) == "/a: m"
    assert str(finding(line=0)) == "f.json: m"


def test_findings_stand_in_the_order_of_the_text_and_once():
    late, early, other = finding(line=9), finding(line=1), finding(file="g.json")
    assert in_order([late, early, late, other]) == [early, late, other]


def test_only_errors_keep_a_flow_from_running():
    warning = finding(severity=Severity.WARNING)
    assert errors([warning, finding()]) == [finding()]


def test_an_invalid_flow_tells_all_its_findings():
    assert str(FlowInvalid([finding(), finding(line=2)])) == "f.json:1:2: m\nf.json:2:2: m"


def test_the_example_of_the_builder_runs():
    assert doctest.testmod(builder).failed == 0
