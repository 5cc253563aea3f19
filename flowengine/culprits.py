"""Finding the FlowFile that a processor cannot take, and letting the rest pass (E5)."""

from __future__ import annotations

import msgspec

from flowengine.bulletins import ComponentLog
from flowengine.errors import ProcessorBug, described
from flowengine.node import Node
from flowengine.session import ProcessSession

ADMINISTRATIVE_YIELD = 30_000_000  # µs


def isolate(node: Node, session: ProcessSession, error: Exception, log: ComponentLog) -> None:
    """Halve the batch until the culprit stands alone, then let it wait or fail."""
    taken = session.taken
    if taken > 1:
        node.limit = taken // 2
        log.debug(f"isolating the cause of {error!r}: batches of {node.limit}")
        return
    log.error(described(f"processor {node.id!r} ({node.flat.type})", error))
    node.failures += 1
    if taken and _may_fail(node, error):
        _to_failure(session, error)
    elif taken:
        penalize(node, session)
    if not taken or node.failures >= 3:
        node.yield_for(min(ADMINISTRATIVE_YIELD, 100_000 << min(node.failures, 20)))


def _may_fail(node: Node, error: Exception) -> bool:
    """Whether a culprit can be sent to ``failure``: declared, and not the code's own fault."""
    return "failure" in node.flat.relationships and not isinstance(error, ProcessorBug)


def _to_failure(failed: ProcessSession, error: Exception) -> None:
    """Send the culprit to ``failure``."""
    taken, session = failed.taken, failed.again()
    for culprit in session.get_batch(taken):
        session.fail(culprit, error)
    session.work.failed.clear()  # the error itself is a bulletin, with its traceback
    session.commit()


def penalize(node: Node, failed: ProcessSession) -> None:
    """Let what the failed session was given wait for the penalty duration."""
    taken, session = failed.taken, failed.again()
    if not taken:
        node.yield_for(node.flat.yield_us)
        return
    until = session.now + node.flat.penalty_us
    session.keep(
        [
            msgspec.structs.replace(f, penalty_until=until, attempts=f.attempts + 1)
            for f in session.get_batch(taken)
        ]
    )
    session.commit()
