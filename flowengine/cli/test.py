"""``flowengine test``: the tests of flows, on a fake clock and without a broker."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowengine.cli.words import counted
from flowengine.errors import DefinitionError
from flowengine.exit_codes import ExitCode

if TYPE_CHECKING:
    from flowengine.flowtest import FileOutcome

app = typer.Typer(rich_markup_mode=None, add_completion=False)
COLOURS = {"    -": "red", "    +": "green"}


@app.command("test", epilog="Example: flowengine test users-producer --coverage")
def run_tests(
    flows: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FLOW",
            help="Files of tests, flows that have some, or folders; flows/tests when left out.",
        ),
    ] = None,
    keyword: Annotated[
        str, typer.Option("-k", metavar="TEXT", help="Only tests with this in FLOW::NAME.")
    ] = "",
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the results as JUnit XML, too.")
    ] = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Show what no test has seen at work.")
    ] = False,
) -> None:
    """Run the tests of flows on a fake clock, with sources and sinks replaced.

    Prints one line per file and, for each test that failed, the place of its step and what
    differs: `-` was expected, `+` came. Exits with 1 when a test failed or cannot run.
    """
    from flowengine.flowtest import find_tests, run_file
    from flowengine.flowtest.reports import coverages, file_lines, write_junit
    from flowengine.flowtest.running import DEFAULT

    started = time.perf_counter()
    results: list[FileOutcome] = []
    with _quiet():
        for path in find_tests(flows or [DEFAULT]):
            result = run_file(path, lambda name: keyword.lower() in name.lower())
            results.append(result)
            if result.outcomes or result.findings:
                _print(file_lines(result))
    if junit is not None:
        write_junit(junit, results)
    if coverage:
        _print(line for found in coverages(results) for line in found.lines())
    _end(results, keyword, time.perf_counter() - started)


def _end(results: Iterable[FileOutcome], keyword: str, seconds: float) -> None:
    ran = [result for result in results if result.outcomes or result.findings]
    if not ran:
        chosen = f" with {keyword!r} in its name" if keyword else ""
        raise DefinitionError(f"flow tests must be at least one{chosen}; got none")
    failed = sum(result.failed for result in ran)
    tests = counted(sum(len(result.outcomes) for result in ran), "test")
    ended = f"{failed} failed" if failed else "all passed"
    text = f"{tests} in {counted(len(ran), 'file')}: {ended} ({seconds:.1f} s)"
    typer.secho(text, fg="red" if failed else "green", err=True)
    if failed:
        raise typer.Exit(ExitCode.DEFINITION)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        typer.secho(line, fg=COLOURS.get(line[:5]))


@contextmanager
def _quiet() -> Iterator[None]:
    """What flows log is not part of a test; their bulletins are shown where one fails."""
    import gc
    import logging

    import structlog

    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)
        gc.unfreeze()  # what tests froze can end before its libraries do, and DuckDB checks that
