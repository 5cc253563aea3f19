"""Ctrl-C, SIGTERM and a closed terminal end the demo once, and never half-way through an end.

1. The first of these signals raises KeyboardInterrupt; later ones change nothing, since by then
   everything is being stopped, each step with a limit of its own.
2. While something is started or stopped (:meth:`Interruption.held`) it waits: a process whose start
   is interrupted would belong to nobody.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """Whether somebody wants the end."""

    def __init__(self) -> None:
        self._seen = False
        self._waits = False
        self._depth = 0

    @contextmanager
    def heeded(self) -> Iterator[Interruption]:
        """Take the signals while the block lasts."""
        before = {number: signal.signal(number, self._arrived) for number in SIGNALS}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        if self._seen:
            return
        self._seen = True
        if self._depth:
            self._waits = True
        else:
            raise KeyboardInterrupt

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let the block end before it is interrupted."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._waits and not self._depth:
                self._waits = False
                raise KeyboardInterrupt
