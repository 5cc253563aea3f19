"""The ledger: in = out + failed + expired + dropped + queued (E28)."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flowengine.ledger import NAMES, Ledger
from tests.processors_for_tests import chain, collector, elapse, processor, running

SECOND = 1_000_000


@given(st.lists(st.tuples(st.sampled_from(NAMES[1:]), st.integers(0, 9))), st.integers(0, 9))
def test_it_balances_when_everything_is_accounted_for(ends, queued):
    ledger = Ledger()
    ledger.add("in", sum(count for _, count in ends) + queued)
    for name, count in ends:
        ledger.add(name, count)
    assert ledger.balance(queued) == 0
    assert ledger.balance(queued + 1) == -1
    assert ledger.balance(queued - 1) == 1


def test_it_goes_on_from_a_cut_and_ignores_what_it_does_not_know():
    ledger = Ledger()
    ledger.restore({"in": 5, "out": 2, "expired": 1, "unheard": 9})
    assert ledger.line(2) == "5 in = 2 out + 0 failed + 1 expired + 0 dropped + 2 queued"


async def test_splits_clones_failures_expiry_and_retries_all_balance():
    def split(context, session):
        for flowfile in session.get_batch():
            child = session.create(parent=flowfile)
            number = int(flowfile.attributes.get("number", 0))
            session.transfer(child, "success" if number % 3 else "failure")
            session.transfer(session.clone(flowfile), "success")
            session.remove(flowfile)

    def make(context, session):
        for number in range(30):
            session.transfer(session.create(b"", {"number": str(number)}), "success")
        context.complete()

    step: Any = (
        processor(split, relationships=("success", "failure")),
        {"retry": {"failure": {"count": 1}}, "auto_terminate": ["failure"]},
        {},
    )
    sink, got = collector()
    async with running(chain(processor(make, source=True), step, sink)) as engine:
        ledger = engine.assembly.core.ledger
        assert ledger.balance(engine.assembly.queued) == 0
        assert engine.assembly.queued == 10
        await elapse(engine, 30 * SECOND)
        assert (engine.assembly.queued, ledger.balance(0)) == (0, 0)
    assert len(got) == 50
