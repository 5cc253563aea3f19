"""Drawing a flow (acceptance scenarios 2 to 13, 17)."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import expect

from tests.web.editor.screen import LOG, MAKER, PAIR, SLOW


def test_palette_search_and_drag(editing: Any, server: Any) -> None:
    screen = editing()
    search = screen.page.get_by_label("Search processors")
    for text in ("throttle", "ControlRate", "how fast"):  # tag, name, description
        search.fill(text)
        expect(screen.page.get_by_test_id("palette-ControlRate")).to_be_visible()
    expect(screen.page.get_by_test_id("palette-PutFile")).to_have_count(0)
    canvas = screen.page.locator(".react-flow__pane")
    screen.page.get_by_test_id("palette-ControlRate").drag_to(
        canvas, target_position={"x": 300, "y": 200}
    )
    box = screen.node("control-rate").bounding_box()
    pane = canvas.bounding_box()
    assert abs(box["x"] + box["width"] / 2 - pane["x"] - 300) < 30
    expect(screen.node("control-rate").locator(".problem-badge.error")).to_be_visible()
    screen.saved()
    assert server.draft(screen.flow)["processors"]["control-rate"]["type"] == "ControlRate"


def test_insert_by_keyboard_alone(editing: Any) -> None:
    screen = editing()
    screen.press("Control+k")
    screen.page.keyboard.type("generate")
    screen.press("Enter")
    expect(screen.node("generate-records")).to_be_focused()
    expect(screen.page.locator(".inspector h2")).to_have_text("generate-records")


def test_connect_with_two_relationships(editing: Any, server: Any) -> None:
    rate = {**SLOW["processors"]["throttle"], "auto_terminate": []}
    flow = {"processors": {"rate": rate, "log": LOG}}
    screen = editing({**flow, "layout": {"rate": [0, 0], "log": [400, 0]}})
    screen.wire("rate", "log")
    dialog = screen.dialog()
    for name in ("success", "failure"):
        dialog.get_by_role("checkbox", name=re.compile(f"^{name}")).check()
    dialog.get_by_role("button", name="Connect").click()
    expect(screen.queue("rate-log")).to_contain_text("success, failure")
    screen.select("rate")
    screen.tab("Relationships").click()
    expect(screen.page.locator(".relationship", has_text="failure")).to_contain_text("→ log")
    screen.saved()
    assert server.draft(screen.flow)["connections"][0]["relationships"] == ["success", "failure"]


def test_a_source_refuses_input(editing: Any, server: Any) -> None:
    flow = {"processors": {"log": {"type": "UpdateAttribute"}, "make": MAKER}}
    screen = editing({**flow, "layout": {"log": [0, 0], "make": [400, 0]}})
    start = screen.node("log").locator(".react-flow__handle.source").bounding_box()
    end = screen.node("make").bounding_box()
    screen.drag(start["x"] + 6, start["y"] + 6, end["x"] + 60, end["y"] + 40)
    expect(screen.toast()).to_contain_text(
        "'make' (GenerateRecords) is a source: it takes no input"
    )
    expect(screen.dialog()).to_have_count(0)
    assert "connections" not in server.draft(screen.flow)


def test_connect_by_keyboard(editing: Any) -> None:
    screen = editing(PAIR)
    screen.node("make").focus()
    screen.press("Enter", "c")
    screen.node("log").focus()
    screen.press("Enter", "c")
    screen.dialog().get_by_role("button", name="Connect").click()
    expect(screen.edge("make-log")).to_have_count(1)


def test_wire_dropped_on_nothing_adds_and_connects(editing: Any) -> None:
    screen = editing({"processors": {"make": MAKER}, "layout": {"make": [0, 0]}})
    start = screen.node("make").locator(".react-flow__handle.source").bounding_box()
    screen.drag(start["x"] + 6, start["y"] + 6, start["x"] + 90, start["y"] + 160)
    screen.page.keyboard.type("logattr")
    screen.press("Enter")
    expect(screen.edge("make-log-attribute")).to_have_count(1)
    screen.press("Control+z")
    expect(screen.node("log-attribute")).to_have_count(0)
    expect(screen.edge("make-log-attribute")).to_have_count(0)


def test_move_several_is_one_undo(editing: Any, server: Any) -> None:
    screen = editing(SLOW)
    screen.press("Control+a")
    box = screen.node("make").bounding_box()
    screen.drag(box["x"] + 80, box["y"] + 20, box["x"] + 80, box["y"] + 160)
    screen.saved()
    moved = server.draft(screen.flow)["layout"]
    assert moved["make"][1] == moved["throttle"][1] == moved["log"][1] > 100
    screen.press("Control+z")
    screen.saved()
    assert server.draft(screen.flow)["layout"] == SLOW["layout"]
    screen.node("make").focus()
    screen.press("ArrowDown")
    screen.saved()
    assert server.draft(screen.flow)["layout"]["make"][1] > 0


def test_delete_undo_redo_brings_the_same_back(editing: Any, server: Any) -> None:
    screen = editing(SLOW)
    before = server.draft(screen.flow)
    screen.select("throttle")
    screen.press("Delete")
    expect(screen.page.locator(".react-flow__edge")).to_have_count(0)
    screen.press("Control+z")
    expect(screen.page.locator(".react-flow__edge")).to_have_count(2)
    screen.saved()
    assert server.draft(screen.flow) == before
    screen.press("Control+Shift+z")
    expect(screen.node("throttle")).to_have_count(0)


def test_undo_in_a_field_edits_the_text(editing: Any) -> None:
    screen = editing(PAIR)
    screen.select("make")
    field = screen.page.get_by_label("Locale")
    field.fill("nl_NL")
    screen.press("Control+z")
    expect(screen.node("make")).to_have_count(1)
    expect(screen.button("Undo")).to_be_disabled()


def test_copy_and_paste(editing: Any, server: Any) -> None:
    screen = editing(SLOW)
    screen.select("make", "throttle")
    screen.press("Control+c")
    expect(screen.toast()).to_contain_text("Copied 2 components")
    screen.press("Control+v")
    expect(screen.edge("make-2-throttle-2")).to_have_count(1)
    expect(screen.page.locator(".react-flow__edge")).to_have_count(3)
    screen.press("Control+z")
    expect(screen.node("make-2")).to_have_count(0)


def test_form_follows_the_schema(editing: Any, server: Any) -> None:
    screen = editing(SLOW)
    screen.select("throttle")
    field = screen.page.get_by_test_id("field-time_duration")
    expect(field).to_contain_text("The period that the maximum is for.")
    expect(screen.page.get_by_label("Maximum data rate")).to_have_attribute(
        "placeholder", "e.g. 10 MB"
    )
    screen.page.get_by_label("Time duration", exact=True).fill("soon")
    screen.press("Tab")
    expect(field.locator(".field-error").first).to_contain_text("duration")
    expect(screen.node("throttle").locator(".problem-badge.error")).to_be_visible()
    screen.page.get_by_label("Time duration", exact=True).fill("5 sec")
    screen.press("Tab")
    expect(screen.node("throttle").locator(".problem-badge")).to_have_count(0)
    screen.tab("JSON").click()
    assert (
        json.loads(screen.page.get_by_role("textbox", name="JSON").input_value())["properties"][
            "time_duration"
        ]
        == "5 sec"
    )


def test_problems_lead_to_the_field(editing: Any) -> None:
    screen = editing({"processors": {"make": MAKER, "put": {"type": "PutFile"}}, "groups": {}})
    screen.tab("Problems").click()
    row = screen.page.locator(".dock .row", has_text="directory").first
    row.click()
    expect(screen.page.get_by_label("Directory", exact=True)).to_be_focused()


def test_groups_enter_group_and_ungroup(editing: Any, server: Any) -> None:
    screen = editing(SLOW)
    screen.select("throttle", "log")
    screen.press("Control+g")
    expect(screen.node("group")).to_be_visible()
    expect(screen.queue("make-group/in")).to_contain_text("success")
    screen.node("group").locator(".card-type").dblclick()
    expect(screen.node("group/log")).to_be_visible()
    expect(screen.page).to_have_url(re.compile(r"\?group=group$"))
    screen.page.go_back()
    expect(screen.node("make")).to_be_visible()
    screen.select("group")
    screen.press("Control+Shift+g")
    expect(screen.edge("make-throttle")).to_have_count(1)
    expect(screen.edge("throttle-log")).to_have_count(1)


def test_lay_out_is_one_undo_step(editing: Any, server: Any) -> None:
    processors = {f"log-{number}": LOG for number in range(20)}
    pairs = [
        {"from": f"log-{n // 2}", "to": f"log-{n + 1}", "relationships": ["success"]}
        for n in range(19)
    ]
    screen = editing(
        {
            "processors": processors,
            "connections": pairs,
            "layout": {name: [0, 0] for name in processors},
        }
    )
    screen.press("l")
    expect(screen.button("Undo move")).to_be_enabled()
    screen.saved()
    assert len({tuple(at) for at in server.draft(screen.flow)["layout"].values()}) == 20
    screen.press("Control+z")
    screen.saved()
    assert len({tuple(at) for at in server.draft(screen.flow)["layout"].values()}) == 1
