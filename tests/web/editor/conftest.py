"""The editor in a real browser, before a real server with real runners."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from playwright.sync_api import expect as expects

from tests.web.editor.screen import Screen

TOKEN = "token-of-the-editor-tests"
SHOTS = Path("build/editor")
expects.set_options(timeout=15_000)  # of a busy machine
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
#: Said by the browser itself about answers that a test asks for; nothing of ours is wrong then.
FORGIVEN = (
    "ERR_INTERNET_DISCONNECTED",
    "the server responded with a status of 4",
    "the server responded with a status of 502",  # a cluster that is away
)


class Server:
    """A server of its own folder of flows."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.flows = folder / "flows"
        self.flows.mkdir(parents=True)
        command = [sys.executable, "-m", "web", "--flows", str(self.flows), "--port", "0"]
        self._process = subprocess.Popen(
            [*command, "--data-dir", str(folder / "data"), *options],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "FLOWENGINE_SERVER_TOKEN": TOKEN},
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        self.url = line.split(" at ")[1].split("?")[0].strip()
        headers = {"Authorization": f"Bearer {TOKEN}"}
        self.api = httpx.Client(base_url=f"{self.url}api/v1/", headers=headers, timeout=20)

    def add(self, flow: str, definition: dict[str, Any]) -> None:
        """Create a flow."""
        text = json.dumps({"format": 1, "name": flow, **definition})
        self.api.post("flows", json={"id": flow, "text": text}).raise_for_status()

    def draft(self, flow: str) -> dict[str, Any]:
        """The draft's document."""
        found: dict[str, Any] = self.api.get(f"flows/{flow}/draft").json()["document"]
        return found

    def status(self, flow: str) -> dict[str, Any]:
        """What a running flow tells now."""
        found: dict[str, Any] = self.api.get(f"flows/{flow}/status").json()["status"]
        return found

    def close(self) -> None:
        """Stop the server and its runners."""
        self.api.close()
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)
        if self._process.stdout:
            self._process.stdout.close()


@pytest.fixture(scope="package")
def make_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Starts servers with options of their own."""
    if not Path("web/static/.vite/manifest.json").exists():
        pytest.skip("the editor is not built: run `npm run build` in web/editor")
    servers: list[Server] = []

    def made(*options: str) -> Server:
        servers.append(Server(tmp_path_factory.mktemp("editor"), *options))
        return servers[-1]

    yield made
    for server in servers:
        server.close()


@pytest.fixture(scope="package")
def server(make_server: Callable[..., Server]) -> Server:
    return make_server()


@pytest.fixture(scope="package")
def other_server(make_server: Callable[..., Server]) -> Server:
    """Another one, under a path as behind a proxy."""
    return make_server("--root-path", "/below")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    installed = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Opens separate browsers; no console error of their pages is forgiven."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(one in message.text for one in FORGIVEN):
            errors.append(f"{message.text} {message.location.get('url')}")

    def opened(**options: Any) -> BrowserContext:
        given = {"viewport": {"width": 1440, "height": 900}, **options}
        context = browser.new_context(**given)
        context.set_default_timeout(20_000)
        context.on("console", hear)
        context.on("weberror", lambda error: errors.append(str(error.error)))
        contexts.append(context)
        return context

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def open_page(server: Server, open_context: Callable[..., BrowserContext]) -> Callable[..., Page]:
    """Opens pages of separate browsers, logged in."""

    def opened(path: str = "", at: Server = server, **options: Any) -> Page:
        page = open_context(**options).new_page()
        page.goto(f"{at.url}?token={TOKEN}")
        if path:
            page.goto(f"{at.url}{path}")
        return page

    return opened


@pytest.fixture
def editing(server: Server, open_page: Any, request: pytest.FixtureRequest) -> Any:
    """Makes a flow with a name of this test's own and opens it."""

    def edited(definition: dict[str, Any] | None = None, **options: Any) -> Screen:
        flow = request.node.name[5:].split("[")[0].replace("_", "-")[:40].strip("-")
        server.add(flow, definition or {})
        return Screen(open_page(f"flows/{flow}", **options), flow)

    return edited


@pytest.fixture
def shot() -> Any:
    """Keeps a screenshot as an artefact."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    return lambda page, name: page.screenshot(path=str(SHOTS / f"{name}.png"))
