import re
import signal
from pathlib import Path

import pytest

from flowengine.definition.builder import Flow
from tests.flowengine.cli.kit import call, counted, running, waiting

DONE = "10 in = 10 out + 0 failed + 0 expired + 0 dropped + 0 queued\n"


def test_a_bounded_run_ends_with_its_ledger_and_0(shell, place):
    result = shell("run", counted(place / "hello.json"), "--until-complete")
    assert (result.code, result.out) == (0, DONE)


def test_the_data_directory_is_one_per_flow_below_the_working_directory(shell, place):
    shell("run", counted(place / "hello.json"), "--until-complete")
    assert (place / ".flowengine" / "hello" / "flow.db").is_file()


def test_a_flow_may_be_named_instead_of_its_file(shell, place):
    (place / "flows").mkdir()
    counted(place / "flows" / "hello.json")
    result = shell("run", "hello", "--until-complete")
    assert (result.code, result.out) == (0, DONE)


def test_the_memory_repository_leaves_no_store(shell, place):
    arguments = ("--until-complete", "--repository", "memory")
    result = shell("run", counted(place / "hello.json"), *arguments)
    assert (result.code, result.out) == (0, DONE)
    assert not (place / ".flowengine" / "hello" / "flow.db").exists()


def test_an_unknown_flow_is_a_definition_error(shell, place):
    result = shell("run", "helo")
    assert result.code == 1
    assert result.err == (
        "error: flow must be a flow file or the name of one in the folder 'flows'; got 'helo'; "
        "looked for 'helo.json' and 'flows/helo.json'\n"
    )


def test_findings_end_a_run_before_it_begins(shell, place):
    (place / "bad.json").write_text('{"format": 1,\n "name": "bad", "processor": {}}\n')
    result = shell("run", "bad.json")
    assert result.code == 1
    assert result.err.startswith("bad.json:2:17: ")
    assert not (place / ".flowengine").exists()


def test_parameters_come_from_a_file_and_from_options(shell, place):
    flow = Flow("p")
    flow.add("generate", "GenerateRecords", count=flow.parameter("count", 1))
    flow.add("end", "UpdateAttribute", {"auto_terminate": ["success", "failure"]})
    flow.connect("generate", "success", "end")
    flow.save(place / "p.json")
    (place / "values.toml").write_text("count = 3\n")
    from_file = shell("run", "p.json", "--until-complete", "--param-file", "values.toml")
    assert from_file.out.startswith("3 in = 3 out")
    both = ("--param-file", "values.toml", "--set", "count=4", "--data-dir", "other")
    assert shell("run", "p.json", "--until-complete", *both).out.startswith("4 in = 4 out")


def test_a_sensitive_parameter_is_refused_on_the_command_line(shell, place):
    counted(place / "s.json")
    text = (place / "s.json").read_text()
    text = text.replace('"processors"', '"parameters": {"pw": {"sensitive": true}},\n"processors"')
    (place / "s.json").write_text(text)
    result = shell("run", "s.json", "--set", "pw=hunter2")
    assert result.code == 1
    assert result.err == (
        "error: parameter 'pw' must not be set by '--set', since it is sensitive and every process "
        "list would show it; name a file with '--param-file' instead\n"
    )


def test_a_pair_without_equals_sign_is_refused(shell, place):
    result = shell("run", counted(place / "hello.json"), "--set", "count")
    assert result.code == 1
    assert result.err == "error: option '--set' must be name=value; got 'count'\n"


def test_both_choices_for_removed_connections_are_one_too_many(shell, place):
    result = shell("run", counted(place / "hello.json"), "--drain-removed", "--drop-removed")
    assert result.code == 1
    assert result.err == (
        "error: options '--drain-removed' and '--drop-removed' must not be given together; "
        "got both\n"
    )


