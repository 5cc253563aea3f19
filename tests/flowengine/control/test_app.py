"""The routes of the control API, over its Unix socket, before a running engine."""

import asyncio
from types import SimpleNamespace

import msgspec
import pytest

from tests.flowengine.running import Hold, client_of, served, small_flow, until


@pytest.fixture
async def waiting(tmp_path):
    """A flow whose five FlowFiles wait for a stopped sink: (engine, desk, client)."""
    async with served(tmp_path, small_flow(count=5), stopped=("sink",)) as parts:
        engine = parts[0]
        await until(engine, lambda: engine.assembly.queued == 5)
        yield parts


@pytest.fixture
def client(waiting):
    return waiting[2]


async def uuid_of_first(client) -> str:
    listed = (await client.get("/connections/count-sink/flowfiles?limit=1")).json()
    return str(listed["flowfiles"][0]["uuid"])


# -- looking -----------------------------------------------------------------------------------


async def test_status_is_the_snapshot(client):
    answer = await client.get("/status")
    assert answer.status_code == 200
    assert answer.json()["queued"] == 5
    assert "held" not in answer.json()


async def test_status_shows_a_command_at_once(client):
    await client.get("/status")
    await client.post("/connections/count-sink/empty")
    assert (await client.get("/status")).json()["queued"] == 0


async def test_a_processor_shows_its_settings_and_hides_its_secrets(tmp_path):
    flow = small_flow(secret="correct horse")
    async with served(tmp_path, flow, stopped=("sink",)) as (engine, _, client):
        engine.board.post("count", "error", "password 'correct horse' must be right")
        answer = await client.get("/processors/count")
    assert answer.json()["settings"]["properties"]["secret"] == "******"
    assert answer.json()["bulletins"][0]["message"] == "password '******' must be right"
    assert "correct horse" not in answer.text


async def test_the_stream_begins_with_a_snapshot_and_goes_on_with_deltas(waiting):
    engine, _, client = waiting
    kinds = []
    async with client.stream("GET", "/status/stream") as answer:
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                kinds.append(line)
            if line.startswith("data: ") and len(kinds) == 2:
                break
            engine.assembly.core.counters["seen"] = 1
    assert kinds == ["event: snapshot", "event: delta"]
    assert msgspec.json.decode(line[6:])["flow"]["counters"] == {"seen": 1}


async def test_two_watchers_share_one_event(waiting):
    _, desk, _ = waiting
    first, second = desk.events(), desk.events()
    opening = [await anext(first), await anext(second)]
    assert all(event.startswith(b"event: snapshot") for event in opening)
    desk.closing.set()
    assert [event async for event in first] == []


async def test_bulletins_are_listed_after_an_id(waiting):
    engine, _, client = waiting
    engine.board.post("sink", "warning", "one")
    engine.board.post("sink", "warning", "two")
    [_, last] = (await client.get("/bulletins")).json()
    assert last["message"] == "two"
    assert (await client.get(f"/bulletins?after={last['id']}")).json() == []


async def test_state_and_counters_are_shown(client):
    assert (await client.get("/state/count")).json() == {"done": 5}
    assert (await client.get("/counters")).json() == {}


async def test_metrics_are_in_the_text_format(client):
    text = (await client.get("/metrics")).text
    assert (
        'flowengine_connection_queued_flowfiles{connection="count-sink",flow="small"} 5.0' in text
    )


async def test_a_flow_that_works_is_ready(client):
    assert (await client.get("/health/ready")).status_code == 200


async def test_readiness_gives_the_reasons(waiting):
    engine, _, client = waiting
    engine.services["kafka"] = SimpleNamespace(problem="broker must answer; got none")
    answer = await client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["broker must answer; got none"]
    assert (await client.get("/health/live")).status_code == 200
    del engine.services["kafka"]


# -- queues ------------------------------------------------------------------------------------


async def test_a_queue_is_listed_from_either_end(client):
    path = "/connections/count-sink/flowfiles?limit=2"
    oldest = (await client.get(path)).json()
    newest = (await client.get(path + "&newest=true")).json()
    assert [(f["place"], f["attributes"]["number"]) for f in oldest["flowfiles"]] == [
        (0, "0"),
        (1, "1"),
    ]
    assert [(f["place"], f["attributes"]["number"]) for f in newest["flowfiles"]] == [
        (4, "4"),
        (3, "3"),
    ]
    assert not oldest["complete"]


@pytest.mark.parametrize("newest", [False, True])
async def test_a_queue_is_listed_page_by_page(client, newest):
    path = f"/connections/count-sink/flowfiles?limit=2&newest={newest}"
    numbers, cursor = [], ""
    while cursor is not None:
        page = (await client.get(path + (f"&cursor={cursor}" if cursor else ""))).json()
        numbers += [f["attributes"]["number"] for f in page["flowfiles"]]
        cursor = page["next"]
    assert numbers == sorted("01234", reverse=newest)
    assert page["complete"]


