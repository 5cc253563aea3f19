"""`status`, `queue` and `backup` of one flow that runs in a process of its own."""

import json
from pathlib import Path

import pytest

from flowengine.restoring import check_backup
from tests.flowengine.cli.kit import running, waiting

QUEUE = "generate-throttle"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A working directory in which the flow `wait` runs with nine FlowFiles queued."""
    folder = tmp_path_factory.mktemp("project")
    flow = waiting(folder / "wait.json")
    with running(flow, "--data-dir", folder / ".flowengine" / "wait"):
        yield folder


@pytest.fixture(autouse=True)
def _inside(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)


def test_a_status_has_processors_connections_and_the_ledger(shell):
    result = shell("status", "wait")
    assert result.code == 0
    lines = [line.split() for line in result.out.splitlines()]
    assert lines[0][:2] == ["wait", "running"]
    assert ["generate", "completed", "0", "10", "0", "1"] in lines
    assert lines[-3][:3] == [QUEUE, "success", "9"]
    assert result.out.endswith("10 in = 1 out + 0 failed + 0 expired + 0 dropped + 9 queued\n")


def test_a_status_as_json_is_what_the_control_api_answers(shell):
    data = json.loads(shell("status", "wait", "--json").out)
    assert (data["flow"], data["queued"]) == ("wait", 9)


def test_without_a_name_all_running_flows_are_listed(shell):
    lines = [line.split() for line in shell("status").out.splitlines()]
    assert [line[:2] for line in lines] == [["flow", "state"], ["wait", "running"]]
    assert lines[1][3:] == ["10", "1", "9"]


def test_queues_are_listed_with_what_waits(shell):
    lines = shell("queue", "list", "wait").out.splitlines()
    assert lines[1].split()[:3] == [QUEUE, "success", "9"]


def test_waiting_flowfiles_are_shown_and_stay(shell):
    result = shell("queue", "peek", "wait", QUEUE, "--limit", 2)
    assert len(result.out.splitlines()) == 3
    assert result.err == "2 shown of 9 queued; there are more\n"
    assert shell("queue", "peek", "wait", QUEUE, "--limit", 20).err == "9 shown of 9 queued\n"


def test_flowfiles_are_found_by_attribute(shell):
    arguments = ("queue", "peek", "wait", QUEUE, "--where", "record.number=5", "--json")
    listing = json.loads(shell(*arguments).out)
    assert [one["attributes"]["record.number"] for one in listing["flowfiles"]] == ["5"]


def test_the_content_of_one_is_written_as_it_is(shell):
    result = shell("queue", "peek", "wait", QUEUE, "--content", 1)
    assert set(json.loads(result.out)) == {"name"}


def test_a_number_beyond_the_listing_is_refused(shell):
    result = shell("queue", "peek", "wait", QUEUE, "--content", 11)
    assert result.code == 1
    assert (
        result.err == "error: option '--content' must be a uuid or a number from 1 to 9; got 11\n"
    )


def test_an_unknown_connection_is_named(shell):
    result = shell("queue", "peek", "wait", "a-b")
    assert result.code == 2
    assert result.err == "error: flow 'wait' must have the connection; got 'a-b'\n"
    result = shell("queue", "empty", "wait", "a-b")
    assert result.err == (
        "error: flow 'wait' must have the connection; got 'a-b'; see `flowengine queue list`\n"
    )


def test_a_running_flow_is_backed_up_in_one_cut(shell, tmp_path):
    result = shell("backup", "wait", tmp_path / "copy")
    assert result.code == 0
    assert result.out.startswith(f"backed up to {tmp_path / 'copy'}: ")
    assert check_backup(tmp_path / "copy") == 9


def test_a_running_flow_is_neither_reset_nor_restored(shell, tmp_path):
    shell("backup", "wait", tmp_path / "copy")
    for arguments in (("reset", "wait", "--queues"), ("restore", "wait", tmp_path / "copy")):
        result = shell(*arguments)
        assert result.code == 2
        assert "must have one owner; got a second runner while pid " in result.err


def test_a_flow_that_does_not_run_is_said_to_be_so(shell, project):
    waiting(project / "other.json")
    for arguments in (("status", "other"), ("queue", "list", "other")):
        result = shell(*arguments)
        assert result.code == 2
        assert result.err == (
            f"error: data directory '{project}/.flowengine/other' must have a running flow; got "
            "none that answers. Start it with `flowengine run`, or name another --data-dir\n"
        )


def test_a_project_where_nothing_runs_says_so(shell, place):
    result = shell("status")
    assert (result.code, result.out) == (0, "")
    assert result.err == f"no flow runs below {place / '.flowengine'}\n"


def test_a_queue_is_emptied_and_the_ledger_says_so(place, shell):
    with running(waiting(place / "wait.json")) as runner:
        result = shell("queue", "empty", "wait", QUEUE, "--yes")
        assert (result.code, result.out) == (0, "threw away 9 FlowFiles\n")
        ended = runner.end()
    assert ended.code == 0
    assert ended.out == "10 in = 1 out + 0 failed + 0 expired + 9 dropped + 0 queued\n"