@pytest.mark.slow
def test_sigterm_stops_gracefully_and_says_what_is_queued(place):
    flow = waiting(place / "wait.json")
    with running(flow, "--drain-timeout", "10 ms") as runner:
        result = runner.end(signal.SIGTERM)
    assert result.code == 3
    assert result.out == "10 in = 1 out + 0 failed + 0 expired + 0 dropped + 9 queued\n"
    data = place / ".flowengine" / "wait"
    assert result.err.endswith(
        "stopping: queues have 10 ms to empty themselves; Ctrl-C again stops at once\n"
        f"9 FlowFiles are queued in {data}; the next run goes on with them\n"
    )


@pytest.mark.slow
def test_a_second_ctrl_c_stops_at_once_and_loses_nothing(place):
    flow = waiting(place / "wait.json")
    with running(flow, "--drain-timeout", "1 hour") as runner:
        runner.process.send_signal(signal.SIGINT)
        runner.wait_for("stopping: queues have 1 hour to empty themselves")
        result = runner.end(signal.SIGINT)
    assert result.code == 130
    assert result.out == "10 in = 1 out + 0 failed + 0 expired + 0 dropped + 9 queued\n"
    assert result.err.endswith("stopping at once; what is queued stays in the data directory\n")


@pytest.mark.slow
def test_a_second_run_on_one_data_directory_is_refused_with_the_pid_of_the_first(place):
    flow = waiting(place / "wait.json")
    with running(flow) as runner:
        result = call("run", flow)
    assert result.code == 2
    assert result.err == (
        f"error: data directory '{place}/.flowengine/wait' must have one owner; got a second "
        f"runner while pid {runner.process.pid} runs on it. Stop that one, or choose another "
        "--data-dir\n"
    )


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(shell, place):
    flow = waiting(place / "wait.json")
    with running(flow) as runner:
        runner.end(signal.SIGKILL)
    with running(flow, "--drain-timeout", "10 ms") as runner:
        result = runner.end()
    assert result.code == 3
    assert result.out == "10 in = 1 out + 0 failed + 0 expired + 0 dropped + 9 queued\n"


@pytest.mark.slow
class TestRemovedConnections:
    """A definition without a connection that holds FlowFiles (E18)."""

    @pytest.fixture
    def removed(self, place):
        """A data directory with nine FlowFiles, and a flow without the connection they are in."""
        with running(waiting(place / "wait.json"), "--drain-timeout", "10 ms") as runner:
            assert runner.end().code == 3
        return counted(place / "wait.json")

    def test_they_are_refused_with_both_remedies(self, removed):
        result = call("run", removed, "--until-complete")
        assert result.code == 1
        assert result.err == (
            "error: flow 'wait' must keep the connections that hold FlowFiles; got a definition "
            "without generate-throttle (9). Choose --drain-removed to let the old definition "
            "finish them first, or --drop-removed to throw them away\n"
        )

    def test_they_are_drained_by_the_old_definition(self, place):
        old = waiting(place / "wait.json", count=20, period="500 ms")
        with running(old, "--drain-timeout", "10 ms") as runner:
            assert runner.end().code == 3
        result = call("run", counted(old), "--until-complete", "--drain-removed")
        assert result.code == 0
        assert result.out == "20 in = 20 out + 0 failed + 0 expired + 0 dropped + 0 queued\n"
        assert re.search(r"^drained \d+ FlowFiles? of removed connections$", result.err, re.M)

    def test_they_are_dropped_with_a_count(self, removed):
        result = call("run", removed, "--until-complete", "--drop-removed")
        assert result.code == 0
        assert result.out == "10 in = 1 out + 0 failed + 0 expired + 9 dropped + 0 queued\n"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_an_idle_runner_needs_at_most_90_mb(place):
    with running(waiting(place / "wait.json"), "--drain-timeout", "0 sec") as runner:
        status = Path(f"/proc/{runner.process.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    assert int(line.split()[1]) <= 90 * 1024


@pytest.mark.slow
def test_a_run_that_listens_says_where(place):
    arguments = (counted(place / "hello.json"), "--until-complete", "--listen", "0")
    result = call("run", *arguments)
    assert result.code == 0
    assert re.match(r"control API at http://127\.0\.0\.1:\d+\n", result.err)
