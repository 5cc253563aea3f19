"""The chapter's two pipelines in the browser, on a topic of their own and in a hurry."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.kafka_fixtures import KafkaForTests
from tests.waiting import until

FLOWS = Path("flows")


class Chapter:
    """users-producer and users-consumer of this test, on the server of the editor's tests."""

    def __init__(self, server: Any, kafka: KafkaForTests, folder: Path, period: str) -> None:
        self.server, self.kafka = server, kafka
        self.topic = kafka.create_topic(kafka.unique("users"), partitions=3)
        self.group, self.other = f"{self.topic}-dashboard", f"{self.topic}-warehouse"
        self.producer, self.consumer = f"{self.topic}-producer", f"{self.topic}-consumer"
        shutil.copy(FLOWS / "read-data-lake.json", server.flows)
        common = {"brokers": kafka.bootstrap, "topic": self.topic}
        own = {"group": self.group, "other-group": self.other, "output": str(folder / "users")}
        lake = {"lake": str((FLOWS / "lake/users").resolve()), "rejects": str(folder / "rejects")}
        self._add(self.producer, "users-producer", common | lake | {"period": "10 ms"})
        self._add(self.consumer, "users-consumer", common | own | {"period": period})

    def _add(self, name: str, shipped: str, values: dict[str, str]) -> None:
        definition = json.loads((FLOWS / f"{shipped}.json").read_text())
        for parameter, value in values.items():
            definition["parameters"][parameter]["value"] = value
        self.server.add(name, {**definition, "name": name})

    def one_more(self, name: str) -> str:
        """One more member of the first group, a flow of its own; returns its name."""
        flow = f"{self.topic}-{name}"
        consume = {"connection": "kafka", "topics": [self.topic], "group_id": self.group}
        self.server.add(flow, consuming(self.kafka, name, consume))
        return flow

    def start(self, flow: str) -> None:
        self.server.api.post(f"flows/{flow}/start").raise_for_status()
        until(lambda: self.state(flow) == "running", f"{flow} to run")

    def produce(self) -> None:
        """Run the producer until all 17 users are in the topic."""
        self.server.api.post(f"flows/{self.producer}/run-once").raise_for_status()
        until(lambda: self.state(self.producer) == "stopped", "the producer to end")

    def state(self, flow: str) -> str:
        return str(self.server.api.get(f"flows/{flow}/status").json()["state"])

    def stop(self) -> None:
        """Stop whatever runs on this topic."""
        for flow in self.server.api.get("flows").json()["flows"]:
            if flow["id"].startswith(self.topic) and flow["state"] != "stopped":
                self.server.api.post(f"flows/{flow['id']}/stop", json={"drain": False})
                until(lambda id=flow["id"]: self.state(id) == "stopped", "a flow to stop")


def consuming(kafka: KafkaForTests, name: str, properties: dict[str, Any]) -> dict[str, Any]:
    """A flow with one consumer."""
    return {
        "services": {
            "kafka": {
                "type": "KafkaConnection",
                "properties": {"bootstrap_servers": kafka.bootstrap},
            }
        },
        "processors": {
            name: {
                "type": "ConsumeKafka",
                "properties": {**properties, "auto_offset_reset": "earliest"},
            },
            "log": {"type": "LogAttribute", "auto_terminate": ["success"]},
        },
        "connections": [{"from": name, "relationships": ["success"], "to": "log"}],
        "layout": {name: [0, 0], "log": [360, 0]},
    }


class LensPage:
    """The Kafka page of one flow, by names that a person sees."""

    def __init__(self, page: Page, flow: str) -> None:
        self.page, self.flow = page, flow
        page.get_by_role("tab", name="Topics").wait_for(timeout=30_000)

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name).click()

    def choose(self, name: str) -> None:
        """A topic or group out of the list at the left."""
        self.page.locator(".kafka-list").get_by_role("link", name=name).first.click()
        expect(self.page.locator(".kafka-head h2")).to_have_text(name, timeout=20_000)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def members(self) -> Locator:
        return self.page.get_by_test_id("member")

    def shares(self) -> list[int]:
        """Partitions of each member as they are drawn, the fewest first."""
        shown = self.members().all()
        return sorted(one.get_by_test_id("assigned").count() for one in shown)

    def until_shares(self, *shares: int) -> None:
        def look() -> bool:
            self.page.wait_for_timeout(200)
            return self.shares() == list(shares)

        until(look, f"members with {shares} partitions to be drawn")

    def lag(self, topic: str, partition: int) -> Locator:
        return self.page.get_by_test_id(f"lag-{topic}-{partition}")

    def dialog(self) -> Locator:
        return self.page.locator("dialog[open]")

    def records(self) -> Locator:
        return self.page.get_by_test_id("record")
