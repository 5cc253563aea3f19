"""What a processor cannot handle becomes a bulletin, and not a flood of them."""

import pytest

from flowengine.failures import MOST, PERIOD, Ration
from flowengine.processor import Relationship
from tests.processors_for_tests import Numbers, Pass, Remove, chain, processor, running


class Refuses(Pass):
    """Fail what comes."""

    failure = Relationship("Everything.", failure=True)

    def on_trigger(self, context, session):
        for flowfile in session.get_batch():
            number = flowfile.attributes["number"]
            session.fail(flowfile, f"attribute 'number' must be a letter; got {number!r}")


async def bulletins_of(count, **settings):
    """Bulletins of a processor that refuses so many FlowFiles."""
    step = (Refuses, {"auto_terminate": ["success", "failure"], **settings}, {})
    async with running(chain((Numbers, {}, {"count": count}), step)) as engine:
        return [(b.level, b.message) for b in engine.board.list("p1")]


async def test_a_flowfile_that_fails_is_said_with_processor_value_and_fate():
    assert await bulletins_of(1) == [
        (
            "warning",
            "processor 'p1' (Refuses): attribute 'number' must be a letter; got '0'. "
            "The FlowFile went to 'failure'",
        )
    ]


async def test_many_that_fail_in_one_session_are_one_bulletin():
    [(_, message)] = await bulletins_of(10)
    assert message == (
        "processor 'p1' (Refuses): attribute 'number' must be a letter; got '0'. "
        "The FlowFile and 9 more went to 'failure'"
    )


async def test_what_is_tried_again_is_said_too():
    settings = {"auto_terminate": ["success"], "retry": {"failure": {"backoff": "yield"}}}
    [(_, message)] = await bulletins_of(1, **settings)
    assert message.endswith("got '0'. The FlowFile went back, to be tried again")


async def test_a_source_speaks_for_itself():
    def trigger(context, session):
        session.fail(session.create(b"x"), "record must be one; got none")
        context.complete()

    cls = processor(trigger, source=True, relationships=("success", "failure"))
    async with running(chain((cls, {"auto_terminate": ["failure"]}, {}), Remove)) as engine:
        assert engine.board.list("p0") == []


@pytest.mark.parametrize(("later", "expected"), [(PERIOD - 1, False), (PERIOD, True)])
def test_a_few_bulletins_a_second_are_enough(later, expected):
    ration = Ration()
    assert [ration.take(0) for _ in range(MOST + 1)] == [True] * MOST + [False]
    assert ration.take(later) is expected
