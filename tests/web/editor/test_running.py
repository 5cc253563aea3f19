"""Running a flow and looking into it (acceptance scenarios 18 to 21, 23, 24)."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

from tests.web.editor.screen import LOG, MAKER, SLOW, Screen


def test_live_figures_and_queue(editing: Any, open_page: Any, server: Any, shot: Any) -> None:
    screen = editing(SLOW)
    second = Screen(open_page(f"flows/{screen.flow}"), screen.flow)
    screen.start()
    second.running()
    out = screen.node("throttle").get_by_test_id("out")
    expect(out).not_to_have_text("0 out", timeout=15_000)
    edge = screen.queue("make-throttle")
    expect(edge).to_have_class(re.compile("full"), timeout=15_000)
    expect(edge).to_contain_text(re.compile(r"1\d\d %"))
    expect(screen.node("make")).to_contain_text("throttled")
    shot(screen.page, "running-light")

    edge.dblclick()
    dialog = screen.dialog()
    dialog.get_by_role("row").last.click()  # the first ones go on meanwhile
    expect(dialog.get_by_role("region", name="Content")).to_contain_text('"n":')
    dialog.get_by_role("tab", name="Hex").click()
    expect(dialog.locator("pre")).to_contain_text("00000000  7b 22")
    with screen.page.expect_download() as download:
        dialog.get_by_role("link", name="Download").click()
    assert b'"n"' in download.value.path().read_bytes()
    shot(screen.page, "queue-light")
    screen.press("Escape")

    screen.select("make")
    screen.page.locator(".commands").get_by_role("button", name="Stop").click()
    expect(second.node("make").get_by_label("stopped")).to_be_visible()
    edge.dblclick()
    dialog.get_by_role("button", name="Empty …").click()
    dialog.get_by_role("button", name="Throw away").click()
    expect(dialog).to_contain_text("Nothing waits here")
    screen.press("Escape")

    screen.select("make")
    before = server.api.get(f"flows/{screen.flow}/status").json()["status"]
    made = before["processors"]["make"]["total"]["flowfiles_out"]
    screen.page.locator(".commands").get_by_role("button", name="Run once").click()
    screen.page.wait_for_timeout(1500)
    after = server.api.get(f"flows/{screen.flow}/status").json()["status"]
    assert after["processors"]["make"]["total"]["flowfiles_out"] >= made
    assert after["processors"]["make"]["state"] == "stopped"
    screen.stop()


def test_an_invalid_flow_says_why_it_does_not_start(editing: Any) -> None:
    screen = editing({"processors": {"make": MAKER}})
    screen.button("Start").first.click()
    expect(screen.toast()).to_contain_text("must lead somewhere", timeout=15_000)


def test_a_bulletin_shows_on_its_node(editing: Any, tmp_path: Any) -> None:
    (tmp_path / "file").write_text("no folder")
    put = {
        "type": "PutFile",
        "properties": {"directory": str(tmp_path / "file")},
        "auto_terminate": ["success", "failure"],
    }
    screen = editing(
        {
            "processors": {"make": MAKER, "put": put},
            "connections": [{"from": "make", "relationships": ["success"], "to": "put"}],
            "layout": {"make": [0, 0], "put": [400, 0]},
        }
    )
    screen.start()
    expect(screen.node("put").locator(".bulletin-mark")).to_be_visible(timeout=15_000)
    screen.tab("Bulletins").click()
    expect(screen.page.locator(".dock .row").first).to_contain_text("put")
    screen.tab("Log").click()
    expect(screen.page.locator("pre.log")).to_contain_text("put")
    screen.stop()


def test_an_expression_is_checked_while_it_is_written(editing: Any) -> None:
    route = {"type": "RouteOnAttribute", "properties": {"routes": {"big": "size > 3"}}}
    publish = {"type": "PublishKafka", "properties": {"topic": "x"}}
    screen = editing({"processors": {"log": LOG, "route": route, "publish": publish}})
    screen.select("publish")
    field = screen.page.get_by_label("Topic", exact=True)
    field.fill("{{ name | }}")
    expect(screen.page.get_by_test_id("field-topic").locator("u")).to_be_visible()
    field.fill("{{ name }}")
    expect(screen.page.get_by_test_id("field-topic").locator("u")).to_have_count(0)
