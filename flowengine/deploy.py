"""Bringing another definition over old queues, headless (E18)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flowengine.changeover import removed_connections
from flowengine.definition.flat import LoadedFlow
from flowengine.definition.load import Options, load_text
from flowengine.engine import Engine
from flowengine.errors import DefinitionError
from flowengine.findings import FlowInvalid
from flowengine.repository import Recovered, Repository


async def drain_removed(
    flow: LoadedFlow, repository: Callable[[], Repository], options: Options
) -> int:
    """Let the stored definition finish what waits in connections that ``flow`` no longer has.

    Its sources stay stopped. Returns how many FlowFiles were drained; 0 when there was nothing to
    do. Raises FlowInvalid when the stored definition cannot be loaded any more.
    """
    recovered = await _look(repository())
    gone = removed_connections(recovered, flow)
    if not gone:
        return 0
    old = _stored_flow(recovered, flow, options)
    sources = [name for name, flat in old.processors.items() if flat.cls.is_source()]
    engine = Engine(old, repository(), stopped=sources)
    async with engine.opened():
        queues = [engine.assembly.connections[name] for name in gone]
        await engine.run(until=lambda: not any(queue.count for queue in queues), drain_timeout=0)
    return sum(gone.values())


async def _look(repository: Repository) -> Recovered:
    recovered = repository.recover()
    await repository.close(completed=recovered.completed)
    return recovered


def _stored_flow(recovered: Recovered, flow: LoadedFlow, options: Options) -> LoadedFlow:
    if recovered.definition is None:
        raise DefinitionError(
            f"flow {flow.name!r} must have a stored definition to drain; got none. Choose "
            "--drop-removed to throw its old FlowFiles away"
        )
    base = flow.path.parent if flow.path is not None else Path.cwd()
    old, findings = load_text(recovered.definition, base, options, file="stored definition")
    if old is None:
        raise FlowInvalid(findings)
    return old
