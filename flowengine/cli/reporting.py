"""How errors end a command: one message for people, the traceback for a file."""

from __future__ import annotations

import os
import tempfile
import traceback
from pathlib import Path
from types import TracebackType
from typing import TextIO

from flowengine.exit_codes import exit_code_of, is_ours, leaves


class Debugging:
    """What the options before a command, and the command itself, decide about tracebacks.

    shown: show them on the terminal
    file:  where that of an unexpected error goes; a file in the temporary directory when None
    """

    shown = False
    file: Path | None = None


class Reporting:
    """A context that turns whatever ends a command into a message and an exit code.

    It is an ``__exit__`` and no ``except``, since it handles nothing: the program ends.
    """

    def __init__(self, stream: TextIO) -> None:
        self.code = 0
        self._stream = stream

    def __enter__(self) -> Reporting:
        Debugging.shown, Debugging.file = False, None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if isinstance(error, SystemExit):
            self.code = error.code if isinstance(error.code, int) else int(error.code is not None)
        elif isinstance(error, BrokenPipeError):
            self._close_standard_output()
        elif error is not None:
            self.code = int(exit_code_of(error))
            self._report(error)
        return True

    def _report(self, error: BaseException) -> None:
        if isinstance(error, KeyboardInterrupt):
            print("interrupted", file=self._stream)
        elif Debugging.shown or _debug_setting():
            traceback.print_exception(error, file=self._stream)
        elif is_ours(error):
            for message in dict.fromkeys(_message(leaf) for leaf in leaves(error)):
                print(message, file=self._stream)
        else:
            print(self._unexpected(error), file=self._stream)

    def _unexpected(self, error: BaseException) -> str:
        file = Debugging.file or Path(tempfile.gettempdir()) / f"flowengine-{os.getpid()}.log"
        names = "; ".join(f"{type(leaf).__name__}: {leaf}" for leaf in leaves(error))
        return (
            f"error: flowengine must not fail like this; got {names}. This is a bug: please report "
            f"it with the traceback in {write_traceback(error, file)}"
        )

    def _close_standard_output(self) -> None:
        """Whoever read our output has gone: say nothing more, not even at exit."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        self.code = 0


def _message(error: BaseException) -> str:
    """One error of ours; findings stand alone, so that editors can jump to their places."""
    from flowengine.findings import FlowInvalid

    return str(error) if isinstance(error, FlowInvalid) else f"error: {error}"


def write_traceback(error: BaseException, file: Path) -> Path:
    """Append a traceback to a file, for a report; returns the file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as stream:
        traceback.print_exception(error, file=stream)
    return file


def _debug_setting() -> bool:
    from flowengine.config import read_settings
    from flowengine.errors import FlowEngineError

    try:
        return bool(read_settings()["debug"])
    except FlowEngineError:
        return False  # the error that is being reported may be this very one
