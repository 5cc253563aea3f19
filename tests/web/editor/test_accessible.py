"""Every page and dialog, light and dark, for everybody: acceptance scenario 37."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.web.editor.screen import SLOW, Screen

AXE = Path("web/editor/node_modules/axe-core/axe.min.js")
STILL = "() => document.getAnimations().every((one) => one.playState !== 'running')"
SHOWN: dict[str, Any] = {
    **SLOW,
    "description": "A source that is quicker than what follows.",
    "parameters": {"prefix": {"value": "x"}, "key": {"sensitive": True, "env": "KEY"}},
    "services": {"kafka": {"type": "KafkaConnection"}},
    "labels": {"note": {"text": "The queue before the throttle fills."}},
    "groups": {"inner": {"processors": {"deep": {"type": "PutFile"}}}},
    "layout": {**SLOW["layout"], "note": [0, -160], "inner": [720, 200]},
}


def _findings(page: Page) -> list[str]:
    """Serious findings of axe, run in its own world so that the page's policy stays strict."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    bad = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in bad]


@pytest.fixture
def look(shot: Any, request: pytest.FixtureRequest) -> Any:
    """Keeps a screenshot of a state and what axe says of it."""
    scheme = request.node.callspec.params["scheme"]
    found: dict[str, list[str]] = {}

    def looked(page: Page, name: str) -> None:
        page.wait_for_function(
            "() => document.getAnimations().every(a => a.playState !== 'running')"
        )
        shot(page, f"{name}-{scheme}")
        if wrong := _findings(page):
            found[name] = wrong

    yield looked
    assert found == {}


def _shown(server: Any) -> str:
    if not server.api.get("flows/shown").is_success:
        server.add("shown", SHOWN)
    return f"{server.url}flows/shown"


SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])


@SCHEMES
def test_37_list_and_inspector(
    open_page: Any, server: Any, look: Callable[..., None], scheme: str
) -> None:
    address = _shown(server)
    page = open_page(color_scheme=scheme)
    page.get_by_test_id("flow-shown").wait_for()
    look(page, "list")
    page.get_by_role("button", name="New flow").click()
    look(page, "new-flow")
    page.goto(address)
    screen = Screen(page, "shown")
    look(page, "editor")
    screen.select("throttle")
    for tab in ("Properties", "Relationships", "Scheduling", "Settings", "JSON", "Help"):
        screen.tab(tab).first.click()
        look(page, f"inspector-{tab.lower()}")
    screen.queue("make-throttle").click()
    look(page, "connection")
    screen.node("note").click()
    look(page, "label")
    screen.press("Control+a")
    look(page, "selection")


@SCHEMES
def test_37_dialogs(open_page: Any, server: Any, look: Callable[..., None], scheme: str) -> None:
    page = open_page(_shown(server).removeprefix(server.url), color_scheme=scheme)
    screen = Screen(page, "shown")
    for name, key in {"commands": "Control+k", "shortcuts": "?", "deploy": "Control+Enter"}.items():
        screen.press(key)
        screen.dialog().wait_for()
        look(page, name)
        screen.press("Escape")
    for name in ("Services", "Parameters"):
        screen.button(name).click()
        screen.dialog().wait_for()
        look(page, name.lower())
        screen.press("Escape")
    screen.queue("make-throttle").dblclick()
    screen.node("make").locator(".card-head").click(button="right")
    look(page, "menu")
    screen.press("Escape")
    screen.node("throttle").focus()
    screen.press("Enter", "c")
    screen.node("inner").focus()
    screen.press("Tab", "Escape", "Escape")
    screen.wire("throttle", "log")
    look(page, "connect")
    screen.press("Escape")
    for tab in ("Problems", "Bulletins", "Log", "Figures", "Versions"):
        screen.tab(tab).click()
        look(page, f"dock-{tab.lower()}")


@SCHEMES
def test_37_running(open_page: Any, server: Any, look: Callable[..., None], scheme: str) -> None:
    flow = f"shown-{scheme}"
    server.add(flow, {**SLOW, "description": "It runs."})
    screen = Screen(open_page(f"flows/{flow}", color_scheme=scheme), flow)
    screen.start()
    expect(screen.node("make")).to_contain_text("throttled")
    screen.select("throttle")
    look(screen.page, "running")
    screen.queue("make-throttle").dblclick()
    screen.dialog().get_by_role("row").last.click()
    screen.dialog().get_by_role("group", name="JSON").wait_for()
    look(screen.page, "queue")
    screen.press("Escape")
    screen.tab("Figures").click()
    look(screen.page, "figures-running")
    screen.stop()


def test_37_motion_is_reduced_and_focus_is_visible(open_page: Any, server: Any) -> None:
    page = open_page(_shown(server).removeprefix(server.url), reduced_motion="reduce")
    screen = Screen(page, "shown")
    style = "node => getComputedStyle(node)"
    card = screen.node("make").locator(".card")
    assert card.evaluate(f"{style}.transitionDuration") in ("0s", "")
    for _ in range(12):
        screen.press("Tab")
        focused = page.locator(":focus")
        rings = focused.evaluate(
            "node => [node, node.parentElement].map(n => getComputedStyle(n).outlineStyle)"
        )
        assert "none" not in rings[:1] or "solid" in rings
