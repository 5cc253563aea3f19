"""Running a flow and looking into it: acceptance scenarios 18 to 21, 23 and 24."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

from tests.web.editor.screen import LOG, MAKER, SLOW, Screen

GROUPED: dict[str, Any] = {
    "processors": {"make": MAKER},
    "groups": {
        "inner": {
            "inputs": {"in": {}},
            "processors": {"log": LOG},
            "connections": [{"from": "in", "to": "log"}],
        }
    },
    "connections": [{"from": "make", "relationships": ["success"], "to": "inner/in"}],
    "layout": {"make": [0, 0], "inner": [400, 0]},
}


def test_18_start_and_stop_show_in_a_second_browser(editing: Any, open_page: Any) -> None:
    screen = editing(GROUPED)
    second = Screen(open_page(f"flows/{screen.flow}"), screen.flow)
    screen.start()
    second.running()
    screen.choose("make", item="Stop")
    expect(second.node("make").get_by_label("stopped")).to_be_visible(timeout=5000)
    screen.choose("inner", item="Stop")
    expect(second.node("inner")).to_contain_text("0 running", timeout=5000)
    screen.select("make", "inner")
    screen.press("s")
    expect(second.node("make").get_by_label("running")).to_be_visible(timeout=5000)
    expect(second.node("inner")).not_to_contain_text("0 running")
    screen.press("Escape", "Shift+S")
    expect(second.page.get_by_test_id("flow-state")).to_contain_text("stopped", timeout=15_000)


def test_18_an_invalid_flow_says_why_it_does_not_start(editing: Any) -> None:
    screen = editing({"processors": {"make": MAKER}})
    screen.button("Start").first.click()
    expect(screen.toast()).to_contain_text("must lead somewhere", timeout=15_000)


def test_18_what_cannot_be_done_says_why(editing: Any) -> None:
    screen = editing(SLOW)
    screen.select("make")
    screen.press("Shift+F10")
    start = screen.page.get_by_role("menuitem", name="Start")
    expect(start).to_contain_text("the flow is not running")
    screen.press("ArrowDown", "ArrowDown", "ArrowDown", "Enter")  # Disable is an edit
    expect(screen.node("make").get_by_label("disabled")).to_be_visible()
    screen.press("Control+z")
    expect(screen.node("make").get_by_label("disabled")).to_have_count(0)


def test_19_live_figures_are_those_of_the_api(editing: Any, server: Any) -> None:
    screen = editing({**SLOW, "connections": SLOW["connections"][:1]} | _ending())
    screen.start()
    out = screen.node("make").get_by_test_id("out")
    expect(out).not_to_have_text("0 out", timeout=15_000)
    expect(screen.node("log").get_by_test_id("tasks")).not_to_have_text("0 tasks", timeout=15_000)
    screen.select("make", "log")
    screen.press("Shift+S")
    expect(screen.node("log").get_by_label("stopped")).to_be_visible()
    made = server.status(screen.flow)["processors"]["make"]["recent"]["flowfiles_out"]
    expect(out).to_have_text(f"{made} out")
    screen.stop()


def _ending() -> dict[str, Any]:
    wire = {"from": "make", "relationships": ["success"], "to": "log"}
    processors = {"make": MAKER, "log": LOG}
    return {"processors": processors, "connections": [wire], "layout": {"log": [400, 0]}}


def test_20_back_pressure_is_shown(editing: Any, shot: Any) -> None:
    screen = editing(SLOW)
    screen.start()
    edge = screen.queue("make-throttle")
    expect(edge).to_have_class(re.compile("full"), timeout=15_000)
    expect(edge).to_contain_text(re.compile(r"1\d\d %"))
    expect(screen.node("make")).to_contain_text("throttled")
    shot(screen.page, "running-light")
    screen.stop()


def test_21_a_queue_is_listed_looked_into_and_emptied(editing: Any, shot: Any) -> None:
    screen = editing(SLOW)
    screen.start()
    screen.choose("throttle", item="Stop")
    edge = screen.queue("make-throttle")
    expect(edge).to_have_class(re.compile("full"), timeout=15_000)
    edge.dblclick()
    dialog = screen.dialog()
    dialog.get_by_label("newest first").check()
    dialog.get_by_role("row").last.click()
    expect(dialog.get_by_role("group", name="JSON")).to_contain_text("n:")
    shot(screen.page, "queue-light")
    dialog.get_by_role("tab", name="Text").click()
    expect(dialog.locator("pre")).to_contain_text('{"n":')
    dialog.get_by_role("tab", name="Hex").click()
    expect(dialog.locator("pre")).to_contain_text("00000000  7b 22")
    with screen.page.expect_download() as download:
        dialog.get_by_role("link", name="Download").click()
    assert b'"n"' in download.value.path().read_bytes()
    screen.press("Escape")
    screen.choose("make", item="Stop")
    edge.click(button="right")
    screen.page.get_by_role("menuitem", name="Empty queue").click()
    screen.dialog().get_by_role("button", name="Throw away").click()
    expect(edge).to_contain_text("0 queued")
    screen.stop()


def test_21_a_large_content_is_cut_with_a_download(editing: Any) -> None:
    large = {**MAKER["properties"], "content_size": "10 MB", "rate": "1/s"}
    made = {**SLOW["processors"], "make": {**MAKER, "properties": large}}
    screen = editing({**SLOW, "processors": made})
    screen.start()
    screen.choose("throttle", item="Stop")
    edge = screen.queue("make-throttle")
    expect(edge).not_to_contain_text("0 queued", timeout=15_000)
    edge.dblclick()
    screen.dialog().get_by_role("row").last.click()
    notice = screen.dialog().get_by_text("The first 64 KB of 10 MB")
    expect(notice).to_be_visible()
    with screen.page.expect_download() as download:
        screen.dialog().get_by_role("link", name="Download").click()
    assert download.value.path().stat().st_size == 10 << 20
    screen.press("Escape")
    screen.stop()


def test_21_records_are_shown_as_a_table(editing: Any) -> None:
    several = {**MAKER["properties"], "records_per_flowfile": 3, "format": "ndjson"}
    made = {**SLOW["processors"], "make": {**MAKER, "properties": several}}
    screen = editing({**SLOW, "processors": made})
    screen.start()
    screen.choose("throttle", item="Stop")
    expect(screen.queue("make-throttle")).to_have_class(re.compile("full"), timeout=15_000)
    screen.queue("make-throttle").dblclick()
    screen.dialog().get_by_role("row").last.click()
    screen.dialog().get_by_role("tab", name="Table").click()
    records = screen.dialog().get_by_role("group", name="Records")
    expect(records.get_by_role("row")).to_have_count(4)
    screen.press("Escape")
    screen.stop()


def test_23_run_once_moves_one_batch(editing: Any, server: Any) -> None:
    once = {**SLOW["processors"]["make"], "scheduling": {"batch_size": 1}}
    screen = editing({**SLOW, "processors": {**SLOW["processors"], "make": once}})
    screen.start()
    screen.select("make")
    run = screen.page.locator(".commands").get_by_role("button", name="Run once")
    expect(run).to_be_disabled()
    screen.press("Shift+S")
    expect(screen.node("make").get_by_label("stopped")).to_be_visible()
    before = server.status(screen.flow)["processors"]["make"]["total"]
    run.click()
    expect(screen.toast().last).to_contain_text("Ran once make")
    after = server.status(screen.flow)["processors"]["make"]["total"]
    assert after["tasks"] - before["tasks"] == 1
    assert after["flowfiles_out"] - before["flowfiles_out"] <= 1
    screen.stop()


def test_24_a_bulletin_shows_on_its_node(editing: Any, tmp_path: Any, shot: Any) -> None:
    (tmp_path / "file").write_text("no folder")
    put = {
        "type": "PutFile",
        "properties": {"directory": str(tmp_path / "file")},
        "auto_terminate": ["success", "failure"],
    }
    wire = {"from": "make", "relationships": ["success"], "to": "put"}
    flow = {"processors": {"make": MAKER, "put": put}, "connections": [wire]}
    screen = editing({**flow, "layout": {"make": [0, 0], "put": [400, 0]}})
    screen.start()
    expect(screen.node("put").locator(".bulletin-mark")).to_be_visible(timeout=15_000)
    screen.tab("Bulletins").click()
    expect(screen.page.locator(".dock .row").first).to_contain_text("put")
    shot(screen.page, "bulletins-light")
    screen.button("Clear").click()
    screen.tab("Log").click()
    expect(screen.page.locator(".dock")).to_contain_text("put")
    screen.stop()


def test_state_of_a_processor_is_shown_and_cleared(editing: Any) -> None:
    count = {"type": "UpdateAttribute", "properties": {"attributes": {"x": "1"}}}
    count |= {"auto_terminate": ["failure"]}
    screen = editing({**SLOW, "processors": {**SLOW["processors"], "throttle": count}})
    screen.start()
    screen.choose("make", item="State")
    expect(screen.dialog()).to_contain_text("{")
    expect(screen.dialog().get_by_role("button", name="Clear state")).to_be_disabled()
    screen.press("Escape")
    screen.choose("make", item="Stop")
    expect(screen.node("make").get_by_label("stopped")).to_be_visible()
    screen.choose("make", item="Clear state")
    screen.dialog().get_by_role("button", name="Clear state").click()
    expect(screen.toast().last).to_contain_text("Cleared the state of make")
    screen.stop()
