"""Processes of ours: started, recognised after a restart of the terminal, and ended by their id.

A process is known by its pid *and* by when it started, since the system gives pids out again.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

LINUX = sys.platform == "linux"
_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>

# Linux ties "die with the parent" to the *thread* that forked. Only this one forks, and it lives as
# long as this process does; a broker started on a pool thread would die with that pool.
_forker = ThreadPoolExecutor(1, thread_name_prefix="broker-forker")


@dataclass(frozen=True)
class ProcessId:
    """One process for ever: ``started`` is opaque text, compared only for equality."""

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        """Whether this very process still runs (a zombie does not)."""
        return process_id(self.pid) == self

    @property
    def resident_bytes(self) -> int:
        """Memory that it holds now; 0 when it is gone."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        except (OSError, IndexError):
            kilobytes = _ps(self.pid, "rss")
            return int(kilobytes) * 1024 if kilobytes else 0
        return pages * os.sysconf("SC_PAGE_SIZE")


def process_id(pid: int) -> ProcessId | None:
    """The living process that has this pid now."""
    started = _linux_start(pid) if LINUX else _ps(pid, "lstart")
    return ProcessId(pid, started) if started else None


def _linux_start(pid: int) -> str | None:
    """Boot id and clock ticks from boot to start: the same only for the same process."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        # The command in parentheses may itself hold spaces and parentheses.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    state, start_ticks = fields[0], fields[19]
    return None if state in "ZX" else f"{boot} {start_ticks}"


def _ps(pid: int, column: str) -> str | None:
    answer = subprocess.run(
        ["ps", "-o", f"{column}=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() or None


def spawn(
    command: Sequence[str | Path],
    *,
    directory: Path,
    output: Path,
    dies_with_parent: bool,
    death_signal: signal.Signals = signal.SIGKILL,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, so that a Ctrl-C for us is not one for it.

    Its output is appended to a file. With ``dies_with_parent`` it gets ``death_signal`` when this
    process ends in any way (Linux only; elsewhere it has no effect).
    """
    hook = _parent_death_hook(death_signal) if dies_with_parent and LINUX else None

    def start(log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [str(part) for part in command],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=hook,
        )

    with output.open("ab") as log:
        return _forker.submit(start, log).result()


def _parent_death_hook(number: signal.Signals) -> Callable[[], None]:
    library = ctypes.CDLL(None)  # loaded before the fork: the child may only make system calls

    def hook() -> None:
        library.prctl(_SET_PARENT_DEATH_SIGNAL, number)

    return hook


def end_processes(processes: Sequence[ProcessId], patience: float) -> bool:
    """SIGTERM to all, wait up to ``patience`` seconds, then SIGKILL. True when all ended alone."""
    for process in processes:
        send_signal(process, signal.SIGTERM)
    deadline = time.monotonic() + patience
    for process in processes:
        wait_for_end(process, max(0.0, deadline - time.monotonic()))
    stubborn = [process for process in processes if process.alive]
    for process in stubborn:
        send_signal(process, signal.SIGKILL)
        wait_for_end(process, patience)
    return not stubborn


def send_signal(process: ProcessId, number: signal.Signals) -> None:
    """Signal this very process; nothing happens when it is gone or its pid is another's."""
    if process.alive:
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            return


def wait_for_end(process: ProcessId, patience: float) -> bool:
    """Wait for a process that need not be our child. True when it has ended."""
    if process.alive:
        watch = _watch_linux if hasattr(os, "pidfd_open") else _watch_bsd
        watch(process.pid, patience)
    return not process.alive


def _watch_linux(pid: int, patience: float) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        select.select([descriptor], [], [], patience)
    finally:
        os.close(descriptor)


def _watch_bsd(pid: int, patience: float) -> None:
    """The same for macOS."""
    if sys.platform == "linux":
        return
    queue = select.kqueue()
    event = select.kevent(pid, select.KQ_FILTER_PROC, select.KQ_EV_ADD, select.KQ_NOTE_EXIT)
    try:
        queue.control([event], 1, patience)
    except ProcessLookupError:
        return
    finally:
        queue.close()
