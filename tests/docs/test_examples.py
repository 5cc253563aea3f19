"""The flows printed in README and in the design validate and run."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

from flowengine.definition.load import load_flow
from flowengine.engine import Engine
from flowengine.repository import SqliteRepository

ROOT = Path(__file__).parents[2]
DESIGN = Path(__file__).with_name("design_example.json")


def run(path: Path, data_dir: Path) -> str:
    """Run a flow to its end and return its ledger line."""

    async def work() -> str:
        engine = Engine(load_flow(path), SqliteRepository(data_dir))
        async with engine.opened():
            await engine.run(until_complete=True)
            assembly = engine.assembly
            assert assembly.core.ledger.balance(assembly.queued) == 0
            return assembly.core.ledger.line(assembly.queued)

    return asyncio.run(work())


def test_the_flow_in_the_readme_runs(tmp_path: Path, monkeypatch) -> None:
    text = (ROOT / "README.md").read_text()
    example = re.search(r"```json\n(.*?)```", text, re.S)
    assert example is not None
    monkeypatch.chdir(tmp_path)
    flow = tmp_path / "first-flow.json"
    flow.write_text(example[1])
    assert run(flow, tmp_path / "data-dir").startswith("10 in = 10 out + 0 failed")
    written = [json.loads(path.read_bytes()) for path in tmp_path.glob("data/seniors/*.json")]
    assert written
    assert all(record["age"] >= 65 for record in written)


def test_the_flow_in_the_design_is_valid(tmp_path: Path) -> None:
    flow = load_flow(DESIGN)
    assert [str(finding.severity) for finding in flow.findings] == ["warning"]  # unused password
    assert [connection.id for connection in flow.connections] == [
        "read-throttle",
        "read-rejects",
        "throttle-publish",
        "throttle-rejects",
    ]


def test_the_flow_in_the_design_runs(kafka, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    lake = tmp_path / "data" / "lake" / "users"
    lake.mkdir(parents=True)
    (lake / "ada.json").write_text('{"name": "ada"}')
    flow = json.loads(DESIGN.read_text())
    topic = kafka.create_topic(partitions=3)
    flow["processors"]["publish"]["properties"]["topic"] = topic
    flow["parameters"]["brokers"]["value"] = kafka.bootstrap
    path = tmp_path / "users-producer.json"
    path.write_text(json.dumps(flow))
    assert run(path, tmp_path / "data-dir") == (
        "1 in = 1 out + 0 failed + 0 expired + 0 dropped + 0 queued"
    )
    assert [message.key for message in kafka.read_all(topic)] == [b"ada"]
