"""The list, roles, logging in, keys, and where there is no script: scenarios 1, 35 to 40."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.web.editor.conftest import TOKEN
from tests.web.editor.screen import SLOW, Screen

ASSETS = Path("web/static/assets")


def _log_in(page: Page, url: str, name: str) -> None:
    page.goto(url)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill("a long enough password")
    page.get_by_role("button", name="Log in", exact=True).click()
    page.get_by_role("heading", name="Flows").wait_for()


def _user(server: Any, name: str, role: str) -> None:
    body = {"role": role, "password": "a long enough password"}
    server.api.put(f"users/{name}", json=body).raise_for_status()


def test_01_list_search_and_open(open_page: Any, server: Any) -> None:
    server.add("orders", {"description": "Orders to the lake."})
    server.add("visits", {"description": "Visits of the shop."})
    page = open_page()
    page.get_by_label("Search flows").fill("lake")
    expect(page.get_by_test_id("flow-orders")).to_contain_text("stopped")
    expect(page.get_by_test_id("flow-visits")).to_have_count(0)
    page.get_by_role("link", name="orders").click()
    expect(page).to_have_url(f"{server.url}flows/orders")
    page.reload()
    expect(page.get_by_text("An empty flow")).to_be_visible()
    page.go_back()
    expect(page.get_by_test_id("flow-orders")).to_be_visible()


@pytest.mark.parametrize("name", ["route-orders", "sensor-windows", "back-pressure"])
def test_an_example_can_be_copied_and_has_no_problem(
    open_page: Any, server: Any, name: str
) -> None:
    page = open_page()
    titles = {"route-orders": "Route", "sensor-windows": "Windows", "back-pressure": "Back"}
    page.get_by_role("region", name="Examples").get_by_role(
        "button", name=re.compile(f"^{titles[name]}")
    ).click()
    page.get_by_role("button", name="Create").click()
    screen = Screen(page, name)
    expect(page).to_have_url(f"{server.url}flows/{name}")
    assert server.api.get(f"flows/{name}/draft").json()["problems"] == []
    expect(screen.page.locator(".react-flow__edge")).not_to_have_count(0)


def test_35_a_viewer_sees_everything_and_changes_nothing(
    open_context: Any, server: Any, shot: Any
) -> None:
    server.add("looked-at", SLOW)
    _user(server, "vera", "viewer")
    page = open_context().new_page()
    _log_in(page, server.url, "vera")
    page.goto(f"{server.url}flows/looked-at")
    screen = Screen(page, "looked-at")
    screen.select("throttle")
    expect(screen.field("Time duration")).to_be_disabled()
    shot(page, "viewer-light")
    expect(screen.button("Start")).to_have_count(0)
    expect(screen.button("Deploy")).to_have_count(0)
    expect(page.get_by_test_id("palette-PutFile")).to_be_disabled()
    screen.press("Delete")
    expect(screen.toast()).to_contain_text("your role may look")
    expect(screen.node("throttle")).to_have_count(1)
    address = f"{server.url}api/v1/flows/looked-at/draft/operations"
    headers = {"X-Requested-With": "flowengine"}
    body = {"client": "x", "base": 0, "operations": [{"op": "move", "positions": {}}]}
    assert page.request.post(address, data=body, headers=headers).status == 403


def test_36_an_ended_session_is_renewed_in_place(open_context: Any, server: Any, shot: Any) -> None:
    server.add("kept", SLOW)
    _user(server, "ed", "editor")
    page = open_context().new_page()
    _log_in(page, server.url, "ed")
    page.goto(f"{server.url}flows/kept")
    screen = Screen(page, "kept")
    page.context.clear_cookies()
    screen.select("throttle")
    screen.set("Time duration", "4 sec")
    dialog = screen.dialog()
    expect(dialog).to_contain_text("1 edit kept here")
    shot(page, "login-again-light")
    dialog.get_by_label("Password").fill("wrong")
    dialog.get_by_role("button", name="Log in").click()
    expect(dialog.get_by_role("alert")).to_contain_text("must be right")
    dialog.get_by_label("Password").fill("a long enough password")
    dialog.get_by_role("button", name="Log in").click()
    expect(dialog).to_have_count(0)
    screen.saved()
    assert server.draft("kept")["processors"]["throttle"]["properties"]["time_duration"] == "4 sec"
    page.goto(server.url)
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(f"{server.url}login")


KEYS = {
    "Ctrl+K": ("Control+k", "dialog[open]"),
    "?": ("?", "dialog[open] .shortcuts"),
    "Ctrl+Enter": ("Control+Enter", "dialog[open] .changes, dialog[open] .muted"),
    "P": ("p", ".dock.open"),
    "Ctrl+A": ("Control+a", ".card.selected >> nth=2"),
    "C": ("c", ".card.armed"),
    "Shift+F10": ("Shift+F10", "[role=menu]"),
    "Delete": ("Delete", ".toast >> text=Deleted"),
    "Ctrl+C": ("Control+c", ".toast >> text=Copied"),
    "Ctrl+X": ("Control+x", ".toast >> text=Deleted"),
    "Ctrl+D": ("Control+d", "[data-testid=node-make-2]"),
    "Ctrl+G": ("Control+g", "[data-testid=node-group]"),
    "S": ("s", ".toast >> text=Cannot start"),
    "R": ("r", ".toast >> text=Cannot run once"),
    "Shift+S": ("Shift+S", ".toast >> text=Cannot stop"),
}


def test_38_the_keyboard_map_says_what_keys_do(editing: Any) -> None:
    screen = editing(SLOW)
    screen.press("?")
    listed = screen.dialog().locator("kbd").all_inner_texts()
    assert set(KEYS) <= set(listed)
    screen.press("Escape")
    for key, effect in KEYS.values():
        screen.page.reload()
        screen.select("make")
        screen.press(key)
        expect(screen.page.locator(effect).first).to_be_visible()
        screen.press("Escape")
        if "Deleted" in effect or "node-" in effect:
            screen.press("Control+z")
            screen.saved()


def test_38_no_key_fires_while_typing(editing: Any, server: Any) -> None:
    screen = editing(SLOW)
    before = server.draft(screen.flow)
    screen.page.get_by_label("Search processors").focus()
    screen.press("c", "p", "?", "Delete", "s", "l", "r", "f")
    expect(screen.page.get_by_label("Search processors")).to_have_value("cp?slrf")
    expect(screen.dialog()).to_have_count(0)
    expect(screen.toast()).to_have_count(0)
    assert server.draft(screen.flow) == before


def test_39_everything_works_below_a_path(open_page: Any, other_server: Any) -> None:
    other_server.add("deep", {**SLOW, "groups": {"inner": {"processors": SLOW["processors"]}}})
    page = open_page("flows/deep?group=inner", at=other_server)
    assert "/below/flows/deep" in page.url
    expect(page.get_by_test_id("node-inner/make")).to_be_visible()
    page.get_by_role("button", name="deep", exact=True).click()
    expect(page).to_have_url(re.compile(r"/below/flows/deep$"))
    other_server.add("runs", SLOW)
    page.goto(f"{other_server.url}flows/runs")
    screen = Screen(page, "runs")
    screen.start()  # the state comes by the stream
    screen.stop()
    page.get_by_role("link", name="All flows").click()
    expect(page.get_by_test_id("flow-runs")).to_be_visible()


def test_40_without_script_there_is_status_and_login(open_context: Any, server: Any) -> None:
    server.add("printed", SLOW)
    page = open_context(java_script_enabled=False).new_page()
    page.goto(f"{server.url}login")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Log in with the token").click()
    page.goto(f"{server.url}status")
    expect(page.get_by_role("table")).to_contain_text("printed")
    page.goto(f"{server.url}flows/printed/doc")
    expect(page.locator("body")).to_contain_text("time_duration")


def test_the_script_stays_small() -> None:
    sizes = {one.name: len(gzip.compress(one.read_bytes())) for one in ASSETS.glob("*.js")}
    assert sum(sizes.values()) < 450_000, sizes
    first = sum(size for name, size in sizes.items() if name.startswith("main-"))
    assert first < 230_000, sizes
    assert any(name.startswith("code-field") for name in sizes), "the code editor is loaded late"
    assert any(name.startswith("chart") for name in sizes), "charts are loaded late"
