"""All flows that run, or should: at most one runner each, found again after a restart.

Each flow that was ever started has one :class:`~web.runner.Supervised` with one task. That a flow
is not started twice is guaranteed below us by the lock of its data directory (E17).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from flowengine.errors import EnvironmentFault
from web.config import ServerConfig
from web.flowfiles import FlowFiles
from web.problems import Problem
from web.runner import Command, Listener, Supervised
from web.store import Store

GOODBYE = 60.0  # s that a shutdown waits for flows


class Supervisor:
    """Starts, stops and adopts the runners of flows."""

    def __init__(
        self, config: ServerConfig, store: Store, files: FlowFiles, listener: Listener
    ) -> None:
        self._config = config
        self._store = store
        self._files = files
        self._listener = listener
        self._flows: dict[str, Supervised] = {}
        self._group: asyncio.TaskGroup | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Adopt and start what should run; at the end stop or leave it, as configured."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._resume()
            try:
                yield
            finally:
                await self._end()

    def _resume(self) -> None:
        wanted = set(self._store.wanted())
        for id in sorted({*self._store.known(), *self._files.ids()}):
            try:
                flow = self.flow(id)
                command = self._command(id, once=id not in wanted)
            except (Problem, EnvironmentFault):
                continue  # its file is gone
            if not flow.adopt(command) and id in wanted:
                flow.start(command)

    async def _end(self) -> None:
        """Flows stop all at the same time; that they ran is remembered."""
        if not self._config.keep_flows:
            for flow in self._flows.values():
                if flow.active:
                    flow.stop(remember=False)
            async with asyncio.TaskGroup() as group:
                for flow in self._flows.values():
                    if flow.active:
                        group.create_task(flow.settled(GOODBYE))
        for flow in self._flows.values():
            flow.leave()

    # -- what routes ask -----------------------------------------------------------------------

    def flow(self, id: str) -> Supervised:
        """The supervised flow of an id."""
        found = self._flows.get(id)
        if found is None:
            assert self._group is not None
            found = Supervised(id, self._config.data_dir(id), self._store, self._listener)
            self._flows[id] = found
            self._group.create_task(found.serve(), name=f"flow {id}")
        return found

    def active(self) -> Iterator[Supervised]:
        """Flows with a process."""
        return (flow for flow in self._flows.values() if flow.active)

    def start(self, id: str, *, once: bool = False) -> Supervised:
        """Start the deployed definition of a flow; no effect while it runs."""
        flow = self.flow(id)
        if flow.state in ("stopped", "failed", "stopping"):
            flow.start(self._command(id, once=once))
        return flow

    def forget(self, id: str) -> None:
        """The flow is gone."""
        flow = self._flows.pop(id, None)
        if flow is not None:
            flow.leave()

    def _command(self, id: str, *, once: bool) -> Command:
        """The deployed definition, whatever the file has become; the file's for a stranger."""
        version = self._store.deployed(id)
        text = version.text if version is not None else self._files.read(id).text
        removed = str(self._store.fact(id, "removed") or "")
        file = self._files.deployed_path(id)
        folder, environment = self._config.data_dir(id), self._config.environment()
        return Command(text, file, folder, removed, once=once, environment=environment)
