"""Live figures for any number of browsers: one hub, one poll a second per watched flow.

1. A runner is asked for its status once a second while somebody watches that flow, never more
   often, whatever the number of watchers; an event is encoded once for all of them.
2. A watcher gets a snapshot, then only the fields that changed. When a runner starts anew, or its
   definition is another one, it gets a snapshot again.
3. Nobody waits for anybody: a slow runner misses its turn, a slow watcher is dropped and comes
   back by itself to a new snapshot.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
import orjson

from flowengine.bulletins import Bulletin
from flowengine.status import FlowStatus
from web.problems import Problem
from web.supervisor import Supervisor

PERIOD = 1.0  # s
QUEUE = 64  # events that may wait for one watcher
END = b""

Json = dict[str, Any]


class Watcher:
    """One browser's stream. ``flow`` None gets states of all flows only."""

    def __init__(self, flow: str | None) -> None:
        self.flow = flow
        self.queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUE)
        self.dropped = False

    def put(self, event: bytes) -> None:
        """Hand over an event, or give up on a watcher that takes none."""
        try:
            self.queue.put_nowait(event)
        except asyncio.QueueFull:
            self.dropped = True


class Watched:
    """What all watchers of one flow have been told."""

    def __init__(self) -> None:
        self.status: Json | None = None
        self.identity: tuple[int, str] | None = None
        self.bulletins: dict[str, tuple[int, int]] = {}


class Hub:
    """Tells watchers what happens."""

    def __init__(self) -> None:
        self.supervisor: Supervisor | None = None
        self._watchers: set[Watcher] = set()
        self._flows: dict[str, Watched] = {}
        self._asked: set[str] = set()
        self._closed = False

    @contextmanager
    def watching(self, flow: str | None) -> Iterator[Watcher]:
        """A watcher for the time of the block."""
        watcher = Watcher(flow)
        self._watchers.add(watcher)
        if self._closed:
            watcher.put(END)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)
            if flow is not None and not any(w.flow == flow for w in self._watchers):
                self._flows.pop(flow, None)

    def close(self) -> None:
        """End all streams."""
        self._closed = True
        for watcher in self._watchers:
            watcher.put(END)

    def tell(self, kind: str, value: Any, flow: str | None = None) -> None:
        """Send an event to the watchers of a flow, or to all."""
        data: bytes | None = None
        for watcher in self._watchers:
            if flow is None or watcher.flow == flow:
                data = data or encoded(kind, value)
                watcher.put(data)

    def bulletin(self, flow: str, bulletin: Bulletin) -> None:
        """Send a bulletin of the server's own."""
        self.tell("bulletin", {"flow": flow, **msgspec.structs.asdict(bulletin)}, flow)

    def current(self, flow: str) -> Json | None:
        """The last status of a flow, as it was told to its watchers."""
        watched = self._flows.get(flow)
        return watched.status if watched else None

    # -- polling -------------------------------------------------------------------------------

    async def serve(self) -> None:
        """Poll once a second, for ever."""
        async with asyncio.TaskGroup() as group:
            while True:
                watched = {w.flow for w in self._watchers if w.flow is not None}
                for flow in watched - self._asked:
                    group.create_task(self._turn(flow))
                await asyncio.sleep(PERIOD)

    async def _turn(self, flow: str) -> None:
        self._asked.add(flow)
        try:
            await self._poll(flow)
        finally:
            self._asked.discard(flow)

    async def first(self, flow: str) -> bytes:
        """What a new watcher of a flow is told at once."""
        status = self.current(flow)
        if status is None:
            await self._poll(flow)
            if self.current(flow) is not None:
                return b""  # the poll has told it
        return encoded("snapshot", self._snapshot(flow, status))

    def _snapshot(self, flow: str, status: Json | None) -> Json:
        """The whole state; why there is no status is the ``reason``."""
        assert self.supervisor is not None
        supervised = self.supervisor.flow(flow)
        shown = {"state": supervised.state, "reason": supervised.reason}
        return {"flow": flow, **shown, "status": status}

    async def _poll(self, flow: str) -> None:
        assert self.supervisor is not None
        supervised = self.supervisor.flow(flow)
        watched = self._flows.setdefault(flow, Watched())
        if supervised.state not in ("running", "stopping"):
            watched.status = watched.identity = None
            return
        try:
            status = await supervised.client.status()
        except Problem:
            return  # it is slow, or just ending: the supervisor says so
        self._advance(flow, watched, status)

    def _advance(self, flow: str, watched: Watched, status: FlowStatus) -> None:
        new, old = full(status), watched.status
        identity = (status.started_at, status.revision)
        if old is None or watched.identity != identity:
            self.tell("snapshot", self._snapshot(flow, new), flow)
        else:
            change = delta(old, new)
            if change:
                self.tell("status", {"flow": flow, **change}, flow)
        self._tell_bulletins(flow, watched, status, quiet=old is None)
        watched.status, watched.identity = new, identity

    def _tell_bulletins(
        self, flow: str, watched: Watched, status: FlowStatus, *, quiet: bool
    ) -> None:
        for id, processor in status.processors.items():
            bulletin = processor.bulletin
            if bulletin is None:
                continue
            seen = (bulletin.id, bulletin.count)
            if watched.bulletins.get(id) != seen and not quiet:
                self.bulletin(flow, bulletin)
            watched.bulletins[id] = seen


def encoded(kind: str, value: Any) -> bytes:
    """One server-sent event."""
    data = orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), data)


def full(status: FlowStatus) -> Json:
    """A status with every field, also those at their default: a delta must be able to go back."""
    return {name: _plain(getattr(status, name)) for name in status.__struct_fields__}


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def delta(old: Json, new: Json) -> Json:
    """The fields that changed, of the flow and of each component."""
    found: Json = {}
    for part in ("processors", "connections"):
        changed = {
            id: fields
            for id, now in new[part].items()
            if (fields := _changed(old[part].get(id, {}), now))
        }
        if changed:
            found[part] = changed
    own = _changed(old, new)
    for part in ("processors", "connections"):
        own.pop(part, None)
    return found | ({"status": own} if own else {})


def _changed(old: Json, new: Json) -> Json:
    return {key: value for key, value in new.items() if key not in old or old[key] != value}
