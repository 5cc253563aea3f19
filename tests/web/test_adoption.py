"""A server is killed while ten flows run; runners that fail are started again, later and later."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from dataclasses import dataclass

import pytest

from tests.waiting import until
from tests.web.serving import pipeline, runners, serving
from web import runner
from web.runner import Command, Supervised
from web.store import Store

FLOWS = [f"f{number}" for number in range(10)]
COUNT = 300


@pytest.fixture
def own(tmp_path):
    with serving(tmp_path) as server:
        yield server


def bounded(id):
    """Makes COUNT records in about three seconds, into a folder of its own."""
    flow = pipeline(count=COUNT, every="50 ms")
    flow["name"] = id
    flow["processors"]["put"]["properties"]["directory"] = f"out/{id}"
    return flow


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ten_flows_outlive_a_killed_server_and_lose_nothing(own):
    for id in FLOWS:
        own.create(id, bounded(id))
    pids = {id: own.running(id) for id in FLOWS}
    own.end(signal.SIGKILL)
    assert sorted(runners(own.folder)) == sorted(pids.values())
    own.start()
    for id in FLOWS:
        own.until_state(id, "running")
        assert own.post(f"/flows/{id}/start")["state"] == "running"  # no second start
    assert {id: own.pid(id) for id in FLOWS} == pids
    assert sorted(runners(own.folder)) == sorted(pids.values())
    for id in FLOWS:
        until(lambda id=id: ledger(own, id)["out"] >= COUNT, f"all records of {id}")
        found = ledger(own, id)
        assert (found["in"], found["failed"], found["dropped"]) == (found["out"], 0, 0)
        assert len(list((own.folder / "out" / id).iterdir())) == COUNT


def ledger(server, id):
    status = server.get(f"/flows/{id}/status")["status"]
    assert status is None or status["balance"] == 0
    return status["ledger"] if status else {"out": 0}


def processes_below(folder):
    """Command lines of all processes that work in a folder."""
    listed = subprocess.run(["ps", "-ewwo", "args"], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if str(folder) in line]


@pytest.mark.slow
def test_ctrl_c_leaves_no_process_and_no_file_of_a_run_behind(own):
    own.create("one")
    own.running("one")
    children = family(own.process.pid)
    assert len(children) >= 2  # a runner, the inspection
    own.end(signal.SIGINT)
    until(lambda: not [pid for pid in children if alive(pid)], "all children to end")
    assert processes_below(own.folder) == []
    assert not list(own.flows.glob(".*.deployed.json"))


def family(pid):
    listed = subprocess.run(["ps", "-eo", "pid,ppid"], capture_output=True, text=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()[1:]]
    return [child for child, parent in pairs if parent == pid]


def alive(pid):
    return subprocess.run(["ps", "-p", str(pid)], capture_output=True).returncode == 0


# -- back-off ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Failing(Command):
    """A runner that says something and dies."""

    code: int = 2

    def arguments(self):
        return [sys.executable, "-c", f"print('no disk'); exit({self.code})"]


@pytest.fixture
def supervised(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(runner, "LONGEST_PAUSE", 0.04)
    store = Store(tmp_path / "server.db")
    yield Supervised("one", tmp_path / "one", store, lambda *_: None)
    store.close()


def failing(tmp_path, code=2):
    return Failing("{}", tmp_path / ".one.deployed.json", tmp_path / "one", code=code)


async def test_a_runner_that_fails_is_started_again_later_and_later(supervised, tmp_path):
    pauses, enough = [], asyncio.Event()

    def heard(_, bulletin):
        if bulletin is not None:
            pauses.append(supervised._pause)
            if len(pauses) == 5:
                enough.set()

    supervised._listener = heard
    async with asyncio.TaskGroup() as group:
        group.create_task(supervised.serve())
        supervised.start(failing(tmp_path))
        await enough.wait()
        supervised.leave()
    assert pauses == [0.01, 0.02, 0.04, 0.04, 0.04]
    assert supervised.bulletins[0].message == (
        "flow 'one' must keep running; its runner ended with exit code 2. Its last words: no disk"
    )


async def test_a_runner_of_a_wrong_definition_is_not_started_again(supervised, tmp_path):
    async with asyncio.TaskGroup() as group:
        group.create_task(supervised.serve())
        supervised.start(failing(tmp_path, code=1))
        assert await supervised.settled(30)
        assert supervised.state == "failed"
        assert "exit code 1" in supervised.reason
        supervised.leave()
    assert len(supervised.bulletins) == 1
