"""Bulletins about FlowFiles that a processor could not handle.

``session.fail`` writes the reason into the FlowFile's attributes, where the flow finds it; people
look at bulletins. One is posted per session and relationship, a few a second at most: with the
first reason, and how many shared the fate. Sources are left out: they say themselves what they
could not read, with its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from flowengine.bulletins import ComponentLog

if TYPE_CHECKING:
    from flowengine.commit import Work
    from flowengine.node import Core, Node

MOST: Final = 5  # bulletins of one processor in PERIOD
PERIOD: Final = 1_000_000  # µs


class Failure(NamedTuple):
    """One FlowFile that a session gave up."""

    id: int
    relationship: str
    reason: str


class Ration:
    """How many bulletins of a processor are left in this second."""

    def __init__(self) -> None:
        self._since = -PERIOD
        self._left = MOST

    def take(self, now: int) -> bool:
        """Whether one more may be posted at this monotonic time in µs."""
        if now - self._since >= PERIOD:
            self._since, self._left = now, MOST
        self._left -= 1
        return self._left >= 0


def report(work: Work, node: Node, core: Core) -> None:
    """Post what a committed session could not handle."""
    if node.is_source:
        return
    log = ComponentLog(core.board, node.id, node.flat.bulletin_level.value)
    for relationship in dict.fromkeys(failure.relationship for failure in work.failed):
        sent = {flowfile.id for flowfile in work.outputs.get(relationship, ())}
        of_this = [failure for failure in work.failed if failure.relationship == relationship]
        gone = [failure for failure in of_this if failure.id in sent]
        again = [failure for failure in of_this if failure.id not in sent]
        for failures, fate in ((gone, f"to {relationship!r}"), (again, "back, to be tried again")):
            if failures and node.ration.take(core.clock.monotonic()):
                log.warning(_text(failures, node, fate))


def _text(failures: list[Failure], node: Node, fate: str) -> str:
    reason, others = failures[0].reason, len(failures) - 1
    who = f"processor {node.id!r}"
    said = reason if reason.startswith(who) else f"{who} ({node.flat.type}): {reason}"
    if not others:
        return f"{said}. The FlowFile went {fate}"
    return f"{said}. The FlowFile and {others} more went {fate}"
