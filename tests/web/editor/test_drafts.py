"""Drafts, deploys and several people (acceptance scenarios 26 to 31)."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.web.editor.screen import SLOW, Screen


def _set(screen: Screen, label: str, value: str) -> None:
    screen.page.get_by_label(label, exact=True).fill(value)
    screen.press("Tab")


def test_edits_do_nothing_until_they_are_deployed(editing: Any, server: Any, shot: Any) -> None:
    screen = editing(SLOW)
    screen.start()
    screen.select("throttle")
    _set(screen, "Time duration", "3 sec")
    screen.saved()
    running = server.api.get(f"flows/{screen.flow}/processors/throttle").json()
    assert running["settings"]["properties"]["time_duration"] != "3 sec"
    screen.button("Deploy").click()
    dialog = screen.dialog()
    expect(dialog.locator(".change-row")).to_contain_text("properties.time_duration")
    expect(dialog.locator("ins")).to_have_text("3 sec")
    shot(screen.page, "deploy-light")
    dialog.get_by_role("button", name="Deploy").click()
    expect(screen.toast().last).to_contain_text("Deployed as version 2", timeout=20_000)
    screen.running()
    screen.tab("Versions").click()
    expect(screen.page.locator(".dock")).to_contain_text("Version 2")
    screen.button("Restore").click()
    expect(screen.page.get_by_label("Time duration", exact=True)).to_have_value(
        "1 sec", timeout=20_000
    )
    expect(screen.page.locator(".dock")).to_contain_text("Version 3")
    screen.stop()


def test_two_people_merge_or_choose(editing: Any, open_page: Any, server: Any) -> None:
    mine = editing(SLOW)
    theirs = Screen(open_page(f"flows/{mine.flow}"), mine.flow)
    mine.select("throttle")
    theirs.select("make")
    _set(mine, "Time duration", "3 sec")
    _set(theirs, "Locale", "nl_NL")
    mine.saved()
    theirs.saved()
    draft = server.draft(mine.flow)["processors"]
    assert draft["throttle"]["properties"]["time_duration"] == "3 sec"
    assert draft["make"]["properties"]["locale"] == "nl_NL"

    theirs.select("throttle")
    expect(theirs.page.get_by_label("Time duration", exact=True)).to_have_value("3 sec")
    theirs.page.context.set_offline(True)
    _set(theirs, "Time duration", "9 sec")
    expect(theirs.page.get_by_test_id("saving")).to_have_text("Not saved")
    _set(mine, "Time duration", "7 sec")
    mine.saved()
    theirs.page.context.set_offline(False)
    dialog = theirs.dialog()
    expect(dialog).to_contain_text("7 sec", timeout=15_000)
    dialog.get_by_role("radio", name="Mine").check()
    dialog.get_by_role("button", name="Take what is marked").click()
    theirs.saved()
    expect(mine.page.get_by_label("Time duration", exact=True)).to_have_value("9 sec")


def test_offline_edits_are_offered_after_a_reload(editing: Any, server: Any) -> None:
    screen = editing(SLOW)
    screen.select("make")
    screen.page.route("**/draft/operations", lambda route: route.abort("internetdisconnected"))
    _set(screen, "Locale", "de_DE")
    expect(screen.page.locator(".banner").first).to_contain_text("kept here")
    screen.page.unroute_all()
    screen.page.route("**/draft/operations", lambda route: route.abort("internetdisconnected"))
    screen.page.reload()
    screen.page.unroute_all()
    screen.page.get_by_role("button", name="Take them up").click()
    screen.saved()
    assert server.draft(screen.flow)["processors"]["make"]["properties"]["locale"] == "de_DE"
