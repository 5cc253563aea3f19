"""What a start with another definition would lose of old queues and states (E18).

That is FlowFiles of connections that are gone (``removed_connections``), and (``lost_states``) open
windows of processors that are gone or of another type, and the position of a source that was
renamed. All of it needs a choice. Windows of other settings ask for theirs by themselves
(``saved_windows``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from flowengine.definition.deploy import Change, ChangeKind, Keeps, compare, keeps_of
from flowengine.definition.flat import LoadedFlow
from flowengine.errors import DefinitionError
from flowengine.repository import Recovered, Repository
from flowengine.watermarks import CLOCK_TIMER, EVENT_TIMER, HOLD

_OPEN = (HOLD, EVENT_TIMER, CLOCK_TIMER)


def removed_connections(recovered: Recovered, flow: LoadedFlow) -> dict[str, int]:
    """Connections that hold FlowFiles and that a flow no longer has, with how many."""
    present = {connection.id for connection in flow.connections}
    held = recovered.connections
    return {name: count for name, count in held.items() if count and name not in present}


def lost_states(
    before: str, states: Callable[[str], Collection[str]], flow: LoadedFlow
) -> dict[str, str]:
    """Processors whose state a flow can no longer use, each with what happened to it.

    before: snapshot of the flow that made the states
    states: the names in the state of a processor
    """
    found = {}
    for change in compare(before, flow):
        keeps = keeps_of(before, change.component)
        text = _loss(change, keeps, states(change.component)) if keeps else ""
        if text:
            found[change.component] = text
    return found


def _loss(change: Change, keeps: Keeps, names: Collection[str]) -> str:
    if keeps is Keeps.POSITION and change.kind is ChangeKind.PROCESSOR_RENAMED and names:
        return f"{change.component!r} is {change.successor!r} now, without its position"
    if keeps is not Keeps.WINDOWS or not any(name in names for name in _OPEN):
        return ""
    if change.kind is ChangeKind.PROCESSOR_RENAMED:
        return f"{change.component!r} is {change.successor!r} now, without its open windows"
    if change.kind is ChangeKind.PROCESSOR_REMOVED:
        return f"{change.component!r} is gone with its open windows"
    if change.kind is ChangeKind.TYPE_CHANGED:
        return f"{change.component!r} is of another type, without its open windows"
    return ""


def lost_at_start(recovered: Recovered, flow: LoadedFlow) -> dict[str, str]:
    """As ``lost_states``, for what a start has found. A run that completed holds nothing."""
    if recovered.snapshot is None or recovered.completed:
        return {}

    def names(processor: str) -> Collection[str]:
        return {key for owner, key in recovered.state if owner == processor}

    return lost_states(recovered.snapshot, names, flow)


def lost_message(flow: LoadedFlow, lost: Mapping[str, str]) -> str:
    """What a person reads who has to choose."""
    return (
        f"flow {flow.name!r} must keep the processors whose state it needs; got a definition in "
        f"which {', '.join(lost.values())}. Take the old ids back, or choose to drop what is lost"
    )


def refuse_losses(recovered: Recovered, flow: LoadedFlow) -> None:
    """Raise DefinitionError with everything that the flow would lose."""
    gone = removed_connections(recovered, flow)
    if gone:
        listed = ", ".join(f"{name} ({count})" for name, count in sorted(gone.items()))
        raise DefinitionError(
            f"flow {flow.name!r} must keep the connections that hold FlowFiles; got a "
            f"definition without {listed}. Choose --drain-removed to let the old definition finish "
            "them first, or --drop-removed to throw them away"
        )
    lost = lost_at_start(recovered, flow)
    if lost:
        raise DefinitionError(f"{lost_message(flow, lost)}: --drop-removed")


def forget_losses(recovered: Recovered, flow: LoadedFlow, repository: Repository) -> int:
    """Throw all of it away; returns how many FlowFiles that were."""
    for processor in lost_at_start(recovered, flow):
        for key in [key for owner, key in recovered.state if owner == processor]:
            repository.set_state(processor, key, None)
            del recovered.state[processor, key]
        for key in repository.open_state(processor):
            repository.set_state(processor, key, None)
    return repository.forget(removed_connections(recovered, flow))
