"""The command line: ``flowengine``.

Every group of commands is a module of its own that is imported when one of its commands is used,
so that starting a flow does not pay for the rest.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn


def main() -> NoReturn:
    """The console script: run one command and exit with its code."""
    sys.exit(run_command())


def run_command(arguments: Sequence[str] | None = None) -> int:
    """Run one command, by default that of the process; returns its exit code."""
    from flowengine.cli.application import application
    from flowengine.cli.reporting import Reporting

    reporting = Reporting(sys.stderr)
    with reporting:
        # Click ends by SystemExit, also on success; Reporting takes its code.
        application()(args=arguments, prog_name="flowengine")
    return reporting.code
