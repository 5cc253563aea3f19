"""Commands for whole groups of a running flow."""

import pytest

from flowengine.definition.load import load_definition
from flowengine.definition.model import FlowDefinition
from tests.flowengine.running import Count, Discard, served, until

MEMBERS = ["box/deep/two", "box/one"]


@pytest.fixture
async def parts(tmp_path):
    flow = {
        "format": 1,
        "name": "small",
        "processors": {"count": {"type": "Count", "properties": {"count": 5}}},
        "groups": {
            "box": {
                "inputs": {"in": {}},
                "processors": {"one": {"type": "Discard"}},
                "groups": {
                    "deep": {"inputs": {"in": {}}, "processors": {"two": {"type": "Discard"}},
                             "connections": [{"from": "in", "to": "two"}]},
                },
                "connections": [{"from": "in", "to": "one"}, {"from": "in", "to": "deep/in"}],
            },
        },
        "connections": [{"from": "count", "relationships": ["success"], "to": "box/in"}],
    }  # fmt: skip
    loaded = load_definition(
        FlowDefinition.model_validate(flow), classes={"Count": Count, "Discard": Discard}
    )
    stopped = tuple(name for name in loaded.processors if name.startswith("box/"))
    async with served(tmp_path, loaded, stopped=stopped) as found:
        yield found


async def states(client) -> set[str]:
    found = (await client.get("/status")).json()["processors"]
    return {one["state"] for id, one in found.items() if id in MEMBERS}


async def test_a_group_is_started_and_stopped_with_all_groups_inside(parts):
    engine, _, client = parts
    assert (await client.post("/groups/box/start")).status_code == 200
    await until(engine, lambda: engine.assembly.queued == 0 and engine.completed)
    assert await states(client) == {"running"}
    assert (await client.post("/groups/box/stop")).status_code == 200
    assert await states(client) == {"stopped"}


async def test_an_inner_group_is_a_group_of_its_own(parts):
    _, _, client = parts
    answer = await client.post("/groups/box/deep/disable")
    assert set(answer.json()["processors"]) >= {"box/deep/two"}
    assert "box/one" not in answer.json()["processors"]


async def test_a_group_is_disabled_and_enabled(parts):
    _, _, client = parts
    await client.post("/groups/box/disable")
    assert await states(client) == {"disabled"}
    assert (await client.post("/groups/box/start")).json() == {"processors": {}}
    await client.post("/groups/box/enable")
    assert await states(client) == {"stopped"}


async def test_what_one_refuses_the_group_refuses_and_nothing_happens(parts):
    engine, _, client = parts
    await client.post("/processors/box/one/start")
    await until(engine, lambda: engine.assembly.nodes["box/one"].running)
    answer = await client.post("/groups/box/clear-state")
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "group 'box' must be stopped to clear state; got running: 'box/one'",
    )
    assert (await client.post("/groups/box/terminate")).status_code == 200
    assert (await client.post("/groups/box/clear-state")).status_code == 200


async def test_a_group_that_is_not_there_is_not_found(parts):
    _, _, client = parts
    answer = await client.post("/groups/nowhere/start")
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "flow 'small' must have the group; got 'nowhere'",
    )
    assert (await client.post("/groups/box/explode")).status_code == 422
