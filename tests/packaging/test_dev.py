"""``make dev``: the editor's sources through Vite, everything else through the server behind it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
VITE = ROOT / "web" / "editor" / "node_modules" / "vite" / "bin" / "vite.js"
BUILT = ROOT / "web" / "static" / ".vite" / "manifest.json"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (VITE.exists() and BUILT.exists()), reason="the editor is not built"),
]


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    (tmp_path / "flows").mkdir()
    words = ["--flows", str(tmp_path / "flows"), "--data-dir", str(tmp_path / "data")]
    process = subprocess.Popen(
        [sys.executable, ROOT / ".ci" / "dev.py", *words], stdout=subprocess.PIPE, text=True
    )
    yield process
    process.send_signal(signal.SIGINT)
    process.wait(100)
    assert process.stdout is not None
    process.stdout.close()


def started(dev: subprocess.Popen[str]) -> str:
    """The address that it prints."""
    assert dev.stdout is not None
    return re.search(r"http://\S+", dev.stdout.readline())[0]


def test_the_page_loads_sources_and_the_rest_is_the_server(dev):
    address = started(dev)
    base = address.partition("?")[0]
    with httpx.Client(follow_redirects=True, trust_env=False, timeout=60) as browser:
        page = browser.get(address, headers={"Accept": "text/html"}).text
        assert 'src="/src/main.tsx"' in page
        assert "/@vite/client" in page
        assert "static/assets/" not in page
        boot = json.loads(re.search(r'id="boot"[^>]*>(.*?)</script>', page)[1])
        assert boot["role"] == "admin"
        assert "jsx" in browser.get(f"{base}src/main.tsx").text
        assert browser.get(f"{base}api/v1/flows").json()["flows"] == []
        assert "<h1>Flows</h1>" in browser.get(f"{base}status").text
        write = browser.post(
            f"{base}api/v1/flows",
            json={"id": "made"},
            headers={"X-Requested-With": "flowengine", "Origin": base.rstrip("/")},
        )
        assert write.status_code == 201, write.text


def test_one_signal_ends_both(dev, tmp_path):
    base = started(dev).partition("?")[0]
    dev.send_signal(signal.SIGINT)
    assert dev.wait(100) == 0
    with pytest.raises(httpx.TransportError):
        httpx.get(base, trust_env=False, timeout=5)
    found = subprocess.run(["ps", "-ewwo", "args"], capture_output=True, text=True, check=True)
    assert [line for line in found.stdout.splitlines() if str(tmp_path) in line] == []
