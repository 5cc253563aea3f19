"""Open windows, the watermark and what holds it back, as they are drawn on a node."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

from tests.web.editor.screen import LOG

READINGS: dict[str, Any] = {
    "processors": {
        "sensors": {
            "type": "GenerateRecords",
            "properties": {
                "schema": {"sensor": {"provider": "choice", "values": ["north", "south"]}},
                "rate": "20/s",
            },
        },
        "each": {
            "type": "TumblingWindow",
            "properties": {"size": "10 min", "time": "ingest", "key_fields": ["sensor"]},
            "auto_terminate": ["late", "invalid"],
        },
        "log": LOG,
    },
    "connections": [
        {"from": "sensors", "relationships": ["success"], "to": "each"},
        {"from": "each", "relationships": ["window"], "to": "log"},
    ],
    "layout": {"sensors": [0, 0], "each": [360, 0], "log": [720, 0]},
}


def test_open_windows_are_drawn_on_the_node(editing: Any, shot: Any) -> None:
    screen = editing(READINGS)
    screen.start()
    drawn = screen.node("each").locator("svg.windows")
    expect(drawn).to_have_attribute("aria-label", re.compile("open windows by ingest time"))
    expect(drawn.locator("rect")).not_to_have_count(0)
    screen.select("each")
    figures = screen.page.get_by_role("region", name="Windows")
    expect(figures).to_contain_text("watermark")
    expect(figures.get_by_role("row")).not_to_have_count(0)
    expect(screen.node("log").locator("svg.windows")).to_have_count(0)
    shot(screen.page, "windows-light")
    screen.page.emulate_media(color_scheme="dark")
    shot(screen.page, "windows-dark")
    screen.stop()