async def test_a_page_after_a_flowfile_that_has_gone_on_begins_at_the_head(waiting):
    engine, _, client = waiting
    path = "/connections/count-sink/flowfiles?limit=2"
    cursor = (await client.get(path)).json()["next"]
    await client.post("/connections/count-sink/empty")
    for verb in ("stop", "clear-state", "start"):
        assert (await client.post(f"/processors/count/{verb}")).status_code == 200
    await until(engine, lambda: engine.assembly.queued == 5)
    page = (await client.get(f"{path}&cursor={cursor}")).json()
    assert [f["attributes"]["number"] for f in page["flowfiles"]] == ["0", "1"]


async def test_a_cursor_that_is_none_is_refused(client):
    answer = await client.get("/connections/count-sink/flowfiles?cursor=3")
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "cursor must be one of an answer; got '3'",
    )


async def test_a_queue_is_filtered_by_attributes(client):
    answer = await client.get(
        "/connections/count-sink/flowfiles?attribute=odd=1&attribute=number=3"
    )
    assert [f["attributes"]["number"] for f in answer.json()["flowfiles"]] == ["3"]
    assert answer.json()["complete"]


async def test_a_filter_without_a_value_is_refused(client):
    answer = await client.get("/connections/count-sink/flowfiles?attribute=odd")
    assert answer.status_code == 422
    assert answer.json()["detail"] == "query parameter 'attribute' must be name=value; got 'odd'"


@pytest.mark.parametrize(
    ("range", "status", "content"),
    [
        (None, 200, b"record 0"),
        ("bytes=0-2", 206, b"rec"),
        ("bytes=3-", 206, b"ord 0"),
        ("bytes=-3", 206, b"d 0"),
        ("bytes=2-100", 206, b"cord 0"),
        ("bytes=0-1,4-5", 200, b"record 0"),
    ],
)
async def test_content_is_a_download_whole_or_in_part(client, range, status, content):
    path = f"/connections/count-sink/flowfiles/{await uuid_of_first(client)}/content"
    answer = await client.get(path, headers={"Range": range} if range else {})
    assert (answer.status_code, answer.content) == (status, content)
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-type"] == "application/octet-stream"


async def test_a_range_beyond_the_content_is_refused(client):
    path = f"/connections/count-sink/flowfiles/{await uuid_of_first(client)}/content"
    answer = await client.get(path, headers={"Range": "bytes=8-"})
    assert answer.status_code == 416
    assert answer.json()["detail"] == "range must lie within 0-7; got 'bytes=8-'"


async def test_a_content_in_a_file_is_streamed(tmp_path):
    flow = small_flow(count=1, size=2_000_000)
    async with served(tmp_path, flow, stopped=("sink",)) as (engine, _, client):
        await until(engine, lambda: engine.assembly.queued == 1)
        path = f"/connections/count-sink/flowfiles/{await uuid_of_first(client)}/content"
        answer = await client.get(path)
    assert answer.content == b"record 0".ljust(2_000_000, b".")


async def test_a_flowfile_that_is_gone_is_not_found(client):
    path = "/connections/count-sink/flowfiles/nonsense/content"
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.json()["detail"] == (
        "connection 'count-sink' must hold the FlowFile; got 'nonsense', which has gone on or "
        "never was here"
    )


async def test_emptying_a_queue_is_counted_as_dropped(client):
    assert (await client.post("/connections/count-sink/empty")).json() == {"dropped": 5}
    status = (await client.get("/status")).json()
    assert (status["ledger"]["dropped"], status["balance"]) == (5, 0)


# -- processors --------------------------------------------------------------------------------


async def test_a_processor_is_started_and_stopped(waiting):
    engine, _, client = waiting
    assert (await client.post("/processors/sink/start")).status_code == 200
    await until(engine, lambda: engine.assembly.queued == 0)
    await client.post("/processors/sink/stop")
    assert (await client.get("/status")).json()["processors"]["sink"]["state"] == "stopped"


async def test_a_processor_runs_once(waiting):
    engine, _, client = waiting
    await client.post("/processors/sink/run-once")
    await until(engine, lambda: engine.assembly.queued == 0)
    status = (await client.get("/status")).json()
    assert status["processors"]["sink"]["total"]["tasks"] == 1
    assert status["counters"] == {"discarded": 5}


