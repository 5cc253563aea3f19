"""After the proof: a server on loopback, with both flows running on, until Ctrl-C.

The flows are the shipped ones with other parameters: the lake holds a day of users (the seventeen,
over and over), the throttle lets one through each period. So the queue in front of it fills up, and
the canvas shows back pressure beside the moving figures.
"""

from __future__ import annotations

import itertools
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import httpx
import orjson
from rich.console import Console

from flowengine.control.address import read_runner
from flowengine.errors import EnvironmentFault
from processors.kafka.broker.ports import HOST, free_ports, is_free
from processors.kafka.broker.process import end_processes, process_id
from processors.kafka.demo.children import Child, child
from processors.kafka.demo.folder import DemoFolder
from processors.kafka.demo.interruption import Interruption

FLOWS = ("users-consumer", "users-producer")
TOKEN = "FLOWENGINE_SERVER_TOKEN"
USUAL_PORT = 8700
USERS = 86_400  # a day of them, at one a second
PATIENCE = 60.0  # s until the server answers, and until a flow runs
LOOK = 0.2  # s between two questions
GOODBYE = 10.0  # s


class Live:
    """The server with the two flows."""

    def __init__(
        self,
        folder: DemoFolder,
        bootstrap: str,
        period: str,
        console: Console,
        interruption: Interruption,
    ) -> None:
        self.folder = folder
        self.bootstrap = bootstrap
        self.period = period
        self.console = console
        self.interruption = interruption
        self._token = secrets.token_urlsafe(32)
        self._pause = threading.Event()

    def show(self) -> None:
        """Serve until somebody ends it; nothing is left running then, however it ends."""
        self._write_stream()
        self.folder.set_parameters(
            {
                "users-consumer": {"period": self.period},
                "users-producer": {"period": self.period, "lake": str(self.folder.stream)},
            }
        )
        with suppress(KeyboardInterrupt), ExitStack() as stack:
            stack.callback(self._sweep)
            server, client = stack.enter_context(self._server())
            for flow in FLOWS:
                self._start(client, flow)
            self._tell(str(client.base_url))
            server.process.wait()
            raise EnvironmentFault(
                f"server must run until Ctrl-C; got exit code {server.code}. {server.said()}"
            )
        self.console.print("The flows and the server have ended.")

    def _write_stream(self) -> None:
        """The users of the lake as one file, again and again."""
        users = [orjson.loads(path.read_bytes()) for path in sorted(self.folder.lake.glob("*"))]
        numbered = zip(range(1, USERS + 1), itertools.cycle(users), strict=False)
        lines = (orjson.dumps({**user, "userid": number}) for number, user in numbered)
        self.folder.stream.parent.mkdir(parents=True, exist_ok=True)
        self.folder.stream.write_bytes(b"\n".join(lines) + b"\n")

    # -- the server ----------------------------------------------------------------------------

    @contextmanager
    def _server(self) -> Iterator[tuple[Child, httpx.Client]]:
        port = USUAL_PORT if is_free(USUAL_PORT) else free_ports(1)[0]
        words = ["serve", "--flows", str(self.folder.flows), "--data-dir", str(self.folder.state)]
        client = httpx.Client(
            base_url=f"http://{HOST}:{port}/",
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=20,
            trust_env=False,
        )
        with (
            client,
            child(
                "server",
                *(*words, "--host", HOST, "--port", str(port)),
                folder=self.folder.path,
                interruption=self.interruption,
                environment={**os.environ, TOKEN: self._token},
            ) as server,
        ):
            self._until_ready(server, client)
            try:
                yield server, client
            finally:
                with self.interruption.ending():
                    self._stop_flows(client)

    def _until_ready(self, server: Child, client: httpx.Client) -> None:
        for _ in range(int(PATIENCE / LOOK)):
            if server.code is not None:
                break
            with suppress(httpx.TransportError):
                if client.get("api/v1/health/ready").is_success:
                    return
            self._pause.wait(LOOK)
        raise EnvironmentFault(
            f"server must answer within {PATIENCE:.0f} s; got nothing. {server.said()}"
        )

    def _start(self, client: httpx.Client, flow: str) -> None:
        state = client.post(f"api/v1/flows/{flow}/start")
        for _ in range(int(PATIENCE / LOOK)):
            found = state.json()
            if not state.is_success or found["state"] == "failed":
                break
            if found["state"] == "running":
                return
            self._pause.wait(LOOK)
            state = client.get(f"api/v1/flows/{flow}/status")
        raise EnvironmentFault(f"flow {flow} must run on the server; got {state.text[:1000]}")

    def _stop_flows(self, client: httpx.Client) -> None:
        """At once: what is queued stays on disk, and the next demo begins anew."""
        self.console.print("\nStopping …")
        with suppress(httpx.HTTPError, KeyError):
            flows = client.get("api/v1/flows").json()["flows"]
            for flow in flows:
                if flow["state"] in ("starting", "running"):
                    client.post(f"api/v1/flows/{flow['id']}/stop", json={"drain": False})

    def _sweep(self) -> None:
        """End runners that a server has left behind, as one that was killed does."""
        with self.interruption.ending():
            runners = [read_runner(path) for path in self.folder.state.iterdir() if path.is_dir()]
            found = [process_id(runner.pid) for runner in runners if runner is not None]
            end_processes([process for process in found if process is not None], GOODBYE)

    def _tell(self, base: str) -> None:
        address = f"{base}flows/users-producer?token={self._token}"
        self.console.print(
            f"\nBoth flows run on, with one user every {self.period}. Open the canvas:\n"
        )
        self.console.print(f"  {address}", markup=False, soft_wrap=True)
        self.console.print(
            f"\nFlows, results and logs: {self.folder.path}\nCtrl-C stops all of it.",
            soft_wrap=True,
        )
