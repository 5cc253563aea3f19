"""Files are deleted when asked, and only when nothing of them can be lost (E2)."""

import json
from collections.abc import Mapping
from typing import Any

from flowengine.testing import ProcessorRunner
from processors.read_data_lake import ReadDataLake
from processors.read_data_lake.storage import LocalStorage, Storage


def ndjson(*records: Mapping[str, Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def numbers(count: int) -> str:
    return ndjson(*({"n": n} for n in range(count)))


def go_on(runner: ProcessorRunner) -> None:
    """Later, a few triggers more."""
    runner.clock.advance(1_000_000)
    runner.run(5)


def test_files_are_deleted_only_when_their_records_are_durable(tmp_path):
    (tmp_path / "a.ndjson").write_text(numbers(2))
    (tmp_path / "b.ndjson").write_text("broken\n")
    with ProcessorRunner(ReadDataLake, path=str(tmp_path), delete_after=True) as runner:
        runner.run(5)
        go_on(runner)
        assert len(list(tmp_path.iterdir())) == 2
        assert not runner.node.completed
        runner.clear()  # in memory, what left the flow is as durable as it gets
        go_on(runner)
        assert [p.name for p in tmp_path.iterdir()] == ["b.ndjson"]
        assert runner.node.completed


def test_a_file_that_was_durable_is_deleted_after_a_restart(tmp_path):
    (tmp_path / "a.ndjson").write_text(numbers(2))
    with ProcessorRunner(ReadDataLake, path=str(tmp_path), delete_after=True) as runner:
        runner.run(5)
        runner.restart()
        go_on(runner)
        assert list(tmp_path.iterdir()) == []
        assert runner.node.completed


def test_a_file_that_changed_since_is_not_deleted(tmp_path):
    (tmp_path / "a.ndjson").write_text(numbers(2))
    with ProcessorRunner(ReadDataLake, path=str(tmp_path), delete_after=True) as runner:
        runner.run(5)
        (tmp_path / "a.ndjson").write_text(numbers(3))
        runner.clear()
        go_on(runner)
        assert runner.node.completed
        assert len(list(tmp_path.iterdir())) == 1


def test_a_group_that_cannot_be_written_keeps_its_file(tmp_path):
    (tmp_path / "a.ndjson").write_text(ndjson({"n": 1}, {"n": "x"}))
    runner = ProcessorRunner(
        ReadDataLake,
        path=str(tmp_path),
        delete_after=True,
        records_per_flowfile=2,
        output="parquet",
    )
    with runner:
        runner.run(5)
        runner.clear()
        go_on(runner)
        assert runner.node.completed
        assert len(list(tmp_path.iterdir())) == 1


def test_a_file_that_may_not_be_deleted_is_kept_and_said(tmp_path):
    (tmp_path / "a.ndjson").write_text(numbers(1))
    with ProcessorRunner(ReadsReadOnly, path=str(tmp_path), delete_after=True) as runner:
        runner.run(5)
        runner.clear()
        go_on(runner)
        assert runner.node.completed
        assert runner.bulletins[0].message == (
            f"processor 'processor' (ReadDataLake): file {str(tmp_path / 'a.ndjson')!r} must be "
            "deletable; got Read-only file system. It is kept; grant permission or set "
            "'delete_after' to false"
        )


class ReadOnly(LocalStorage):
    """A disk that one may not write to, also as root."""

    def delete(self, path: str) -> None:
        raise OSError(30, "Read-only file system", path)


class ReadsReadOnly(ReadDataLake):
    """Reads from such a disk."""

    def _connect(self) -> Storage:
        return ReadOnly(self.properties.path)
