"""What the command line answers to the shell, and which error means which answer."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from flowengine.errors import DefinitionError, FlowEngineError


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    DEFINITION = 1  # the flow, a setting or an argument must be edited
    RUNTIME = 2  # something around the flow must be repaired, or the command was misused
    QUEUED = 3  # stopped with FlowFiles in queues; the next run goes on with them
    INTERRUPTED = 130  # by a second Ctrl-C, or before a bounded run was complete


def exit_code_of(error: BaseException) -> ExitCode:
    """The answer for an error that ended a command."""
    if isinstance(error, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    found = list(leaves(error))
    if found and all(isinstance(leaf, DefinitionError) for leaf in found):
        return ExitCode.DEFINITION
    return ExitCode.RUNTIME


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors inside nested groups, as task groups raise them; else the error itself."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error


def is_ours(error: BaseException) -> bool:
    """Whether every error inside was raised on purpose, with a message for people."""
    return all(isinstance(leaf, FlowEngineError) for leaf in leaves(error))
