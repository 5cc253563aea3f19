"""Running files of tests: find them, check them, play them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from flowengine.definition.flat import LoadedFlow
from flowengine.definition.load import Options, check_flow
from flowengine.definition.resolve import Classes
from flowengine.errors import DefinitionError
from flowengine.findings import Finding, errors
from flowengine.flowtest.checking import Check
from flowengine.flowtest.coverage import Coverage
from flowengine.flowtest.outcome import FileOutcome
from flowengine.flowtest.playing import play, workplace
from flowengine.flowtest.reading import TestFile, read_tests

FOLDER = "tests"
FORMAT = ".json"
DEFAULT = f"flows/{FOLDER}"
PLACES = ("{here}", "{directory}")


def find_tests(names: Iterable[str]) -> Iterator[Path]:
    """Files of tests that names of files, flows and folders mean, each once.

    Raises DefinitionError for a name that means none.
    """
    seen = set()
    for name in names:
        for path in _meant(name):
            if path.resolve() not in seen:
                seen.add(path.resolve())
                yield path


def _meant(name: str) -> list[Path]:
    path = Path(name)
    if path.is_dir():
        folder = path / FOLDER if (path / FOLDER).is_dir() else path
        return sorted(folder.rglob(f"*{FORMAT}"))
    file = path if path.suffix == FORMAT else path.with_name(path.name + FORMAT)
    beside = file.parent / FOLDER / file.name
    candidates = [beside, file, Path(DEFAULT) / file.name]
    found = next((candidate for candidate in candidates if candidate.is_file()), None)
    if found is None:
        tried = " and ".join(dict.fromkeys(repr(str(path)) for path in candidates))
        raise DefinitionError(
            f"flow test must be a file, a folder or a flow that has tests; got {name!r}; "
            f"looked for {tried}"
        )
    return [found]


def run_file(
    path: Path,
    chosen: Callable[[str], bool] = lambda name: True,
    classes: Classes | None = None,
) -> FileOutcome:
    """Run the tests of a file that are chosen by ``<file stem>::<test name>``.

    classes: processors beside the installed ones, by type name
    """
    result = FileOutcome(path)
    file, findings = read_tests(path)
    if file is None:
        result.findings = findings
        return result
    result.coverage = Coverage(file.flow)
    for number, test in enumerate(file.model.tests):
        if not chosen(f"{path.stem}::{test.name}"):
            result.skipped += 1
            continue
        _run_test(file, number, result, classes or {})
    return result


def _run_test(file: TestFile, number: int, result: FileOutcome, classes: Classes) -> None:
    with workplace() as place:
        directory = Path(place)
        flow, findings = load_for(file, number, directory, classes)
        if flow is not None:
            findings = Check(file, number, flow).findings()
        if flow is None or findings:
            result.findings += [finding for finding in findings if finding not in result.findings]
            return
        outcome, recorder = play(file, number, flow, directory)
    result.outcomes.append(outcome)
    if result.coverage is not None:
        result.coverage.add(flow, recorder)


def load_for(
    file: TestFile, number: int, directory: Path, classes: Classes
) -> tuple[LoadedFlow | None, list[Finding]]:
    """The flow of a test with its parameters.

    In one of them ``{here}`` is the folder of the test file, ``{directory}`` one of the test's own.
    """
    values = file.model.values(file.model.tests[number])
    folders = (str(file.path.resolve().parent), str(directory))
    for place, folder in zip(PLACES, folders, strict=True):
        values = {name: value.replace(place, folder) for name, value in values.items()}
    flow, findings = check_flow(file.flow, Options(values, classes))
    return flow, errors(findings)
