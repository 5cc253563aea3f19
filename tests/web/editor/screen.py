"""What a person does in the editor, by names that a person sees."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

MAKER: dict[str, Any] = {
    "type": "GenerateRecords",
    "properties": {"schema": {"n": "sequence"}, "rate": "20/s"},
}
LOG: dict[str, Any] = {"type": "LogAttribute", "auto_terminate": ["success"]}
#: A source that is faster than what follows, and a small queue between.
SLOW: dict[str, Any] = {
    "processors": {
        "make": MAKER,
        "throttle": {
            "type": "ControlRate",
            "properties": {
                "criteria": "flowfile count",
                "maximum_rate": 1,
                "time_duration": "1 sec",
            },
            "auto_terminate": ["failure"],
        },
        "log": LOG,
    },
    "connections": [
        {
            "from": "make",
            "relationships": ["success"],
            "to": "throttle",
            "back_pressure": {"objects": 10},
        },
        {"from": "throttle", "relationships": ["success"], "to": "log"},
    ],
    "layout": {"make": [0, 0], "throttle": [360, 0], "log": [720, 0]},
}
#: Two components that nothing joins yet.
PAIR: dict[str, Any] = {
    "processors": {"make": MAKER, "log": LOG},
    "layout": {"make": [0, 0], "log": [400, 0]},
}


class Screen:
    """The editor page of one flow."""

    def __init__(self, page: Page, flow: str) -> None:
        self.page = page
        self.flow = flow
        page.get_by_test_id("palette-ReadDataLake").wait_for()
        expect(page.get_by_test_id("saving")).to_have_text(re.compile("Deployed|Draft saved"))

    def node(self, id: str) -> Locator:
        return self.page.get_by_test_id(f"node-{id}")

    def edge(self, id: str) -> Locator:
        return self.page.get_by_test_id(f"edge-{id}")

    def queue(self, id: str) -> Locator:
        return self.page.get_by_test_id(f"queue-{id}")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def tab(self, name: str) -> Locator:
        return self.page.get_by_role("tab", name=re.compile(f"^{name}"))

    def dialog(self) -> Locator:
        return self.page.locator("dialog[open]")

    def toast(self) -> Locator:
        return self.page.locator(".toast")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def select(self, *ids: str) -> None:
        """Click components, all but the first with Shift."""
        self.node(ids[0]).locator(".card-head").click()
        for id in ids[1:]:
            self.node(id).locator(".card-head").click(modifiers=["Shift"])

    def choose(self, *ids: str, item: str) -> None:
        """Choose from the menu of components that are selected."""
        self.select(*ids)
        self.node(ids[-1]).locator(".card-head").click(button="right")
        self.page.get_by_role("menuitem", name=re.compile(f"^{item}")).click()

    def field(self, label: str) -> Locator:
        return self.page.get_by_label(label, exact=True)

    def set(self, label: str, value: str) -> None:
        """Fill a field and leave it."""
        self.field(label).fill(value)
        self.press("Tab")

    def wire(self, source: str, target: str, handle: str = "target") -> None:
        """Drag a wire from one component to another."""
        start = self.node(source).locator(".react-flow__handle.source").bounding_box()
        end = self.node(target).locator(f".react-flow__handle.{handle}").bounding_box()
        assert start
        assert end
        self.drag(start["x"] + 6, start["y"] + 6, end["x"] + 6, end["y"] + 6)

    def drag(self, x: float, y: float, to_x: float, to_y: float) -> None:
        mouse = self.page.mouse
        mouse.move(x, y)
        mouse.down()
        mouse.move(to_x, to_y, steps=12)
        mouse.up()

    def saved(self) -> None:
        """Wait until the server has every edit."""
        expect(self.page.get_by_test_id("saving")).to_have_text(re.compile("Draft saved|Deployed"))

    def running(self) -> None:
        expect(self.page.get_by_test_id("flow-state")).to_contain_text("running", timeout=20_000)

    def start(self) -> None:
        self.button("Start").first.click()
        self.running()

    def stop(self) -> None:
        self.button("Stop").first.click()
        expect(self.page.get_by_test_id("flow-state")).to_contain_text("stopped", timeout=20_000)
