"""The watch-dog names who holds the engine; an endless loop is freed by a restart without loss."""

import asyncio
import re
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from flowengine.control import ControlClient
from flowengine.errors import EnvironmentFault
from flowengine.processor import Processor
from flowengine.watchdog import stopped_at_start, watching
from tests.flowengine.running import running, small_flow

ROOT = Path(__file__).parents[2]
TRIES = 600


class Blocks(Processor):
    """Hold the loop until the watch-dog has spoken, the second way a coroutine can."""

    spoken = threading.Event()

    def on_trigger(self, context, session):
        session.remove(session.get_batch())
        assert self.spoken.wait(30)


class BlocksInCoroutine(Processor):
    """As Blocks, in an async trigger: the scheduler does not know it as current."""

    async def on_trigger(self, context, session):
        session.remove(session.get_batch())
        assert Blocks.spoken.wait(30)


async def first_bulletin(sink: type[Processor]) -> tuple[str, str]:
    Blocks.spoken.clear()
    async with running(None, small_flow(sink, count=1)) as engine:
        engine.board.listeners.append(lambda bulletin: Blocks.spoken.set())
        with watching(engine, limit=0.05):
            await asyncio.to_thread(Blocks.spoken.wait, 30)
        bulletin = engine.board.list()[0]
        return bulletin.component, bulletin.message


async def test_a_bulletin_names_the_processor_the_line_and_the_remedy():
    component, message = await first_bulletin(Blocks)
    assert component == "sink"
    assert re.fullmatch(
        r"processor 'sink' \(Blocks\) must give the engine back within 0\.05 s; got \d+\.\d s so "
        r"far, at .*test_watchdog\.py:\d+ in on_trigger\. Declare `blocking = True`, or use "
        r"smaller batches; terminate it if it never ends",
        message,
    )


async def test_a_coroutine_that_blocks_is_named_too():
    component, message = await first_bulletin(BlocksInCoroutine)
    assert component == "sink"
    assert "test_watchdog.py" in message


def test_processors_left_out_by_a_restart_are_read_from_the_environment():
    assert stopped_at_start({"FLOWENGINE_STOPPED": "a,group/b"}) == {"a", "group/b"}
    assert stopped_at_start({}) == frozenset()


@pytest.mark.slow
def test_an_endless_loop_is_freed_by_a_restart_that_loses_nothing(tmp_path):
    program = [sys.executable, "-m", "tests.flowengine.endless_flow", str(tmp_path), "1000"]
    with subprocess.Popen(program, cwd=ROOT) as process:
        try:
            status = wait_for(tmp_path, lambda found: found.held is not None)
            assert status.held.processor == "endless"
            with ControlClient(tmp_path) as runner:
                assert runner.command("endless", "terminate") == {
                    "state": "restarting",
                    "without": "endless",
                }
            after = wait_for(tmp_path, lambda s: s.held is None and s.ledger["out"] == 1000)
            with ControlClient(tmp_path) as runner:
                runner.stop(drain=False)
            assert process.wait(30) == 0
        finally:
            process.kill()
    assert after.pid == process.pid
    assert after.processors["endless"].state == "stopped"
    assert after.connections["count-endless"].queued == 1000
    assert (after.ledger["in"], after.balance) == (2000, 0)


def wait_for(directory, condition):
    """The first status with this property. A runner that starts anew does not answer for a while,
    and there is no event to wait for in another process."""
    pause, status = threading.Event(), None
    for _ in range(TRIES):
        with suppress(EnvironmentFault), ControlClient(directory) as runner:
            status = runner.status()
            if condition(status):
                return status
        pause.wait(0.05)
    raise AssertionError(f"status must come to hold; got {status}")
