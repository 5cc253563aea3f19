"""Serving the control API of a runner on the engine's I/O loop (E24).

The sockets listen from the start; FastAPI and uvicorn are imported when the first client connects,
so that a flow nobody looks at pays neither their 40 MB nor their start-up time.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowengine.control import address, minutes
from flowengine.control.address import Runner
from flowengine.engine import Engine
from flowengine.logs import register_secrets, secrets_of
from flowengine.units import Secret
from flowengine.watchdog import watching

if TYPE_CHECKING:
    from flowengine.control.desk import Desk, Reload
    from flowengine.provenance import Recorder


@asynccontextmanager
async def serving(
    engine: Engine,
    data_dir: Path,
    listen: str | None = None,
    *,
    token: str | None = None,
    recorder: Recorder | None = None,
    reload: Reload | None = None,
) -> AsyncIterator[Desk]:
    """Serve an opened engine's control API and watch its loop. Enter it on the engine's loop.

    listen: ``HOST:PORT`` to serve over TCP as well; loopback only, unless there is a token
    token:  what TCP clients must know; by default ``$FLOWENGINE_TOKEN``
    recorder: of provenance, when that is recorded
    reload: how another definition is read, for deploys while the flow runs

    Raises EnvironmentFault for an address that cannot be had.
    """
    from flowengine.control.desk import Desk

    token = token or os.environ.get(address.TOKEN) or None
    register_secrets([*secrets_of(engine.flow), *([Secret(token)] if token else [])])
    desk = Desk(engine, data_dir, asyncio.get_running_loop())
    desk.recorder, desk.reload = recorder, reload
    async with AsyncExitStack() as stack:
        sockets = _bind(stack, data_dir, listen, token)
        stack.enter_context(watching(engine, desk.observer))
        _announce(stack, engine, data_dir, sockets)
        service = Service(desk, sockets, token)
        loop = engine.io.loop()
        served = asyncio.run_coroutine_threadsafe(service.serve(), loop)
        kept = asyncio.run_coroutine_threadsafe(minutes.keep(desk), loop)
        try:
            yield desk
        finally:
            loop.call_soon_threadsafe(desk.closing.set)
            await asyncio.wrap_future(kept)
            await asyncio.wrap_future(served)


def _bind(
    stack: AsyncExitStack, data_dir: Path, listen: str | None, token: str | None
) -> list[socket.socket]:
    path = address.socket_path(data_dir)
    sockets = [stack.enter_context(address.bind_socket(path))]
    stack.callback(path.unlink, missing_ok=True)
    if listen is not None:
        sockets.append(stack.enter_context(address.bind_tcp(listen, token)))
    return sockets


def _announce(
    stack: AsyncExitStack, engine: Engine, data_dir: Path, sockets: list[socket.socket]
) -> None:
    """Write ``runner.json``; removed at the end."""
    runner = Runner(
        os.getpid(),
        engine.started_at,
        engine.flow.name,
        engine.flow.revision,
        str(sockets[0].getsockname()),
        _shown(sockets[1]) if len(sockets) > 1 else None,
    )
    address.write_runner(data_dir, runner)
    stack.callback((data_dir / address.RUNNER).unlink, missing_ok=True)


def _shown(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Service:
    """Waits for the first client, then serves until the desk closes. Lives on the I/O loop."""

    def __init__(self, desk: Desk, sockets: list[socket.socket], token: str | None) -> None:
        self._desk = desk
        self._sockets = sockets
        self._token = token

    async def serve(self) -> None:
        """Serve all sockets until the desk closes."""
        if not await self._first_client():
            return
        loop = asyncio.get_running_loop()
        apps = await loop.run_in_executor(None, self._apps)
        servers = [_server(app) for app in apps]
        async with asyncio.TaskGroup() as group:
            for server, listener in zip(servers, self._sockets, strict=True):
                group.create_task(server.serve(sockets=[listener]))
            await self._desk.closing.wait()
            for server in servers:
                server.should_exit = True

    async def _first_client(self) -> bool:
        """Wait until somebody connects; False when the desk closes before."""
        loop = asyncio.get_running_loop()
        knock = asyncio.Event()
        for listener in self._sockets:
            loop.add_reader(listener, knock.set)
        try:
            async with asyncio.TaskGroup() as group:
                waits = [group.create_task(e.wait()) for e in (knock, self._desk.closing)]
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                for wait in waits:
                    wait.cancel()
        finally:
            for listener in self._sockets:
                loop.remove_reader(listener)
        return not self._desk.closing.is_set()

    def _apps(self) -> list[Any]:
        """One app per socket; what comes over TCP passes the guard."""
        from flowengine.control.app import create_app
        from flowengine.control.guard import Guard

        app = create_app(self._desk)
        hosts = [str(listener.getsockname()[0]) for listener in self._sockets[1:]]
        return [app, *(Guard(app, host, self._token) for host in hosts)]


def _server(app: Any) -> Any:
    import uvicorn

    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
        proxy_headers=False,
    )
    return uvicorn.Server(config)
