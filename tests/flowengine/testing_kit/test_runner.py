"""The testing kit runs a processor by the engine's own rules."""

from pathlib import Path

import pytest

from flowengine.connection import Limits
from flowengine.definition.flat import Scheduling
from flowengine.errors import ProcessorBug
from flowengine.processor import ProcessorProperties
from flowengine.testing import ProcessorRunner
from tests.processors_for_tests import SECOND, Numbers, Pass, processor


def test_it_triggers_as_often_as_there_is_something_to_do():
    with ProcessorRunner(Pass, scheduling=Scheduling(batch_size=2)) as runner:
        for number in range(5):
            runner.enqueue("x", number=str(number))
        runner.run()
        assert len(runner.transferred("success")) == 2
        runner.run(99)
        assert [f.attributes["number"] for f in runner.transferred("success")] == list("01234")
        runner.clear()
        assert (runner.transferred("success"), runner.queued) == ([], 0)


def test_it_does_not_trigger_while_yielded_or_blocked():
    def trigger(context, session):
        session.transfer(session.get_batch(1), "success")
        context.yield_(SECOND)

    with ProcessorRunner(processor(trigger), limits=Limits(objects=2)) as runner:
        for _ in range(5):
            runner.enqueue()
        runner.run(5)
        assert runner.queued == 4
        runner.clock.advance(SECOND)
        runner.run(5)
        runner.clock.advance(SECOND)
        runner.run(5)
        assert runner.queued == 3


def test_errors_of_the_processor_are_raised_after_a_roll_back():
    with ProcessorRunner(processor(lambda c, s: s.get())) as runner:
        runner.enqueue(b"x")
        with pytest.raises(ProcessorBug):
            runner.run()
        assert (runner.queued, runner.queue.in_flight) == (1, 0)


def test_async_processors_run_on_the_runners_loop():
    async def trigger(context, session):
        name = await context.thread(lambda: "thread")
        session.transfer(session.get().with_attributes({"from": name}), "success")

    with ProcessorRunner(processor(trigger)) as runner:
        runner.enqueue()
        runner.run()
        assert runner.transferred("success")[0].attributes == {"from": "thread"}


def test_a_restart_keeps_queue_and_state():
    with ProcessorRunner(Numbers, count=3, batch=1) as runner:
        runner.run(2)
        runner.restart()
        runner.run(9)
        assert [f.content for f in runner.transferred("success")] == [b"0", b"1", b"2"]
        assert runner.state == {"done": 3}


class Adjustable(Pass):
    """Takes new properties while it runs."""

    class Properties(ProcessorProperties):
        level: int = 1

    def reconfigure(self, properties):
        self.properties = properties
        return True


def test_properties_change_live():
    with ProcessorRunner(Adjustable, level=1) as runner:
        runner.start()
        assert runner.reconfigure(level=2)
        assert runner.node.processor.properties.level == 2


def test_nothing_is_left_behind_in_the_temporary_directory():
    with ProcessorRunner(Pass) as runner:
        directory = runner.directory
        assert directory.exists()
    assert not Path(directory).exists()
