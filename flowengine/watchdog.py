"""The watch-dog: names whoever holds the engine's loop, and frees what cannot be ended (E24).

A processor that computes for longer than a second starves all others of the runner. A thread of its
own sends the loop a sign of life each second; when that is not answered, a bulletin names the
processor, for how long, at which line of code, and the remedy.

An endless loop in a processor cannot be ended from outside: an exception thrown into the thread
could hit the middle of a commit. So the runner starts itself anew, in the same process, with that
processor stopped. Nothing is lost by that, as nothing is by ``kill -9`` (E1-E19).
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from flowengine.status import Held

if TYPE_CHECKING:
    from flowengine.engine import Engine

STOPPED = "FLOWENGINE_STOPPED"
LIMIT = 1.0  # s
REPEATS = (1, 10, 60, 600)  # multiples of the limit at which a bulletin is posted


class LoopObserver:
    """Sees from other threads whether the engine's loop answers. Made on the engine's loop."""

    def __init__(self, engine: Engine, loop: asyncio.AbstractEventLoop) -> None:
        self._engine = engine
        self._loop = loop
        self._thread = threading.get_ident()
        self._sent: int | None = None

    def ping(self) -> None:
        """Ask for a sign of life, unless one is still awaited."""
        if self._sent is None and not self._loop.is_closed():
            self._sent = time.perf_counter_ns()
            self._loop.call_soon_threadsafe(self._pong)

    def _pong(self) -> None:
        self._sent = None

    def held(self) -> Held | None:
        """Who holds the loop, and for how long at least; None when the last ping was answered."""
        sent = self._sent
        if sent is None:
            return None
        scheduler = self._engine.assembly.scheduler
        node, since = scheduler.current, scheduler.current_since
        if node is not None:
            return Held(node.id, (time.perf_counter_ns() - since) // 1000)
        return Held(self._task(), (time.perf_counter_ns() - sent) // 1000)

    def _task(self) -> str | None:
        """A processor whose task runs now: tasks bear the names of their processors."""
        task = asyncio.current_task(self._loop)
        name = task.get_name() if task is not None else ""
        return name if name in self._engine.assembly.nodes else None

    def line(self) -> str:
        """Where the loop's thread is now: file, line and function, the innermost that is not of
        the engine or the standard library where there is one."""
        frame = sys._current_frames().get(self._thread)
        frames = list(_outwards(frame))
        if not frames:
            return "an unknown place"
        chosen = next((f for f in frames if not _is_ours(f)), frames[0])
        code = chosen.f_code
        return f"{code.co_filename}:{chosen.f_lineno} in {code.co_name}"


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_ours(frame: FrameType) -> bool:
    name = frame.f_code.co_filename
    inside = os.path.dirname(__file__), os.path.dirname(os.__file__) + os.sep, "<frozen"
    return name.startswith(inside) and "site-packages" not in name


class WatchDog:
    """Posts a bulletin when the engine's loop does not answer for ``limit`` seconds."""

    def __init__(self, engine: Engine, observer: LoopObserver, limit: float = LIMIT) -> None:
        self._engine = engine
        self._observer = observer
        self._limit = limit
        self._stop = threading.Event()
        self._posted = 0

    def watch(self) -> None:
        """Look until ``stop``; runs on a thread of its own."""
        while not self._stop.wait(self._limit):
            held = self._observer.held()
            if held is None:
                self._posted = 0
            else:
                self._consider(held)
            self._observer.ping()

    def stop(self) -> None:
        """Let ``watch`` return."""
        self._stop.set()

    def _consider(self, held: Held) -> None:
        due = sum(held.duration >= times * self._limit * 1e6 for times in REPEATS)
        if due > self._posted:
            self._posted = due
            self._report(held)

    def _report(self, held: Held) -> None:
        seconds = held.duration / 1e6
        where = self._observer.line()
        if held.processor is None:
            self._engine.board.post(
                self._engine.flow.name,
                "error",
                f"engine must answer within {self._limit:g} s; got none for {seconds:.1f} s, "
                f"at {where}",
            )
            return
        kind = self._engine.assembly.nodes[held.processor].flat.type
        self._engine.board.post(
            held.processor,
            "error",
            f"processor {held.processor!r} ({kind}) must give the engine back within "
            f"{self._limit:g} s; got {seconds:.1f} s so far, at {where}. Declare "
            "`blocking = True`, or use smaller batches; terminate it if it never ends",
        )


@contextmanager
def watching(
    engine: Engine, observer: LoopObserver | None = None, limit: float = LIMIT
) -> Iterator[WatchDog]:
    """Watch an engine. Enter it on the engine's loop."""
    chosen = observer or LoopObserver(engine, asyncio.get_running_loop())
    dog = WatchDog(engine, chosen, limit)
    thread = threading.Thread(target=dog.watch, name="watchdog", daemon=True)
    thread.start()
    try:
        yield dog
    finally:
        dog.stop()
        thread.join()


def stopped_at_start(environ: Mapping[str, str] = os.environ) -> frozenset[str]:
    """Processors that a restart left out; hand them to ``Engine(stopped=…)``."""
    return frozenset(filter(None, environ.get(STOPPED, "").split(",")))


def restart_without(processor: str) -> NoReturn:
    """Start this program anew in the same process, with one more processor stopped.

    Files, sockets and the lock of the data directory are closed by the kernel; the pid stays.
    """
    stopped = stopped_at_start() | {processor}
    environ = {**os.environ, STOPPED: ",".join(sorted(stopped))}
    os.execve(sys.executable, sys.orig_argv, environ)
