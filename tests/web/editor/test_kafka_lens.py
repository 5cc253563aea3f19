"""Kafka in the browser: the chapter's experiment seen, topics, groups, records, who uses what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.kafka_fixtures import KafkaForTests
from tests.web.editor.axe import findings
from tests.web.editor.chapter import Chapter, LensPage, consuming

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
SLOWLY = {"timeout": 40_000.0}


@pytest.fixture
def chapter(server: Any, kafka: KafkaForTests, tmp_path: Path) -> Iterator[Any]:
    made: list[Chapter] = []

    def make(period: str = "200 ms") -> Chapter:
        made.append(Chapter(server, kafka, tmp_path, period))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def lens(open_page: Any) -> Any:
    def opened(flow: str, **options: Any) -> LensPage:
        return LensPage(open_page(f"flows/{flow}/kafka", **options), flow)

    return opened


def test_the_experiment_of_the_chapter_is_seen(chapter: Any, lens: Any, shot: Any) -> None:
    users = chapter()
    users.start(users.consumer)
    lens = lens(users.consumer)
    lens.tab("Consumer groups")
    lens.choose(users.group)
    lens.until_shares(1, 2)
    expect(lens.page.get_by_test_id("advice")).to_contain_text("2 members share 3 partitions")

    users.produce()
    expect(lens.page.get_by_test_id("total-lag")).to_have_text("0", **SLOWLY)
    shot(lens.page, "kafka-group-two-members")

    users.start(users.one_more("third"))
    lens.until_shares(1, 1, 1)
    users.start(users.one_more("fourth"))
    lens.until_shares(0, 1, 1, 1)
    idle = lens.members().last
    expect(idle).to_contain_text("idle")
    expect(idle.locator("svg")).to_have_count(2)
    expect(lens.page.get_by_test_id("advice")).to_contain_text("one has nothing to do")
    line = lens.page.get_by_role("list", name="Events, newest first")
    expect(line).to_contain_text(re.compile("joined"))
    shot(lens.page, "kafka-group-light")

    lens.choose(users.other)
    lens.until_shares(3)
    for partition, count in enumerate((6, 6, 5)):
        row = lens.lag(users.topic, partition)
        expect(row).to_contain_text("up to date", **SLOWLY)
        assert row.get_by_role("cell").nth(3).inner_text() == str(count)


def test_a_held_up_group_is_behind_while_the_other_has_read_all(chapter: Any, lens: Any) -> None:
    users = chapter("1 min")
    users.start(users.consumer)
    lens = lens(users.consumer)
    lens.tab("Consumer groups")
    lens.choose(users.group)
    lens.until_shares(1, 2)
    users.produce()
    expect(lens.lag(users.topic, 0)).to_contain_text("behind", **SLOWLY)
    assert int(lens.page.get_by_test_id("total-lag").inner_text()) >= 7
    lens.choose(users.other)
    expect(lens.page.get_by_test_id("total-lag")).to_have_text("0", **SLOWLY)


def test_offsets_are_reset_only_when_nobody_reads(chapter: Any, lens: Any, shot: Any) -> None:
    users = chapter("10 ms")
    users.produce()
    users.start(users.consumer)
    lens = lens(users.consumer)
    lens.tab("Consumer groups")
    lens.choose(users.group)
    lens.until_shares(1, 2)
    expect(lens.page.get_by_test_id("total-lag")).to_have_text("0", **SLOWLY)
    lens.button("Reset offsets …").click()
    refusal = lens.dialog().get_by_test_id("refusal")
    expect(refusal).to_contain_text("must have no live members for this; it has 2 members")
    expect(lens.dialog().get_by_role("button", name="Reset", exact=True)).to_be_disabled()
    shot(lens.page, "kafka-reset-refused")

    users.stop()
    expect(refusal).to_have_count(0, **SLOWLY)
    lens.dialog().get_by_role("button", name="Reset", exact=True).click()
    expect(lens.dialog().get_by_role("status")).to_contain_text("goes on from here", **SLOWLY)
    lens.dialog().get_by_role("button", name="Close", exact=True).last.click()
    expect(lens.page.get_by_test_id("total-lag")).to_have_text("17", **SLOWLY)
    expect(lens.page.locator(".kafka-main")).to_contain_text("None is there now")


def test_a_topic_is_made_written_read_and_deleted(
    server: Any, kafka: KafkaForTests, lens: Any, shot: Any
) -> None:
    flow, topic = kafka.unique("by-hand"), kafka.unique("made")
    reading = {"connection": "kafka", "topics": [topic], "group_id": f"{topic}-group"}
    server.add(flow, consuming(kafka, "read", reading))
    lens = lens(flow)
    lens.button("New …").click()
    lens.dialog().get_by_label("Name", exact=True).fill(topic)
    lens.dialog().get_by_label("Partitions", exact=True).fill("2")
    lens.button("Add a setting").click()
    lens.dialog().get_by_label("Setting", exact=True).fill("retention.ms")
    lens.dialog().get_by_label("Value", exact=True).fill("3600000")
    lens.button("Create").click()
    expect(lens.page.locator(".kafka-head h2")).to_have_text(topic, **SLOWLY)
    expect(lens.page.get_by_test_id("partition-1")).to_be_visible()
    lens.tab("Settings")
    row = lens.page.get_by_role("row").filter(has_text="retention.ms").first
    expect(row).to_contain_text(re.compile("3600000.*this topic", re.DOTALL))

    lens.tab("Records")
    expect(lens.page.get_by_test_id("tail-state")).to_have_text("reading along")
    lens.button("Produce …").click()
    lens.dialog().get_by_label("Key", exact=True).fill("ann")
    lens.dialog().get_by_label("JSON", exact=True).check()
    lens.dialog().get_by_label("Value", exact=True).fill('{"name": "Ann"')
    expect(lens.dialog()).to_contain_text("No JSON")
    lens.dialog().get_by_label("Value", exact=True).fill('{"name": "Ann", "city": {"zip": 1}}')
    lens.button("Add a header").click()
    lens.dialog().get_by_label("Header", exact=True).fill("source")
    lens.dialog().get_by_label("Header value", exact=True).fill("by hand")
    lens.button("Send").click()
    expect(lens.dialog().get_by_role("status")).to_contain_text("at offset 0", **SLOWLY)
    lens.dialog().get_by_label("Key", exact=True).fill("bob")
    lens.dialog().get_by_label("Value", exact=True).fill('{"name": "Bob", "city": {"zip": 2}}')
    lens.button("Send another").click()
    expect(lens.records()).to_have_count(2, **SLOWLY)
    lens.page.keyboard.press("Escape")

    lens.page.get_by_role("combobox", name="From", exact=True).select_option("beginning")
    lens.page.get_by_label("JSON path").fill("$.city.zip")
    lens.page.get_by_label("equals").fill("1")
    lens.button("Read").click()
    expect(lens.records()).to_have_count(1, **SLOWLY)
    lens.records().get_by_role("button").click()
    details = lens.page.locator(".record-details")
    expect(details).to_contain_text("by hand")
    expect(details.locator(".json-tree")).to_contain_text("zip: 1")
    shot(lens.page, "kafka-records-light")
    details.get_by_role("tab", name="Hex").click()
    expect(details.locator("pre")).to_contain_text("00000000  7b 22")

    lens.button("Delete …").click()
    delete = lens.dialog().get_by_role("button", name="Delete", exact=True)
    expect(delete).to_be_disabled()
    lens.dialog().get_by_label(f"Type {topic} to confirm").fill(topic)
    delete.click()
    expect(lens.page.get_by_text("A topic is a log in pieces")).to_be_visible(**SLOWLY)
    expect(lens.page.locator(".kafka-list")).not_to_contain_text(topic, **SLOWLY)


def test_a_paused_tail_stands_still_and_keeps_what_comes(
    server: Any, kafka: KafkaForTests, lens: Any
) -> None:
    topic, flow = kafka.create_topic(), kafka.unique("tail")
    server.add(flow, consuming(kafka, "read", {"connection": "kafka", "topics": [topic]}))
    lens = lens(flow)
    lens.choose(topic)
    lens.tab("Records")
    expect(lens.page.get_by_text("Waiting for records")).to_be_visible()
    lens.page.wait_for_timeout(1500)  # until the end of the topic is known to the tail
    kafka.produce(topic, [(None, b"one")])
    expect(lens.records()).to_have_count(1, **SLOWLY)
    lens.button("Pause").click()
    kafka.produce(topic, [(None, b"two"), (None, b"\xff\x00")])
    expect(lens.page.locator(".tail-bar")).to_contain_text("2 new", **SLOWLY)
    expect(lens.records()).to_have_count(1)
    lens.button("Go on").click()
    expect(lens.records()).to_have_count(3)
    expect(lens.records().first).to_contain_text("0xff00")
    lens.page.get_by_role("combobox", name="keep").select_option("100")
    kafka.produce(topic, [(None, b"%d" % number) for number in range(150)])
    expect(lens.page.locator(".tail-bar")).to_contain_text("older ones let go", **SLOWLY)
    expect(lens.records()).to_have_count(100)


def test_who_uses_a_topic_is_one_click_away(chapter: Any, lens: Any) -> None:
    users = chapter()
    lens = lens(users.producer)
    lens.choose(users.topic)
    lens.tab("Used by")
    table = lens.page.get_by_role("group", name="Processors")
    expect(table.get_by_role("row")).to_have_count(5, **SLOWLY)  # with the head
    expect(table.get_by_role("row").filter(has_text="publish")).to_contain_text("writes")
    table.get_by_role("link", name="shared/second").click()
    expect(lens.page).to_have_url(re.compile(f"flows/{users.consumer}"))
    node = lens.page.get_by_test_id("node-shared/second")
    expect(node.locator(".card.selected")).to_be_visible(**SLOWLY)


def test_the_page_is_reached_by_button_key_and_palette(
    server: Any, kafka: KafkaForTests, open_page: Any
) -> None:
    flow = kafka.unique("ways")
    server.add(flow, consuming(kafka, "read", {"connection": "kafka", "topics": ["x"]}))
    page = open_page(f"flows/{flow}")
    page.get_by_role("button", name="Kafka: topics, groups, records").click()
    LensPage(page, flow)
    expect(page).to_have_url(f"{server.url}flows/{flow}/kafka")
    page.get_by_role("link", name=flow).click()
    page.get_by_test_id("node-read").wait_for()
    page.keyboard.press("k")
    LensPage(page, flow)
    page.go_back()
    page.get_by_test_id("node-read").wait_for()
    page.keyboard.press("Control+k")
    page.keyboard.type("kafka: topics")
    page.keyboard.press("Enter")
    lens = LensPage(page, flow)
    page.locator(".kafka-list a").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".kafka-head h2")).to_be_visible()
    name = page.locator(".kafka-head h2").inner_text()
    page.reload()
    expect(lens.page.locator(".kafka-head h2")).to_have_text(name)


def test_a_hidden_page_asks_for_nothing(server: Any, kafka: KafkaForTests, lens: Any) -> None:
    flow = kafka.unique("hidden")
    server.add(flow, consuming(kafka, "read", {"connection": "kafka", "topics": ["x"]}))
    page = lens(flow).page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    hide = "hidden => Object.defineProperty(document, 'hidden', {value: hidden, writable: true})"
    page.evaluate(hide, True)
    page.wait_for_timeout(1500)  # what was under way ends
    asked.clear()
    page.wait_for_timeout(3000)
    assert [url for url in asked if "/kafka/" in url] == []
    page.evaluate("document.hidden = false; document.dispatchEvent(new Event('visibilitychange'))")
    with page.expect_request(lambda request: request.url.endswith("topics?internal=false")):
        pass


def test_what_is_not_there_says_what_to_do(server: Any, kafka: KafkaForTests, lens: Any) -> None:
    flow = kafka.unique("nothing")
    server.add(flow, consuming(kafka, "read", {"connection": "kafka", "topics": ["x"]}))
    lens = lens(flow)
    lens.page.goto(f"{server.url}flows/{flow}/kafka?topic=never-made")
    expect(lens.page.get_by_text("Topic never-made cannot be shown")).to_be_visible()
    server.add(f"{flow}-none", {})
    lens.page.goto(f"{server.url}flows/{flow}-none/kafka")
    expect(lens.page.get_by_text("This flow has no KafkaConnection")).to_be_visible()


def test_a_cluster_that_is_away_is_said_within_ten_seconds(
    server: Any, kafka: KafkaForTests, open_page: Any, shot: Any
) -> None:
    flow = kafka.unique("away")
    away = {"type": "KafkaConnection", "properties": {"bootstrap_servers": "127.0.0.1:1"}}
    server.add(flow, {"services": {"kafka": away}})
    page = open_page()
    page.route("**/*", lambda route: route.continue_())
    page.goto(f"{server.url}flows/{flow}/kafka")
    fault = page.get_by_text("The cluster does not answer")
    expect(fault.first).to_be_visible(timeout=15_000)
    expect(page.locator(".kafka-fault")).to_contain_text("127.0.0.1:1")
    shot(page, "kafka-away")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_accessible(chapter: Any, lens: Any, shot: Any, scheme: str) -> None:
    users = chapter("1 min")
    users.start(users.consumer)
    lens = lens(users.consumer, color_scheme=scheme)
    users.produce()
    lens.choose(users.topic)
    found = {}
    for tab in ("Partitions", "Records", "Settings", "Used by"):
        lens.tab(tab)
        if tab == "Records":
            lens.page.get_by_role("combobox", name="From", exact=True).select_option("beginning")
            lens.button("Read").click()
            lens.records().first.click(timeout=20_000)
        lens.page.wait_for_timeout(300)
        shot(lens.page, f"kafka-{tab.split()[0].lower()}-{scheme}")
        found[tab] = findings(lens.page)
    for name in ("Produce …", "Delete …", "New …"):
        lens.button(name).click()
        shot(lens.page, f"kafka-{name.split()[0].lower()}-dialog-{scheme}")
        found[name] = findings(lens.page)
        lens.page.keyboard.press("Escape")
    lens.tab("Consumer groups")
    lens.choose(users.group)
    lens.until_shares(1, 2)
    expect(lens.lag(users.topic, 0)).to_contain_text("behind", **SLOWLY)
    shot(lens.page, f"kafka-group-{scheme}")
    found["group"] = findings(lens.page)
    lens.button("Reset offsets …").click()
    shot(lens.page, f"kafka-reset-{scheme}")
    found["reset"] = findings(lens.page)
    lens.page.keyboard.press("Escape")
    lens.tab("Brokers")
    shot(lens.page, f"kafka-brokers-{scheme}")
    found["brokers"] = findings(lens.page)
    assert found == {key: [] for key in found}
