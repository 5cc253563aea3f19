"""One supervised flow: its process from start to end, and again when it dies.

States: ``stopped`` → ``starting`` → ``running`` → ``stopping`` → ``stopped``; ``failed`` when it
ended by itself with an error. A failed flow that should run is started again after a pause that
doubles from 1 s to 1 min, unless its definition is what is wrong. The process gets a session of
its own: what ends the server, a Ctrl-C or ``kill -9``, does not end the flow by itself.

One task (:meth:`Supervised.serve`) does all of it; commands change what is wanted and ring a bell.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from flowengine.bulletins import Bulletin
from flowengine.control import address
from flowengine.control.client import is_running
from flowengine.definition.builder import save_text
from flowengine.exit_codes import ExitCode
from web import processes
from web.control import RunnerClient
from web.problems import Problem
from web.store import Store, wall

FIRST_PAUSE = 1.0  # s
LONGEST_PAUSE = 60.0
STEADY = 60.0  # s after which a start counts as a success
STARTING = 60.0  # s until a runner must answer
DRAINING = 40.0  # s until a stop with drain becomes a stop at once
ENDING = 10.0  # s until a stop at once becomes a kill
LOOK = 0.1  # s between looks at a runner that is starting
OUTPUT = "output.log"
_LAST_WORDS = 4_000
_KEPT = 20

Listener = Callable[[str, "Bulletin | None"], None]


@dataclass(slots=True)
class Found:
    """A process that runs a flow. ``child`` is None for one that an earlier server started."""

    pid: int
    started: str | None
    child: subprocess.Popen[bytes] | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """What to run: a definition, the file it is frozen in, and the choices of this start."""

    text: str
    file: Path
    data_dir: Path
    removed: str = ""
    once: bool = False
    environment: Mapping[str, str] | None = None

    def arguments(self) -> list[str]:
        """The command line; nothing secret stands in it."""
        words = [sys.executable, "-m", "flowengine", "run", str(self.file)]
        words += ["--data-dir", str(self.data_dir)]
        if self.removed:
            words.append(f"--{self.removed}-removed")
        return [*words, "--until-complete"] if self.once else words


class Supervised:
    """A flow and the process that runs it."""

    def __init__(self, id: str, data_dir: Path, store: Store, listener: Listener) -> None:
        self.id = id
        self.client = RunnerClient(id, data_dir)
        self.state = "stopped"
        self.reason = ""
        self.bulletins: list[Bulletin] = []
        self._data_dir = data_dir
        self._store = store
        self._listener = listener
        self._wanted: Command | None = None
        self._drain = True
        self._leaving = asyncio.Event()
        self._bell = asyncio.Event()
        self._settled = asyncio.Event()
        self._pause = FIRST_PAUSE
        self._found: Found | None = None

    # -- commands ------------------------------------------------------------------------------

    def start(self, command: Command) -> None:
        """Run it; no effect while it runs or starts. One that is stopping starts afterwards."""
        if self._wanted is None:
            self._pause = FIRST_PAUSE
            self._wanted = command
            self._store.remember(self.id, wanted=0 if command.once else 1)
            self._ring()

    def stop(self, *, drain: bool = True, remember: bool = True) -> None:
        """Stop it; with ``drain`` its queues may empty themselves. No effect when stopped.

        remember: it should not run any more; False leaves that to the next server
        """
        self._wanted, self._drain = None, drain
        if self.state == "failed":
            self._set("stopped")
        if remember:
            self._store.remember(self.id, wanted=0)
        self._ring()

    async def replace(self, text: str) -> None:
        """It runs another definition now, and would again after a crash."""
        if self._wanted is not None:
            self._wanted = dataclasses.replace(self._wanted, text=text)
            await asyncio.to_thread(save_text, self._wanted.file, text)

    def leave(self) -> None:
        """End the supervision and leave the process running."""
        self._leaving.set()
        self._ring()

    def _ring(self) -> None:
        self._settled.clear()
        self._bell.set()

    async def settled(self, timeout: float) -> bool:
        """Wait until it runs, or is stopped or failed, as wanted; False when it takes longer."""
        try:
            async with asyncio.timeout(timeout):
                await self._settled.wait()
        except TimeoutError:
            return False
        return True

    @property
    def active(self) -> bool:
        """Whether a process is there, or about to be."""
        return self.state in ("starting", "running", "stopping")

    # -- the life of a flow --------------------------------------------------------------------

    def adopt(self, command: Command) -> bool:
        """Take over a living runner that an earlier server, or a person, has started."""
        runner = address.read_runner(self._data_dir)
        pid, started = self._store.fact(self.id, "pid"), self._store.fact(self.id, "started")
        if pid and started and processes.is_alive(pid, started):
            self._found = Found(pid, started)
        elif runner is not None and is_running(self._data_dir):
            self._found = Found(runner.pid, processes.start_time(runner.pid))
        else:
            return False
        self._wanted = command
        self._set("starting")
        self._bell.set()
        return True

    async def serve(self) -> None:
        """Do what is wanted, for ever, until :meth:`leave` or after a last :meth:`stop`."""
        while not self._left:
            await self._bell.wait()
            self._bell.clear()
            while (self._wanted or self._found) and not self._left:
                await self._once()
            self._settled.set()
        await self.client.close()

    async def _once(self) -> None:
        """One process from start, or adoption, to end."""
        begun = asyncio.get_running_loop().time()
        command = self._wanted
        found = self._found or await self._spawn()
        if found is None:
            return
        self._found = found
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(self._watch(found), name=f"watch {self.id}")
            await self._until_end(found)
            watch.cancel()
        if self._left:
            return
        self._found = None
        await self.client.close()
        self._store.remember(self.id, pid=None, started=None)
        code = self._exit_code(found)
        if asyncio.get_running_loop().time() - begun > STEADY:
            self._pause = FIRST_PAUSE
        await self._after(code)
        if self._wanted is None and command is not None:
            command.file.unlink(missing_ok=True)

    async def _spawn(self) -> Found | None:
        command = self._wanted
        assert command is not None
        self._set("starting")
        output = self._data_dir / "logs" / OUTPUT
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
            await asyncio.to_thread(save_text, command.file, command.text)
            child = await asyncio.to_thread(_popen, command, output)
        except OSError as error:
            self._fail(f"runner of flow {self.id!r} must start; got {error}")
            self._wanted = None
            return None
        started = processes.start_time(child.pid)
        self._store.remember(self.id, pid=child.pid, started=started, removed="")
        return Found(child.pid, started, child)

    async def _watch(self, found: Found) -> None:
        """Say "running" when it answers; ask it to stop when that is wanted."""
        limit = asyncio.get_running_loop().time() + STARTING
        while self._wanted is not None and not self._left:
            if self.state == "starting" and await self._answers(found):
                self._set("running")
                self._settled.set()
            late = self.state == "starting" and asyncio.get_running_loop().time() > limit
            if late:
                limit += STARTING
                self._say("warning", f"flow {self.id!r} must answer after its start; it does not")
            await self._bell_or(LOOK if self.state == "starting" else None)
        if not self._left:
            await self._end(found)

    async def _answers(self, found: Found) -> bool:
        runner = address.read_runner(self._data_dir)
        if runner is None or runner.pid != found.pid or not is_running(self._data_dir):
            return False
        try:  # the first question makes it import what answers
            await self.client.json("GET", "/health/live", timeout=STARTING)
        except Problem:
            return False
        return True

    async def _bell_or(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._bell.wait()
                self._bell.clear()
        except TimeoutError:
            return

    async def _until_end(self, found: Found) -> None:
        """Return when the process has ended, or we leave it."""
        async with asyncio.TaskGroup() as group:
            waits = (
                group.create_task(processes.ended(found.pid, found.started)),
                group.create_task(self._leaving.wait()),
            )
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()

    @property
    def _left(self) -> bool:
        return self._leaving.is_set()

    def _exit_code(self, found: Found) -> int | None:
        """How it ended; None when an adopted one ended badly."""
        if found.child is not None:
            return found.child.wait()  # it has ended: no waiting
        tidy = address.read_runner(self._data_dir) is None  # removed at the end, not by a crash
        return ExitCode.DONE if tidy else None

    async def _end(self, found: Found) -> None:
        """Ask it to stop, then at once, then kill; durable queues lose nothing by any of it."""
        self._set("stopping")
        try:
            await self.client.json("POST", "/stop", params={"drain": self._drain}, timeout=3)
        except Problem:
            for _ in range(1 if self._drain else 2):  # starting, or held by a processor
                processes.send(found.pid, found.started, signal.SIGTERM)
        if self._drain:
            await self._bell_or(DRAINING)
            processes.send(found.pid, found.started, signal.SIGTERM)  # the second one: at once
        await asyncio.sleep(ENDING)
        processes.send(found.pid, found.started, signal.SIGKILL)
        await asyncio.Event().wait()  # cancelled when the process has ended

    async def _after(self, code: int | None) -> None:
        """Decide what the end of a process means."""
        command = self._wanted
        if command is None or code in (ExitCode.DONE, ExitCode.QUEUED, ExitCode.INTERRUPTED):
            if command is not None and not command.once:
                self._store.remember(self.id, wanted=0)
                self._say("info", f"flow {self.id!r} was stopped from outside")
            self._wanted = None
            self._set("stopped")
            return
        self._fail(self._obituary(code))
        if code == ExitCode.DEFINITION or command.once:
            self._wanted = None
            self._store.remember(self.id, wanted=0)
            return
        pause, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE)
        self._settled.set()
        await self._bell_or(pause)

    def _obituary(self, code: int | None) -> str:
        how = "of unknown cause" if code is None else f"with exit code {code}"
        if code is not None and code < 0:
            how = f"by signal {-code}"
        words = last_words(self._data_dir)
        return f"flow {self.id!r} must keep running; its runner ended {how}" + (
            f". Its last words: {words}" if words else ""
        )

    def _fail(self, message: str) -> None:
        self.reason = message
        self._say("error", message)
        self._set("failed")

    def _say(self, level: str, message: str) -> None:
        number = -(len(self.bulletins) and -self.bulletins[-1].id) - 1
        bulletin = Bulletin(number, wall(), "", level, message)
        self.bulletins = [*self.bulletins, bulletin][-_KEPT:]
        self._listener(self.id, bulletin)

    def _set(self, state: str) -> None:
        if state in ("starting", "running"):
            self.reason = ""
        if state != self.state:
            self.state = state
            self._listener(self.id, None)


def _popen(command: Command, output: Path) -> subprocess.Popen[bytes]:
    """A process with a session of its own. Its output goes to a file: a pipe would break with us.

    Not asyncio's: that kills its children when its loop closes, and flows may outlive a server.
    """
    with output.open("wb") as stream:
        return subprocess.Popen(
            command.arguments(),
            env=command.environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )


def last_words(data_dir: Path) -> str:
    """The end of what a runner printed."""
    try:
        with (data_dir / "logs" / OUTPUT).open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(stream.tell() - _LAST_WORDS, 0))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-12:])
