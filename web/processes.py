"""Processes of this machine that are not our children: are they there, and when do they end?

A pid alone names nobody, since it is used again; with its start time it does.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

_LOOK = 0.5  # s between looks where the kernel cannot tell us


def start_time(pid: int) -> str | None:
    """When a living process started, in the kernel's words; None when there is none."""
    if sys.platform.startswith("linux"):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in ("Z", "X") else fields[19]
    found = subprocess.run(  # macOS has no /proc
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or None


def is_alive(pid: int, started: str | None) -> bool:
    """Whether this very process lives; ``started`` None takes any with the pid."""
    now = start_time(pid)
    return now is not None and started in (None, now)


async def ended(pid: int, started: str | None) -> None:
    """Return when a process has ended that is not our child."""
    try:
        handle = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
    except OSError:
        handle = -1
    if handle >= 0:
        try:
            if is_alive(pid, started):
                await _readable(handle)
            return
        finally:
            os.close(handle)
    while is_alive(pid, started):  # noqa: ASYNC110 - macOS has no pidfd
        await asyncio.sleep(_LOOK)


async def _readable(handle: int) -> None:
    loop = asyncio.get_running_loop()
    end = asyncio.Event()
    loop.add_reader(handle, end.set)
    try:
        await end.wait()
    finally:
        loop.remove_reader(handle)


def send(pid: int, started: str | None, number: signal.Signals) -> None:
    """Send a signal to this very process, if it is there."""
    if is_alive(pid, started):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
