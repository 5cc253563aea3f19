"""What a person may do to the data directory of a stopped flow: forget queues, states, positions.

Everything happens under the directory's lock (E17), in one transaction of the store.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from flowengine.content import ContentStore
from flowengine.definition.flat import FlatProcessor, LoadedFlow
from flowengine.errors import DefinitionError, EnvironmentFault
from flowengine.processor import ControllerService
from flowengine.repository.lock import DirectoryLock
from flowengine.repository.store import Cut, Store

STORE: Final = "flow.db"
CONTENT: Final = "content"
EARLIEST: Final = "earliest"
LATEST: Final = "latest"

Target: TypeAlias = str | int
"""``earliest``, ``latest``, or a time in µs since the Unix epoch."""

ResetPositions: TypeAlias = Callable[
    [Any, Mapping[str, ControllerService], Target], Awaitable[Mapping[str, Any]]
]
"""``async classmethod reset_positions(properties, services, to)`` of a source that has positions.

properties: the processor's own; services: controller services of the flow by id, not enabled
Returns state key → new value, None to forget it; also changes what the world keeps for it, such as
the offsets that a consumer group has committed.
"""


class Forgotten(msgspec.Struct, frozen=True):
    """What a reset did."""

    flowfiles: int = 0
    states: int = 0
    positions: int = 0


@contextmanager
def stopped_store(directory: Path) -> Iterator[Store]:
    """The store of a data directory that no runner uses.

    Raises EnvironmentFault when there is none, LockedError when a runner owns it.
    """
    if not (directory / STORE).is_file():
        raise EnvironmentFault(
            f"data directory {str(directory)!r} must hold a store; got none; the flow has not run "
            "there yet"
        )
    lock = DirectoryLock(directory)
    lock.acquire()
    try:
        store = Store(directory / STORE)
        store.prepare()
        try:
            yield store
        finally:
            store.checkpoint(whole=True)
            store.close()
    finally:
        lock.release()


def forget_queues(store: Store) -> int:
    """Throw away every queued FlowFile; the ledger counts them as dropped. Returns how many."""
    rows = list(store.rows())
    dead = sum(stop - start for row in rows for start, stop in row.dead)
    count = sum(row.count for row in rows) - dead
    ledger = dict(store.meta().get("ledger", {}))
    ledger["dropped"] = ledger.get("dropped", 0) + count
    store.write(Cut(gone=[row.id for row in rows], meta={"ledger": ledger}))
    contents = ContentStore(store.path.parent / CONTENT)
    for name in contents.names():  # after the transaction that dropped the last reference (E16)
        contents.unlink(name)
    return count


def forget_states(store: Store) -> int:
    """Forget the state of every processor, positions of sources too. Returns how many keys."""
    keys = store.state_keys()
    store.write(Cut(state=dict.fromkeys(keys)))
    return len(keys)


async def reset_positions(store: Store, flow: LoadedFlow, to: Target) -> int:
    """Set the positions of all sources that can be set. Returns how many positions changed.

    Raises DefinitionError when no processor of the flow has positions, and what the processors
    raise when their world cannot be reached. The store changes only when all of them succeeded.
    """
    services = {id: flat.cls(flat.properties) for id, flat in flow.services.items()}
    changes: dict[tuple[str, str], Any] = {}
    for flat, hook in _positioned(flow):
        found = await hook(flat.properties, services, to)
        changes |= {(flat.id, key): value for key, value in found.items()}
    store.write(Cut(state=changes))
    return len(changes)


def _positioned(flow: LoadedFlow) -> Iterable[tuple[FlatProcessor, ResetPositions]]:
    hooks = [
        (flat, hook)
        for flat in flow.processors.values()
        if (hook := getattr(flat.cls, "reset_positions", None)) is not None
    ]
    if not hooks:
        raise DefinitionError(
            f"flow {flow.name!r} must have a processor whose position can be set, such as "
            "ConsumeKafka; got none; to read files again, reset its state instead"
        )
    return hooks


def parse_target(text: str) -> Target:
    """``earliest``, ``latest`` or a time such as ``2025-01-31T12:00``; without a zone it is local.

    Raises DefinitionError for anything else.
    """
    if text.lower() in (EARLIEST, LATEST):
        return text.lower()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise DefinitionError(
            "option '--offsets' must be 'earliest', 'latest' or a time such as "
            f"'2025-01-31T12:00'; got {text!r}"
        ) from None
    local = moment if moment.tzinfo else moment.astimezone()
    since = local.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * 86_400_000_000 + since.seconds * 1_000_000 + since.microseconds
