"""A restart goes on exactly where the last commit stood (E13)."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from flowengine.definition.flat import Scheduling
from flowengine.node_state import NodeState
from flowengine.testing import ProcessorRunner
from processors.read_data_lake import ReadDataLake

ROWS = 50


def reader(path: Path, batch: int = 7, **properties: Any) -> ProcessorRunner:
    """A runner that makes ``batch`` FlowFiles per trigger."""
    scheduling = Scheduling(batch_size=batch)
    return ProcessorRunner(ReadDataLake, path=str(path), scheduling=scheduling, **properties)


def values(runner: ProcessorRunner) -> list[Any]:
    return [json.loads(runner.content(f))["n"] for f in runner.transferred("success")]


def write(path: Path, first: int = 0) -> None:
    """A file with the numbers from ``first``, in the format of its name."""
    numbers = range(first, first + ROWS)
    objects = [json.dumps({"n": n, "pad": 'é,"\n'}) for n in numbers]
    lines = "".join(f"{text}\n" for text in objects)
    match path.name.partition(".")[2]:
        case "json":
            path.write_text("[" + ",\n".join(objects) + "]")
        case "ndjson":
            path.write_text(lines)
        case "ndjson.gz":
            path.write_bytes(gzip.compress(lines.encode()))
        case "csv":
            path.write_text("n,pad\n" + "".join(f'{n},"é ""\n"\n\n' for n in numbers))
        case "parquet":
            import pyarrow as pa
            import pyarrow.parquet as pq

            pq.write_table(pa.table({"n": list(numbers)}), path, row_group_size=13)


def pickled(runner: ProcessorRunner) -> None:
    """What the repository does with state: it comes back as lists."""
    runner.node.state = NodeState.of(json.loads(json.dumps(dict(runner.node.state))))


@pytest.mark.parametrize("name", ["json", "ndjson", "ndjson.gz", "csv", "parquet"])
def test_after_every_trigger_a_restart_loses_and_doubles_nothing(tmp_path, name):
    for index in range(3):
        write(tmp_path / f"{index}.{name}", index * ROWS)
    with reader(tmp_path, types={"n": "integer"}) as runner:
        for _ in range(3 * ROWS):
            runner.run()
            runner.restart()
            pickled(runner)
        assert values(runner) == list(range(3 * ROWS))
        rows = [int(f.attributes["lake.row"]) for f in runner.transferred("success")]
        assert rows == list(range(1, ROWS + 1)) * 3


def test_broken_records_before_the_place_are_not_failed_again(tmp_path):
    lines = ["broken" if n % 3 == 0 else json.dumps({"n": n}) for n in range(30)]
    (tmp_path / "a.ndjson").write_text("\n".join(lines))
    with reader(tmp_path) as runner:
        for _ in range(20):
            runner.run()
            runner.restart()
        assert values(runner) == [n for n in range(30) if n % 3]
        found = [f.attributes["error.line"] for f in runner.transferred("failure")]
        assert found == [str(n + 1) for n in range(0, 30, 3)]


def test_a_group_of_records_is_not_cut_by_a_restart(tmp_path):
    write(tmp_path / "a.ndjson")
    with reader(tmp_path, batch=1, records_per_flowfile=20) as runner:
        for _ in range(5):
            runner.run()
            runner.restart()
        counts = [f.attributes["record.count"] for f in runner.transferred("success")]
        assert counts == ["20", "20", "10"]


def test_a_session_that_was_rolled_back_is_read_again(tmp_path):
    write(tmp_path / "a.ndjson")
    with reader(tmp_path) as runner:
        runner.run()
        lost = runner.session()
        runner.node.processor.on_trigger(runner.context, lost)
        lost.rollback()
        runner.run(20)
        assert values(runner) == list(range(ROWS))


def test_a_rolled_back_end_of_a_file_is_read_again(tmp_path):
    write(tmp_path / "a.ndjson")
    write(tmp_path / "b.ndjson", ROWS)
    with reader(tmp_path, batch=ROWS + 5) as runner:
        lost = runner.session()
        runner.start()
        runner.node.processor.on_trigger(runner.context, lost)
        lost.rollback()
        runner.run(20)
        assert values(runner) == list(range(2 * ROWS))


def test_only_files_after_the_place_are_read_when_some_came_in_between(tmp_path):
    write(tmp_path / "b.ndjson")
    with reader(tmp_path) as runner:
        runner.run()
        runner.restart()
        write(tmp_path / "a.ndjson", 1000)
        write(tmp_path / "c.ndjson", ROWS)
        runner.run(50)
        assert values(runner) == list(range(2 * ROWS))


def test_a_file_that_grew_while_it_was_read_is_read_to_its_end(tmp_path):
    write(tmp_path / "a.ndjson")
    with reader(tmp_path) as runner:
        runner.run()
        runner.restart()
        with (tmp_path / "a.ndjson").open("a") as more:
            more.write('{"n": 50}\n')
        runner.run(50)
        assert values(runner) == list(range(ROWS + 1))
        assert runner.bulletins[0].message == (
            f"processor 'processor' (ReadDataLake): file {str(tmp_path / 'a.ndjson')!r} must not "
            "change while it is read; got another size or time. Reading goes on after record 7"
        )


def test_a_file_that_vanished_is_said_and_the_next_one_is_read(tmp_path):
    write(tmp_path / "a.ndjson")
    write(tmp_path / "b.ndjson", 100)
    with reader(tmp_path) as runner:
        runner.run()
        runner.restart()
        os.unlink(tmp_path / "a.ndjson")
        runner.run(50)
        assert values(runner) == [*range(7), *range(100, 100 + ROWS)]
        assert runner.bulletins[0].message == (
            f"processor 'processor' (ReadDataLake): file {str(tmp_path / 'a.ndjson')!r} must stay "
            "until it is read; got none. The rest is skipped"
        )


def test_a_file_whose_rows_are_filtered_out_still_moves_the_place(tmp_path):
    lines = "".join(f'{{"n": {n}}}\n' for n in range(45_000))
    (tmp_path / "a.ndjson").write_text(lines)
    with reader(tmp_path, filter="n == 44999") as runner:
        runner.run(1)
        assert 19_000 < runner.state["position"][1][0] <= 20_000
        runner.restart()
        runner.run(3)
        assert values(runner) == [44_999]


def test_a_stopped_processor_goes_on_after_a_start(tmp_path):
    write(tmp_path / "a.ndjson")
    with reader(tmp_path) as runner:
        runner.run()
        runner.stop()
        runner.run(20)
        assert values(runner) == list(range(ROWS))
