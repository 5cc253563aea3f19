"""The same steps in Bytewax, which is installed for the benchmarks only."""

from __future__ import annotations

import importlib.util

from tests.benchmarks.loop import BATCH, COUNT, HOPS, make, step
from tests.benchmarks.results import Rate, Stopwatch


def installed() -> bool:
    """Whether Bytewax is there; it has no wheels for every Python and machine."""
    return importlib.util.find_spec("bytewax") is not None


def bytewax() -> Rate:
    """Hops per second through five ``map`` operators."""
    from bytewax import operators
    from bytewax.dataflow import Dataflow
    from bytewax.testing import TestingSink, TestingSource, run_main

    content = b"x" * 200
    out: list[object] = []
    source = (make(number, content) for number in range(COUNT))
    flow = Dataflow("chain")
    stream = operators.input("feed", flow, TestingSource(source, batch_size=BATCH))
    for hop in range(HOPS):
        stream = operators.map(f"hop_{hop}", stream, step)
    operators.output("drop", stream, TestingSink(out))
    watch = Stopwatch()
    run_main(flow)
    if len(out) != COUNT:
        raise AssertionError(f"bytewax must hand on {COUNT} items; got {len(out)}")
    return watch.rate(COUNT * HOPS)
