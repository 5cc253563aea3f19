"""The desk between the control API, on the I/O loop, and the engine, on its own loop (E24).

1. Nothing here waits for the engine without a limit: a processor that holds the engine's loop for
   a minute costs no answer. The last snapshot is shown then, with who holds the loop.
2. A command that was not begun in time is withdrawn: "refused" means that nothing happened.
3. Snapshots are taken on demand, at most ten a second, once for all who ask.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from flowengine.control.problems import Problem
from flowengine.definition.flat import LoadedFlow
from flowengine.engine import Engine
from flowengine.findings import Finding
from flowengine.logs import redacted_json
from flowengine.provenance import Recorder
from flowengine.status import FlowStatus, Held, delta, encode, snapshot
from flowengine.watchdog import LoopObserver, restart_without

T = TypeVar("T")
Reload = Callable[[str], tuple[LoadedFlow | None, Sequence[Finding]]]
FRESH = 100_000  # µs that a snapshot is shown to others who ask
PATIENCE = 0.4  # s that a reader waits for the engine
COMMAND = 5.0  # s that a command waits for the engine
PERIOD = 1.0  # s between events of the stream


class Desk:
    """What the routes know of the engine. Made on the engine's loop, used on the I/O loop."""

    def __init__(
        self,
        engine: Engine,
        data_dir: Path,
        loop: asyncio.AbstractEventLoop,
        *,
        command_timeout: float = COMMAND,
    ) -> None:
        self.engine = engine
        self.data_dir = data_dir
        self.closing = asyncio.Event()
        self.restart: Callable[[str], object] = restart_without
        self.observer = LoopObserver(engine, loop)
        self.recorder: Recorder | None = None
        self.reload: Reload | None = None
        self._loop = loop
        self._command_timeout = command_timeout
        self._latest = snapshot(engine)
        self._outdated = True
        self._asking = asyncio.Lock()
        self._stream = Stream(self)

    async def call(
        self, function: Callable[..., Any], *args: Any, timeout: float | None = None
    ) -> Any:
        """Call a function, or await a coroutine function, on the engine's loop.

        Raises Problem 503 when the engine does not begin or end it in time.
        """

        async def there() -> Any:
            result = function(*args)
            return await result if inspect.isawaitable(result) else result

        limit = timeout or self._command_timeout
        self.observer.ping()
        future = asyncio.run_coroutine_threadsafe(there(), self._loop)
        self._outdated = True
        try:
            async with asyncio.timeout(limit):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise self._held(limit) from None

    def _held(self, limit: float) -> Problem:
        held = self.observer.held()
        name = held.processor if held else None
        who = f"processor {name!r}" if name else "something other than a processor"
        return Problem(
            503,
            f"engine must answer within {limit:g} s; got no answer while {who} "
            "holds it. Nothing was done; try again, or terminate that processor",
            processor=name,
        )

    async def status(self) -> FlowStatus:
        """The status now; an older one with ``held`` set while the engine does not answer."""
        async with self._asking:
            age = self.engine.clock.wall() - self._latest.as_of
            if self._outdated or self._latest.held is not None or not 0 <= age < FRESH:
                await self._renew()
            return self._latest

    async def _renew(self) -> None:
        try:
            self._latest = await self.call(snapshot, self.engine, timeout=PATIENCE)
        except Problem:
            held = self.observer.held() or Held(None, 0)
            self._latest = msgspec.structs.replace(self._latest, held=held)
        self._outdated = False

    def events(self) -> AsyncIterator[bytes]:
        """Server-sent events: a snapshot, then what changed, once a second."""
        return self._stream.events()


class Stream:
    """One figure-maker for any number of watchers: the cost does not grow with them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._last: FlowStatus | None = None
        self._number = 0
        self._event = b""
        self._making = asyncio.Lock()

    async def events(self) -> AsyncIterator[bytes]:
        """What one watcher gets until it goes or the runner ends."""
        seen = await self._advance(self._number)
        yield self._snapshot()
        while not await self._pause():
            number = await self._advance(seen)
            yield self._event if number == seen + 1 else self._snapshot()
            seen = number

    async def _pause(self) -> bool:
        """Wait for the next second; True when the runner ends."""
        try:
            async with asyncio.timeout(PERIOD):
                await self._desk.closing.wait()
        except TimeoutError:
            return False
        return True

    async def _advance(self, seen: int) -> int:
        """The first of the watchers that has seen the newest event makes the next one."""
        async with self._making:
            if self._number > seen:
                return self._number
            new = await self._desk.status()
            old, self._last = self._last, new
            self._number += 1
            if old is None or old.revision != new.revision:
                self._event = self._snapshot()
            else:
                self._event = _event("delta", self._number, delta(old, new))
            return self._number

    def _snapshot(self) -> bytes:
        return _event("snapshot", self._number, self._last)


def _event(kind: str, number: int, value: object) -> bytes:
    return b"event: %s\nid: %d\ndata: %s\n\n" % (
        kind.encode(),
        number,
        redacted_json(encode(value)),
    )
