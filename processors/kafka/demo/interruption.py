"""Ctrl-C, SIGTERM and a closed terminal end the demo, and never half-way through a step.

1. Such a signal raises KeyboardInterrupt, except in a step (:meth:`Interruption.starting`,
   :meth:`Interruption.ending`): then at its end. A process whose start is interrupted would belong
   to nobody, one whose end is interrupted would stay.
2. Nothing is started any more once a signal came, also if a library swallowed the exception.
3. Steps that end something are not disturbed by further signals; each has a limit of its own.
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
        self._steps = 0

    @contextmanager
    def heeded(self, *, last: bool = False) -> Iterator[Interruption]:
        """Take the signals while the block lasts.

        last: the process ends with the block, so that after a signal further ones change nothing
        """
        before = {number: signal.signal(number, self._arrived) for number in SIGNALS}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, signal.SIG_IGN if last and self._seen else handler)

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        self._seen = True
        if not self._steps:
            raise KeyboardInterrupt

    def check(self) -> None:
        """Raise KeyboardInterrupt once a signal came."""
        if self._seen:
            raise KeyboardInterrupt

    @contextmanager
    def starting(self) -> Iterator[None]:
        """A step that starts something: not at all once a signal came, else to its end."""
        self.check()
        with self._step():
            yield
        self.check()

    @contextmanager
    def ending(self) -> Iterator[None]:
        """A step that ends something; a signal that came only now is raised after it."""
        before = self._seen
        with self._step():
            yield
        if not before:
            self.check()

    @contextmanager
    def _step(self) -> Iterator[None]:
        self._steps += 1
        try:
            yield
        finally:
            self._steps -= 1
