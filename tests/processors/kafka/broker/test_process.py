import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from processors.kafka.broker.process import (
    end_processes,
    process_id,
    send_signal,
    spawn,
    wait_for_end,
)

STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
signal.pause()
"""
PARENT = """
import pathlib, signal, sys
from processors.kafka.broker.process import spawn
here = pathlib.Path(sys.argv[1])
child = spawn(["sleep", "60"], directory=here, output=here / "log", dies_with_parent=True)
print(child.pid, flush=True)
signal.pause()
"""


def known_process(pid):
    found = process_id(pid)
    assert found is not None
    return found


def first_line(process):
    return process.stdout.readline()


@pytest.fixture
def sleeper():
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_a_process_is_known_by_more_than_its_pid(sleeper):
    known = known_process(sleeper.pid)
    assert known.alive
    assert not replace(known, started="at another time").alive


def test_a_process_of_another_start_with_the_same_pid_is_never_signalled(sleeper):
    stale = replace(known_process(sleeper.pid), started="before the pid was given out again")
    assert end_processes([stale], patience=0)
    send_signal(stale, signal.SIGKILL)
    assert sleeper.poll() is None


def test_an_ended_process_is_not_alive(sleeper):
    known = known_process(sleeper.pid)
    assert end_processes([known], patience=10)
    assert not known.alive  # though nobody has asked for its exit code yet
    assert known.resident_bytes == 0


def test_a_process_that_ignores_the_polite_signal_is_killed():
    command = [sys.executable, "-c", STUBBORN]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        first_line(process)
        assert not end_processes([known_process(process.pid)], patience=0.1)
        assert process.wait() == -signal.SIGKILL


def test_waiting_for_a_process_that_lives_is_bounded(sleeper):
    assert not wait_for_end(known_process(sleeper.pid), patience=0.01)


def test_no_process_has_this_pid():
    assert process_id(2**22 + 1) is None


def test_the_memory_of_a_process_is_told():
    assert known_process(os.getpid()).resident_bytes > 1_000_000


def test_output_goes_to_the_file(tmp_path):
    process = spawn(
        ["echo", "hello"], directory=tmp_path, output=tmp_path / "log", dies_with_parent=False
    )
    process.wait()
    assert (tmp_path / "log").read_text() == "hello\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_child_dies_with_a_parent_that_is_killed(tmp_path):
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        child = known_process(int(first_line(parent)))
        parent.kill()
        parent.wait()
    assert wait_for_end(child, patience=10)
