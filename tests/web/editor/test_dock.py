"""Bulletins, the log and the figures of a running flow, below the canvas."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
from playwright.sync_api import expect

from tests.web.editor.axe import findings
from tests.web.editor.screen import MAKER, Screen

SLOWLY = {"timeout": 30_000.0}


def failing(tmp_path: Path) -> dict[str, Any]:
    """Two sinks that cannot write, one of them in a group."""
    (tmp_path / "file").write_text("no folder")
    put = {
        "type": "PutFile",
        "properties": {"directory": str(tmp_path / "file")},
        "auto_terminate": ["success", "failure"],
    }
    inner = {
        "inputs": {"in": {}},
        "processors": {"deep": put},
        "connections": [{"from": "in", "to": "deep"}],
    }
    return {
        "processors": {"make": MAKER, "put": put},
        "groups": {"inner": inner},
        "connections": [
            {"from": "make", "relationships": ["success"], "to": "put"},
            {"from": "make", "relationships": ["success"], "to": "inner/in"},
        ],
        "layout": {"make": [0, 0], "put": [400, 0], "inner": [400, 180]},
    }


def test_bulletins_are_filtered_and_lead_to_their_node(
    editing: Any, tmp_path: Path, shot: Any
) -> None:
    screen = editing(failing(tmp_path))
    screen.start()
    screen.tab("Bulletins").click()
    rows = screen.page.get_by_test_id("bulletin")
    expect(rows.filter(has_text="inner/deep").first).to_be_visible(**SLOWLY)
    expect(rows.filter(has_text=re.compile("^.*put")).first).to_be_visible(**SLOWLY)
    shot(screen.page, "bulletins-light")
    screen.page.get_by_label("Component", exact=True).select_option("inner/deep")
    expect(rows.filter(has_not_text="inner/deep")).to_have_count(0)
    rows.first.click()
    expect(screen.node("inner/deep").locator(".card.selected")).to_be_visible()
    screen.page.get_by_label("Search bulletins").fill("no such words")
    expect(screen.page.get_by_text("No bulletin fits")).to_be_visible()
    screen.stop()


def test_the_log_is_followed_and_filtered(editing: Any, tmp_path: Path, shot: Any) -> None:
    screen = editing(failing(tmp_path))
    screen.tab("Log").click()
    expect(screen.page.get_by_text("Nothing logged")).to_be_visible()
    screen.start()
    log = screen.page.locator("pre.log")
    expect(log).to_contain_text("inner/deep", **SLOWLY)
    shot(screen.page, "log-light")
    screen.page.get_by_label("Filter the log").fill("inner/deep")
    expect(log).not_to_contain_text("[put]")
    screen.button("Stop following").click()
    screen.stop()
    before = log.inner_text()
    screen.page.wait_for_timeout(1500)
    assert log.inner_text() == before
    screen.button("Follow").click()
    screen.page.get_by_label("Filter the log").fill("")
    screen.page.get_by_label("Level", exact=True).select_option("warning")
    expect(log).not_to_contain_text("INFO", **SLOWLY)
    expect(log).to_contain_text("WARNING")
    screen.page.get_by_label("Level", exact=True).select_option("error")
    expect(screen.page.get_by_text("No line fits")).to_be_visible()


def written(data: Path, flow: str, hours: int = 24) -> None:
    """A day of history as the runner keeps it, with an hour in which nothing ran."""
    minute, now = 60_000_000, time.time_ns() // 1000 // 60_000_000 * 60_000_000
    path = data / flow / "history.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    by_hour: dict[int, list[list[float]]] = {}
    for back in range(hours * 60, 0, -1):
        at = now - back * minute
        if not 600 < back < 660:
            wave = abs(back % 240 - 120)
            point = [at, wave, wave * 900, wave - 1, wave * 800, 0, 0, 60, wave * 4e8, wave, 9, 6e7]
            by_hour.setdefault(at // (60 * minute) * 60 * minute, []).append(point)
    with closing(sqlite3.connect(path)) as db:
        db.execute(
            "create table hours(kind text, id text, hour integer, points blob, "
            "primary key(kind, id, hour)) without rowid"
        )
        rows = [("flow", "", hour, msgspec.msgpack.encode(p)) for hour, p in by_hour.items()]
        db.executemany("insert into hours values (?, ?, ?, ?)", rows)
        db.commit()


def test_a_day_of_figures_is_drawn(editing: Any, server: Any, shot: Any, tmp_path: Path) -> None:
    screen: Screen = editing(failing(tmp_path))
    written(server.flows.parent / "data", screen.flow)
    screen.tab("Figures").click()
    screen.button("24 h").click()
    chart = screen.page.get_by_role("img", name=re.compile("^FlowFiles a minute: 13"))
    expect(chart.locator("canvas")).to_be_visible(**SLOWLY)
    for title in ("Queued FlowFiles", "Data a minute", "Busy", "Memory of the runner"):
        expect(screen.page.get_by_text(title, exact=True)).to_be_visible()
    for scheme in ("light", "dark"):
        screen.page.emulate_media(color_scheme=scheme)
        screen.page.wait_for_timeout(400)  # the chart is drawn anew
        shot(screen.page, f"figures-{scheme}")
        assert findings(screen.page) == []
    screen.select("put")
    expect(screen.page.locator(".status-figures b").first).to_have_text("put")
    answer = server.api.get(f"flows/{screen.flow}/history", params={"kind": "flow"})
    assert len(json.loads(answer.text)["points"]) > 1300
