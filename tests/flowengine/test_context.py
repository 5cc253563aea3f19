"""What a processor may ask of the engine beside its session."""

import asyncio
import threading

import pytest

from flowengine.errors import DefinitionError
from flowengine.testing import ProcessorRunner
from tests.processors_for_tests import SECOND, Pass, processor


@pytest.fixture
def runner():
    with ProcessorRunner(Pass, services={"there": "a service"}) as made:
        yield made


def test_it_knows_the_processor_and_its_surroundings(runner):
    context = runner.context
    assert (context.id, context.type, context.flow_name) == ("processor", "Pass", "test")
    assert (context.concurrent_tasks, context.batch_size) == (1, 256)
    assert context.data_dir == runner.directory


def test_services_are_found_by_name(runner):
    assert runner.context.service("there") == "a service"
    with pytest.raises(DefinitionError) as caught:
        runner.context.service("away")
    assert str(caught.value) == (
        "processor 'processor' service must be one that the flow defines; got 'away'"
    )


def test_a_yield_lasts_its_duration_and_the_longer_one_stands(runner):
    runner.context.yield_()
    assert runner.node.yield_until == runner.flat.yield_us
    runner.context.yield_(5 * SECOND)
    runner.context.yield_(1)
    assert runner.node.yield_until == 5 * SECOND


def test_it_says_whether_to_stop_and_whether_downstream_is_full(runner):
    assert runner.context.stopping
    runner.start()
    assert not runner.context.stopping
    assert not runner.context.blocked


def test_what_is_reported_is_shown_until_it_is_reported_anew(runner):
    runner.context.report(lag=5, assigned=[0])
    runner.context.report(lag=4)
    assert runner.node.reported == {"lag": 4, "assigned": [0]}


def test_complete_takes_effect_with_the_commit():
    def make(context, session):
        context.complete()
        seen.append(made.node.completed)

    seen: list[bool] = []
    with ProcessorRunner(processor(make, source=True)) as made:
        made.run()
        assert (seen, made.node.completed) == ([False], True)


def test_io_runs_on_the_loop_for_clients_and_blocking_calls_on_a_thread(runner):
    async def name():
        return threading.current_thread().name

    async def ask():
        here = await name()
        there = await runner.context.io(name())
        worker = await runner.context.thread(lambda: threading.current_thread().name)
        return here, there, worker

    here, there, worker = runner.loop.run_until_complete(ask())
    assert (here, there) == ("MainThread", "io")
    assert worker not in (here, there)
    assert asyncio.iscoroutinefunction(runner.context.io)
