"""Groups, resets, history, pages of logs and queues, metrics: over REST, with real runners."""

from __future__ import annotations

import json

import pytest

from tests.waiting import until
from tests.web.serving import pipeline
from web import logpages
from web.problems import Problem


def grouped():
    """make → box/put."""
    flow = pipeline(every="5 ms")
    put = flow["processors"].pop("put")
    del flow["processors"]["mark"]
    flow["groups"] = {
        "box": {
            "inputs": {"in": {}},
            "processors": {"put": put},
            "connections": [{"from": "in", "to": "put"}],
        }
    }
    flow["connections"] = [{"from": "make", "relationships": ["success"], "to": "box/in"}]
    flow["layout"] = {}
    return flow


def test_a_group_is_stopped_disabled_enabled_and_run_once(server):
    server.create("one", grouped())
    server.running("one")
    for verb in ("stop", "disable", "enable", "run-once", "stop", "clear-state", "start"):
        answer = server.post(f"/flows/one/groups/box/{verb}")
        assert "box/put" in answer["processors"], verb
    until(
        lambda: server.get("/flows/one/processors/box/put")["status"]["state"] == "running", "put"
    )
    refused = server.ask("POST", "/flows/one/groups/box/disable")
    assert refused.status_code == 409
    assert "box/put" in refused.json()["processors"]
    assert server.ask("POST", "/flows/one/groups/nowhere/start").status_code == 404


def test_a_disabled_processor_does_not_start(server):
    server.create("one")
    server.running("one")
    server.post("/flows/one/processors/put/stop")
    disable = "/flows/one/processors/put/disable"
    until(lambda: server.ask("POST", disable).is_success, "the processor to be idle")
    assert server.post(disable) == {"state": "disabled"}
    answer = server.ask("POST", "/flows/one/processors/put/start")
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "processor 'put' must be enabled to start; got disabled",
    )
    assert server.post("/flows/one/processors/put/enable") == {"state": "stopped"}


def test_a_queue_is_paged(server):
    server.create("one")
    server.running("one")
    server.post("/flows/one/processors/put/stop")
    path = "/flows/one/connections/mark-put/flowfiles"
    until(lambda: server.get(path)["queued"] >= 5, "FlowFiles")
    first = server.get(path, limit=2)
    second = server.get(path, limit=2, cursor=first["next"])
    assert [one["place"] for one in (*first["flowfiles"], *second["flowfiles"])] == [0, 1, 2, 3]


def test_a_stopped_flow_is_reset_and_a_running_one_is_not(server):
    server.create("fresh")
    server.running("fresh")
    server.post("/flows/fresh/processors/put/stop")
    until(lambda: server.get("/flows/fresh/status")["status"]["queued"] >= 5, "FlowFiles")
    refused = server.ask("POST", "/flows/fresh/reset", json={"queues": True})
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "flow 'fresh' must be stopped to be reset; got a running one",
    )
    server.post("/flows/fresh/stop", {"drain": False})
    server.until_state("fresh", "stopped")
    done = server.post("/flows/fresh/reset", {"queues": True, "state": True})["done"]
    assert done[0].startswith("threw away ")
    assert done[1].startswith("forgot ")
    assert not (server.flows / ".fresh.deployed.json").exists()


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "reset must be told what to forget; got nothing; choose '--state', '--queues' or"),
        ({"offsets": "soon"}, "option '--offsets' must be 'earliest', 'latest' or a time such as"),
        ({"offsets": "earliest"}, "flow 'small' must have a processor whose position can be set"),
    ],
)
def test_a_reset_that_makes_no_sense_is_refused(server, body, detail):
    server.create("one", pipeline(count=1, every="1 ms"))
    server.post("/flows/one/run-once")
    server.until_state("one", "stopped")
    answer = server.ask("POST", "/flows/one/reset", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(detail)


def test_history_outlives_the_run(server):
    server.create("minutes", pipeline(count=10, every="1 ms"))
    assert server.get("/flows/minutes/history")["points"] == []
    server.post("/flows/minutes/run-once")
    server.until_state("minutes", "stopped")
    found = server.get("/flows/minutes/history", kind="processors", component="put")
    column = 1 + found["fields"].index("flowfiles_in")
    assert sum(point[column] for point in found["points"]) >= 10
    queue = server.get("/flows/minutes/history", kind="connections", component="mark-put")
    assert queue["fields"] == ["queued", "bytes", "penalized", "percent"]


def test_all_flows_are_scraped_at_once(server):
    for id in ("one", "two"):
        server.create(id)
        server.running(id)
    answer = server.ask("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    lines = answer.text.splitlines()
    assert 'flowengine_flow_running{flow="two"} 1.0' in lines
    assert [line for line in lines if line.startswith("flowengine_uptime_seconds{")][1:]
    assert lines.count("# TYPE flowengine_uptime_seconds gauge") == 1


def test_flows_are_listed_page_by_page(server):
    for id in ("a", "b", "c"):
        server.create(id)
    first = server.get("/flows", limit=2)
    second = server.get("/flows", limit=2, cursor=first["next"])
    assert [one["id"] for page in (first, second) for one in page["flows"]] == ["a", "b", "c"]
    assert second["next"] is None


# -- pages of a log ----------------------------------------------------------------------------


def log_of(folder, *files: list[int]):
    """Log files, oldest first, with a numbered line each."""
    (folder / "logs").mkdir()
    for number, lines in enumerate(reversed(files)):
        name = "flow.log" + (f".{number}" if number else "")
        text = "".join(json.dumps({"event": n, "pad": "ü" * 50}) + "\n" for n in lines)
        (folder / "logs" / name).write_text(text)


@pytest.mark.parametrize("limit", [1, 7, 400])
def test_a_log_is_read_backwards_through_rotated_files(tmp_path, limit):
    log_of(tmp_path, list(range(10)), list(range(10, 500)), list(range(500, 2000)))
    pages, cursor = [], None
    while not pages or cursor is not None:
        found = logpages.page(tmp_path, limit, cursor)
        pages.append([line["event"] for line in found.lines])
        cursor = found.next
    assert [number for page in reversed(pages) for number in page] == list(range(2000))


def test_a_cursor_stays_where_it_was_when_the_log_is_rotated(tmp_path):
    log_of(tmp_path, [1, 2, 3, 4])
    cursor = logpages.page(tmp_path, 2).next
    log = tmp_path / "logs" / "flow.log"
    log.rename(log.with_name("flow.log.1"))
    log.write_text('{"event": 5}\n')
    found = logpages.page(tmp_path, 5, cursor)
    assert ([line["event"] for line in found.lines], found.next) == ([1, 2], None)


def test_a_log_that_is_not_there_has_no_lines_and_a_wrong_cursor_is_refused(tmp_path):
    assert logpages.page(tmp_path, 5).lines == []
    with pytest.raises(Problem) as refused:
        logpages.page(tmp_path, 5, "x")
    assert str(refused.value) == "cursor must be one of an answer; got 'x'"
