"""Groups, layout, finding one's way, large flows: acceptance scenarios 32 to 34 and 41."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.web.editor.screen import LOG, SLOW

SIZE = (240, 104)  # of a node


def test_32_group_enter_and_ungroup(editing: Any) -> None:
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


def _tree(count: int) -> dict[str, Any]:
    """So many processors, each fed by one before it, all at one place."""
    names = [f"log-{number}" for number in range(count)]
    pairs = [
        {"from": names[(n - 1) // 2], "to": names[n], "relationships": ["success"]}
        for n in range(1, count)
    ]
    layout = {name: [0, 0] for name in names}
    return {"processors": dict.fromkeys(names, LOG), "connections": pairs, "layout": layout}


def test_33_lay_out_is_one_undo_step_without_overlap(editing: Any, server: Any, shot: Any) -> None:
    flow = _tree(60)
    screen = editing(flow)
    screen.press("l")
    expect(screen.button("Undo move")).to_be_enabled()
    screen.saved()
    places = server.draft(screen.flow)["layout"]
    for (_, (x, y)), (_, (u, v)) in itertools.combinations(places.items(), 2):
        assert abs(x - u) >= SIZE[0] or abs(y - v) >= SIZE[1]
    for one in flow["connections"]:
        assert places[one["from"]][0] < places[one["to"]][0]
    expect(screen.node("log-59")).to_be_in_viewport()
    shot(screen.page, "sixty-light")
    screen.press("Control+z")
    screen.saved()
    assert server.draft(screen.flow)["layout"] == flow["layout"]


def test_align_and_distribute(editing: Any, server: Any) -> None:
    layout = {"make": [0, 0], "throttle": [300, 60], "log": [900, 20]}
    screen = editing({**SLOW, "layout": layout})
    screen.press("Control+a")
    screen.button("Align top").click()
    screen.button("Distribute from left to right").click()
    screen.saved()
    found = server.draft(screen.flow)["layout"]
    assert found == {"make": [0, 0], "throttle": [450, 0], "log": [900, 0]}


def _grid(count: int) -> dict[str, Any]:
    names = [f"log-{number}" for number in range(count)]
    pairs = [
        {"from": a, "relationships": ["success"], "to": b} for a, b in itertools.pairwise(names)
    ]
    layout = {name: [360 * (i % 40), 180 * (i // 40)] for i, name in enumerate(names)}
    return {"processors": dict.fromkeys(names, LOG), "connections": pairs, "layout": layout}


PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
#: Frames that are drawn while the canvas is dragged, and the longest one.
FRAMES = """() => new Promise((done) => {
  const times = [];
  const step = (now) => {
    times.push(now);
    if (now - times[0] < 1500) requestAnimationFrame(step);
    else done((times.length - 1) / ((now - times[0]) / 1000));
  };
  requestAnimationFrame(step);
})"""


def _open(page: Page, address: str) -> float:
    """Milliseconds from asking for the page until its components are drawn."""
    page.goto(address)
    page.locator(".react-flow__node").first.wait_for()
    took: float = page.evaluate("() => performance.now()")
    return took


def _pan(page: Page) -> float:
    """Frames a second while the canvas is dragged."""
    page.mouse.move(600, 110)  # nothing stands there
    page.mouse.down()
    page.evaluate(f"() => {{ window.measured = ({FRAMES})() }}")
    for step in range(40):
        page.mouse.move(600 + step * 5, 110 + step * 3)
    page.mouse.up()
    frames: float = page.evaluate("() => window.measured")
    return frames


def test_34_a_thousand_nodes_open_and_pan(open_page: Any, server: Any, shot: Any) -> None:
    server.add("large", _grid(1000))
    server.add("little", _grid(3))
    server.api.get("flows/large/draft")  # the check of 1000 processors is the server's time
    page = open_page()
    little = (_open(page, f"{server.url}flows/little"), _pan(page))
    large = (_open(page, f"{server.url}flows/large"), _pan(page))
    shot(page, "thousand-light")
    page.keyboard.press("f")
    page.locator(".card.far").nth(200).wait_for()
    whole = _pan(page)
    figures = json.dumps({"little": little, "large": large, "whole": whole})
    assert large[0] < max(3000, 5 * little[0]), figures
    assert large[1] > min(45, little[1] / 2), figures
    assert whole > min(45, little[1] / 6), figures


def test_34_sixty_nodes_are_painted_at_once(open_page: Any, server: Any) -> None:
    server.add("sixty", _grid(60))
    page = open_page()
    _open(page, f"{server.url}flows/sixty")
    flow = page.wait_for_function(PAINTED).json_value()
    page.goto(f"{server.url}status")
    assert flow < max(1500, 4 * page.wait_for_function(PAINTED).json_value())


def test_41_search_finds_nested_nodes_and_values(open_page: Any, server: Any) -> None:
    put = {"type": "PutFile", "properties": {"directory": "out/{{ country }}"}}
    inner = {"processors": {"deep-one": put}}
    server.add("nested", {"groups": {"outer": {"groups": {"inner": inner}}}})
    page = open_page("flows/nested")
    page.get_by_test_id("node-outer").wait_for()
    page.keyboard.press("Control+k")
    page.keyboard.type("out/{{")
    expect(page.get_by_role("option").first).to_contain_text("properties.directory")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("node-outer/inner/deep-one")).to_be_in_viewport()
    expect(page.locator(".inspector h2")).to_have_text("deep-one")
    expect(page.locator(".breadcrumb")).to_contain_text("outer")


def test_41_the_minimap_moves_the_view(editing: Any) -> None:
    layout = {"make": [0, 0], "throttle": [3000, 0], "log": [6000, 2000]}
    processors = {**SLOW["processors"], "far": LOG}
    screen = editing({**SLOW, "processors": processors, "layout": {**layout, "far": [9000, 4000]}})
    viewport = screen.page.locator(".react-flow__viewport")
    before = viewport.get_attribute("style")
    minimap = screen.page.locator(".react-flow__minimap").bounding_box()
    x, y = minimap["x"] + 60, minimap["y"] + 60
    screen.drag(x, y, x + 40, y + 30)
    expect(viewport).not_to_have_attribute("style", before)
