"""Telling people and machines what came of tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from flowengine.errors import EnvironmentFault
from flowengine.flowtest.coverage import Coverage
from flowengine.flowtest.outcome import Failure, FileOutcome


def file_lines(result: FileOutcome) -> Iterator[str]:
    """One line per file, and what went wrong in it."""
    passed = len(result.outcomes) - sum(o.failure is not None for o in result.outcomes)
    words = [f"{passed} passed"] if passed or not result.failed else []
    if failed := len(result.outcomes) - passed:
        words.append(f"{failed} failed")
    if result.findings:
        words.append("not all can run")
    if result.skipped:
        words.append(f"{result.skipped} left out")
    yield f"{result.path}: {', '.join(words)} ({result.seconds * 1000:.0f} ms)"
    yield from (str(finding) for finding in result.findings)
    for outcome in result.outcomes:
        if outcome.failure is not None:
            yield from failure_lines(outcome.failure)


def failure_lines(failure: Failure) -> Iterator[str]:
    """The place and the rule, then the difference: ``-`` was expected, ``+`` came."""
    yield str(failure.finding)
    yield from (f"    {line}" for line in failure.lines)


def coverages(results: Iterable[FileOutcome]) -> list[Coverage]:
    """Per flow, whichever files test it."""
    merged: dict[Path, Coverage] = {}
    for result in results:
        if result.coverage is not None:
            merged.setdefault(result.coverage.flow, Coverage(result.coverage.flow)).merge(
                result.coverage
            )
    return list(merged.values())


def junit(results: Sequence[FileOutcome]) -> bytes:
    """The same as JUnit XML, one suite per file."""
    root = ElementTree.Element("testsuites", name="flowengine test")
    for result in results:
        root.append(_suite(result))
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _suite(result: FileOutcome) -> ElementTree.Element:
    failed = sum(outcome.failure is not None for outcome in result.outcomes)
    suite = ElementTree.Element(
        "testsuite",
        name=str(result.path),
        tests=str(len(result.outcomes) + bool(result.findings)),
        failures=str(failed),
        errors=str(int(bool(result.findings))),
        skipped="0",
        time=f"{result.seconds:.3f}",
    )
    common = {"classname": result.path.stem, "file": str(result.path)}
    if result.findings:
        case = ElementTree.SubElement(
            suite, "testcase", {**common, "name": "definition", "time": "0.000"}
        )
        text = "\n".join(map(str, result.findings))
        _problem(case, "error", result.findings[0].text, text)
    for outcome in result.outcomes:
        facts = {"name": outcome.name, "line": str(outcome.line), "time": f"{outcome.seconds:.3f}"}
        case = ElementTree.SubElement(suite, "testcase", {**common, **facts})
        if outcome.failure is not None:
            text = "\n".join(failure_lines(outcome.failure))
            _problem(case, "failure", outcome.failure.finding.text, text)
    return suite


def _problem(case: ElementTree.Element, tag: str, message: str, text: str) -> None:
    clean = {"message": _xml_text(message)}
    ElementTree.SubElement(case, tag, clean).text = _xml_text(text)


def _xml_text(text: str) -> str:
    """Without the control characters that XML has no way to write."""
    return "".join(c if c >= " " or c in "\n\t" else "\ufffd" for c in text)


def write_junit(path: Path, results: Sequence[FileOutcome]) -> None:
    """Write the XML file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(junit(results))
    except OSError as error:
        raise EnvironmentFault(
            f"JUnit file {str(path)!r} must be writable; got {error.strerror}"
        ) from error
