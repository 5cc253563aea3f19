"""The command line: ``flowengine``.

Every group of commands is a module of its own that is imported when one of its commands is used,
so that starting a flow does not pay for the rest.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Sequence
from typing import NoReturn

WORKER = "worker"  # how the names of the engine's worker threads begin
GRACE = 0.5  # s that idle worker threads have to end


def main() -> NoReturn:
    """The console script: run one command and exit with its code."""
    leave(run_command())


def leave(code: int) -> NoReturn:
    """Exit, also when a processor never gives its worker thread back.

    Python would wait for that thread for ever. By now its session is rolled back and the data
    directory closed, so nothing is lost when the process ends without it (E24).
    """
    if _workers_end(time.monotonic() + GRACE):
        sys.exit(code)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _workers_end(deadline: float) -> bool:
    """Wait for worker threads until a monotonic time; whether all of them ended."""
    for thread in threading.enumerate():
        if thread.name.startswith(WORKER):
            thread.join(max(0.0, deadline - time.monotonic()))
    return not any(thread.name.startswith(WORKER) for thread in threading.enumerate())


def run_command(arguments: Sequence[str] | None = None) -> int:
    """Run one command, by default that of the process; returns its exit code."""
    from flowengine.cli.application import application
    from flowengine.cli.reporting import Reporting

    reporting = Reporting(sys.stderr)
    with reporting:
        # Click ends by SystemExit, also on success; Reporting takes its code.
        application()(args=arguments, prog_name="flowengine")
    return reporting.code
