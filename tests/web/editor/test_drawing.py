"""Drawing a flow: acceptance scenarios 2 to 12."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import expect

from tests.web.editor.screen import LOG, MAKER, PAIR, SLOW, Screen

CLIPBOARD = ["clipboard-read", "clipboard-write"]


def test_02_palette_search_and_drag_to_the_canvas(editing: Any, server: Any) -> None:
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


def test_03_insert_by_keyboard_alone(editing: Any) -> None:
    screen = editing()
    screen.press("Control+k")
    screen.page.keyboard.type("generate")
    screen.press("Enter")
    expect(screen.node("generate-records")).to_be_focused()
    expect(screen.page.locator(".inspector h2")).to_have_text("generate-records")


def test_04_connect_with_two_relationships(editing: Any, server: Any) -> None:
    rate = {**SLOW["processors"]["throttle"], "auto_terminate": []}
    flow = {"processors": {"rate": rate, "log": LOG}}
    screen = editing({**flow, "layout": {"rate": [0, 0], "log": [400, 0]}})
    badge = screen.node("rate").locator(".problem-badge")
    expect(badge).to_have_attribute("title", re.compile("relationship 'failure'"))
    screen.wire("rate", "log")
    dialog = screen.dialog()
    for name in ("success", "failure"):
        dialog.get_by_role("checkbox", name=re.compile(f"^{name}")).check()
    dialog.get_by_role("button", name="Connect").click()
    expect(screen.queue("rate-log")).to_contain_text("success, failure")
    expect(badge).not_to_have_attribute("title", re.compile("relationship"))
    screen.select("rate")
    screen.tab("Relationships").click()
    expect(screen.page.locator(".relationship", has_text="failure")).to_contain_text("→ log")
    screen.saved()
    assert server.draft(screen.flow)["connections"][0]["relationships"] == ["success", "failure"]


def test_05_a_source_refuses_input_while_dragging(editing: Any, server: Any) -> None:
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


def test_06_connect_by_clicks(editing: Any) -> None:
    screen = editing(PAIR)
    screen.node("make").locator(".react-flow__handle.source").click()
    screen.node("log").locator(".react-flow__handle.target").click()
    screen.dialog().get_by_role("button", name="Connect").click()
    expect(screen.edge("make-log")).to_have_count(1)


def test_06_connect_by_keyboard(editing: Any) -> None:
    screen = editing(PAIR)
    screen.node("make").focus()
    screen.press("Enter", "c")
    screen.node("log").focus()
    screen.press("Enter", "c")
    screen.dialog().get_by_role("button", name="Connect").click()
    expect(screen.edge("make-log")).to_have_count(1)


def test_06_connect_by_touch(editing: Any) -> None:
    screen = editing(PAIR, has_touch=True)
    for node, handle in (("make", "source"), ("log", "target")):
        box = screen.node(node).locator(f".react-flow__handle.{handle}").bounding_box()
        screen.page.touchscreen.tap(box["x"] + 6, box["y"] + 6)
    screen.dialog().get_by_role("button", name="Connect").tap()
    expect(screen.edge("make-log")).to_have_count(1)


def test_07_a_wire_dropped_on_nothing_adds_and_connects(editing: Any) -> None:
    screen = editing({"processors": {"make": MAKER}, "layout": {"make": [0, 0]}})
    start = screen.node("make").locator(".react-flow__handle.source").bounding_box()
    screen.drag(start["x"] + 6, start["y"] + 6, start["x"] + 90, start["y"] + 160)
    screen.page.keyboard.type("logattr")
    screen.press("Enter")
    expect(screen.edge("make-log-attribute")).to_have_count(1)
    screen.press("Control+z")
    expect(screen.node("log-attribute")).to_have_count(0)
    expect(screen.edge("make-log-attribute")).to_have_count(0)


def test_08_a_node_dropped_on_an_edge_is_spliced_in(editing: Any, server: Any) -> None:
    screen = editing(SLOW)
    before = server.draft(screen.flow)["connections"]
    item = screen.page.get_by_test_id("palette-UpdateAttribute")
    item.drag_to(screen.queue("throttle-log"))
    expect(screen.edge("throttle-update-attribute")).to_have_count(1)
    expect(screen.edge("update-attribute-log")).to_have_count(1)
    expect(screen.edge("throttle-log")).to_have_count(0)
    screen.press("Control+z")
    expect(screen.edge("throttle-log")).to_have_count(1)
    screen.saved()
    assert server.draft(screen.flow)["connections"] == before


def test_09_move_several_is_one_undo_each(editing: Any, server: Any) -> None:
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
    down = server.draft(screen.flow)["layout"]
    assert down["make"][1] == down["log"][1] > 0
    screen.page.reload()
    assert Screen(screen.page, screen.flow)
    assert server.draft(screen.flow)["layout"] == down


def test_10_delete_undo_redo_brings_the_same_back(editing: Any, server: Any) -> None:
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


def test_11_undo_covers_every_change_but_not_the_selection(editing: Any, server: Any) -> None:
    screen = editing(SLOW)
    before = server.draft(screen.flow)
    screen.select("throttle")
    screen.set("Time duration", "5 sec")
    screen.press("Escape")
    screen.select("make", "throttle")
    screen.press("Control+d", "Control+g", "Escape")
    screen.page.get_by_test_id("palette-label").click()
    screen.press("l")
    expect(screen.button("Undo move")).to_be_enabled()
    screen.press("Control+a", "Delete")
    expect(screen.page.locator(".react-flow__node")).to_have_count(0)
    screen.saved()
    for _ in range(6):  # delete, lay out, label, group, duplicate, property
        screen.press("Control+z")
    screen.saved()
    assert server.draft(screen.flow) == before
    expect(screen.button("Undo")).to_be_disabled()


def test_11_undo_in_a_field_edits_the_text(editing: Any) -> None:
    screen = editing(PAIR)
    screen.select("make")
    field = screen.page.get_by_label("Locale")
    field.fill("nl_NL")
    screen.press("Control+z")
    expect(screen.node("make")).to_have_count(1)
    expect(screen.button("Undo")).to_be_disabled()


def test_12_copy_and_paste_in_the_same_flow(editing: Any) -> None:
    screen = editing(SLOW)
    screen.select("make", "throttle")
    screen.press("Control+c")
    expect(screen.toast()).to_contain_text("Copied 2 components")
    screen.press("Control+v")
    expect(screen.edge("make-2-throttle-2")).to_have_count(1)
    expect(screen.page.locator(".react-flow__edge")).to_have_count(3)
    screen.press("Control+z")
    expect(screen.node("make-2")).to_have_count(0)


def test_12_cut_and_paste_on_another_server(
    editing: Any, open_page: Any, other_server: Any
) -> None:
    screen = editing(SLOW, permissions=CLIPBOARD)
    screen.select("make", "throttle")
    screen.press("Control+x")
    expect(screen.node("make")).to_have_count(0)
    taken = screen.page.evaluate("() => navigator.clipboard.readText()")
    assert len(json.loads(taken)["components"]) == 2
    other_server.add("pasted", {})
    page = open_page("flows/pasted", at=other_server, permissions=CLIPBOARD)
    there = Screen(page, "pasted")
    page.evaluate("text => navigator.clipboard.writeText(text)", taken)
    there.press("Control+v")
    expect(there.edge("make-throttle")).to_have_count(1)
    there.saved()
    assert set(other_server.draft("pasted")["processors"]) == {"make", "throttle"}
