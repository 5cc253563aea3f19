"""Properties, expressions, checks: acceptance scenarios 13 to 17."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import expect

from tests.web.editor.screen import LOG, MAKER, SLOW


def test_13_the_form_follows_the_schema(editing: Any) -> None:
    screen = editing(SLOW)
    screen.select("throttle")
    field = screen.page.get_by_test_id("field-time_duration")
    expect(field).to_contain_text("The period that the maximum is for.")
    screen.set("Time duration", "soon")
    expect(field.locator(".field-error").first).to_contain_text("duration")
    expect(screen.node("throttle").locator(".problem-badge.error")).to_be_visible()
    screen.set("Time duration", "5 sec")
    expect(screen.node("throttle").locator(".problem-badge")).to_have_count(0)
    screen.tab("JSON").click()
    text = screen.page.get_by_role("textbox", name="JSON").input_value()
    assert json.loads(text)["properties"]["time_duration"] == "5 sec"


def test_13_dependent_properties_appear_and_vanish(editing: Any) -> None:
    screen = editing(SLOW)
    screen.select("throttle")
    data = screen.page.get_by_test_id("field-maximum_data_rate")
    expect(screen.page.get_by_test_id("field-maximum_rate")).to_be_visible()
    expect(data).to_have_count(0)
    screen.field("Criteria").select_option("data rate or flowfile count")
    expect(data).to_be_visible()
    expect(screen.field("Maximum data rate")).to_have_attribute("placeholder", "e.g. 10 MB")
    rate = screen.page.get_by_test_id("field-maximum_rate")  # it is set, so it stays, and says so
    expect(rate).to_contain_text("It does not count without Criteria data rate or")
    screen.field("Criteria").select_option("flowfile count")
    expect(data).to_have_count(0)


def test_13_labels_and_comments(editing: Any, server: Any) -> None:
    screen = editing({"processors": {"log": LOG}, "layout": {"log": [0, 0]}})
    screen.page.get_by_test_id("palette-label").click()
    screen.set("Text", "Everything is logged")
    screen.button("blue").click()
    expect(screen.node("label")).to_contain_text("Everything is logged")
    screen.select("log")
    screen.tab("Settings").click()
    screen.set("Comments", "only for tests")
    expect(screen.node("log")).to_contain_text("only for tests")
    screen.saved()
    assert server.draft(screen.flow)["labels"]["label"]["colour"] == "#dfeaff"


def test_14_a_secret_is_never_told(editing: Any, server: Any) -> None:
    secret = "a-very-secret-key"
    lake = {"type": "ReadDataLake", "properties": {"path": "lake", "secret_key": "#{key}"}}
    parameters = {"key": {"sensitive": True, "value": secret}}
    flow = {"parameters": parameters, "processors": {"lake": lake}, "layout": {"lake": [0, 0]}}
    screen = editing(flow, permissions=["clipboard-read", "clipboard-write"])
    screen.select("lake")
    field = screen.page.get_by_test_id("field-secret_key").get_by_role("combobox")
    expect(field).to_have_value("#{key}")
    screen.press("Escape", "Control+a", "Control+c")
    expect(screen.toast()).to_contain_text("Copied")
    screen.button("Parameters").click()
    expect(screen.dialog().get_by_label("key is a secret")).to_be_checked()
    told = [screen.page.content(), screen.page.evaluate("() => navigator.clipboard.readText()")]
    told += [server.api.get(f"flows/{screen.flow}{path}").text for path in ("", "/draft")]
    assert "#{key}" in told[1]
    assert [text for text in told if secret in text] == []


def test_15_an_expression_is_completed_and_checked(editing: Any) -> None:
    publish = {"type": "PublishKafka", "properties": {"topic": "x"}}
    flow = {"parameters": {"topic": {"value": "users"}}, "processors": {"publish": publish}}
    screen = editing({**flow, "layout": {"publish": [0, 0]}})
    screen.select("publish")
    topic = screen.field("Topic")
    topic.fill("{{ filename | up")
    offers = screen.page.locator(".cm-tooltip-autocomplete")
    topic.press("Control+Space")
    expect(offers).to_contain_text("upper")
    topic.press("Enter")
    expect(topic).to_have_text("{{ filename | upper")
    topic.fill("{{ name | }}")
    wrong = screen.page.get_by_test_id("field-topic").locator(".cm-lintRange-error")
    expect(wrong).to_have_text("}")
    topic.fill("")
    topic.press_sequentially("#{to")
    topic.press("Control+Space")
    expect(offers).to_contain_text("#{topic}")
    topic.press("Enter")
    topic.press("Tab")
    expect(wrong).to_have_count(0)
    expect(topic).to_have_text("#{topic}")


def test_15_a_preview_takes_a_queued_sample(editing: Any) -> None:
    maker = {**MAKER, "properties": {**MAKER["properties"], "attributes": {"number": "n"}}}
    slow = {**SLOW, "processors": {**SLOW["processors"], "make": maker}}
    mark = {"type": "UpdateAttribute", "properties": {"attributes": {"x": "a-{{ number }}"}}}
    flow = {**slow["processors"], "throttle": {**mark, "auto_terminate": ["failure"]}}
    screen = editing({**slow, "processors": flow})
    screen.start()
    screen.select("throttle")
    screen.page.locator(".commands").get_by_role("button", name="Stop").click()
    expect(screen.queue("make-throttle")).to_have_class(re.compile("full"), timeout=15_000)
    screen.button("Preview").click()
    expect(screen.page.get_by_test_id("preview")).to_have_text(re.compile(r"^a-\d+$"))
    screen.field("Value of x").fill("{{ number | int * 2 }}")
    screen.button("Preview").click()
    expect(screen.page.get_by_test_id("preview")).to_have_text(re.compile(r"^\d+$"))
    screen.stop()


def test_16_verify_names_the_step_that_failed(editing: Any, server: Any, shot: Any) -> None:
    kafka = {"type": "KafkaConnection", "properties": {"bootstrap_servers": "127.0.0.1:1"}}
    screen = editing({"services": {"kafka": kafka}})
    screen.button("Services").click()
    screen.button("Verify").click()
    step = screen.page.locator(".verify li.bad").first
    expect(step.get_by_label("failed")).to_be_visible(timeout=30_000)
    expect(step).to_contain_text("127.0.0.1:1")
    shot(screen.page, "verify-light")
    assert server.draft(screen.flow)["services"] == {"kafka": kafka}


def test_17_problems_lead_to_the_field(editing: Any) -> None:
    put = {"type": "PutFile"}
    screen = editing({"processors": {"make": MAKER, "put": put}, "layout": {"put": [0, 200]}})
    badge = screen.node("put").locator(".problem-badge")
    expect(badge).to_have_attribute("title", re.compile(r"must lead somewhere(.|\n)*directory"))
    badge.click()
    screen.page.locator(".dock .row", has_text="directory").first.click()
    expect(screen.page.get_by_label("Directory", exact=True)).to_be_focused()


def test_parameters_say_where_they_come_from_and_who_uses_them(
    editing: Any, server: Any, shot: Any
) -> None:
    log = {**LOG, "properties": {"log_prefix": "#{prefix}"}}
    parameters = {"prefix": {"value": "x"}, "key": {"sensitive": True, "env": "NOBODY_SETS_IT"}}
    flow = {"parameters": parameters, "processors": {"log": log}, "layout": {"log": [0, 0]}}
    screen = editing(flow)
    screen.button("Parameters").click()
    dialog = screen.dialog()
    expect(dialog.get_by_role("row", name=re.compile("^key"))).to_contain_text("not set")
    dialog.get_by_label("Where prefix comes from").select_option("file")
    dialog.get_by_label("File of prefix").fill("prefix.txt")
    screen.press("Tab")
    shot(screen.page, "parameters-filled-light")
    dialog.get_by_role("button", name="log", exact=True).click()
    expect(screen.page.locator(".inspector h2")).to_have_text("log")
    screen.saved()
    assert server.draft(screen.flow)["parameters"]["prefix"] == {"file": "prefix.txt"}


def test_an_example_fills_the_properties(editing: Any) -> None:
    screen = editing({"processors": {"rate": {"type": "ControlRate"}}, "layout": {"rate": [0, 0]}})
    screen.select("rate")
    screen.tab("Help").click()
    screen.page.locator("details.example summary").first.click()
    screen.button("Use these properties").first.click()
    expect(screen.node("rate").locator(".problem-badge")).not_to_have_attribute(
        "title", re.compile("maximum_rate")
    )
    screen.press("Control+z")
    expect(screen.button("Undo")).to_be_disabled()
