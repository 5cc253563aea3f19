"""Running a flow in the foreground: signals, control API, display, and the exit code."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import NoReturn

import typer

from flowengine.cli.display import show
from flowengine.cli.words import counted
from flowengine.config import RepositoryKind, Settings
from flowengine.control import serving
from flowengine.control.address import read_runner
from flowengine.definition.flat import LoadedFlow
from flowengine.definition.load import Options, load_text
from flowengine.engine import Engine, Removed
from flowengine.exit_codes import ExitCode
from flowengine.findings import Finding
from flowengine.logs import logging_to
from flowengine.provenance import Recorder, recording
from flowengine.repository import MemoryRepository, Repository, SqliteRepository
from flowengine.units import format_duration
from flowengine.watchdog import stopped_at_start

HELD = 1.0  # s without an answer to the first Ctrl-C after which the second ends the process


class RemovedChoice(StrEnum):
    """What a person wants done with FlowFiles of connections that are gone (E18)."""

    REFUSE = "refuse"
    DROP = "drop"
    DRAIN = "drain"


@dataclass(frozen=True, slots=True)
class Plan:
    """One run, decided."""

    flow: LoadedFlow
    options: Options
    data_dir: Path
    settings: Settings
    removed: RemovedChoice = RemovedChoice.REFUSE
    until_complete: bool = False


def run_flow(plan: Plan) -> ExitCode:
    """Run a flow to its end. Prints the ledger to standard output, all else to standard error."""
    gc.enable()  # `quicken` stopped it for the imports
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_run(plan))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _run(plan: Plan) -> ExitCode:
    if plan.removed is RemovedChoice.DRAIN:
        await _drain_removed(plan)
    engine = _engine(plan)
    stops = Stops(engine, plan.settings["drain_timeout"])
    removed = Removed.DROP if plan.removed is RemovedChoice.DROP else Removed.REFUSE
    async with stops.listening(), engine.opened(removed):
        async with _surrounded(engine, plan), asyncio.TaskGroup() as group:
            display = group.create_task(show(engine), name="display")
            await engine.run(
                until_complete=plan.until_complete,
                drain_timeout=plan.settings["drain_timeout"],
            )
            display.cancel()
        return _ended(engine, stops, plan)


async def _drain_removed(plan: Plan) -> None:
    """Let the stored definition empty the queues that the new one no longer has."""
    from flowengine.deploy import drain_removed

    count = await drain_removed(plan.flow, lambda: _repository(plan), plan.options)
    if count:
        _say(f"drained {counted(count, 'FlowFile')} of removed connections")


def _engine(plan: Plan) -> Engine:
    return Engine(
        plan.flow,
        _repository(plan),
        data_dir=plan.data_dir,
        memory_budget=plan.settings["memory_budget"],
        stopped=stopped_at_start(),
    )


def _repository(plan: Plan) -> Repository:
    if plan.settings.repository is RepositoryKind.MEMORY:
        return MemoryRepository()
    return SqliteRepository(plan.data_dir)


@asynccontextmanager
async def _surrounded(engine: Engine, plan: Plan) -> AsyncIterator[None]:
    """Logs and the control API, while the flow runs."""
    level = str(plan.settings["log_level"]).upper()
    with logging_to(plan.data_dir, console=not sys.stderr.isatty(), level=level):  # noqa: SIM117
        with _recorded(engine, plan) as recorder:
            listen = plan.settings["listen"]
            async with serving(
                engine, plan.data_dir, listen=listen, recorder=recorder, reload=_reload(plan)
            ):
                _announce(plan)
                yield


def _reload(plan: Plan) -> Callable[[str], tuple[LoadedFlow | None, Sequence[Finding]]]:
    """How another text of the running flow is read: as its first one was."""
    flow = plan.flow
    base = flow.path.parent if flow.path is not None else Path.cwd()
    return lambda text: load_text(text, base, plan.options, file=f"{flow.name} (deployed)")


def _announce(plan: Plan) -> None:
    runner = read_runner(plan.data_dir)
    if runner is not None and runner.listen:
        _say(f"control API at http://{runner.listen}")


@contextmanager
def _recorded(engine: Engine, plan: Plan) -> Iterator[Recorder | None]:
    """Provenance, unless it is switched off or there is no disk for it."""
    if not plan.settings["provenance"] or plan.settings.repository is RepositoryKind.MEMORY:
        yield None
        return
    with recording(engine, plan.data_dir) as recorder:
        yield recorder


class Stops:
    """Turns Ctrl-C and SIGTERM into stops of an engine.

    A processor that loops for ever holds the loop that would stop it. Then the second Ctrl-C ends
    the process where it stands, which loses nothing, as ``kill -9`` does not (E1-E19).
    """

    def __init__(self, engine: Engine, drain_timeout: int) -> None:
        self.count = 0
        self._asked = 0
        self._asked_at = 0.0
        self._engine = engine
        self._drain_timeout = drain_timeout

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Listen to both signals."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
            signal.signal(number, self._asked_to_stop)  # Python calls it while the loop is held
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def _asked_to_stop(self, number: int, frame: FrameType | None) -> None:
        """A signal came; the loop hears of it too, when nothing holds it."""
        now = time.monotonic()
        if self._asked > self.count and now - self._asked_at > HELD:
            self._abandon()
        if self._asked <= self.count:
            self._asked_at = now
        self._asked += 1

    def _abandon(self) -> NoReturn:
        opened = hasattr(self._engine, "assembly")
        node = self._engine.assembly.scheduler.current if opened else None
        who = f"processor {node.id!r} ({node.flat.type})" if node else "something"
        _say(f"{who} holds the engine: ending without it; what is on disk waits for the next run")
        sys.stderr.flush()
        os._exit(ExitCode.INTERRUPTED)

    def stop(self) -> None:
        """The first stops gracefully, the second at once."""
        self.count += 1
        if self.count == 1:
            limit = format_duration(self._drain_timeout)
            _say(f"stopping: queues have {limit} to empty themselves; Ctrl-C again stops at once")
        elif self.count == 2:
            _say("stopping at once; what is queued stays in the data directory")
        self._engine.request_stop()


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _ended(engine: Engine, stops: Stops, plan: Plan) -> ExitCode:
    """Print the ledger and say how the run ended."""
    queued = engine.assembly.queued
    typer.echo(engine.assembly.core.ledger.line(queued))
    if stops.count > 1:
        return ExitCode.INTERRUPTED
    if queued:
        _say(_waiting(queued, plan))
        return ExitCode.QUEUED
    if plan.until_complete and not engine.completed:
        return ExitCode.INTERRUPTED
    return ExitCode.DONE


def _waiting(queued: int, plan: Plan) -> str:
    those = f"{counted(queued, 'FlowFile')} {'is' if queued == 1 else 'are'}"
    if plan.settings.repository is RepositoryKind.MEMORY:
        return f"{those} gone with the memory repository; their sources were not told"
    return f"{those} queued in {plan.data_dir}; the next run goes on with them"
