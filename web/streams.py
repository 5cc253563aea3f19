"""Server-sent events as an answer that does not wait for a slow browser for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from web.events import END, Hub, Watcher

HEARTBEAT = 15.0  # s
PATIENCE = 10.0  # s that a browser may take for one event


class EventStream(Response):
    """The stream of one watcher: some first events, then what the hub tells.

    first: makes the first events once the watcher is known to the hub, so that it misses nothing
    """

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, flow: str | None, first: Callable[[], Awaitable[bytes]]) -> None:
        super().__init__(None, 200, {"X-Accel-Buffering": "no", "Cache-Control": "no-store"})
        del self.headers["content-length"]
        self._hub = hub
        self._flow = flow
        self._first = first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the browser goes, falls behind, or the server ends."""
        with self._hub.watching(self._flow) as watcher:
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(self._send(watcher, send))
                leaving = group.create_task(_gone(receive))
                await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
                sending.cancel()
                leaving.cancel()

    async def _send(self, watcher: Watcher, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        try:
            await _body(send, b"retry: 2000\n\n" + await self._first())
            while not watcher.dropped:
                event = await _next(watcher)
                if event == END:
                    break
                await _body(send, event)
        except TimeoutError:
            return  # the connection ends with us
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _next(watcher: Watcher) -> bytes:
    """The next event, or a comment that keeps the connection open."""
    try:
        async with asyncio.timeout(HEARTBEAT):
            return await watcher.queue.get()
    except TimeoutError:
        return b": still here\n\n"


async def _body(send: Send, data: bytes) -> None:
    async with asyncio.timeout(PATIENCE):
        await send({"type": "http.response.body", "body": data, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
