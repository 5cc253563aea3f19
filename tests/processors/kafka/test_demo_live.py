"""``flowengine demo`` on a terminal: what stays open, and that Ctrl-C leaves nothing behind."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.waiting import until

CTRL_C = b"\x03"
ADDRESS = re.compile(r"http://\S+\?token=\S+")
MANIFEST = Path(__file__).parents[3] / "web" / "static" / ".vite" / "manifest.json"

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(180)]


class Terminal:
    """A demo whose terminal is ours: what it shows, and keys that are pressed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._shown = b""
        line = [sys.executable, "-m", "flowengine", "demo", "--period", "200 ms"]
        self.pid, self._keys = pty.fork()
        if self.pid == 0:
            os.execv(sys.executable, [*line, "--data-dir", str(folder)])
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._keys, 4096)
            except OSError:  # its other end is closed
                return
            self._shown += data

    @property
    def shown(self) -> str:
        return self._shown.decode("utf-8", "replace")

    def shows(self, text: str) -> None:
        until(lambda: text in self.shown, f"{text!r} on the terminal", 90)

    def press(self, key: bytes) -> None:
        os.write(self._keys, key)

    def ended(self) -> int:
        """Its exit code."""
        found = until(lambda: os.waitpid(self.pid, os.WNOHANG)[1:] if self._gone() else None, "end")
        self._reader.join(10)
        os.close(self._keys)
        return os.waitstatus_to_exitcode(found[0])

    def _gone(self) -> bool:
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def processes(self) -> list[str]:
        """Command lines that name the demo's folder, or are below the demo."""
        found = subprocess.run(["ps", "-ewwo", "args"], capture_output=True, text=True, check=True)
        return [line for line in found.stdout.splitlines() if str(self.folder) in line]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path / "demo")
    yield terminal
    try:
        os.kill(terminal.pid, signal.SIGTERM)
    except ProcessLookupError:
        return


def test_the_canvas_is_open_with_moving_figures_until_ctrl_c(terminal):
    terminal.shows("Ctrl-C stops all of it.")
    address = ADDRESS.search(terminal.shown)[0]
    with httpx.Client(follow_redirects=True, trust_env=False, timeout=20) as browser:
        page = browser.get(address)
        assert page.url.path == "/flows/users-producer"
        assert ('id="boot"' if MANIFEST.exists() else "not built") in page.text
        api = f"{address.partition('flows/')[0]}api/v1/flows/"
        published = _figure(browser, api, "users-producer", "publish")
        until(lambda: _figure(browser, api, "users-producer", "publish") > published + 3, "users")
        until(lambda: _figure(browser, api, "users-consumer", "dashboard") > 3, "their arrival")
    terminal.press(CTRL_C)
    assert terminal.ended() == 0, terminal.shown
    assert terminal.processes() == []


def _figure(browser: httpx.Client, api: str, flow: str, processor: str) -> int:
    status = browser.get(f"{api}{flow}/status").json()
    assert status["state"] == "running"
    return int(status["status"]["processors"][processor]["total"]["flowfiles_in"])


@pytest.mark.parametrize("moment", ["Starting Apache Kafka", "0/17"])
def test_ctrl_c_before_the_proof_leaves_nothing_behind(terminal, moment):
    terminal.shows(moment)
    terminal.press(CTRL_C)
    terminal.press(CTRL_C)
    assert terminal.ended() == 130, terminal.shown
    assert terminal.processes() == []


@pytest.mark.campaign
def test_a_closed_terminal_ends_it_too(terminal):
    terminal.shows("shares the partitions")
    os.kill(terminal.pid, signal.SIGHUP)
    assert terminal.ended() == 130, terminal.shown
    assert terminal.processes() == []
