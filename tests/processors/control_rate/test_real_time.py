"""ControlRate under the real engine and clock: how close to its times FlowFiles pass."""

import json
import time
from pathlib import Path

import pytest

from flowengine.definition import load_flow
from flowengine.engine import Engine
from flowengine.processor import Processor, ProcessorProperties, Relationship


class Note(Processor):
    """Note when FlowFiles arrive: seconds since the first one, and how many."""

    tags = ("test",)
    success = Relationship("Everything.")

    def __init__(self, properties: ProcessorProperties) -> None:
        super().__init__(properties)
        self.arrivals: list[tuple[float, int]] = []
        self.first = 0.0

    def on_trigger(self, context, session):
        batch = session.get_batch(1000)
        self.first = self.first or time.monotonic()
        self.arrivals.append((time.monotonic() - self.first, len(batch)))
        session.transfer(batch, self.success)


def flow(throttle: dict) -> dict:
    """More records than may pass → ControlRate → Note."""
    return {
        "format": 1,
        "name": "throttled",
        "processors": {
            "many": {"type": "GenerateRecords", "properties": {"schema": {"id": "uuid"}}},
            "throttle": {
                "type": "ControlRate",
                "properties": {"criteria": "flowfile count", **throttle},
                "auto_terminate": ["failure"],
            },
            "note": {"type": "Note", "auto_terminate": ["success"]},
        },
        "connections": [
            {"from": "many", "relationships": ["success"], "to": "throttle"},
            {"from": "throttle", "relationships": ["success"], "to": "note"},
        ],
    }


async def arrivals(folder: Path, seconds: float, **throttle) -> list[tuple[float, int]]:
    """What arrives in the first seconds, up to the first arrival after them."""
    path = folder / "throttled.json"
    path.write_text(json.dumps(flow(throttle)), encoding="utf-8")
    engine = Engine(load_flow(path, classes={"Note": Note}))
    async with engine.opened():
        note = engine.assembly.nodes["note"].processor
        assert isinstance(note, Note)
        noted = note.arrivals
        await engine.run(until=lambda: bool(noted) and noted[-1][0] >= seconds, drain_timeout=0)
    return noted


def within(noted: list[tuple[float, int]], seconds: float) -> int:
    return sum(count for at, count in noted if at < seconds)


@pytest.mark.slow
async def test_a_thousand_a_second_for_three_seconds(tmp_path):
    noted = await arrivals(tmp_path, 2.9, maximum_rate=1000, time_duration="1 sec")
    assert within(noted, 2.9) == pytest.approx(3_000, rel=0.01)


@pytest.mark.slow
async def test_four_a_second_one_by_one_pass_every_quarter(tmp_path):
    noted = await arrivals(tmp_path, 0.99, maximum_rate=1, time_duration="250 ms")
    assert [at for at, _ in noted] == pytest.approx([0, 0.25, 0.5, 0.75, 1], abs=0.05)


@pytest.mark.campaign
@pytest.mark.timeout(200)
async def test_one_a_minute_passes_at_0_60_and_120_seconds(tmp_path):
    noted = await arrivals(tmp_path, 119, maximum_rate=1, time_duration="1 min")
    assert [at for at, _ in noted] == pytest.approx([0, 60, 120], abs=0.05)


@pytest.mark.campaign
async def test_a_thousand_a_second_are_sixty_thousand_in_a_minute(tmp_path):
    noted = await arrivals(tmp_path, 59.9, maximum_rate=1000, time_duration="1 sec")
    assert within(noted, 59.9) == pytest.approx(60_000, rel=0.01)
