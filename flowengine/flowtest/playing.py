"""Playing one test: its steps, on the fake clock, over as many lives as it has kills."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from flowengine.bulletins import Bulletin
from flowengine.clock import FakeClock
from flowengine.definition.flat import LoadedFlow
from flowengine.definition.source import JsonPath, show
from flowengine.errors import FlowEngineError
from flowengine.exit_codes import is_ours, leaves
from flowengine.flowtest.checking import inputs_of
from flowengine.flowtest.life import Life, living
from flowengine.flowtest.matching import difference
from flowengine.flowtest.model import EVERY, Step, Test
from flowengine.flowtest.moments import Moment, resolved
from flowengine.flowtest.outcome import Failure, Outcome
from flowengine.flowtest.reading import TestFile
from flowengine.flowtest.recorder import Recorder
from flowengine.flowtest.world import End, Report, World

REMARKS = 5


class Failed(FlowEngineError):
    """A step does not hold; ``inside`` is the path of what it says in the step."""

    def __init__(self, message: str, inside: JsonPath, lines: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.inside = inside
        self.lines = list(lines)


@dataclass
class Play:
    """One test and where it has come to. ``number`` is the step that is played."""

    file: TestFile
    path: JsonPath
    test: Test
    flow: LoadedFlow
    recorder: Recorder
    directory: Path
    number: int = 0
    lives: int = 0

    def __post_init__(self) -> None:
        replacements = self.file.model.replacements(self.test)
        self.start = self.file.model.start(self.test)
        self.world = World(self.start, replacements)
        self.clock = FakeClock(self.start)
        self.durable = any(step.kill or step.restart for step in self.test.steps)
        self.remarks: list[Bulletin] = []
        self.data = self.directory / "0"

    async def run(self) -> Failure | None:
        """Play all steps; what went wrong, if anything."""
        try:
            while self.number < len(self.test.steps):
                await self._live()
        except Failed as failed:
            return self._failure(failed)
        except ExceptionGroup as group:
            if not is_ours(group):
                raise
            answers = [error for error in leaves(group) if isinstance(error, Failed)]
            return self._failure(answers[0] if answers else _as_failed(group))
        except FlowEngineError as error:
            return self._failure(_as_failed(error))
        return None

    async def _live(self) -> None:
        """From a start of the flow to its stop or kill and, after that, to the next start."""
        flow = self.world.around(self.flow)
        async with living(flow, self.clock, self.recorder, self.data, durable=self.durable) as life:
            life.engine.board.listeners.append(self.remarks.append)
            self.remarks += life.engine.board.list()
            await self._steps(life)
        while self.number < len(self.test.steps):
            step = self.test.steps[self.number]
            self.number += 1
            if step.restart:
                return
            self._while_dead(step)

    async def _steps(self, life: Life) -> None:
        while self.number < len(self.test.steps):
            step = self.test.steps[self.number]
            if step.kill:
                await self._kill(life)
                self.number += 1
                return
            if step.restart:
                return
            await self._step(life, step)
            self.number += 1

    async def _kill(self, life: Life) -> None:
        """What is on the disk now is all that the next life finds."""
        self.lives += 1
        self.data = self.directory / str(self.lives)
        await life.copy(self.data)

    def _while_dead(self, step: Step) -> None:
        if step.advance is not None:
            self.clock.advance(step.advance)
        self._expect(step)

    # -- steps ---------------------------------------------------------------------------------

    async def _step(self, life: Life, step: Step) -> None:
        if step.advance is not None:
            await life.advance(step.advance)
        elif step.in_ or step.watermark or step.eof:
            self._give(life, step)
            await life.rest()
        self._expect(step)
        self._look(life, step)

    def _give(self, life: Life, step: Step) -> None:
        for name, items in (step.in_ or {}).items():
            feed = self.world.feeds.get(name)
            if feed is not None:
                self._not_done(life, name, ("in", name))
                feed.give(items)
                life.wake(name)
                continue
            inputs = inputs_of(name, self.flow)
            target = life.engine.assembly.connections[inputs[0] if inputs else name]
            for item in items:
                life.put(target, item, self.start)
        for name, times in (step.watermark or {}).items():
            self._report(life, name, times)
        for name in step.eof or ():
            for source in self._sources(name):
                self.world.feeds[source].actions.append(End())
                life.wake(source)

    def _not_done(self, life: Life, name: str, inside: JsonPath) -> None:
        if life.nodes[name].completed:
            raise Failed(f"source {show(name)} must not be given anything after its eof", inside)

    def _report(self, life: Life, name: str, times: dict[str, Moment | None]) -> None:
        known = {part: resolved(time, self.start) for part, time in times.items()}
        for source in self._sources(name):
            self.world.feeds[source].actions.append(Report(known))
            life.wake(source)

    def _sources(self, name: str) -> list[str]:
        return list(self.world.feeds) if name == EVERY else [name]

    # -- looking -------------------------------------------------------------------------------

    def _expect(self, step: Step) -> None:
        for place, wanted in (step.expect or {}).items():
            got = self.recorder.take(place)
            lines = difference(wanted, got, self.start, ordered=step.ordered)
            if lines:
                message = f"{show(place)} must get what is expected; got something else"
                raise Failed(message, ("expect", place), lines)

    def _look(self, life: Life, step: Step) -> None:
        connections = life.engine.assembly.connections
        for name, count in (step.queued or {}).items():
            if connections[name].count != count:
                message = f"{show(name)} must hold {count}; got {connections[name].count}"
                raise Failed(message, ("queued", name))
        counters = life.engine.assembly.core.counters
        for name, count in (step.counters or {}).items():
            if counters.get(name, 0) != count:
                message = f"{show(name)} must be {count}; got {counters.get(name, 0)}"
                raise Failed(message, ("counters", name))

    def _failure(self, failed: Failed) -> Failure:
        steps = self.test.steps
        place = (*self.path, "steps", min(self.number, len(steps) - 1), *failed.inside)
        said = [f"{b.component}: {b.level}: {b.message}" for b in self.remarks[-REMARKS:]]
        finding = self.file.finding(place, str(failed))
        return Failure(finding, [*failed.lines, *(f"  {line}" for line in said)])


def _as_failed(error: BaseException) -> Failed:
    return Failed("; ".join(str(leaf) for leaf in leaves(error)), ())


def play(
    file: TestFile, number: int, flow: LoadedFlow, directory: Path
) -> tuple[Outcome, Recorder]:
    """Run one test whose names have been checked."""
    test, path = file.model.tests[number], ("tests", number)
    recorder = Recorder()
    started = time.perf_counter()
    failure = asyncio.run(Play(file, path, test, flow, recorder, directory).run())
    line, _ = file.document.locate(path)
    return Outcome(test.name, line, time.perf_counter() - started, failure), recorder


def workplace() -> tempfile.TemporaryDirectory[str]:
    """A directory for one test."""
    return tempfile.TemporaryDirectory(prefix="flowengine-test-")
