"""Live figures: snapshot, deltas, bulletins, drafts; slow watchers are dropped."""

from __future__ import annotations

import asyncio
import json
from itertools import islice

from tests.web.serving import pipeline
from web import streams
from web.events import QUEUE, Hub, delta, encoded


def events_of(response):
    kind = ""
    for line in response.iter_lines():
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            yield kind, json.loads(value)


def test_a_watcher_gets_a_snapshot_then_only_what_changed(server):
    server.create("one")
    server.running("one")
    with server.http.stream("GET", "/api/v1/events?flow=one") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        stream = events_of(response)
        kind, first = next(stream)
        assert kind == "snapshot"
        assert set(first["status"]["processors"]) == {"make", "mark", "put"}
        kind, change = next(one for one in stream if one[0] == "status")
    assert "name" not in json.dumps(change)
    assert change["status"]["as_of"] > first["status"]["as_of"]
    assert all("type" not in fields for fields in change.get("processors", {}).values())


def test_a_watcher_hears_of_edits_and_of_states(server):
    server.create("one")
    with server.http.stream("GET", "/api/v1/events?flow=one") as response:
        stream = events_of(response)
        first = {"flow": "one", "state": "stopped", "reason": "", "status": None}
        assert next(stream) == ("snapshot", first)
        operation = {"op": "set", "kind": "flow", "path": ["description"], "value": "x"}
        server.edit("one", 0, operation, client="me")
        _, event = next(one for one in stream if one[0] == "draft")
        assert (event["seq"], event["client"]) == (1, "me")
        server.create("two", pipeline())
        _, event = next(one for one in stream if one[0] == "flow" and one[1]["id"] == "two")
        assert event["state"] == "stopped"


def test_an_unknown_flow_has_no_events(server):
    answer = server.ask("GET", "/events?flow=nowhere")
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "flow must be a file in the folder of flows; got 'nowhere'",
    )


def test_a_delta_goes_back_to_defaults_as_well():
    old = {"queued": 3, "processors": {"a": {"active": 1, "name": "a"}}, "connections": {}}
    new = {"queued": 3, "processors": {"a": {"active": 0, "name": "a"}}, "connections": {}}
    assert delta(old, new) == {"processors": {"a": {"active": 0}}}
    assert delta(old, old) == {}


def test_a_watcher_that_takes_nothing_is_dropped_and_no_other_waits():
    hub = Hub()
    with hub.watching("one") as slow, hub.watching("one") as quick:
        for number in range(QUEUE + 1):
            hub.tell("flow", {"id": number})
            quick.queue.get_nowait()
        assert (slow.dropped, quick.dropped) == (True, False)
        assert slow.queue.qsize() == QUEUE


def test_events_for_one_flow_are_not_told_to_watchers_of_another():
    hub = Hub()
    with hub.watching("one") as one, hub.watching("two") as two, hub.watching(None) as any_:
        hub.tell("draft", {"seq": 1}, "one")
        hub.tell("flow", {"id": "x"})
        assert [watcher.queue.qsize() for watcher in (one, two, any_)] == [2, 1, 1]
        assert list(islice(iter(one.queue.get_nowait, None), 1)) == [encoded("draft", {"seq": 1})]


async def test_a_browser_that_takes_no_event_is_dropped(monkeypatch):
    monkeypatch.setattr(streams, "PATIENCE", 0.05)
    hub, sent, never = Hub(), [], asyncio.Event()

    async def send(message):
        sent.append(message["type"])
        if len(sent) > 1:
            await never.wait()  # its buffers are full

    async def receive():
        await never.wait()

    async def first():
        return encoded("snapshot", {})

    async with asyncio.timeout(10):
        await streams.EventStream(hub, None, first)({}, receive, send)
    assert sent == ["http.response.start", "http.response.body"]
    assert not hub._watchers


async def test_a_slow_runner_keeps_no_other_flow_waiting():
    hub, told, slow = Hub(), asyncio.Event(), asyncio.Event()

    async def poll(flow):
        await slow.wait() if flow == "slow" else told.set()

    hub._poll = poll
    with hub.watching("slow"), hub.watching("quick"):
        task = asyncio.get_running_loop().create_task(hub.serve())
        async with asyncio.timeout(10):
            for _ in range(2):  # its turn comes again while the slow one still hangs
                await told.wait()
                told.clear()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
