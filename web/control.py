"""Talking to runners: their control API over Unix sockets, with a limit to every wait."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import orjson

from flowengine.control import address
from flowengine.control.client import is_running
from flowengine.status import FlowStatus
from web.problems import Problem

PATIENCE = 8.0  # s for a command; the runner itself gives up after five
GLANCE = 1.5  # s for a status


class RunnerClient:
    """The control API of the runner on one data directory, if there is one."""

    def __init__(self, flow: str, data_dir: Path) -> None:
        self.flow = flow
        self.data_dir = data_dir
        self._socket = ""
        self._http: httpx.AsyncClient | None = None

    def _client(self) -> httpx.AsyncClient:
        runner = address.read_runner(self.data_dir)
        path = runner.socket if runner is not None else ""
        if not path or not is_running(self.data_dir):
            raise self._gone()
        if self._http is None or path != self._socket:
            self._socket = path
            self._http = httpx.AsyncClient(
                transport=httpx.AsyncHTTPTransport(uds=path),
                base_url="http://runner",
                timeout=PATIENCE,
                trust_env=False,
            )
        return self._http

    def _gone(self) -> Problem:
        return Problem(409, f"flow {self.flow!r} must be running for this; got a stopped flow")

    async def close(self) -> None:
        """Close the connections."""
        client, self._http = self._http, None
        if client is not None:
            await client.aclose()

    @asynccontextmanager
    async def ask(
        self,
        method: str,
        path: str,
        *,
        timeout: float = PATIENCE,
        headers: Mapping[str, str] | None = None,
        **how: Any,
    ) -> AsyncIterator[httpx.Response]:
        """A streamed answer, whatever its status. Raises Problem when there is none in time."""
        client = self._client()
        request = client.build_request(method, path, timeout=timeout, headers=headers, **how)
        try:
            response = await client.send(request, stream=True)
            try:
                yield response
            finally:
                await response.aclose()
        except httpx.TimeoutException:
            raise Problem(
                504,
                f"runner of flow {self.flow!r} must answer within {timeout:g} s; got no answer. A "
                "processor may hold it: look at its status, or stop the flow",
            ) from None
        except httpx.TransportError:
            raise Problem(
                503,
                f"runner of flow {self.flow!r} must answer; got a connection that broke. It may "
                "be starting or ending: try again",
            ) from None

    async def json(self, method: str, path: str, **how: Any) -> Any:
        """The decoded answer. Raises Problem for a problem of the runner's."""
        async with self.ask(method, path, **how) as response:
            body = await response.aread()
        if response.is_error:
            raise refused(response.status_code, body)
        return orjson.loads(body)

    async def status(self) -> FlowStatus:
        """The whole flow now."""
        async with self.ask("GET", "/status", timeout=GLANCE) as response:
            body = await response.aread()
        if response.is_error:
            raise refused(response.status_code, body)
        return msgspec.json.decode(body, type=FlowStatus)


def refused(status: int, body: bytes) -> Problem:
    """What a runner said no with."""
    try:
        document = dict(orjson.loads(body))
    except ValueError:
        document = {}
    for key in ("type", "title", "status"):
        document.pop(key, None)
    detail = document.pop("detail", f"runner must accept the request; got status {status}")
    return Problem(status, str(detail), **document)
