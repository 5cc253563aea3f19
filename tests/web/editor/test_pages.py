"""The list of flows, themes, keyboard and accessibility (scenarios 1, 30, 37, 38, 41)."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.web.editor.screen import SLOW

AXE = Path("web/editor/node_modules/axe-core/axe.min.js")


def _findings(page: Page) -> list[str]:
    """Serious findings of axe, run in its own world so that the page's policy stays strict."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    bad = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in bad]


def test_list_search_and_open(open_page: Any, server: Any) -> None:
    server.add("orders", {"description": "Orders to the lake."})
    server.add("visits", {"description": "Visits of the shop."})
    page = open_page()
    page.get_by_label("Search flows").fill("lake")
    expect(page.get_by_test_id("flow-orders")).to_be_visible()
    expect(page.get_by_test_id("flow-visits")).to_have_count(0)
    page.get_by_role("link", name="orders").click()
    expect(page).to_have_url(f"{server.url}flows/orders")
    page.reload()
    expect(page.get_by_text("An empty flow")).to_be_visible()
    page.go_back()
    expect(page.get_by_test_id("flow-orders")).to_be_visible()


def test_export_import_and_copy(open_page: Any, server: Any, tmp_path: Path) -> None:
    server.add("travel", {**SLOW, "processors": {**SLOW["processors"], "odd": {"type": "Unknown"}}})
    page = open_page()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export travel").click()
    exported = Path(download.value.path()).read_bytes()
    file = tmp_path / "travelled.json"
    file.write_bytes(exported)
    page.get_by_label("Flow file").set_input_files(file)
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_test_id("node-odd")).to_contain_text("unknown type")
    assert (server.flows / "travelled.json").read_bytes() == exported
    file.write_text('{"format": 1,\n "name" "x"}')
    page.goto(server.url)
    page.get_by_label("Flow file").set_input_files(file)
    page.get_by_label("Id", exact=True).fill("broken")
    page.get_by_role("button", name="Create").click()
    expect(page.locator(".toast.bad")).to_contain_text("2")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible(open_page: Any, server: Any, shot: Any, scheme: str) -> None:
    if not server.api.get("flows/shown").is_success:
        server.add("shown", SLOW)
    page = open_page(color_scheme=scheme)
    page.get_by_test_id("flow-shown").wait_for()
    found = {"list": _findings(page)}
    shot(page, f"list-{scheme}")
    page.goto(f"{server.url}flows/shown")
    page.get_by_test_id("node-make").click()
    page.get_by_test_id("field-rate").wait_for()
    shot(page, f"editor-{scheme}")
    found["editor"] = _findings(page)
    for name, keys in {"commands": "Control+k", "shortcuts": "?"}.items():
        page.keyboard.press(keys)
        page.locator("dialog[open]").wait_for()
        shot(page, f"{name}-{scheme}")
        found[name] = _findings(page)
        page.keyboard.press("Escape")
    for name in ("Services", "Parameters"):
        page.get_by_role("button", name=name, exact=True).click()
        page.locator("dialog[open]").wait_for()
        shot(page, f"{name.lower()}-{scheme}")
        found[name] = _findings(page)
        page.keyboard.press("Escape")
    assert found == {key: [] for key in found}


def test_search_leads_into_nested_groups(open_page: Any, server: Any) -> None:
    inner = {"processors": {"deep-one": {"type": "LogAttribute"}}}
    server.add("nested", {"groups": {"outer": {"groups": {"inner": inner}}}})
    page = open_page("flows/nested")
    page.get_by_test_id("node-outer").wait_for()
    page.keyboard.press("Control+k")
    page.keyboard.type("deep-one")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("node-outer/inner/deep-one")).to_be_visible()
    expect(page.locator(".breadcrumb")).to_contain_text("outer")


def test_a_large_flow_opens_quickly(open_page: Any, server: Any) -> None:
    names = [f"log-{number}" for number in range(1000)]
    pairs = [
        {"from": a, "relationships": ["success"], "to": b} for a, b in itertools.pairwise(names)
    ]
    layout = {name: [360 * (i % 40), 180 * (i // 40)] for i, name in enumerate(names)}
    processors = {name: {"type": "LogAttribute"} for name in names}
    server.add("large", {"processors": processors, "connections": pairs, "layout": layout})
    server.api.get("flows/large/draft")  # the check of 1000 processors is the server's time
    page = open_page()
    page.goto(f"{server.url}flows/large")
    page.locator(".react-flow__node").first.wait_for()
    took = page.evaluate("() => performance.now()")
    assert took < 4000, json.dumps({"ms": took})
