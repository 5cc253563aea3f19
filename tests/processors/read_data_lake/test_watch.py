"""Watching a folder: each new file once, on a fake clock."""

import json
import os
from pathlib import Path
from typing import Any

from flowengine.node_state import NodeState
from flowengine.testing import ProcessorRunner
from processors.read_data_lake import ReadDataLake

SECOND = 1_000_000


def write(path: Path, n: int, time: float | None = None) -> None:
    """A file with one record."""
    path.write_text(json.dumps({"n": n}))
    if time is not None:
        os.utime(path, (time, time))


def watching(path: Path, **properties: Any) -> ProcessorRunner:
    return ProcessorRunner(ReadDataLake, path=str(path), mode="watch", **properties)


def look(runner: ProcessorRunner) -> list[int]:
    """Wait for the next look; what it found."""
    runner.clear()
    runner.clock.advance(5 * SECOND)
    runner.run(5)
    return [json.loads(runner.content(f))["n"] for f in runner.transferred("success")]


def test_only_new_files_are_read_at_each_look(tmp_path):
    write(tmp_path / "b.json", 1)
    with watching(tmp_path) as runner:
        assert look(runner) == [1]
        write(tmp_path / "a.json", 2)
        write(tmp_path / "c.json", 3)
        assert look(runner) == [2, 3]
        assert look(runner) == []
        assert not runner.node.completed


def test_it_waits_for_the_poll_interval(tmp_path):
    with watching(tmp_path, poll_interval="1 min") as runner:
        runner.run(5)
        write(tmp_path / "a.json", 1)
        runner.clock.advance(59 * SECOND)
        runner.run(5)
        assert runner.transferred("success") == []
        runner.clock.advance(SECOND)
        runner.run(5)
        assert len(runner.transferred("success")) == 1


def test_a_restart_remembers_what_was_read(tmp_path):
    write(tmp_path / "a.json", 1)
    with watching(tmp_path) as runner:
        assert look(runner) == [1]
        runner.restart()
        runner.node.state = NodeState.of(json.loads(json.dumps(dict(runner.node.state))))
        write(tmp_path / "b.json", 2)
        assert look(runner) == [2]


def test_a_file_that_was_replaced_counts_as_new(tmp_path):
    write(tmp_path / "a.json", 1, time=100)
    with watching(tmp_path) as runner:
        assert look(runner) == [1]
        write(tmp_path / "a.json", 2, time=200)
        assert look(runner) == [2]
        assert len(runner.state) == 1


def test_new_files_come_in_order_of_time_when_asked(tmp_path):
    with watching(tmp_path, order="time") as runner:
        assert look(runner) == []
        write(tmp_path / "a.json", 2, time=200)
        write(tmp_path / "b.json", 1, time=100)
        assert look(runner) == [1, 2]


def test_a_young_file_is_left_alone_until_its_writer_is_done(tmp_path):
    with watching(tmp_path, minimum_age="8 sec") as runner:
        write(tmp_path / "a.json", 1, time=runner.clock.wall() / SECOND)
        assert look(runner) == []
        assert look(runner) == [1]


def test_a_folder_that_is_not_mounted_for_a_while_makes_nothing_new(tmp_path):
    folder, elsewhere = tmp_path / "in", tmp_path / "away"
    folder.mkdir()
    write(folder / "a.json", 1, time=100)
    with watching(folder) as runner:
        assert look(runner) == [1]
        folder.rename(elsewhere)
        folder.mkdir()
        assert look(runner) == []
        folder.rmdir()
        elsewhere.rename(folder)
        assert look(runner) == []


def test_files_are_deleted_after_they_were_read(tmp_path):
    write(tmp_path / "a.json", 1)
    with watching(tmp_path, delete_after=True) as runner:
        assert look(runner) == [1]
        assert look(runner) == []
        assert list(tmp_path.iterdir()) == []
        assert [key for key in runner.state if key.startswith("seen")] == []
        write(tmp_path / "a.json", 2)
        assert look(runner) == [2]
