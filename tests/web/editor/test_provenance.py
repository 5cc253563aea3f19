"""What happened to one FlowFile: found, drawn on the canvas, read, and put back (scenario 25)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.web.editor.axe import findings
from tests.web.editor.screen import Screen

SLOWLY = {"timeout": 30_000.0}


def traced(folder: Path) -> dict[str, Any]:
    """make → (a group: mark) → put; three small records, and one that is too large to be kept."""
    folder.mkdir()
    for name in "abc":
        (folder / f"{name}.json").write_text(json.dumps({"name": name}))
    (folder / "large.json").write_text(json.dumps({"name": "x" * 70_000}))
    read = {"path": str(folder / "*.json"), "format": "json"}
    inner = {
        "inputs": {"in": {}},
        "outputs": {"out": {}},
        "processors": {
            "mark": {
                "type": "UpdateAttribute",
                "properties": {"attributes": {"marked": "yes"}},
                "auto_terminate": ["failure"],
            }
        },
        "connections": [
            {"from": "in", "to": "mark"},
            {"from": "mark", "relationships": ["success"], "to": "out"},
        ],
    }
    return {
        "processors": {
            "read": {"type": "ReadDataLake", "properties": read},
            "log": {"type": "LogAttribute", "auto_terminate": ["success"]},
            "other": {"type": "LogAttribute", "auto_terminate": ["success"]},
        },
        "groups": {"inner": inner},
        "connections": [
            {"from": "read", "relationships": ["success"], "to": "inner/in"},
            {"from": "inner/out", "to": "log"},
            {"from": "read", "relationships": ["failure"], "to": "other"},
        ],
        "layout": {"read": [0, 0], "inner": [360, 0], "log": [720, 0], "other": [720, 180]},
    }


@pytest.fixture
def screen(editing: Any, tmp_path: Path) -> Any:
    def opened(**options: Any) -> Screen:
        screen = editing(traced(tmp_path / "lake"), **options)
        screen.start()
        return screen

    return opened


def search(page: Page, **fields: str) -> None:
    """Fill in the search of the panel and ask."""
    form = page.get_by_role("form", name="Search events")
    for name, value in fields.items():
        field = form.get_by_label(name.replace("_", " "), exact=True)
        if name in ("Attribute", "FlowFile"):
            field.fill(value)
        else:
            field.select_option(value)
    form.get_by_role("button", name="Search").click()


def open_event(screen: Screen, processor: str, type: str, file: str = "a") -> None:
    """The lineage of the FlowFile of a file that had such an event."""
    search(screen.page, Processor=processor, Event_type=type, Attribute=f"filename={file}.json")
    row = screen.page.get_by_test_id("event").filter(has_text=processor).filter(has_text=type)
    row.first.get_by_role("button").click(**SLOWLY)
    screen.page.get_by_test_id("lineage").wait_for()


def test_the_path_of_a_flowfile_is_drawn_on_the_canvas(screen: Any, shot: Any) -> None:
    screen = screen()
    screen.tab("Provenance").click()
    expect(screen.page.get_by_test_id("event").first).to_be_visible(**SLOWLY)
    open_event(screen, "log", "DROP")
    numbers = [
        screen.page.get_by_test_id(f"path-{id}").inner_text() for id in ("read", "inner", "log")
    ]
    assert numbers == ["1", "2", "3"]
    for edge in ("read-inner/in", "inner/out-log"):
        expect(screen.edge(edge).locator(".on-path")).to_have_count(1)
    expect(screen.page.get_by_test_id("path-other")).to_have_count(0)
    expect(screen.edge("read-other").locator(".on-path")).to_have_count(0)
    expect(screen.page.get_by_test_id("lineage-event")).to_have_count(3)
    shot(screen.page, "provenance-path-light")

    screen.page.get_by_test_id("lineage-event").nth(1).click()
    expect(screen.node("inner/mark")).to_be_visible()
    event = screen.page.get_by_role("region", name="Event 2")
    expect(event.get_by_role("row").first).to_contain_text("marked added yes")
    expect(event.get_by_role("region", name="Content")).to_contain_text('name: "a"')
    for edge in ("inner/in-mark", "inner/mark-out"):
        expect(screen.edge(edge).locator(".on-path")).to_have_count(1)
    screen.stop()


def test_an_event_is_replayed_and_what_cannot_be_says_why(screen: Any, shot: Any) -> None:
    screen = screen()
    screen.tab("Provenance").click()
    search(screen.page, Attribute="filename=a.json")
    expect(screen.page.get_by_test_id("event")).to_have_count(3, **SLOWLY)
    open_event(screen, "inner/mark", "ATTRIBUTES_MODIFIED")
    before = screen.page.get_by_test_id("lineage-event").count()
    replay = screen.button("Replay")
    replay.click()
    expect(screen.toast()).to_contain_text("Put into inner/in-mark again")
    screen.button("Read the events again").click()
    expect(screen.page.get_by_text("REPLAY · descendant")).to_be_visible(**SLOWLY)
    assert screen.page.get_by_test_id("lineage-event").count() > before

    screen.page.get_by_test_id("lineage-event").first.click()
    expect(replay).to_be_disabled()
    expect(screen.page.locator("#replay-refusal")).to_contain_text("entered the flow")
    screen.button("Search").click()
    search(screen.page, Attribute="filename=large.json", Processor="log", Event_type="")
    screen.page.get_by_test_id("event").first.get_by_role("button").click(**SLOWLY)
    expect(screen.page.locator("#replay-refusal")).to_contain_text("must have kept its content")
    expect(screen.page.get_by_text("The content was not kept")).to_be_visible()
    shot(screen.page, "provenance-gone-light")

    screen.stop()
    expect(screen.page.locator("#replay-refusal")).to_contain_text("must run to replay", **SLOWLY)


def test_a_queued_flowfile_leads_to_its_lineage_and_escape_ends_the_path(
    screen: Any, server: Any
) -> None:
    screen = screen()
    server.api.post(f"flows/{screen.flow}/processors/log/stop").raise_for_status()
    open_menu = screen.node("read").locator(".card-head")
    open_menu.click()
    screen.press("e")
    form = screen.page.get_by_role("form", name="Search events")
    expect(form.get_by_label("Processor")).to_have_value("read")
    screen.page.get_by_test_id("event").first.get_by_role("button").click(**SLOWLY)
    expect(screen.page.get_by_test_id("path-read")).to_be_visible()
    screen.page.locator(".react-flow__pane").click(position={"x": 20, "y": 20})
    screen.press("Escape")
    expect(screen.page.get_by_test_id("path-read")).to_have_count(0)
    screen.stop()


def test_the_panel_is_accessible_in_light_and_dark(screen: Any, shot: Any) -> None:
    screen = screen()
    screen.tab("Provenance").click()
    found = {}
    for scheme in ("light", "dark"):
        screen.page.emulate_media(color_scheme=scheme)
        expect(screen.page.get_by_test_id("event").first).to_be_visible(**SLOWLY)
        shot(screen.page, f"provenance-search-{scheme}")
        found[f"search {scheme}"] = findings(screen.page)
        open_event(screen, "inner/mark", "ATTRIBUTES_MODIFIED")
        expect(screen.page.get_by_role("region", name="Content")).to_be_visible()
        screen.page.wait_for_timeout(400)  # the canvas moves there
        shot(screen.page, f"provenance-event-{scheme}")
        found[f"event {scheme}"] = findings(screen.page)
        screen.button("Search").click()
    screen.stop()
    assert found == {key: [] for key in found}
