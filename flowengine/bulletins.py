"""Bulletins: what a person should know about a running flow now.

Kept in memory, five per component for five minutes, as NiFi does; everything is also logged. The
same message from the same component is shown once with a count, so that an error in a loop does
not push out the others; it is logged again at most once a second, with its count.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec
import structlog

from flowengine.clock import Clock

PER_COMPONENT = 5
KEPT = 300_000_000
LOG_AGAIN = 1_000_000  # µs
LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40, "none": 100}


class Bulletin(msgspec.Struct):
    """One message. ``time`` is wall time in µs; ``count`` is how often it came in a row."""

    id: int
    time: int
    component: str
    level: str
    message: str
    count: int = 1


class BulletinBoard:
    """Collects bulletins of all components and hands each to the log."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_component: dict[str, deque[Bulletin]] = {}
        self._next = 0
        self._logged: dict[str, int] = {}  # component → when its last bulletin was logged
        self._log = structlog.get_logger("flowengine")
        self.listeners: list[Callable[[Bulletin], None]] = []

    def post(self, component: str, level: str, message: str, *, shown: bool = True) -> None:
        """Log a message and, when ``shown``, keep it as a bulletin. Callable from any thread."""
        kept = self._by_component.setdefault(component, deque(maxlen=PER_COMPONENT))
        if shown and kept and kept[-1].message == message and kept[-1].level == level:
            self._repeat(kept[-1])
            return
        self._log.log(LEVELS[level], message, component=component)
        if not shown:
            return
        self._next += 1
        bulletin = Bulletin(self._next, self._clock.wall(), component, level, message)
        self._logged[component] = bulletin.time
        kept.append(bulletin)
        for listener in self.listeners:
            listener(bulletin)

    def _repeat(self, last: Bulletin) -> None:
        """Count a message that came again, and log it unless that was done within the second."""
        last.count += 1
        last.time = self._clock.wall()
        if abs(last.time - self._logged[last.component]) >= LOG_AGAIN:
            self._logged[last.component] = last.time
            level = LEVELS[last.level]
            self._log.log(level, last.message, component=last.component, times=last.count)

    def list(self, component: str | None = None) -> list[Bulletin]:
        """Bulletins of the last five minutes, oldest first."""
        oldest = self._clock.wall() - KEPT
        chosen = [component] if component is not None else list(self._by_component)
        found = [
            bulletin
            for name in chosen
            for bulletin in list(self._by_component.get(name, ()))
            if bulletin.time >= oldest
        ]
        return sorted(found, key=lambda bulletin: bulletin.id)


class ComponentLog:
    """Messages of one component: all are logged, those at its bulletin level are shown."""

    def __init__(self, board: BulletinBoard, component: str, level: str = "warning") -> None:
        self._board = board
        self.component = component
        self.level = level

    def _post(self, level: str, message: str) -> None:
        shown = LEVELS[level] >= LEVELS[self.level]
        self._board.post(self.component, level, message, shown=shown)

    def debug(self, message: str) -> None:
        self._post("debug", message)

    def info(self, message: str) -> None:
        self._post("info", message)

    def warning(self, message: str) -> None:
        self._post("warning", message)

    def error(self, message: str) -> None:
        self._post("error", message)
