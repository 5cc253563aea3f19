"""Processes of the demo: each in a session of its own, with its output in a file, ended by us."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from processors.kafka.broker.process import spawn
from processors.kafka.demo.interruption import Interruption

PATIENCE = 20.0  # s between SIGTERM and SIGKILL
LAST_WORDS = 2000


class Child:
    """A command of flowengine that runs."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.process = process
        self.log = log

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self.process.poll()

    def said(self) -> str:
        """The end of its output."""
        text = self.log.read_text(encoding="utf-8", errors="replace")[-LAST_WORDS:]
        return f"{self.log.name}:\n{text}"

    def end(self) -> None:
        """SIGTERM, and SIGKILL when that does not help."""
        if self.code is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def child(
    name: str,
    *arguments: str,
    folder: Path,
    interruption: Interruption,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Child]:
    """``flowengine`` with these arguments, while the block lasts.

    It is told to end (SIGTERM) also when this process dies, where the system can do that (Linux).
    """
    log = folder / f"{name}.log"
    log.unlink(missing_ok=True)
    found: Child | None = None
    try:
        with interruption.starting():
            process = spawn(
                [sys.executable, "-m", "flowengine", *arguments],
                directory=folder,
                output=log,
                dies_with_parent=True,
                death_signal=signal.SIGTERM,
                environment=environment,
            )
            found = Child(name, process, log)
        yield found
    finally:
        if found is not None:
            with interruption.ending():
                found.end()
