"""Provenance over REST: of a running flow, and of one that has stopped."""

from tests.waiting import until
from tests.web.serving import Server, pipeline

STOPPED = "flow must run to replay a provenance event; got a stopped one"


def events(server: Server, flow="traced", **wanted):
    return server.get(f"/flows/{flow}/provenance", **wanted)["events"]


def test_history_outlives_the_run_and_only_a_replay_needs_it(server):
    server.create("traced", pipeline(5))
    server.running("traced")
    until(lambda: len(events(server, type="DROP")) == 5, "five FlowFiles to end")
    [newest, *_] = events(server, type="DROP")
    running = server.get(f"/flows/traced/provenance/{newest['id']}")
    server.post("/flows/traced/stop", {"drain": False})
    server.until_state("traced", "stopped")

    assert events(server, type="DROP")[0] == newest
    stopped = server.get(f"/flows/traced/provenance/{newest['id']}")
    assert (running["refusal"], stopped["refusal"]) == (None, STOPPED)
    assert running["content"] == stopped["content"]
    lineage = server.get(f"/flows/traced/provenance/{newest['flowfile']}/lineage")
    passed = list(dict.fromkeys(one["processor"] for one in lineage["events"]))
    assert passed == ["make", "mark", "put"]
    answer = server.ask("POST", f"/flows/traced/provenance/{newest['id']}/replay")
    assert answer.status_code == 409


def test_a_stopped_flow_is_searched_by_attribute_and_by_page(server):
    server.create("searched", pipeline(5))
    server.running("searched")
    until(lambda: len(events(server, "searched", type="DROP")) == 5, "five FlowFiles to end")
    server.post("/flows/searched/stop", {"drain": False})
    server.until_state("searched", "stopped")

    marked = events(server, "searched", attribute="marked=yes", type="SEND")
    assert len(marked) == 5
    page = server.get("/flows/searched/provenance", limit=3)
    following = server.get("/flows/searched/provenance", limit=3, cursor=page["next"])
    assert max(one["id"] for one in following["events"]) < min(one["id"] for one in page["events"])


def test_a_flow_that_never_ran_has_no_events(server):
    server.create("unused")
    assert server.get("/flows/unused/provenance") == {"events": [], "next": None}
    assert server.ask("GET", "/flows/unused/provenance/7").status_code == 404
    answer = server.ask("GET", "/flows/unused/provenance", params={"attribute": "marked"})
    assert answer.status_code == 422
    assert "attribute must be written as name=value; got 'marked'" in answer.json()["detail"]
