"""A real server process with real runners, for tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.waiting import until

TOKEN = "a-token-for-tests-only"
ROOT = Path(__file__).parents[2]


def pipeline(count: int = 1_000_000, every: str = "50 ms") -> dict[str, Any]:
    """make → mark → put; `count` records, a few at a time."""
    return {
        "format": 1,
        "name": "small",
        "processors": {
            "make": {
                "type": "GenerateRecords",
                "properties": {"schema": {"id": "sequence"}, "count": count},
                "scheduling": {"every": every, "batch_size": 5},
            },
            "mark": {
                "type": "UpdateAttribute",
                "properties": {"attributes": {"marked": "yes"}},
                "auto_terminate": ["failure"],
            },
            "put": {
                "type": "PutFile",
                "properties": {"directory": "out", "conflict": "replace"},
                "auto_terminate": ["success", "failure"],
            },
        },
        "connections": [
            {"from": "make", "relationships": ["success"], "to": "mark"},
            {"from": "mark", "relationships": ["success"], "to": "put"},
        ],
        "layout": {"make": [0, 0], "mark": [360, 0], "put": [720, 0]},
    }


class Server:
    """A server process on a folder, and a client that is its administrator."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.flows = folder / "flows"
        self.flows.mkdir(parents=True, exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None
        self.http = self.client({"Authorization": f"Bearer {TOKEN}"})

    def client(self, headers: dict[str, str] | None = None) -> httpx.Client:
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers=headers,
            timeout=60,
            trust_env=False,
        )

    def start(self, *options: str) -> None:
        environ = {**os.environ, "FLOWENGINE_SERVER_TOKEN": TOKEN, "PYTHONPATH": str(ROOT)}
        words = ["--flows", "flows", "--data-dir", "data", "--port", str(self.port), *options]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "web", *words],
                cwd=self.folder,
                env=environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(self.answers, "the server")

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log
        try:
            return self.http.get("/api/v1/health/live").status_code == 200
        except httpx.TransportError:
            return False

    @property
    def log(self) -> str:
        return (self.folder / "server.log").read_text()

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(60)
            self.process = None

    # -- asking --------------------------------------------------------------------------------

    def ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        return self.http.request(method, f"/api/v1{path}", **how)

    def get(self, path: str, **params: Any) -> Any:
        answer = self.ask("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        answer = self.ask("POST", path, json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()

    def create(self, id: str, definition: dict[str, Any] | None = None) -> None:
        self.post("/flows", {"id": id, "definition": definition or pipeline()})

    def edit(self, id: str, base: int, *operations: Any, client: str = "a") -> httpx.Response:
        body = {"client": client, "base": base, "operations": list(operations)}
        return self.ask("POST", f"/flows/{id}/draft/operations", json=body)

    def state(self, id: str) -> str:
        return str(self.get(f"/flows/{id}/status")["state"])

    def pid(self, id: str) -> int:
        """The pid of the runner; 0 while it does not answer."""
        status = self.get(f"/flows/{id}/status")["status"]
        return int(status["pid"]) if status else 0

    def until_state(self, id: str, state: str) -> None:
        until(lambda: self.state(id) == state, f"flow {id} to be {state}")

    def running(self, id: str) -> int:
        """Start a flow and return the pid of its runner."""
        self.post(f"/flows/{id}/start")
        self.until_state(id, "running")
        return self.pid(id)


def runners(folder: Path) -> list[int]:
    """Pids of all runners on data directories in a folder."""
    found = subprocess.run(["ps", "-ewwo", "pid,args"], capture_output=True, text=True, check=True)
    return [
        int(line.split()[0])
        for line in found.stdout.splitlines()
        if "flowengine run" in line and str(folder) in line
    ]


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Server]:
    """A server for the time of a test; nothing is left behind."""
    server = Server(folder)
    try:
        server.start(*options)
        yield server
    finally:
        server.end()
        server.http.close()
        for pid in runners(folder):
            os.kill(pid, signal.SIGKILL)
