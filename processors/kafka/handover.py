"""Handover: what passes between the members on the I/O loop and the triggers on the engine's loop.

Numbered rules
--------------
1. A member offers what it fetched; a trigger takes it, and from taking to the session's commit
   nothing awaits. So on the engine's loop the two are one step, and whoever runs after that step
   sees in the processor's state whether the session committed.
2. What was taken and not committed was rolled back: the next trigger takes it again.
3. Offsets go to Kafka only from ``durable``, which is filled from ``session.on_durable`` (E2).
4. A member that loses its partitions withdraws what nobody took (:meth:`withdraw`), waits for the
   step of rule 1, then reads the positions that the flow has stored.

Rejected: one hand-over per message or per partition (``kafka.md`` §7: 10-20 %).
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

DEPTH: Final = 2  # fetches that wait per member: one ready while the next is decoded


@dataclass(frozen=True)
class Batch:
    """Records of one partition in the order of their offsets."""

    topic: str
    partition: int
    records: list[Any]


@dataclass(frozen=True)
class Fetched:
    """What one member hands over at once.

    received:  wall time in µs
    positions: state key → next offset, true once the records are in the flow
    assigned:  the partitions that the member has from now on, all of them; None: as before
    """

    member: int
    received: int
    batches: tuple[Batch, ...] = ()
    positions: Mapping[str, int] = field(default_factory=dict)
    assigned: tuple[str, ...] | None = None

    def is_in(self, state: Mapping[str, Any]) -> bool:
        """Whether the session that handed it on has committed, as the state shows.

        Records never lower a position; positions without records are choices and may.
        """
        if self.batches:
            return all(state.get(key, -1) >= offset for key, offset in self.positions.items())
        return all(state.get(key) == offset for key, offset in self.positions.items())

    def positions_in(self, state: Mapping[str, Any]) -> dict[str, int]:
        """The positions that the session has to store."""
        if not self.batches:
            return dict(self.positions)
        return {key: max(offset, state.get(key, 0)) for key, offset in self.positions.items()}


class Handover:
    """Shared by all members and triggers of one ConsumeKafka. Both loops call it."""

    def __init__(
        self,
        members: int,
        state: Callable[[], Mapping[str, Any]],
        durable: dict[str, int],
    ) -> None:
        self.durable = durable
        self.stopping = False
        self._state = state
        self._engine = asyncio.get_running_loop()
        self._io: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._slots: list[deque[Fetched]] = [deque() for _ in range(members)]
        self._read: list[frozenset[str]] = [frozenset()] * members
        self._taken: Fetched | None = None
        self._turn = 0
        self._ready = asyncio.Event()
        self._room = [asyncio.Event() for _ in range(members)]
        self._news = [asyncio.Event() for _ in range(members)]
        self._stop = asyncio.Event()

    # -- on the engine's loop ------------------------------------------------------------------

    async def wait(self, seconds: float) -> None:
        """Return when something can be taken, or after a while."""
        if self._ready.is_set():
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ready.wait()

    def take(self) -> Fetched | None:
        """The next fetch, of each member in turn; again what a roll-back gave back (rule 2)."""
        with self._lock:
            again, self._taken = self._taken, None
            if again is not None and not again.is_in(self._state()):
                self._taken = again
                return again
            for _ in self._slots:
                self._turn = (self._turn + 1) % len(self._slots)
                if slot := self._slots[self._turn]:
                    self._taken = slot.popleft()
                    self._tell_io(self._room[self._turn].set)
                    return self._taken
            self._ready.clear()
        return None

    def is_read(self, member: int, key: str) -> bool:
        """Whether all of a partition was fetched and taken, as far as its member knows."""
        return key in self._read[member] and not self._slots[member]

    def acknowledge(self, positions: Mapping[str, int]) -> None:
        """A session is on disk: these offsets may be committed."""

        def there() -> None:
            self.durable.update(positions)
            for news in self._news:
                news.set()

        self._tell_io(there)

    def stop(self) -> None:
        """Let all members settle, commit and leave."""
        self.stopping = True
        self._tell_io(self._stop.set)

    def _tell_io(self, what: Callable[[], None]) -> None:
        if self._io is not None:
            with suppress(RuntimeError):  # the loop has ended: nobody is left to hear it
                self._io.call_soon_threadsafe(what)

    # -- on the I/O loop -----------------------------------------------------------------------

    def attach(self) -> None:
        """The members start: this is their loop."""
        self._io = asyncio.get_running_loop()
        if self.stopping:
            self._stop.set()

    async def stopped(self) -> None:
        """Return when the processor stops."""
        await self._stop.wait()

    def offer(self, fetched: Fetched) -> None:
        """Hand something over. The caller has looked for room, except for mere positions."""
        with self._lock:
            self._slots[fetched.member].append(fetched)
        with suppress(RuntimeError):
            self._engine.call_soon_threadsafe(self._ready.set)

    def tell_read(self, member: int, keys: Iterable[str] = ()) -> None:
        """These partitions were fetched to their ends; of the others that is not known."""
        self._read[member] = frozenset(keys)

    def has_room(self, member: int) -> bool:
        """Whether the member may fetch more."""
        return len(self._slots[member]) < DEPTH

    def is_empty(self, member: int) -> bool:
        """Whether everything that the member offered was taken."""
        return not self._slots[member]

    async def wait_for_room(self, member: int, seconds: float) -> bool:
        """Whether there is room, after waiting for it at most so long."""
        room = self._room[member]
        if not self.has_room(member):
            room.clear()
            if not self.has_room(member):
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await room.wait()
        return self.has_room(member)

    async def wait_for_news(self, member: int) -> None:
        """Return when ``durable`` has changed since the last call."""
        await self._news[member].wait()
        self._news[member].clear()

    def stored(self, key: str) -> int | None:
        """The next offset of a partition as the flow has stored it."""
        offset: int | None = self._state().get(key)
        return offset

    async def withdraw(self, member: int, seconds: float) -> None:
        """Take back what nobody took; what a trigger took is committed or not when this returns.

        Only an engine that is held up for longer than ``seconds`` leaves that open.
        """
        with self._lock:
            self._slots[member].clear()
            taken = self._taken
        self._room[member].set()
        if taken is None or taken.member != member or taken.is_in(self._state()):
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._step_of_engine()
        with self._lock:
            if self._taken is taken:
                self._taken = None

    async def _step_of_engine(self) -> None:
        """Return when the engine's loop has finished the step it is in (rule 1)."""
        done = asyncio.Event()
        with suppress(RuntimeError):
            self._engine.call_soon_threadsafe(lambda: self._tell_io(done.set))
            await done.wait()
