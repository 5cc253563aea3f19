"""The one tree of errors, grouped by what the reader should do.

::

    FlowEngineError
    ├── DefinitionError        edit the flow definition (exit code 1)
    │   ├── ExpressionError    an expression has no parse, or no value for one FlowFile
    │   └── PropertyError      a property value breaks the rule of its type
    ├── EnvironmentFault       repair what surrounds the flow: disk, broker (exit code 2)
    │   ├── RepositoryError    the data directory cannot be used
    │   └── LockedError        another runner owns the data directory
    ├── RetryableError         known and passing: roll back and penalize what was polled
    ├── StateConflict          two tasks changed one value: the later one starts over
    ├── YieldError             the world is not ready: roll back and yield the processor
    └── ProcessorBug           a processor broke the session's contract: report it

Every message has the form ``<component> <subject> must <rule>; got <value>`` and a remedy.
"""

from __future__ import annotations

import traceback


class FlowEngineError(Exception):
    """Base of all errors that this project raises on purpose."""


class DefinitionError(FlowEngineError):
    """The flow definition must be edited."""


class ExpressionError(DefinitionError):
    """An expression that cannot be parsed, or that has no value for one FlowFile."""


class PropertyError(DefinitionError):
    """A property value that breaks the rule of its type."""


class EnvironmentFault(FlowEngineError):
    """Something around the flow (disk, broker, permission) must be repaired."""


class RepositoryError(EnvironmentFault):
    """The data directory is damaged, foreign, newer than this program, or out of room."""


class MoveToThread(BaseException):
    """A trigger on the engine's loop met content in files: it starts over on a thread (E3).

    No Exception, since no processor may take it for a fault of its own.
    """


class LockedError(EnvironmentFault):
    """Another living runner owns the data directory."""


class RetryableError(FlowEngineError):
    """A passing failure of the whole trigger: roll back and penalize what was polled."""


class StateConflict(FlowEngineError):
    """Another task of the processor has changed a value that this session read and changes: it
    starts over, which nobody needs to hear of."""


class YieldError(FlowEngineError):
    """The world is not ready: roll back and do not trigger this processor for a while.

    ``duration`` is in microseconds; None takes the processor's yield duration.
    """

    def __init__(self, message: str, duration: int | None = None) -> None:
        super().__init__(message)
        self.duration = duration


class ProcessorBug(FlowEngineError):
    """A processor broke the session's contract, such as leaving a FlowFile behind."""


def described(who: str, error: BaseException) -> str:
    """The message of an error; one that nobody raised on purpose is shown with its traceback."""
    if isinstance(error, FlowEngineError):
        return str(error)
    text = "".join(traceback.format_exception(error)).strip()
    return f"{who} must not raise; got {type(error).__name__}: {error}\n{text}"
