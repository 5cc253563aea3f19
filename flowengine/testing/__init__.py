"""The testing kit: run a processor alone, on a fake clock, and check its contract."""

from flowengine.clock import FakeClock
from flowengine.testing.checks import check_example, check_processor
from flowengine.testing.runner import ProcessorRunner

__all__ = ["FakeClock", "ProcessorRunner", "check_example", "check_processor"]
