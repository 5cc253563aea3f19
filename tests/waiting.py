"""Waiting for another process: a condition, looked at often, with a deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 60.0  # seconds for what takes a few on an idle machine
PAUSE = 0.1


def until(look: Callable[[], T | None], what: str, patience: float = PATIENCE) -> T:
    """Look until there is something true to see, and return it; fail, saying what was missed."""
    deadline = time.monotonic() + patience
    pause = threading.Event()
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience:.0f} s for {what}")
        pause.wait(PAUSE)
    return seen
