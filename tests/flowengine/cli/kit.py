"""Running the command line in tests: inside this process, and as a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from flowengine.cli import run_command
from flowengine.definition.builder import Flow

COMMAND = (sys.executable, "-m", "flowengine")


@dataclass(frozen=True)
class Result:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


class Shell:
    """Runs commands in this process."""

    def __init__(self, captured: pytest.CaptureFixture) -> None:
        self._captured = captured

    def __call__(self, *arguments: object) -> Result:
        self._captured.readouterr()
        code = run_command([str(argument) for argument in arguments])
        written = self._captured.readouterr()
        return Result(code, written.out, written.err)


def call(*arguments: object, **environment: str) -> Result:
    """Run a command as a process of its own."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )
    return Result(done.returncode, done.stdout, done.stderr)


class Runner:
    """A `flowengine run` in a process of its own."""

    def __init__(self, arguments: Sequence[object]) -> None:
        command = [*COMMAND, "run", *map(str, arguments)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.errors = ""

    def wait_for(self, text: str) -> None:
        """Read standard error until a line has the text."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.errors += line
            if text in line:
                return
        raise AssertionError(f"{text!r} was never written; got {self.errors}")

    def end(self, number: int = signal.SIGTERM) -> Result:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=60)
        return Result(self.process.returncode, out, self.errors + err)


@contextmanager
def running(*arguments: object) -> Iterator[Runner]:
    """A running flow whose first FlowFiles have been counted; killed at the end."""
    runner = Runner(arguments)
    try:
        runner.wait_for(" in = ")
        yield runner
    finally:
        runner.process.kill()
        runner.process.communicate()


def counted(path: Path, count: int = 10, **settings: object) -> Path:
    """A flow that makes so many FlowFiles and is done."""
    flow = Flow(path.stem)
    flow.add("generate", "GenerateRecords", count=count, **settings)
    flow.add("mark", "UpdateAttribute", {"auto_terminate": ["success", "failure"]})
    flow.connect("generate", "success", "mark")
    flow.save(path)
    return path


def waiting(path: Path, count: int = 10, period: str = "1 hour") -> Path:
    """A flow whose FlowFiles wait behind a throttle that lets one pass in a period."""
    flow = Flow(path.stem)
    flow.add("generate", "GenerateRecords", count=count, schema={"name": "name"})
    flow.add(
        "throttle",
        "ControlRate",
        {"auto_terminate": ["success", "failure"]},
        criteria="flowfile count",
        maximum_rate=1,
        time_duration=period,
    )
    flow.connect("generate", "success", "throttle")
    flow.save(path)
    return path
