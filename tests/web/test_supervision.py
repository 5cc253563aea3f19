"""Runners: one per flow, restarted, adopted, drained; nothing is left behind."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.waiting import until
from tests.web.serving import pipeline, runners, serving


@pytest.fixture
def own(tmp_path):
    with serving(tmp_path) as server:
        yield server


def test_a_started_flow_runs_its_deployed_definition_until_it_is_stopped(server):
    server.create("one")
    pid = server.running("one")
    assert server.post("/flows/one/start")["state"] == "running"
    assert server.pid("one") == pid
    assert b"FLOWENGINE_SERVER_TOKEN" not in Path(f"/proc/{pid}/environ").read_bytes()
    flow = server.get("/flows")["flows"][0]
    assert (flow["deployed_revision"], flow["state"]) == (flow["revision"], "running")
    assert server.post("/flows/one/stop", {"drain": True})["state"] in ("stopping", "stopped")
    server.until_state("one", "stopped")
    assert not (server.flows / ".one.deployed.json").exists()


def test_an_invalid_flow_says_why_it_does_not_start(server):
    flow = pipeline()
    del flow["connections"]
    server.create("one", flow)
    answer = server.ask("POST", "/flows/one/start")
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("flow 'one' must be valid to start; got ")
    assert {one["component"] for one in answer.json()["problems"]} >= {"make"}


def test_run_once_ends_by_itself(server):
    server.create("one", pipeline(count=10, every="1 ms"))
    server.post("/flows/one/run-once")
    server.until_state("one", "stopped")
    assert len(list((server.folder / "out").iterdir())) >= 10


def test_a_runner_that_dies_is_started_again_and_says_so(server):
    server.create("one")
    pid = server.running("one")
    os.kill(pid, signal.SIGKILL)

    until(lambda: server.pid("one") not in (0, pid), "another runner")
    messages = [one["message"] for one in server.get("/flows/one/bulletins")["bulletins"]]
    died = "flow 'one' must keep running; its runner ended by signal 9"
    assert any(message.startswith(died) for message in messages)


def test_processors_and_queues_of_a_running_flow_are_reached(server):
    server.create("one")
    server.running("one")
    assert server.post("/flows/one/processors/put/stop")["state"] in ("stopped", "stopping")
    path = "/flows/one/connections/mark-put/flowfiles"
    until(lambda: server.get(path)["flowfiles"], "a FlowFile")
    found = server.get(path, limit=1, filter="marked=yes")["flowfiles"][0]
    content = server.ask("GET", f"{path}/{found['uuid']}/content", headers={"Range": "bytes=0-3"})
    assert (content.status_code, len(content.content)) == (206, 4)
    assert content.headers["content-disposition"].startswith("attachment; filename=")
    assert content.headers["x-content-type-options"] == "nosniff"
    assert server.post("/flows/one/processors/make/stop")
    assert server.post("/flows/one/connections/mark-put/empty")["dropped"] >= 1
    unknown = server.ask("POST", "/flows/one/processors/gone/start")
    assert (unknown.status_code, unknown.json()["detail"]) == (
        404,
        "flow 'small' must have the processor; got 'gone'",
    )


def test_a_stopped_flow_has_no_runner_to_ask(server):
    server.create("one")
    answer = server.ask("GET", "/flows/one/counters")
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "flow 'one' must be running for this; got a stopped flow",
    )


def test_a_deploy_keeps_queues_and_asks_about_those_that_are_gone(server):
    server.create("queues")
    server.running("queues")
    server.post("/flows/queues/processors/put/stop")
    path = "/flows/queues/connections/mark-put/flowfiles"
    until(lambda: server.get(path)["queued"] >= 5, "FlowFiles")
    remove = {"op": "remove", "kind": "processors", "id": "put"}
    end = {
        "op": "set",
        "kind": "processors",
        "id": "mark",
        "path": ["auto_terminate"],
        "value": ["success", "failure"],
    }
    seq = server.edit("queues", 0, remove, end).json()["seq"]
    match = {"If-Match": f'"{seq}"'}
    answer = server.ask("POST", "/flows/queues/deploy", headers=match)
    assert (answer.status_code, list(answer.json()["removed"])) == (409, ["mark-put"])
    held = answer.json()["removed"]["mark-put"]
    assert held >= 5
    assert server.get("/flows/queues/status")["state"] == "running"
    chosen = server.ask("POST", "/flows/queues/deploy", headers=match, json={"removed": "drop"})
    assert chosen.status_code == 200
    server.until_state("queues", "running")
    status = server.get("/flows/queues/status")["status"]
    assert list(status["connections"]) == ["make-mark"]
    assert status["ledger"]["dropped"] >= held
    assert status["revision"] == chosen.json()["revision"]


def test_a_deploy_restarts_only_what_changed_and_a_crash_brings_the_new_one_back(server):
    server.create("live")
    pid = server.running("live")
    mark = {"op": "set", "kind": "processors", "id": "mark", "path": ["properties", "attributes"]}
    seq = server.edit("live", 0, {**mark, "value": {"marked": "again"}}).json()["seq"]
    done = server.post("/flows/live/deploy", **{"If-Match": f'"{seq}"'})
    assert done["restarted"] == ["mark"]
    assert server.pid("live") == pid
    marks = "/flows/live/connections/mark-put/flowfiles"
    server.post("/flows/live/processors/put/stop")
    until(lambda: server.get(marks, filter="marked=again")["flowfiles"], "a new mark")
    os.kill(pid, signal.SIGKILL)
    until(lambda: server.pid("live") not in (0, pid), "another runner")
    assert server.get("/flows/live/status")["status"]["revision"] == done["revision"]


def test_a_deploy_that_cannot_go_on_in_place_starts_the_runner_anew(server):
    server.create("anew")
    pid = server.running("anew")
    order = {"op": "set", "kind": "connections", "id": "mark-put", "path": ["prioritizers"]}
    seq = server.edit("anew", 0, {**order, "value": ["newest first"]}).json()["seq"]
    done = server.post("/flows/anew/deploy", **{"If-Match": f'"{seq}"'})
    assert done["restarted"] is None
    server.until_state("anew", "running")
    assert server.pid("anew") not in (0, pid)


@pytest.mark.slow
def test_flows_outlive_a_killed_and_a_keeping_server_and_are_adopted_by_the_next(own):
    pids = {}
    for id in ("one", "two"):
        own.create(id, {**pipeline(), "name": id})
        pids[id] = own.running(id)
    for number, options in ((signal.SIGKILL, ["--keep-flows"]), (signal.SIGTERM, [])):
        own.end(number)
        assert sorted(runners(own.folder)) == sorted(pids.values())
        own.start(*options)
        for id, pid in pids.items():
            own.until_state(id, "running")
            assert own.post(f"/flows/{id}/start")["state"] == "running"
            assert own.pid(id) == pid
    os.kill(pids["two"], signal.SIGKILL)  # adopted ones are watched as well
    until(lambda: own.pid("two") not in (0, pids["two"]), "a new one")


@pytest.mark.slow
def test_a_stopped_server_stops_flows_and_the_next_starts_those_that_ran(own):
    own.create("one")
    own.create("idle")
    own.running("one")
    own.end(signal.SIGINT)
    assert runners(own.folder) == []
    own.start()
    own.until_state("one", "running")
    assert own.state("idle") == "stopped"
