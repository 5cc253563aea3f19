"""What comes with the program, in a clone; ``tests/packaging`` looks into the wheel."""

import pytest

from flowengine.cli import run_command
from flowengine.errors import EnvironmentFault
from flowengine.shipped import copy_examples, example_flows, shipped_folder


def test_the_flows_and_the_tutorial_are_found():
    assert {"users-producer", "users-consumer", "read-data-lake"} <= set(example_flows())
    assert (shipped_folder("docs") / "tutorial.md").is_file()


def test_what_is_not_carried_is_said():
    with pytest.raises(EnvironmentFault, match="installation must carry the folder 'nothing'; got"):
        shipped_folder("nothing")


def test_copies_have_the_lake_and_leave_what_is_there(tmp_path):
    (tmp_path / "users-producer.json").write_text("mine")
    written = {path.relative_to(tmp_path).as_posix() for path in copy_examples(tmp_path)}
    assert {"users-consumer.json", "lake/users/user-01.json", "tests/dead-letter.json"} <= written
    assert (tmp_path / "users-producer.json").read_text() == "mine"
    assert list(copy_examples(tmp_path)) == []


def test_the_command_lists_and_copies_them(tmp_path, capsys):
    assert run_command(["examples"]) == 0
    assert "users-producer\n    Stream the lake's 17 users" in capsys.readouterr().out
    assert run_command(["examples", "--copy", str(tmp_path / "flows")]) == 0
    assert (tmp_path / "flows" / "users-producer.json").is_file()
