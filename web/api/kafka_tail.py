"""The stream of a live tail: from the lens process to one browser, as long as both are there."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from web.lens import Asked, Lens

HEARTBEAT = 15.0  # s
PATIENCE = 10.0  # s that a browser may take for one event
_LAST = ("end", "gone", "refused")


class TailStream(Response):
    """Events of something that the lens follows. Open it first: that may be refused."""

    media_type = "text/event-stream"

    def __init__(self, lens: Lens, closing: asyncio.Event) -> None:
        super().__init__(None, 200, {"X-Accel-Buffering": "no", "Cache-Control": "no-store"})
        del self.headers["content-length"]
        self._lens = lens
        self._closing = closing
        self._stack = AsyncExitStack()
        self._events: Asked | None = None

    async def open(self, flow: str, service: str, wanted: dict[str, Any]) -> None:
        """Begin. Raises Problem where there is nothing to follow."""
        following = self._lens.following(flow, service, "tail", wanted)
        self._events = await self._stack.enter_async_context(following)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the browser goes, falls behind, all is told, or the server ends."""
        assert self._events is not None
        async with self._stack, asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._send(self._events, send)),
                group.create_task(self._events.dropped.wait()),
                group.create_task(_gone(receive)),
                group.create_task(self._closing.wait()),
            ]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()

    async def _send(self, events: Asked, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        kind = ""
        try:
            await _body(send, b"retry: 2000\n\n")
            while kind not in _LAST:
                kind, event = await _next(events)
                await _body(send, event)
        except TimeoutError:
            return  # a slow browser: the connection ends with us
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _next(events: Asked) -> tuple[str, bytes]:
    """The next event, or a comment that keeps the connection open."""
    try:
        async with asyncio.timeout(HEARTBEAT):
            kind, data = await events.get()
    except TimeoutError:
        return "", b": still here\n\n"
    if kind == "gone":
        return kind, b""
    shown = "failed" if kind == "refused" else kind
    return kind, b"event: %s\ndata: %s\n\n" % (shown.encode(), data)


async def _body(send: Send, data: bytes) -> None:
    async with asyncio.timeout(PATIENCE):
        await send({"type": "http.response.body", "body": data, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
