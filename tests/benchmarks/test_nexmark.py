"""The Nexmark flows give what DuckDB gives over the whole input; `make bench` times them."""

import asyncio
from pathlib import Path

import pytest

from flowengine.definition.load import load_flow
from flowengine.engine import Engine
from flowengine.repository import SqliteRepository
from tests.benchmarks.nexmark.events import write
from tests.benchmarks.nexmark.truth import NAMES, answer, truth

pytestmark = pytest.mark.slow
FLOWS = Path(__file__).parent / "nexmark"


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """10 000 events within 40 seconds of event time."""
    folder = tmp_path_factory.mktemp("nexmark")
    write(folder, 10_000, rate=250)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_a_query_answers_as_a_batch_does(lake, tmp_path, name):
    output = tmp_path / "out"
    output.mkdir()
    parameters = {"input": str(lake), "output": str(output)}

    async def work():
        flow = load_flow(FLOWS / f"{name}.json", parameters)
        engine = Engine(flow, SqliteRepository(tmp_path / "data"))
        async with engine.opened():
            await asyncio.wait_for(engine.run(until_complete=True), 60)
        assert engine.completed

    asyncio.run(work())
    found, expected = answer(name, output), truth(name, lake)
    assert expected
    assert found == expected
