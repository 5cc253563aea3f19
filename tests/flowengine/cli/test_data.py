"""`reset`, `backup` and `restore` of a stopped flow."""

import shutil

import pytest

from tests.flowengine.cli.kit import counted, running, waiting

WAITING = "10 in = 1 out + 0 failed + 0 expired + 0 dropped + 9 queued\n"


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A project whose flow `wait` was stopped with nine FlowFiles queued."""
    folder = tmp_path_factory.mktemp("stopped")
    flow = waiting(folder / "wait.json")
    data = folder / ".flowengine" / "wait"
    with running(flow, "--data-dir", data, "--drain-timeout", "10 ms") as runner:
        assert runner.end().code == 3
    return folder


@pytest.fixture
def project(stopped, tmp_path, monkeypatch):
    """A copy of it, as the working directory."""
    shutil.copytree(stopped, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def run_counted(shell):
    """Run a flow that reads what the same source has left, and say what came of it."""
    return shell("run", "wait.json", "--until-complete", "--drop-removed").out


def test_queues_are_thrown_away_with_their_count(shell, project):
    result = shell("reset", "wait", "--queues")
    assert (result.code, result.out) == (0, "threw away 9 queued FlowFiles\n")
    counted(project / "wait.json")
    assert run_counted(shell) == "10 in = 1 out + 0 failed + 0 expired + 9 dropped + 0 queued\n"


def test_without_its_state_a_source_begins_anew(shell, project):
    result = shell("reset", "wait", "--state", "--queues")
    assert result.code == 0
    assert result.out.startswith("threw away 9 queued FlowFiles\nforgot ")
    counted(project / "wait.json")
    assert run_counted(shell) == "20 in = 11 out + 0 failed + 0 expired + 9 dropped + 0 queued\n"


def test_a_reset_of_nothing_is_refused(shell, project):
    result = shell("reset", "wait")
    assert result.code == 1
    assert result.err == (
        "error: reset must be told what to forget; got nothing; choose '--state', '--queues' or "
        "'--offsets'\n"
    )


def test_offsets_need_a_processor_that_has_them(shell, project):
    result = shell("reset", "wait", "--offsets", "earliest")
    assert result.code == 1
    assert result.err == (
        "error: flow 'wait' must have a processor whose position can be set, such as ConsumeKafka; "
        "got none; to read files again, reset its state instead\n"
    )


def test_a_time_that_is_none_is_refused(shell, project):
    result = shell("reset", "wait", "--offsets", "yesterday")
    assert result.code == 1
    assert result.err == (
        "error: option '--offsets' must be 'earliest', 'latest' or a time such as "
        "'2025-01-31T12:00'; got 'yesterday'\n"
    )


def test_a_flow_that_never_ran_has_nothing_to_forget(shell, place):
    waiting(place / "wait.json")
    result = shell("reset", "wait", "--state")
    assert result.code == 2
    assert result.err == (
        f"error: data directory '{place}/.flowengine/wait' must hold a store; got none; the flow "
        "has not run there yet\n"
    )


def test_a_backup_is_restored_into_an_empty_directory(shell, project):
    assert shell("backup", "wait", "copy").code == 0
    shutil.rmtree(project / ".flowengine")
    result = shell("restore", "wait", "copy")
    assert (result.code, result.out) == (
        0,
        f"restored {project}/.flowengine/wait from copy: 9 FlowFiles queued\n",
    )
    shell("reset", "wait", "--queues")
    counted(project / "wait.json")
    assert run_counted(shell) == "10 in = 1 out + 0 failed + 0 expired + 9 dropped + 0 queued\n"


def test_a_restore_replaces_a_store_only_by_force(shell, project):
    shell("backup", "wait", "copy")
    result = shell("restore", "wait", "copy")
    assert result.code == 2
    assert result.err == (
        f"error: data directory '{project}/.flowengine/wait' must be empty to be restored; got a "
        "store in it; replace it with '--force', which throws its queues away\n"
    )
    assert shell("restore", "wait", "copy", "--force").code == 0


def test_a_backup_needs_an_empty_folder(shell, project):
    shell("backup", "wait", "copy")
    result = shell("backup", "wait", "copy")
    assert result.code == 2
    assert result.err == (
        f"error: backup directory '{project}/copy' must be empty; got files in it\n"
    )


def test_what_is_no_backup_is_not_restored(shell, project):
    (project / "nothing").mkdir()
    result = shell("restore", "wait", "nothing", "--force")
    assert result.code == 2
    assert result.err == (
        "error: backup 'nothing' must be a folder that `flowengine backup` made; got none\n"
    )


def test_a_damaged_backup_is_not_restored(shell, project):
    shell("backup", "wait", "copy")
    with (project / "copy" / "flow.db").open("r+b") as file:
        file.seek(100)
        file.write(b"x" * 4000)
    result = shell("restore", "wait", "copy", "--force")
    assert result.code == 2
    assert result.err.startswith("error: backup 'copy' must hold an undamaged store; got ")
