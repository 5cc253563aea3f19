"""Drafts, deploys and several people: acceptance scenarios 26 to 31."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.web.editor.screen import SLOW, Screen


def test_26_edits_do_nothing_until_they_are_deployed(editing: Any, server: Any, shot: Any) -> None:
    screen = editing(SLOW)
    screen.start()
    before = server.status(screen.flow)
    screen.select("throttle")
    screen.set("Time duration", "3 sec")
    screen.saved()
    running = server.api.get(f"flows/{screen.flow}/processors/throttle").json()
    assert running["settings"]["properties"]["time_duration"] != "3 sec"
    screen.button("Deploy").click()
    dialog = screen.dialog()
    expect(dialog.locator(".change-row")).to_contain_text("properties.time_duration")
    expect(dialog.locator("ins")).to_have_text("3 sec")
    shot(screen.page, "deploy-light")
    dialog.get_by_role("button", name="Deploy").click()
    expect(screen.toast().last).to_contain_text("Deployed as version 2", timeout=30_000)
    screen.running()
    after = server.api.get(f"flows/{screen.flow}/processors/throttle").json()
    assert after["settings"]["properties"]["time_duration"] == "3 sec"
    made = [one["processors"]["make"]["total"] for one in (before, server.status(screen.flow))]
    assert made[1]["flowfiles_out"] >= made[0]["flowfiles_out"]
    screen.stop()


def test_27_two_people_merge_or_choose(editing: Any, open_page: Any, server: Any) -> None:
    mine = editing(SLOW)
    theirs = Screen(open_page(f"flows/{mine.flow}"), mine.flow)
    mine.select("throttle")
    theirs.select("make")
    mine.set("Time duration", "3 sec")
    expect(theirs.toast()).to_contain_text("Somebody else changed throttle")
    theirs.set("Locale", "nl_NL")
    mine.saved()
    theirs.saved()
    draft = server.draft(mine.flow)["processors"]
    assert draft["throttle"]["properties"]["time_duration"] == "3 sec"
    assert draft["make"]["properties"]["locale"] == "nl_NL"

    theirs.select("throttle")
    expect(theirs.field("Time duration")).to_have_value("3 sec")
    theirs.page.context.set_offline(True)
    theirs.set("Time duration", "9 sec")
    expect(theirs.page.get_by_test_id("saving")).to_have_text("Not saved")
    mine.set("Time duration", "7 sec")
    mine.saved()
    theirs.page.context.set_offline(False)
    dialog = theirs.dialog()
    expect(dialog).to_contain_text("7 sec")
    dialog.get_by_role("radio", name="Mine").check()
    dialog.get_by_role("button", name="Take what is marked").click()
    theirs.saved()
    expect(mine.field("Time duration")).to_have_value("9 sec")


def test_28_a_dropped_network_keeps_edits_and_figures_resume(editing: Any, server: Any) -> None:
    screen = editing(SLOW)
    screen.start()
    out = screen.node("throttle").get_by_test_id("out")
    expect(out).not_to_have_text("0 out")
    seq = server.api.get(f"flows/{screen.flow}/draft").json()["seq"]
    screen.page.context.set_offline(True)
    screen.select("make")
    screen.set("Locale", "nl_NL")
    expect(screen.page.locator(".banner").first).to_contain_text("1 edit is kept here")
    frozen = out.inner_text()
    screen.page.context.set_offline(False)
    screen.saved()
    expect(out).not_to_have_text(frozen)
    expect(screen.page.locator(".banner")).to_have_count(0)
    assert server.draft(screen.flow)["processors"]["make"]["properties"]["locale"] == "nl_NL"
    assert server.api.get(f"flows/{screen.flow}/draft").json()["seq"] == seq + 1
    screen.stop()


def test_29_edits_that_were_not_sent_are_offered_after_a_reload(editing: Any, server: Any) -> None:
    screen = editing(SLOW)
    screen.select("make")
    screen.page.route("**/draft/operations", lambda route: route.abort("internetdisconnected"))
    screen.set("Locale", "de_DE")
    expect(screen.page.locator(".banner").first).to_contain_text("kept here")
    screen.page.reload()
    screen.page.unroute_all()
    screen.page.get_by_role("button", name="Take them up").click()
    screen.saved()
    assert server.draft(screen.flow)["processors"]["make"]["properties"]["locale"] == "de_DE"


def test_30_export_and_import_give_the_same_file(
    open_page: Any, server: Any, tmp_path: Path
) -> None:
    odd = {**SLOW["processors"], "odd": {"type": "Unknown"}}
    server.add("travel", {**SLOW, "processors": odd})
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
    expect(page.locator(".toast.bad")).to_contain_text("line 2")


def test_30_a_whole_flow_can_be_pasted_into_another(editing: Any, server: Any) -> None:
    screen = editing({}, permissions=["clipboard-read", "clipboard-write"])
    text = json.dumps({"format": 1, "name": "x", **SLOW})
    screen.page.evaluate("text => navigator.clipboard.writeText(text)", text)
    screen.press("Control+v")
    expect(screen.edge("make-throttle")).to_have_count(1)
    screen.saved()
    assert set(server.draft(screen.flow)["processors"]) == {"make", "throttle", "log"}


def test_31_an_old_version_is_compared_and_restored(editing: Any, server: Any) -> None:
    screen = editing(SLOW)
    for seconds in ("2 sec", "3 sec"):
        screen.select("throttle")
        screen.set("Time duration", seconds)
        screen.saved()
        screen.button("Deploy").click()
        screen.dialog().get_by_role("button", name="Deploy").click()
        expect(screen.dialog()).to_have_count(0)
    screen.tab("Versions").click()
    dock = screen.page.locator(".dock")
    expect(dock).to_contain_text("Version 2")
    dock.get_by_role("button", name="Compare with draft").last.click()
    expect(dock.locator("ins")).to_have_text("3 sec")
    dock.get_by_role("button", name="Restore").last.click()
    expect(screen.field("Time duration")).to_have_value("2 sec")
    expect(dock).to_contain_text("Version 3")
