"""Event times of records, and the progress that is reported of them (E20, E23)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from flowengine.flowfile import FlowFile
from flowengine.testing import ProcessorRunner
from processors.read_data_lake import ReadDataLake


def ndjson(*records: Mapping[str, Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def numbers(count: int) -> str:
    return ndjson(*({"n": n} for n in range(count)))


def read(path: Path | str, times: int = 50, **properties: Any) -> ProcessorRunner:
    """A runner that has read everything."""
    runner = ProcessorRunner(ReadDataLake, path=str(path), **properties)
    runner.run(times)
    return runner


def failures(runner: ProcessorRunner) -> list[tuple[str, str, bytes]]:
    """Line, reason and content of what failed."""
    return [
        (f.attributes["error.line"], f.attributes["error.reason"], runner.content(f))
        for f in runner.transferred("failure")
    ]


def only(runner: ProcessorRunner) -> FlowFile:
    [flowfile] = runner.transferred("success")
    return flowfile


def test_event_times_are_stamped_and_progress_is_reported(tmp_path):
    lines = [{"t": "2026-01-01T01:00:00"}, {"t": "2026-01-01T02:00:00+01:00"}, {"t": "soon"}]
    (tmp_path / "a.ndjson").write_text(ndjson(*lines))
    with read(
        tmp_path,
        times=1,
        event_time="t",
        time_zone="Europe/Amsterdam",
        out_of_orderness="10 sec",
    ) as runner:
        first, second = runner.transferred("success")
        assert first.event_time == 1_767_225_600_000_000
        assert second.event_time == second.event_last == 1_767_229_200_000_000
        assert failures(runner)[0][1] == "event time 't' must be a time in format 'iso'; got 'soon'"


@pytest.mark.parametrize(
    ("format", "value"),
    [
        ("s", 1767225600),
        ("ms", "1767225600000"),
        ("us", 1767225600000000),
        ("ns", 1767225600000000999),
        ("%d-%m-%Y", "01-01-2026"),
    ],
)
def test_event_times_have_a_format(tmp_path, format, value):
    (tmp_path / "a.json").write_text(json.dumps({"t": value}))
    with read(tmp_path, event_time="t", event_time_format=format) as runner:
        assert only(runner).event_time == 1_767_225_600_000_000


def test_a_group_spans_its_event_times_and_skips_what_is_none(tmp_path):
    (tmp_path / "a.ndjson").write_text(ndjson({"t": 5}, {"t": "x"}, {"t": 2}))
    runner = ProcessorRunner(
        ReadDataLake,
        path=str(tmp_path),
        event_time="t",
        event_time_format="us",
        records_per_flowfile=10,
    )
    with runner:
        runner.trigger()
        assert (only(runner).event_time, only(runner).event_last) == (2, 5)
        assert runner.state["greatest"] == 5


def test_progress_goes_on_with_what_was_read_before_a_restart(tmp_path):
    (tmp_path / "a.ndjson").write_text(ndjson({"t": 900}, *[{"t": 100}] * 300))
    with read(tmp_path, times=1, event_time="t", event_time_format="us") as runner:
        assert runner.node.progress == {"lake": 899}
        runner.restart()
        runner.trigger()
        assert runner.node.progress.get("lake", 899) == 899
        assert runner.state["greatest"] == 900
