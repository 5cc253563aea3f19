"""Reading a file of flow tests; every mistake in it is a finding with its line and column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from flowengine.definition.messages import key_findings, remedy_of, rule_and_value
from flowengine.definition.source import Document, JsonPath, read_document, show
from flowengine.findings import Finding, in_order
from flowengine.flowtest import model

_OWNERS: dict[str, type[BaseModel]] = {
    "tests": model.Test,
    "steps": model.Step,
    "replace": model.Replacement,
    "source": model.Given,
    "in": model.Given,
    "emit": model.Emit,
    "expect": model.Expected,
}


@dataclass(frozen=True, slots=True)
class TestFile:
    """A file of tests, and where everything in it stands."""

    __test__ = False

    path: Path
    document: Document
    model: model.FlowTest

    @property
    def flow(self) -> Path:
        """The flow file, named as the test file was."""
        path = self.path.parent / self.model.flow
        resolved, here = path.resolve(), Path.cwd()
        return resolved.relative_to(here) if resolved.is_relative_to(here) else resolved

    def finding(
        self, path: JsonPath, message: str, remedy: str = "", *, key: bool = True
    ) -> Finding:
        """A finding about a part of the file."""
        words = describe(self.document.value, path)
        return self.document.finding(path, f"{words}{message}", remedy=remedy, key=key)


def read_tests(path: Path) -> tuple[TestFile | None, list[Finding]]:
    """The tests in a file; None when there are findings."""
    document, findings = read_document(path)
    if findings:
        return None, findings
    try:
        return TestFile(path, document, model.FlowTest.model_validate(document.value)), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    return None, list(in_order(_finding(document, problem) for problem in details))


def describe(value: Any, path: JsonPath) -> str:
    """``test 'name' step 2: `` for what lies inside of one; the file itself is ``flow test: ``."""
    if len(path) < 2 or path[0] != "tests":
        return "flow test: "
    test = value["tests"][path[1]]
    name = test.get("name") if isinstance(test, dict) else None
    words = f"test {show(name)}" if name else f"test number {int(path[1]) + 1}"
    if len(path) >= 4 and path[2] == "steps":
        words += f" step {int(path[3]) + 1}"
    return f"{words}: "


def _finding(document: Document, problem: ErrorDetails) -> Finding:
    path = _path(problem, document.value)
    words = describe(document.value, path)
    found = key_findings(problem, lambda: _allowed(path), "key")
    if found is None:
        subject = f"{show(str(path[-1]))} " if path and isinstance(path[-1], str) else ""
        message = f"{words}{subject}{rule_and_value(problem)}"
        return document.finding(path, message, remedy=remedy_of(problem))
    if problem["type"] == "missing":
        path = path[:-1]
    return document.finding(path, f"{words}{found[0]}", remedy=found[1], key=True)


def _path(problem: ErrorDetails, value: Any) -> JsonPath:
    """Where it is in the document: pydantic's location without its names for parts of unions."""
    path: list[str | int] = []
    last = len(problem["loc"]) - 1
    for number, part in enumerate(problem["loc"]):
        if part == "[key]":
            break
        inside = part in value if isinstance(value, dict) else _is_index(value, part)
        if inside or (number == last and problem["type"] == "missing"):
            path.append(part)
            value = value[part] if inside else None
    return tuple(path)


def _is_index(value: Any, part: str | int) -> bool:
    return isinstance(value, list) and isinstance(part, int) and part < len(value)


def _allowed(path: JsonPath) -> Iterable[str]:
    """Keys that may stand where an unknown one does."""
    owner: type[BaseModel] = model.FlowTest
    for part in path[:-1]:
        owner = _OWNERS.get(part, owner) if isinstance(part, str) else owner
    return [field.alias or name for name, field in owner.model_fields.items()]
