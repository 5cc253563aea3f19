"""Accessibility as axe sees it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

AXE = Path("web/editor/node_modules/axe-core/axe.min.js")


def findings(page: Page) -> list[str]:
    """Serious findings of axe, run in its own world so that the page's policy stays strict."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    bad = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in bad]
