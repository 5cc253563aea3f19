"""PutFile: whole files, names that stay inside, one failure per FlowFile."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from flowengine.testing import ProcessorRunner, check_processor
from processors.put_file import PutFile


def put(directory: Path | str, *files: tuple[str, str], **properties: Any) -> ProcessorRunner:
    """A runner that has written FlowFiles of these names and contents."""
    runner = ProcessorRunner(PutFile, directory=str(directory), **properties)
    for name, content in files:
        runner.enqueue(content, filename=name)
    runner.run(5)
    return runner


def messages(runner: ProcessorRunner) -> list[str]:
    return [f.attributes["error.message"] for f in runner.transferred("failure")]


def test_it_keeps_the_contract_of_every_processor(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_processor(PutFile)


def test_each_flowfile_becomes_a_file_under_its_name(tmp_path):
    with put(tmp_path, ("a.txt", "one"), ("b.txt", "two")) as runner:
        assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {
            "a.txt": "one",
            "b.txt": "two",
        }
        assert [f.attributes["file.path"] for f in runner.transferred("success")] == [
            str(tmp_path / "a.txt"),
            str(tmp_path / "b.txt"),
        ]


def test_without_a_filename_the_uuid_names_the_file(tmp_path):
    with ProcessorRunner(PutFile, directory=str(tmp_path)) as runner:
        flowfile = runner.enqueue("x")
        runner.run()
        assert (tmp_path / flowfile.uuid).read_text() == "x"


def test_directory_and_name_are_expressions(tmp_path):
    pattern = f"{tmp_path}/{{{{ country }}}}"
    with ProcessorRunner(PutFile, directory=pattern, filename="{{ id }}.json") as runner:
        runner.enqueue("x", country="NL", id="7")
        runner.run()
    assert (tmp_path / "NL" / "7.json").read_text() == "x"


def test_a_missing_attribute_fails_that_flowfile_alone(tmp_path):
    with ProcessorRunner(PutFile, directory=str(tmp_path), filename="{{ id }}") as runner:
        runner.enqueue("lost")
        runner.enqueue("kept", id="1")
        runner.run()
        assert len(runner.transferred("success")) == 1
        [failed] = runner.transferred("failure")
        assert failed.attributes["error.class"] == "ExpressionError"


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "..", ".", "a\0b"])
def test_a_name_cannot_leave_the_directory(tmp_path, name):
    inside = tmp_path / "in"
    with put(inside, (name, "evil"), ("ok", "good")) as runner:
        assert messages(runner) == [
            f"processor 'processor' file name must stay inside {str(inside)!r}; got {name!r}. "
            "Correct the attribute or the property 'filename'"
        ]
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")) == ["in", "in/ok"]


def test_a_name_that_ends_with_a_slash_is_refused(tmp_path):
    with put(tmp_path, ("folder/", "x")) as runner:
        assert messages(runner) == [
            "processor 'processor' file name must not end with a slash; got 'folder/'"
        ]


def test_sub_folders_in_the_name_are_created(tmp_path):
    with put(tmp_path, ("2026/11/a", "x")):
        assert (tmp_path / "2026/11/a").read_text() == "x"


def test_missing_folders_are_an_error_when_they_may_not_be_created(tmp_path):
    with put(tmp_path / "no", ("a", "x"), create_directories=False) as runner:
        assert messages(runner) == [
            f"processor 'processor' file {str(tmp_path / 'no' / 'a')!r} must be writable; "
            "got No such file or directory. Check room and permissions, and the property "
            "'directory'"
        ]


def test_fail_leaves_the_existing_file_alone(tmp_path):
    (tmp_path / "a").write_text("old")
    with put(tmp_path, ("a", "new")) as runner:
        assert messages(runner) == [
            f"processor 'processor' file {str(tmp_path / 'a')!r} must not exist yet; got one with "
            "other content. Choose another name, or set 'conflict' to 'replace' or 'rename'"
        ]
    assert (tmp_path / "a").read_text() == "old"


def test_fail_takes_a_file_with_the_same_bytes_for_its_own_earlier_work(tmp_path):
    (tmp_path / "a").write_text("same")
    with put(tmp_path, ("a", "same")) as runner:
        assert len(runner.transferred("success")) == 1


def test_replace_takes_the_last_content(tmp_path):
    with put(tmp_path, ("a", "1"), ("a", "2"), conflict="replace") as runner:
        assert len(runner.transferred("success")) == 2
    assert (tmp_path / "a").read_text() == "2"


def test_ignore_keeps_the_file_and_succeeds(tmp_path):
    with put(tmp_path, ("a", "1"), ("a", "2"), conflict="ignore") as runner:
        assert len(runner.transferred("success")) == 2
    assert (tmp_path / "a").read_text() == "1"


def test_rename_keeps_both(tmp_path):
    with put(tmp_path, ("a.txt", "1"), ("a.txt", "2"), conflict="rename") as runner:
        second = runner.transferred("success")[1]
        assert second.attributes["file.path"] == str(tmp_path / f"a-{second.uuid}.txt")
    assert sorted(p.read_text() for p in tmp_path.iterdir()) == ["1", "2"]


def test_a_folder_in_the_way_fails_one_flowfile_and_leaves_no_part(tmp_path):
    (tmp_path / "a").mkdir()
    with put(tmp_path, ("a", "x"), ("b", "y"), conflict="replace") as runner:
        assert [f.attributes["filename"] for f in runner.transferred("failure")] == ["a"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_a_name_that_is_too_long_fails_with_the_reason_of_the_system(tmp_path):
    with put(tmp_path, ("x" * 300, "x"), ("ok", "y")) as runner:
        assert "got File name too long" in messages(runner)[0]
        assert len(runner.transferred("success")) == 1


def test_a_full_disk_fails_the_flowfile_and_leaves_no_part(tmp_path):
    (tmp_path / "full").symlink_to("/dev/full")

    class Full(PutFile):
        """Writes where there is no room."""

        def _create(self, path):
            return os.open(tmp_path / "full", os.O_WRONLY)

    with ProcessorRunner(Full, directory=str(tmp_path / "out")) as runner:
        runner.enqueue("x", filename="a")
        runner.run()
        assert "got No space left on device" in messages(runner)[0]
        assert not (tmp_path / "out" / "a").exists()


def test_a_failed_flowfile_is_penalized(tmp_path):
    with put(tmp_path, ("..", "x")) as runner:
        runner.clock.advance(30_000_000)
        assert runner.outputs["failure"].count == 1
        assert runner.outputs["failure"].peek(1)[0].penalty_until > 0


def test_permissions_are_exact_whatever_the_umask(tmp_path):
    with put(tmp_path, ("a", "x"), permissions="666"):
        assert stat.S_IMODE(os.stat(tmp_path / "a").st_mode) == 0o666


def test_sync_writes_the_same_file(tmp_path):
    with put(tmp_path, ("a", "x"), sync=True):
        assert (tmp_path / "a").read_text() == "x"


def test_a_content_in_a_file_is_streamed(tmp_path):
    big = "x" * (3 << 20)

    with ProcessorRunner(PutFile, directory=str(tmp_path)) as runner:
        session = runner.session()
        flowfile = session.create(big.encode(), {"filename": "big"})
        runner.queue.put([flowfile], flowfile.size, files=True)
        runner.run()
    assert (tmp_path / "big").read_text() == big


def test_a_part_left_by_a_crash_is_overwritten_and_gone(tmp_path):
    with ProcessorRunner(PutFile, directory=str(tmp_path)) as runner:
        flowfile = runner.enqueue("whole", filename="a")
        (tmp_path / f".{flowfile.uuid}.part").write_text("half of something much longer")
        runner.run()
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a", "whole")]


def test_a_relative_directory_starts_at_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with put("out", ("a", "x")):
        assert (tmp_path / "out" / "a").read_text() == "x"