async def test_a_disabled_processor_refuses_to_start_until_it_is_enabled(client):
    assert (await client.post("/processors/sink/disable")).json() == {"state": "disabled"}
    answer = await client.post("/processors/sink/start")
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "processor 'sink' must be enabled to start; got disabled",
    )
    assert (await client.post("/processors/sink/enable")).json() == {"state": "stopped"}
    assert (await client.post("/processors/sink/start")).status_code == 200


async def test_a_running_processor_is_not_disabled(waiting):
    engine, _, client = waiting
    await client.post("/processors/sink/start")
    await until(engine, lambda: engine.assembly.nodes["sink"].running)
    answer = await client.post("/processors/sink/disable")
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "processor 'sink' must be stopped to be disabled; got running",
    )


async def test_state_is_cleared_when_the_processor_is_stopped(client):
    assert (await client.post("/processors/count/stop")).status_code == 200
    assert (await client.post("/processors/count/clear-state")).json() == {"cleared": 1}
    assert (await client.get("/state/count")).json() == {}


async def test_state_is_kept_while_the_processor_runs(waiting):
    engine, _, client = waiting
    await client.post("/processors/sink/start")
    await until(engine, lambda: engine.assembly.nodes["sink"].running)
    answer = await client.post("/processors/sink/clear-state")
    assert answer.status_code == 409
    assert answer.json()["detail"] == (
        "processor 'sink' must be stopped to clear its state; got running"
    )


async def test_properties_change_in_a_stopped_processor(waiting):
    engine, _, client = waiting
    answer = await client.post("/processors/sink/properties", json={"label": "new"})
    assert answer.json() == {"live": False, "properties": {"label": "new", "maximum": None}}
    assert engine.assembly.nodes["sink"].processor.properties.label == "new"


async def test_properties_change_in_a_running_processor_that_can_take_them(tmp_path):
    async with served(tmp_path, small_flow(count=1)) as (engine, _, client):
        await until(engine, lambda: engine.assembly.nodes["sink"].running)
        taken = await client.post("/processors/sink/properties", json={"label": "new"})
        refused = await client.post("/processors/sink/properties", json={"maximum": 5})
        processor = engine.assembly.nodes["sink"].processor
    assert taken.json()["live"]
    assert processor.properties.label == "new"
    assert refused.status_code == 409
    assert refused.json()["detail"] == (
        "processor 'sink' must be stopped to change these properties; got running"
    )


async def test_an_invalid_property_is_named(client):
    answer = await client.post("/processors/count/properties", json={"cuont": 3})
    assert answer.status_code == 422
    assert answer.json()["detail"] == (
        "processor 'count' (Count): property 'cuont' Extra inputs are not permitted"
    )


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/processors/nobody/start", "flow 'small' must have the processor; got 'nobody'"),
        ("/connections/none/empty", "flow 'small' must have the connection; got 'none'"),
        ("/counters/none/reset", "flow 'small' must have the counter; got 'none'"),
    ],
)
async def test_what_does_not_exist_is_not_found(client, path, detail):
    answer = await client.post(path)
    assert (answer.status_code, answer.json()["detail"]) == (404, detail)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_unknown_path_is_a_problem(client):
    answer = await client.get("/nothing/here")
    assert answer.status_code == 404
    assert answer.json()["detail"] == (
        "path must be a route of the control API; got '/nothing/here'"
    )


async def test_stop_ends_the_run(waiting):
    engine, _, client = waiting
    assert (await client.post("/stop?drain=false")).json() == {"state": "stopping"}
    assert engine.stopping


# -- while somebody holds the engine -----------------------------------------------------------


async def test_the_api_answers_for_as_long_as_a_processor_holds_the_engine(tmp_path):
    """The test drives the client from the I/O side: its own loop is the one that is held."""
    Hold.entered.clear()
    Hold.release.clear()
    answers = []

    async def ask() -> None:
        async with client_of(tmp_path) as client:
            await client.get("/status")
            await asyncio.get_running_loop().run_in_executor(None, Hold.entered.wait, 30)
            for path in ("/status", "/bulletins", "/health/live", "/metrics", "/processors/sink"):
                answers.append(await client.get(path))
            answers.append(await client.post("/processors/count/terminate"))
            Hold.release.set()

    async with served(tmp_path, small_flow(Hold, count=1)) as (engine, _, _):
        await engine.io.run(ask())
    status = answers[0].json()
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 200, 503]
    assert status["held"]["processor"] == "sink"
    assert answers[-1].json()["detail"] == (
        "engine must answer within 1 s; got no answer while processor 'sink' holds it. Nothing "
        "was done; try again, or terminate that processor"
    )
    assert engine.assembly.nodes["count"].status != "stopping"  # the command was withdrawn


async def test_an_unknown_command_is_a_problem(client):
    answer = await client.post("/processors/sink/explode")
    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")
    assert answer.json()["detail"] == "POST /processors/sink/explode must be a route of ours"
