"""Running the server: uvicorn, signals, and the address that is printed."""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import suppress
from types import FrameType

import uvicorn

from flowengine.errors import EnvironmentFault
from web.app import create_app
from web.config import ServerConfig
from web.site import Site


class Server(uvicorn.Server):
    """Ends streams at the first signal: they would keep the server from ending."""

    def __init__(self, config: uvicorn.Config, site: Site) -> None:
        super().__init__(config)
        self._site = site
        self._loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._site.close)
        super().handle_exit(sig, frame)


def bind(host: str, port: int) -> socket.socket:
    """Listen there; raises EnvironmentFault for an address that cannot be had."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise _unusable(host, port, error) from error
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise _unusable(host, port, error) from error
    return listener


def _unusable(host: str, port: int, error: OSError) -> EnvironmentFault:
    return EnvironmentFault(
        f"address {host}:{port} must be free to listen on; got {error.strerror or error}. "
        "Choose another --port"
    )


def address(config: ServerConfig, port: int) -> str:
    """The address of the start page as a browser writes it."""
    host = f"[{config.host}]" if ":" in config.host else config.host
    scheme = "https" if config.certificate else "http"
    return f"{scheme}://{host}:{port}{config.root_path}/"


def serve(config: ServerConfig) -> None:
    """Serve until a signal. Prints the address, with the token where there is one."""
    site = Site(config)
    listener = bind(config.host, config.port)
    port = listener.getsockname()[1]
    secret = f"?token={site.token}" if config.loopback else ""
    print(f"flowengine serves {config.flows} at {address(config, port)}{secret}", flush=True)
    server = Server(
        uvicorn.Config(
            create_app(site),
            http="h11",
            ws="none",
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=config.behind_proxy,
            timeout_graceful_shutdown=3,
            timeout_keep_alive=30,
            limit_concurrency=1000,
            ssl_certfile=config.certificate,
            ssl_keyfile=config.key,
        ),
        site,
    )
    with suppress(KeyboardInterrupt):  # uvicorn raises the signal again once all has ended
        server.run(sockets=[listener])
    if not server.started:
        sys.exit(2)
