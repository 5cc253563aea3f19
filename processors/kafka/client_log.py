"""What aiokafka logs, translated: quiet about what is normal, plain words for what is not.

aiokafka logs each rebalance and each reconnection as a warning. Here its records go to the log of
the component whose task wrote them, found by a context variable that tasks inherit.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, Literal, Protocol, TypeAlias

Level: TypeAlias = Literal["debug", "info", "warning", "error"]

# The first pattern that matches decides. ``{0}`` is what aiokafka wrote.
_RULES: Final[tuple[tuple[str, Level, str], ...]] = (
    ("is rebalancing|Re-?joining|rejoin|Revoking|Setting newly", "debug", "{0}"),
    ("member_id was not recognized|generation id is not", "debug", "{0}"),
    ("CoordinatorNotAvailable|NotCoordinator|LoadInProgress", "debug", "{0}"),
    ("Topic .* not (available|found)|LeaderNotAvailable", "debug", "{0}"),
    (
        "Unable connect|Unable to request metadata|Unable to update metadata|Failed fetch|"
        "Error sending|Heartbeat send request|Got error produce response|Cannot send|"
        "Could not send|Marking the coordinator dead",
        "info",
        "kafka must answer; got: {0}. The client tries again by itself",
    ),
    ("Heartbeat session expired", "warning", "kafka group lost this member; it joins again"),
    ("Not authorized", "warning", "kafka must allow this; got: {0}"),
)
TRANSLATIONS: Final = tuple((re.compile(rule), level, text) for rule, level, text in _RULES)


class Log(Protocol):
    """The four levels of a component's log."""

    def debug(self, message: str) -> None: ...
    def info(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...


_current: ContextVar[Log | None] = ContextVar("kafka_component_log", default=None)


@contextmanager
def logging_to(log: Log) -> Iterator[None]:
    """Let what aiokafka logs in this task, and in tasks born from it, go to a component's log."""
    _install()
    token = _current.set(log)
    try:
        yield
    finally:
        _current.reset(token)


def translate(message: str, level: int) -> tuple[Level, str]:
    """The level and the words under which a person should see a record of aiokafka."""
    for pattern, translated, text in TRANSLATIONS:
        if pattern.search(message):
            return translated, text.format(message)
    if level >= logging.ERROR:
        return "warning", f"kafka client: {message}"
    return "debug", f"kafka client: {message}"


class _Handler(logging.Handler):
    """Hands each record to the log of the component that it belongs to."""

    def emit(self, record: logging.LogRecord) -> None:
        log = _current.get()
        if log is None:
            return
        level, text = translate(record.getMessage(), record.levelno)
        getattr(log, level)(text)


def _install() -> None:
    logger = logging.getLogger("aiokafka")
    if any(isinstance(handler, _Handler) for handler in logger.handlers):
        return
    logger.addHandler(_Handler(logging.WARNING))
    logger.propagate = False
