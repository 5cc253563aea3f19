"""Pages, static files, and what needs no flow: catalogue, checks, verify."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.web.serving import pipeline
from web.app import create_app
from web.config import ServerConfig
from web.pages import read_assets
from web.site import Site

MANIFEST = {
    "index.html": {
        "file": "assets/main-1.js",
        "isEntry": True,
        "imports": ["_shared.js"],
        "css": ["assets/main-1.css"],
    },
    "_shared.js": {"file": "assets/shared-2.js", "css": ["assets/shared-2.css"]},
    "lazy.ts": {"file": "assets/lazy-3.js"},
}


@pytest.fixture
async def browser(tmp_path):
    """A logged-in browser before a server whose editor is built, under a path of a proxy."""
    static = tmp_path / "static"
    (static / ".vite").mkdir(parents=True)
    (static / ".vite" / "manifest.json").write_text(json.dumps(MANIFEST))
    (static / "assets").mkdir()
    (static / "assets" / "main-1.js").write_text("'main'")
    config = ServerConfig(
        flows=tmp_path,
        data_root=tmp_path / "data",
        static=static,
        root_path="/below",
        token="a-token-for-this-test",
    )
    site = Site(config)
    transport = httpx.ASGITransport(create_app(site))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost/below") as client:
        await client.get("/?token=a-token-for-this-test")
        yield client
    site.store.close()


async def test_the_shell_loads_what_the_manifest_names(browser):
    page = (await browser.get("/")).text
    assert '<base href="/below/">' in page
    assert 'src="static/assets/main-1.js"' in page
    assert 'rel="modulepreload" href="static/assets/shared-2.js"' in page
    assert page.count('rel="stylesheet"') == 2
    assert "lazy-3" not in page
    boot = json.loads(page.partition('id="boot"')[2].partition(">")[2].partition("</script>")[0])
    assert (boot["api"], boot["role"]) == ("/below/api/v1", "admin")


async def test_deep_links_are_the_shell_and_unknown_files_are_not(browser):
    assert (await browser.get("/flows/a.b/processors/x")).status_code == 200
    assert (await browser.get("/favicon.xyz")).status_code == 404


async def test_assets_are_kept_for_ever_and_nothing_else_is_served(browser):
    found = await browser.get("/static/assets/main-1.js")
    assert found.headers["cache-control"] == "public, max-age=31536000, immutable"
    for path in ("..%2F..%2Fdata", ".vite/manifest.json", "assets/none.js", "%2Fetc%2Fpasswd"):
        assert (await browser.get(f"/static/{path}")).status_code == 404


def test_a_folder_without_manifest_has_no_assets(tmp_path):
    assert read_assets(tmp_path) is None


def test_status_works_without_javascript(server):
    server.create("one", {**pipeline(), "description": "<b>not bold</b>"})
    page = server.http.get("/status")
    assert page.status_code == 200
    assert "&lt;b&gt;not bold&lt;/b&gt;" in page.text
    assert "<script" not in page.text


def test_somebody_unknown_is_sent_to_the_login(server):
    with server.client() as nobody:
        for path in ("/", "/status", "/flows/x"):
            assert nobody.get(path).headers["location"] == "/login"
        assert "Log in" in nobody.get("/login").text


def test_the_catalogue_describes_processors_and_services(server):
    found = server.get("/catalogue")
    types = {one["type"]: one for one in found["processors"]}
    route = types["RouteOnAttribute"]
    assert route["input"] == "required"
    assert route["dynamic_relationships"]
    assert route["schema"]["properties"]["routes"]["description"]
    assert types["GenerateRecords"]["source"]
    assert [one["type"] for one in found["services"]] == ["KafkaConnection"]


def test_expressions_are_checked_and_evaluated(server):
    body = {"text": "{{ name | upper }}", "attributes": {"name": "ann"}}
    assert server.post("/expressions/check", body)["value"] == "ANN"
    wrong = server.post("/expressions/check", {"text": "{{ name | uper }}"})
    assert (wrong["ok"], wrong["offset"]) == (False, 10)
    assert wrong["error"].startswith("expression must name a known filter; got 'uper'")


def test_verify_shows_the_step_that_failed(server):
    flow = pipeline()
    flow["services"] = {
        "kafka": {"type": "KafkaConnection", "properties": {"bootstrap_servers": "127.0.0.1:1"}}
    }
    server.create("one", flow)
    steps = server.post("/verify", {"flow": "one", "service": "kafka"})["steps"]
    assert steps[0]["name"] == "configuration"
    assert (steps[0]["ok"], steps[-1]["ok"]) == (True, False)
    answer = server.ask("POST", "/verify", json={"flow": "one", "service": "gone"})
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "draft of flow 'one' must have the component; got 'gone'",
    )


def test_a_definition_is_checked_without_being_kept(server):
    found = server.post("/validate", {"text": json.dumps(pipeline())})
    assert found["problems"] == []
    broken = server.post("/validate", {"text": '{"format": 1,}'})["problems"][0]
    assert (broken["line"], broken["column"]) == (1, 13)
    assert broken["message"] == "JSON object must not end with ','; got ',}'"
