"""Documents in the browser: what they say, hide and link to; how they look and read."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.web.serving import TOKEN, pipeline
from web.reading import guides, html, resolver

AXE = Path("web/editor/node_modules/axe-core/axe.min.js")
SHOTS = Path("build/pages")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
TYPES = {"processor": ["ControlRate", "PublishKafka"], "service": ["KafkaConnection"]}
SECRETS = {
    "description": "Documented <b>flow</b>.",
    "parameters": {"door": {"sensitive": True, "value": "hunter2"}, "lake": {"value": "a/b"}},
    "services": {
        "kafka": {
            "type": "KafkaConnection",
            "properties": {
                "bootstrap_servers": "here:1",
                "sasl_password": "hunter2",
                "client_properties": {"ssl_password": "hunter2", "client_id": "visible"},
            },
        }
    },
    "groups": {"inner": {"processors": {"log": {"type": "LogAttribute"}}}},
}
PAGES = (
    *("login", "status", "docs", "docs/tutorial", "docs/engine", "docs/processors/PublishKafka"),
    *("flows/one/doc", "docs/nothing.at-all"),
)


def page_of(server, path):
    answer = server.http.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_documentation_of_a_flow_shows_everything_but_secrets(server):
    server.create("one", {**pipeline(), **SECRETS})
    text = page_of(server, "/flows/one/doc")
    assert "hunter2" not in text
    assert text.count("******") == 3
    assert "Documented &lt;b&gt;flow&lt;/b&gt;." in text
    assert "visible" in text
    for heading in ("Parameters", "Services", "Processors", "Connections", "Group inner"):
        assert f">{heading} " in text or f">{heading}<" in text
    assert re.search(r"<td>make</td><td>success</td><td>mark</td>.*10\u202f000.*100 MB", text)
    assert "never deployed" in text


def test_the_graph_has_a_box_for_each_component_and_an_arrow_for_each_connection(server):
    server.create("one", {**pipeline(), **SECRETS})
    svg = page_of(server, "/flows/one/doc").partition("<svg")[2].partition("</svg>")[0]
    assert re.findall(r"<title>([^<]*)</title>", svg.partition('class="line"')[0]) == [
        *("make", "mark", "put", "inner", "inner/log")
    ]
    assert svg.count('class="line"') == 2


def test_a_flow_that_cannot_be_read_says_why(server):
    (server.flows / "broken.json").write_text('{"format": 1, "name": 7}')
    answer = server.http.get("/flows/broken/doc", headers={"Accept": "text/html"})
    assert answer.status_code == 422
    assert "must follow the format" in answer.text


def test_the_index_leads_to_every_type_and_guide(server):
    text = page_of(server, "/docs")
    links = re.findall(r'href="(docs/[^"]*)"', text)
    assert {"docs/tutorial", "docs/processors/ControlRate", "docs/services/KafkaConnection"} <= set(
        links
    )
    for link in links:
        assert server.http.get(f"/{link}").status_code == 200, link


def test_no_link_between_documents_is_broken(server):
    """Every link of every page leads to a page, and to a part that is there."""
    broken = []
    pages: dict[str, str] = {}
    for link in set(re.findall(r'href="(docs/[^"]*)"', page_of(server, "/docs"))):
        pages[link] = page_of(server, f"/{link}")
    pages["docs"] = page_of(server, "/docs")
    for page, text in pages.items():
        for link in re.findall(r'<a href="(docs[^"]*)"', text):
            target, _, part = link.partition("#")
            if target not in pages or (part and f'id="{part}"' not in pages[target]):
                broken.append((page, link))
    assert broken == []


def test_a_help_link_to_a_service_finds_it(server):
    answer = server.http.get("/docs/processors/KafkaConnection")
    assert answer.headers["location"] == "/docs/services/KafkaConnection"


@pytest.mark.parametrize("path", ["/docs", "/docs/tutorial", "/docs/processors/ControlRate"])
def test_somebody_unknown_reads_nothing(server, path):
    with server.client() as nobody:
        assert nobody.get(path).headers["location"] == "/login"


def test_somebody_unknown_reads_no_flow(server):
    server.create("one")
    with server.client() as nobody:
        assert nobody.get("/flows/one/doc").headers["location"] == "/login"
        assert nobody.get("/style/pages.css").status_code == 200


def test_the_status_page_loads_itself_anew_only_on_demand(server):
    assert "refresh" not in server.http.get("/status").headers
    assert server.http.get("/status?every=10").headers["refresh"] == "10"
    assert server.http.get("/status?every=0").status_code == 422


def test_the_token_in_an_address_leads_to_that_page(server):
    with server.client() as browser:
        answer = browser.get(f"/flows/a.b?token={TOKEN}")
    assert answer.headers["location"] == "/flows/a.b"


@pytest.mark.parametrize("path", ["//evil.example", "/%5Cevil.example", "///evil.example/x"])
def test_the_token_leads_to_no_other_host(server, path):
    with server.client() as browser:
        answer = browser.get(f"{browser.base_url}{path}?token={TOKEN}")
    assert answer.status_code == 303
    assert re.match(r"/(?![/\\])", answer.headers["location"])


# -- Markdown --------------------------------------------------------------------------------------


def test_links_between_documents_lead_to_pages():
    resolve = resolver("processors/control-rate.md", TYPES, "docs/processors/ControlRate")
    assert resolve("publish-kafka.md#example") == "docs/processors/PublishKafka#example"
    assert resolve("../services/kafka-connection.md") == "docs/services/KafkaConnection"
    assert resolve("../tutorial.md") == "docs/tutorial"
    assert resolve("#properties") == "docs/processors/ControlRate#properties"
    assert resolve("https://kafka.apache.org/") == "https://kafka.apache.org/"
    assert resolve("../../flows/users-producer.json") is None


def test_a_link_that_leads_nowhere_is_text_and_raw_html_too():
    text = html("[flow](../flows/x.json) <script>alert(1)</script>", lambda href: None)
    assert text == "<p><span>flow</span> &lt;script&gt;alert(1)&lt;/script&gt;</p>\n"


def test_headings_can_be_linked_to():
    text = html("# A `b` c\n\n## Twice\n\n## Twice\n", lambda href: href)
    assert re.findall(r'id="([^"]*)"', text) == ["a-b-c", "twice", "twice-1"]


def test_the_tutorial_comes_first_and_every_guide_has_a_title():
    found = guides()
    assert found[0].name == "tutorial"
    assert [guide.path for guide in found if not guide.title] == []
    assert not any(guide.path.endswith("README.md") for guide in found)


# -- looks -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    installed = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed, args=FLAGS)
        yield browser
        browser.close()


@pytest.mark.slow
@pytest.mark.skipif(not AXE.exists(), reason="axe comes with the editor: run `make setup`")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible_and_break_no_policy(server, chromium, scheme):
    server.create("one", {**pipeline(), **SECRETS})
    SHOTS.mkdir(parents=True, exist_ok=True)
    context = chromium.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    base = f"http://127.0.0.1:{server.port}/"
    page.goto(f"{base}login")  # before the cookie
    page.goto(f"{base}?token={TOKEN}")
    found = {}
    for path in PAGES:
        page.goto(base + path)
        name = path.replace("/", "-")
        page.screenshot(path=SHOTS / f"{name}-{scheme}.png", full_page=path != "docs/engine")
        found[path] = _findings(page)
    context.close()
    assert found == {path: [] for path in PAGES}
    assert [text for text in said if "404" not in text and "503" not in text] == []


def _findings(page):
    """Findings of axe that are at least serious."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    answer = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    bad = [one for one in answer["violations"] if one["impact"] in ("serious", "critical")]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in bad]


@pytest.mark.slow
def test_a_narrow_screen_does_not_scroll_sideways(server, chromium):
    server.create("one", {**pipeline(), **SECRETS})
    context = chromium.new_context(viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{server.port}/?token={TOKEN}")
    for path in PAGES:
        page.goto(f"http://127.0.0.1:{server.port}/{path}")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, path
    context.close()
