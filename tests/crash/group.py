"""A second member of a consumer group, which joins and leaves and so causes rebalances."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from tests.crash.harness import PATIENCE, until


class Intruder:
    """Joins a group and leaves it, again and again, until the block ends. Reads nothing.

    stay: seconds in the group, and then out of it; None joins once and stays
    """

    def __init__(
        self, bootstrap: str, topic: str, group: str, *, stay: float | None = None
    ) -> None:
        self._bootstrap, self._topic, self._group = bootstrap, topic, group
        self._stay = stay
        self._thread = threading.Thread(target=lambda: asyncio.run(self._haunt()))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._gone = asyncio.Event()
        self.visits = 0

    def __enter__(self) -> Intruder:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        until(lambda: self._loop is not None, "the intruder's loop")
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._gone.set)
        self._thread.join(PATIENCE)

    async def _haunt(self) -> None:
        self._loop = asyncio.get_running_loop()
        while not self._gone.is_set():
            await self._visit()
            self.visits += 1
            await self._rest()

    async def _visit(self) -> None:
        from aiokafka import AIOKafkaConsumer
        from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=self._group,
            enable_auto_commit=False,
            heartbeat_interval_ms=300,
            session_timeout_ms=6000,
            partition_assignment_strategy=(type("Assignor", (StickyPartitionAssignor,), {}),),
        )
        consumer.subscribe([self._topic])
        await consumer.start()
        try:
            await self._rest()
        finally:
            await consumer.stop()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self._stay):
                await self._gone.wait()
        except TimeoutError:
            return


@contextmanager
def joining(bootstrap: str, topic: str, group: str, ready: Callable[[], bool]) -> Iterator[None]:
    """Once ready, a second member joins and stays until the block ends."""
    until(ready, "the victim's partitions")
    with Intruder(bootstrap, topic, group):
        yield
